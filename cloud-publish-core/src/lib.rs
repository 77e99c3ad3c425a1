//! The core of cloud-publish.

pub mod catalogue;
pub mod clock;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod digest;
pub mod disk;
pub mod error;
pub mod event;
pub mod execute;
pub mod identity;
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
