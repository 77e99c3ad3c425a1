//! Publishes disk images to OpenStack clouds: Keystone v3 for who we are, Glance v2 for the images.
//!
//! # What this crate owns
//! [`OpenStack`] is one target: one project of one cloud, in all the regions wanted. It implements
//! [`Publisher`](cloud_publish_core::publisher::Publisher); what may be done when is the planner's matter, repeating
//! a step is the executor's. It reads no environment and finds no files: [`CloudsFile::read`] is given a path.
//!
//! # One image, from nothing to public
//! 1. `POST /v3/auth/tokens`; the catalogue names each region's Glance, version discovery its newest 2.x.
//! 2. Look for the image by its key, in two listings, because Glance leaves hidden images out of the first.
//! 3. `POST /v2/images`: a private record with every property and tag, under an id made of key, digest and generation.
//!    A second `POST` of that id is refused (409), so two runs never make two. The id of a deleted record stays taken:
//!    409 with nothing to `GET` is a dead generation, and the next one is tried.
//! 4. `PUT /v2/images/{id}/file` with its length, or an import (`PUT .../stage`, `POST .../import`); then size and hash are compared with the file's. A record in `saving`
//!    may belong to another run and is waited for, never deleted; one in `queued` takes the data again, even after its
//!    client died. Only what this very call has sent is deleted when it is not the file.
//! 5. `PATCH` of `visibility`, members, `os_hidden`, marks; `deactivate` retires, `DELETE` ends it. Each looks first
//!    whether the image is in our project and still carries exactly our tags.
//! 6. With `stable_name`, the newest published image of a line takes that name, and the one before gets its own back.
//!
//! # In a program of your own
//! A target is made of values; nothing is looked for in the environment. What to do with it is said on the front page of
//! `cloud_publish_core`, and `examples/src/bin/embed.rs` of the repository is a whole program.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//! use cloud_publish_core::manifest::{Config, TargetConfig};
//! use cloud_publish_core::run::Target;
//! use cloud_publish_openstack::{CloudsFile, OpenStack, OpenStackConfig, OpenStackSettings};
//!
//! fn target(config: &Config, target: &TargetConfig) -> cloud_publish_core::error::Result<Target> {
//!     let own: OpenStackConfig = target.own()?;
//!     let publisher = OpenStack::new(OpenStackSettings {
//!         target: target.name.clone(),
//!         owner: config.owner.clone(),
//!         cloud: CloudsFile::read(Path::new("/etc/openstack/clouds.yaml"))?.cloud(&own.cloud)?,
//!         config: own,
//!         regions: target.regions.clone(),
//!         best_effort: target.best_effort.clone(),
//!         deny: target.deny.clone(),
//!     })?;
//!     Ok(Target { config: target.clone(), publisher: Arc::new(publisher) })
//! }
//! // So that `Config::read` knows the keys of such targets:
//! let config = Config::read(Path::new("publish.toml"), &[cloud_publish_openstack::provider_schema()])?;
//! let targets = config.targets.values().map(|one| target(&config, one)).collect::<Result<Vec<_>, _>>()?;
//! # drop(targets);
//! # Ok::<(), cloud_publish_core::error::Error>(())
//! ```
//!
//! # Why `osauth` and not the `openstack` crate
//! `openstack` is the known one, but its image part (0.6) can only read: no create, upload, change, sharing, hidden
//! flag, hash or custom property, and it fails on images without a name. Its own session layer, `osauth`, has what is
//! hard (sessions, endpoints, version discovery), so the few calls needed here are made on that: the `glance` module.
//! Signing in is our own too (the `keystone` module says why).
//!
//! # Time-outs, and asking again
//! 10 s to connect, 120 s without an answer, no total. An upload may take as long as it moves.
//!
//! Reads, and signing in, are asked again at most twice when the cloud throttles, fails (5xx) or breaks the connection: else
//! one bad moment in a listing would refuse a run. Writes are sent once; the executor repeats whole steps.

mod client;
mod clouds;
mod config;
mod content;
mod discard;
mod error;
mod glance;
mod guard;
mod image_record;
mod info;
mod keystone;
mod point;
mod preflight;
mod properties;
mod prove;
mod publisher;
mod register;
mod removal;
mod replicate;
mod retention;
#[cfg(test)]
mod stub;
mod survey;
mod tag;
mod tags;
#[cfg(test)]
mod testing;
mod upload;
mod usage;
mod visibility;

pub use clouds::{Auth, ClientCertificate, Cloud, CloudsFile, Credential, Domain, Named};
pub use config::{Interface, OpenStackConfig, Stores, UploadWay, provider_schema};
pub use publisher::{OpenStack, OpenStackSettings};
