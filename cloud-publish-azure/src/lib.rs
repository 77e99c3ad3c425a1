//! Publishes disk images to Azure: Compute Gallery versions in every region, Marketplace offers.
//!
//! The verbs are not written yet. What is here is what other crates need until then: the keys of a
//! `[target.NAME]` with `provider = "azure"` ([`AzureConfig`]) and what this cloud can do ([`capability()`]). The command
//! line refuses such a target by name. A program that embeds the core gives [`provider_schema`] to `Config::read`, so that
//! such targets are read and checked; there is no publisher to make of them yet.
//!
//! # What this crate will own
//! One target: two galleries of one subscription. Sharing is a property of a whole gallery, so a version in a shared one
//! can be used the moment it exists, even while it is excluded from `latest`. Hence `staging_gallery`, private, where a
//! version is registered and tried, and `gallery`, shared as configured, where it is created from the first.
//!
//! # One image, from nothing to everybody
//! 1. The disk as a fixed VHD: the data, whole MiB, and a footer computed from the content, so that the same disk gives
//!    the same bytes. Only what is not zero is sent.
//! 2. Staging, by configuration: a managed disk (`createOption = Upload`, page writes to its signed URL; no storage
//!    account is needed), or a page blob where a Marketplace offer wants one.
//! 3. Register: a version in the staging gallery, in the home region with one replica, all tags in the `PUT`, which is
//!    idempotent: to resume is to `PUT` or `GET` again.
//! 4. Replicate: the version in the shared gallery made from it, in one `PUT` that names the union of all regions, with
//!    `excludeFromLatest`. It takes minutes to hours; the state of each region is progress, and no fixed time-out.
//! 5. Behind the barrier: `excludeFromLatest` is taken away, then the offer's change is submitted.
//! 6. To hide is to exclude from `latest` in every region, to retire is to delete the version in the shared gallery and
//!    keep its source, to delete is to delete that too.
//!
//! Answers say "East US" for `eastus`: regions are normalised before they are compared. Signed URLs and the URLs of
//! operations are secrets and are never logged; the SDK's own `Debug` of a failed transfer shows them.
//!
//! # Which crates, and why
//! - `azure_core`, `azure_identity` and `azure_storage_blob`: the official line since 1.0. The older `azure_storage_blobs`
//!   (plural) is frozen, cannot be mixed with the others' types, and lacks creation only if absent.
//! - Resource Manager: there is no usable official crate (`azure_resourcemanager_compute` is empty, `azure_mgmt_compute`
//!   unsupported), so a thin typed client on `azure_core`'s pipeline.
//! - Credentials in this order: client secret of the environment, workload identity, managed identity, the `az` command.

mod capability;
mod config;

pub use capability::capability;
pub use config::{AzureConfig, Staging, provider_schema};
