//! Publishes disk images to AWS: EBS snapshots, AMIs in every region, SSM parameters, Marketplace listings.
//!
//! The verbs are not written yet. What is here is what other crates need until then: the keys of a
//! `[target.NAME]` with `provider = "aws"` ([`AwsConfig`]) and what this cloud can do ([`capability()`]). The command
//! line refuses such a target by name.
//!
//! # What this crate will own
//! One target: one account, its home region and the regions that images are copied to. Each partition (`aws`, `aws-cn`,
//! `aws-us-gov`) is a target of its own, because nothing is ever copied from one to another.
//!
//! # One image, from nothing to public
//! 1. Preflight: credentials (`GetCallerIdentity`), enabled regions (those skipped are listed), the quota of public AMIs
//!    and Block Public Access in each region. Both are off the beaten track of permissions, and both would otherwise
//!    fail at the last step, after every upload.
//! 2. `StartSnapshot` with a client token made of key, digest and generation, and all tags; `PutSnapshotBlock` for each
//!    512 KiB that is not zero, with its sha256; `CompleteSnapshot` with the linear aggregate of them. No bucket and no
//!    role. The blocks acknowledged are noted in the ledger, because those of a pending snapshot cannot be listed. An
//!    account without that permission stages through S3 and `ImportSnapshot`.
//! 3. `RegisterImage`, private, tagged at creation. It has no client token: `InvalidAMIName.Duplicate` is answered by a
//!    look-up by tags.
//! 4. `CopyImage` to each region with a token of its own, queued by destination: the limit on concurrent copies is the
//!    destination's. A copy carries no launch permission, deprecation or protection; they are set again.
//! 5. Behind the barrier: the snapshot's permission, then the image's, then the SSM parameter, then the change set of a
//!    Marketplace listing.
//! 6. To hide is to deprecate, to retire is to disable (which drops the sharing), to delete is to deregister together
//!    with the snapshots.
//!
//! An id that was just returned may "not exist" for a while, and a pending image cannot be shared reliably: every verb
//! waits until its effect is there, for a bounded time.
//!
//! # Which crates, and why
//! The official SDK: `aws-config` with the whole credential chain, and `aws-sdk-ec2`, `-ebs`, `-s3`, `-ssm`, `-sts`,
//! `-servicequotas` and `-marketplacecatalog` without their default features, so that the old hyper 0.14 stack stays
//! out. The HTTP client is handed over explicitly, for the one TLS provider of the program. Retries of the SDK's standard
//! mode for single blocks only; the adaptive mode made throttling worse by an order of magnitude. `aws-sdk-ec2` is by far
//! the largest crate of the build, which is one more reason for a crate of its own.

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
