//! A small AWS on a loopback port: EC2's images and snapshots, EBS direct, S3, Parameter Store, STS, IAM, Service Quotas
//! and Marketplace Catalog, as far as publishing disk images needs them.
//!
//! It is **strict**: it refuses what AWS refuses, with AWS's own codes (wrong checksums and counts, sharing a pending
//! image, deleting a snapshot in use). It is **asynchronous**: what is made is pending first, may not be found for a
//! moment, and comes in small pages. It has several **accounts**, **regions** and partitions that see of each other only
//! what is shared. It **fails by rule**: throttles, resets, lost replies, hangs. It keeps a **log** of every request and
//! of every change of who sees what. None of it uses an AWS library: what it knows is from AWS's published service
//! models and pages, and foreign clients check it.
//!
//! Signatures are read, not verified: their scope names service and region, and the access key is `AKIA`, the twelve
//! digits of an account, and anything. What a test wants to differ is in [`Settings`].
//!
//! | control call | does |
//! |---|---|
//! | `POST /_fake/reset` | begins anew, with these settings over the defaults |
//! | `POST /_fake/settings` | changes some settings, as JSON merge patch |
//! | `GET /_fake/settings` | shows them |
//! | `POST /_fake/faults` | replaces the list of [`Rule`]s |
//! | `POST /_fake/advance` | moves the clock by `{"ms": 1000}` |
//! | `GET /_fake/log` | every request ([`Entry`]) and [`Exposure`] since it began anew |
//! | `GET /_fake/log/all` | every request ever |
//! | `GET /_fake/state` | everything there is |
//! | `GET /health` | answers |
//!
//! `tests/servers/aws/contract.py` holds the log against AWS's service models. Where `CLOUD_PUBLISH_TEST_AWS_LOGS` names
//! a folder, each world leaves its log there when it ends, so that one run of it judges all the tests.

mod answer;
mod call;
mod caller;
mod control;
mod ebs;
mod ec2;
mod iam;
mod import;
mod log;
mod marketplace;
mod paging;
mod permissions;
mod query;
mod quotas;
mod reply;
mod route;
mod s3;
mod server;
mod settings;
mod ssm;
mod sts;
mod world;
mod xml;

pub use call::Service;
pub use ec2::{Seed as Ec2Seed, SeedImage as Ec2SeedImage};
pub use log::Entry;
pub use marketplace::{Product as MarketplaceProduct, Seed as MarketplaceSeed};
pub use s3::Seed as S3Seed;
pub use server::FakeAws;
pub use settings::{
    ACCOUNT, Account, BlockPublicAccess, BlockSnapshots, Delays, Denied, OptIn, QuotaException, Quotas, REGION, Region,
    Role, Settings,
};
pub use world::Shared;

pub use crate::fake::{Exposure, Rule, What};
