//! Takes a Linux distribution's disk images and makes them usable, public, correctly labelled images at every cloud
//! that a publisher knows; and says exactly what is missing when it could not.
//!
//! This crate is the whole of it but the clouds: each of those is a crate that implements [`publisher::Publisher`]. The
//! command `publish` is a thin user of both.
//!
//! # Data flows one way
//!
//! | stage | module | |
//! |---|---|---|
//! | release manifest + publish.toml | [`manifest`], [`disk`] | what should be true |
//! | survey | [`survey`], [`publisher`] | what is true: each publisher says what is there |
//! | plan | [`plan`] | the difference, as a DAG of steps; pure |
//! | execute | [`execute`] | steps become calls, with receipts as they go |
//! | gates | [`gate`] | commands that must pass before anything is published |
//! | ledger | [`ledger`] | durable, append-only receipts, and leases |
//! | catalogue | [`catalogue`] | ids and digests, for users to look up |
//!
//! Modules import only leftwards: what must be written to the right goes through a trait owned on the left
//! ([`execute::Journal`], [`event::Reporter`]). [`run`] puts the stages in order. Nothing prints, nothing is global, and
//! time, environment and randomness are handed in ([`clock`]). Beside the flow, [`import`] makes release manifests of what
//! a distribution's builds leave, and [`local`] is the one provider in here: a directory to be mirrored.
//!
//! # Words
//!
//! - **Owner**: who publishes; in every tag we set. **Release**: images built together, with suite, version and class.
//! - **Artifact**: one disk image file of a release. **Target**: one place to publish to. **Image**: the artifact as
//!   registered at a target; **replica**: its presence in one region; **rendition**: what was made of it there.
//! - **Line**: the releases that supersede each other. **Pointer**: a name that resolves to the newest of a line.
//! - **Staged**: the bytes are at the cloud, nothing is registered yet. **Receipt**: one durable entry of the ledger.
//! - **Gate**: what must pass between registration and publication; a person's approval is the other such word. Both are
//!   receipts, not states of the cloud.
//! - The life of an image: absent, staged, registered, replicated, published, hidden, retired, deleted
//!   ([`survey::Life`]).
//!
//! # What can be relied on
//!
//! - An object is ours only with our complete tags ([`identity`]), in our own account; nothing else is ever changed.
//! - Nothing of an artifact is public anywhere before it is in every required region.
//! - A run that died anywhere is continued by the same call, also on another machine, also with the ledger lost: verbs
//!   look before they make, and clouds are asked under names derived from what is published.
//!
//! # In a program of your own
//!
//! The command has no knowledge that you would miss. A run is three calls, [`run::prepare`] (survey and plan),
//! [`run::Prepared::preflight`] and [`run::carry_out`]; the first two change nothing, so a program may look at the plan and
//! the findings, or ask somebody, in between. What it hands in, as [`run::Environment`] and [`run::Target`]:
//!
//! | what | as | for example |
//! |---|---|---|
//! | what to publish | [`manifest::Config`], [`manifest::Release`] | read from files, or parsed from text that was never a file |
//! | where to | [`publisher::Publisher`] | [`local::Local`], `cloud_publish_openstack::OpenStack`, `cloud_publish_aws::Aws`, [`memory::MemoryPublisher`] |
//! | where ledger and catalogue are kept | `object_store::ObjectStore` | [`ledger::local_store`], a bucket, memory |
//! | who hears of it | [`event::Reporter`] | [`event::Silent`], a progress bar, a message queue |
//! | what time it is | [`clock::Clock`] | [`clock::SystemClock`], or one that a test turns |
//! | what stops it | `tokio_util::sync::CancellationToken` | cancelled by a signal, a deadline, a closed connection |
//!
//! It runs on tokio, in the program's own runtime. Errors are one type ([`error::Error`]) that says what can be decided on
//! ([`error::Kind`]); how a run ended is a value that serialises ([`run::Summary`]). A cloud that is missing is a crate
//! that implements [`publisher::Publisher`] and passes the suite in `conformance` (a feature); [`memory`] is one to copy.
//!
//! # Example: publish a release to a directory
//!
//! ```
//! use std::sync::Arc;
//!
//! use cloud_publish_core::clock::SystemClock;
//! use cloud_publish_core::event::Silent;
//! use cloud_publish_core::execute::NoGate;
//! use cloud_publish_core::ledger::local_store;
//! use cloud_publish_core::local::{Local, LocalConfig, LocalSettings};
//! use cloud_publish_core::manifest::{Config, ProviderSchema, Release};
//! use cloud_publish_core::publisher::Probe;
//! use cloud_publish_core::run::{Environment, Options, Request, RunOutcome, Target, carry_out, prepare};
//! use tokio_util::sync::CancellationToken;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("cloud-publish-example-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # std::fs::write(folder.join("publish.toml"), "schema = 1\nowner = \"debian\"\nreleases = \".\"\nstate = \"state\"\n[target.local]\nprovider = \"local\"\npath = \"public\"\n")?;
//! # std::fs::write(folder.join("disk.raw"), [0; 1024])?;
//! # std::fs::write(folder.join("bookworm-20240101.toml"), "schema = 1\nname = \"bookworm-20240101\"\nsuite = \"bookworm\"\nsuite_id = \"12\"\nversion = \"20240101-1614\"\nclass = \"release\"\ndate = 2024-01-01T00:00:00Z\n[[artifact]]\nvariant = \"genericcloud\"\narch = \"amd64\"\nfile = \"disk.raw\"\nformat = \"raw\"\nsha256 = \"5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef\"\nboot = \"uefi\"\n")?;
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! let config = Config::read(&folder.join("publish.toml"), &[ProviderSchema::of::<LocalConfig>()])?;
//! let release = Release::find(&config.releases, &"bookworm-20240101".parse()?)?;
//!
//! let local = config.targets.values().next().ok_or("no target")?.clone();
//! let own: LocalConfig = local.own()?;
//! let publisher = Local::new(LocalSettings {
//!     target: local.name.clone(),
//!     owner: config.owner.clone(),
//!     path: own.path,
//!     formats: own.formats,
//!     base_url: own.base_url,
//! })?;
//!
//! let environment = Environment {
//!     config: Arc::new(config),
//!     state: local_store(&folder.join("state"))?,
//!     gate: Arc::new(NoGate),
//!     reporter: Arc::new(Silent),
//!     clock: Arc::new(SystemClock::new()),
//!     stop: CancellationToken::new(),
//! };
//! let request = Request {
//!     release,
//!     targets: vec![Target { config: local, publisher: Arc::new(publisher) }],
//!     options: Options::default(),
//! };
//! let prepared = prepare(&environment, &request).await?;
//! let preflight = prepared.preflight(&environment, Probe::MayWrite).await?;
//! let summary = carry_out(&environment, &request, prepared, preflight).await?;
//! assert_eq!(summary.outcome, RunOutcome::Complete);
//! assert!(folder.join("public/bookworm/latest/SHA512SUMS").exists());
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(())
//! # })
//! # }
//! ```

pub mod catalogue;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod digest;
pub mod disk;
pub mod error;
pub mod event;
pub mod execute;
pub mod gate;
pub mod identity;
pub mod import;
pub mod ledger;
pub mod local;
pub mod manifest;
pub mod memory;
pub mod names;
pub mod plan;
pub mod poll;
pub mod publisher;
pub mod run;
pub mod secret;
pub mod survey;
