//! A complete cloud in memory, and the publisher that talks to it: for tests and for programs that embed the core.
//!
//! Owns both sides. [`MemoryCloud`] is the far side: accounts, regions with rules, objects, a log of every request, and
//! the means to make it misbehave. It outlives its publishers, so a run that was killed is followed by a new
//! [`MemoryPublisher`] on the same cloud, exactly as with a real one. The publisher knows the cloud only through
//! requests (`client`), each of which can be slow, refused, lost or the last; there is no other way from one side to the
//! other. Nothing here is durable.
//!
//! Files: `state` and its parts (`record`, `rules`, `fault`, `log`) are the cloud, `cloud` its outside; `publisher`
//! implements the trait with one file per group of verbs.

mod client;
mod cloud;
mod content;
mod fault;
mod life;
mod log;
mod lookup;
mod pointer;
mod preflight;
mod publisher;
mod record;
mod register;
mod remove;
mod replicate;
mod rules;
mod settings;
mod show;
mod state;
mod survey;
mod upload;

pub use self::cloud::MemoryCloud;
pub use self::fault::{Fault, What};
pub use self::log::{Exposure, Request, Verb};
pub use self::publisher::MemoryPublisher;
pub use self::record::{ImageRecord, StagedRecord};
pub use self::rules::Rules;
pub use self::settings::MemorySettings;

#[cfg(test)]
mod tests;
