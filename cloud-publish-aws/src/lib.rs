//! Publishes disk images to AWS: EBS snapshots, AMIs in every region, SSM parameters, Marketplace listings.
//!
//! # What this crate owns
//! [`Aws`] is one target: one account of one partition, its home region and the regions that images are copied to. It
//! implements [`Publisher`](cloud_publish_core::publisher::Publisher); what may be done when is the planner's matter,
//! repeating what failed is the executor's. Each verb looks before it makes and before it changes anything: an object is
//! ours only in our own account and with exactly our tags. No state is kept here: what is to be remembered of a
//! half-sent snapshot goes through the context into the ledger, and without it nothing but time is lost.
//!
//! # One image, from nothing to public
//! 1. **Preflight**: who the credentials are, which regions are enabled, what they may do (asked with `DryRun`), names
//!    held by others, the quota of public images, Block Public Access, encryption by default, and whether AWS has such
//!    images at all. All of it would otherwise show at the last step, after every upload.
//! 2. `StartSnapshot` with a token made of key, digest and generation, and all tags; `PutSnapshotBlock` for each 512 KiB
//!    that is not zero, with its sha256; `CompleteSnapshot` with the aggregate of them. No bucket and no role. Which
//!    blocks were acknowledged is noted in the ledger, because those of a pending snapshot cannot be listed. An account
//!    that may not write blocks stages through S3 and `ImportSnapshot` (`upload = "s3-import"`).
//! 3. `RegisterImage`, private, tagged at creation. It has no token: `InvalidAMIName.Duplicate` is answered by a look-up
//!    by tags, never by "the first of that name".
//! 4. `CopyImage` to each region with a token of its own, queued by destination, whose limit on copies under way it is. A
//!    copy carries no launch permission, deprecation or protection; they are set again, and the copy is compared.
//! 5. Behind the barrier: the snapshot's permission, then the image's, then tags, then the SSM parameters, then the
//!    change set of a Marketplace listing.
//! 6. To **hide** is to deprecate (lists of others leave it out), to **retire** is to take the
//!    snapshot's permissions away and to disable (which drops the sharing), to **delete** is to deregister with the snapshots.
//!
//! An id that was just returned may "not exist" for a while, and a pending image cannot be shared: every verb waits until
//! its effect is there, for a bounded time. A token whose object was deleted or failed is a dead generation: that is
//! noted, and the next one is tried.
//!
//! # Two accounts of a distribution
//! Releases and dailies in accounts of their own, everywhere and public, with parameters that lead to the newest:
//!
//! ```
//! # use std::path::Path;
//! # use cloud_publish_core::manifest::{Config, collisions};
//! let config = r#"
//! schema = 1
//! owner = "debian"
//! releases = "releases"
//! state = "s3://debian-publish-state/ledger"
//!
//! [target.aws]
//! provider = "aws"
//! classes = ["release"]
//! account = "111111111111"                       # any other is refused before the first byte
//! roles = ["arn:aws:iam::111111111111:role/publisher"]
//! home_region = "us-east-1"
//! regions = "all"                                # all that are enabled; the others are listed as skipped
//! best_effort = ["me-central-1"]                 # wanted too; a failure there is a warning
//! visibility = "public"
//! snapshots = "as-image"                         # whoever may use an image may copy it
//! parameters = [
//!     "/debian/{class}/{suite}/{variant}/{version}/{arch}",
//!     "/debian/{class}/{suite}/{variant}/latest/{arch}",
//! ]
//!
//! [target.aws-daily]
//! provider = "aws"
//! classes = ["daily"]
//! account = "222222222222"
//! roles = ["arn:aws:iam::222222222222:role/publisher"]
//! home_region = "us-east-1"
//! regions = ["us-east-1", "eu-central-1"]
//! visibility = "public"
//! deprecate_after_days = { daily = 30 }
//! parameters = ["/debian/{class}/{suite}/{variant}/latest/{arch}"]
//! "#;
//! let read = Config::parse(Path::new("publish.toml"), config, &[cloud_publish_aws::provider_schema()])?;
//! assert!(collisions(&read, &[]).is_empty());
//! # Ok::<(), cloud_publish_core::manifest::Problems>(())
//! ```
//!
//! Nothing is copied from one partition (`aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`) to another: each is a target with an
//! account of its own.
//!
//! # In a program of your own
//! A target is made of values; what to do with it is said on the front page of `cloud_publish_core`.
//!
//! ```no_run
//! use std::path::Path;
//! use std::sync::Arc;
//! use cloud_publish_aws::{Aws, AwsSettings};
//! use cloud_publish_core::manifest::{Config, TargetConfig};
//! use cloud_publish_core::run::Target;
//!
//! fn target(config: &Config, target: &TargetConfig) -> cloud_publish_core::error::Result<Target> {
//!     let publisher = Aws::new(AwsSettings {
//!         target: target.name.clone(),
//!         owner: config.owner.clone(),
//!         config: target.own()?,
//!         regions: target.regions.clone(),
//!         best_effort: target.best_effort.clone(),
//!         deny: target.deny.clone(),
//!         sdk: None, // or an `SdkConfig` with credentials of your own: then no environment is read
//!     });
//!     Ok(Target { config: target.clone(), publisher: Arc::new(publisher) })
//! }
//! // So that `Config::read` knows the keys of such targets:
//! let config = Config::read(Path::new("publish.toml"), &[cloud_publish_aws::provider_schema()])?;
//! let targets = config.targets.values().map(|one| target(&config, one)).collect::<Result<Vec<_>, _>>()?;
//! # drop(targets);
//! # Ok::<(), cloud_publish_core::error::Error>(())
//! ```
//!
//! # Credentials
//! Where the AWS command line finds them: variables, profiles, SSO, a credential process, the web identity of a CI job,
//! the role of a container or machine. On top of them `roles`, one after the other, and for single regions
//! `region_roles`. Roles are always asked of the home region's STS: that of a region which had to be enabled gives tokens
//! that others may refuse. A program of its own may hand over an [`SdkConfig`] instead
//! ([`AwsSettings::sdk`]); nothing else of the environment is read then. `AWS_ENDPOINT_URL` and its kin for single
//! services lead everything elsewhere, as in every AWS tool; `SSL_CERT_FILE` names the certificates to trust instead of the system's.
//!
//! # Permissions
//! [`policy()`] makes the IAM policy of the list of calls in [`actions`], which says of each what it is for; tests hold that
//! list to the calls in these sources. One statement per [`Feature`]: leave out what is not used, and put your own names for the
//! words in capitals. Do not narrow EC2's permissions by tags of the image: preflight asks for them with ids that nobody
//! has, before there is an image. Who assumes `roles` needs the statement `RolesRole` alone, the role all others.
//!
//! ```json
#![doc = include_str!("policy.json")]
//! ```
//!
//! EBS direct has no `DryRun`: a missing `ebs:StartSnapshot` shows at the first step, before anything is made.
//!
//! # Time-outs and retries
//! 10 s to connect, 30 s for an answer, 100 s for a call with its three tries; 20 s and 120 s for a block, as coldsnap learnt
//! from connections that stall; 300 s and 900 s for what goes to the bucket of `upload = "s3-import"`, whose parts are 16 MiB
//! and larger. The SDK's standard retries, not its adaptive ones, which made throttling worse by an
//! order of magnitude. Blocks alone are sent again by this crate, with a concurrency that grows by one and halves when
//! AWS asks to slow down. Waiting (a copy: two hours) has a deadline too, after which the same command goes on waiting.
//!
//! # Which crates, and why
//! The official SDK without its default features, so that the old hyper 0.14 stack and a second TLS provider stay out: the
//! HTTP client is `aws-smithy-http-client` with rustls and ring, made once for all services and regions.
//! `aws-sdk-ec2` is by far the largest crate of the build, which is one more reason for a crate of its own.
//!
//! # What holds each call true
//! No test here has met AWS. Every request of a test run is compared with AWS's published service models, as botocore
//! ships them; they are answered by a strict AWS of the project's own, which foreign clients walk through in turn: boto3
//! (it checks answers by the same models), coldsnap and awspub.
//!
#![doc = include_str!("calls.md")]

mod attributes;
mod available;
mod block_public_access;
mod capability;
mod client;
mod config;
mod deprecation;
mod discard;
mod ebs;
mod error;
mod expect;
mod finish;
mod guard;
mod import;
mod info;
mod links;
mod marketplace;
mod own_snapshots;
mod ownership;
mod pace;
mod point;
mod policy;
mod preflight;
mod prove;
mod publisher;
mod regions;
mod register;
mod replicate;
mod retention;
mod sharing;
mod snapshot;
mod survey;
mod tag;
mod tags;
#[cfg(test)]
mod testing;
mod upload;
mod usage;
mod visibility;

pub use aws_config::SdkConfig;
pub use aws_credential_types::Credentials;
pub use aws_credential_types::provider::SharedCredentialsProvider;
pub use capability::capability;
pub use config::{AwsConfig, ImageDefaults, Import, MarketplaceListing, SnapshotVisibility, Upload, provider_schema};
pub use policy::{Action, Feature, actions, policy};
pub use publisher::{Aws, AwsSettings};
