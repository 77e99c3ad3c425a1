//! The conformance suite: what every [`Publisher`] must do, as checks that run against any of them.
//!
//! A check sees a publisher only through the trait and chooses nothing by a provider's name: [`Check::applies`] reads the
//! capability record. A [`Fixture`] supplies what a check cannot make up: disks, an owner, a second client of the same
//! place, objects of somebody else. What a target is known not to do (an emulator's gap) is named on the fixture with
//! its reason; such a check must fail, or it is reported: a shortfall that went away does not linger on the list.
//!
//! Every check makes images of a release of its own and what it leaves is removed after it, so the suite can run against
//! a place that is in use. Providers are tested with [`run_all`]; nothing here starts a server or reads the environment.
//!
//! ```
//! # use std::sync::Arc;
//! # use cloud_publish_core::conformance::{Fixture, run_all};
//! # use cloud_publish_core::memory::{MemoryCloud, MemoryPublisher, MemorySettings};
//! # use cloud_publish_core::publisher::{Publisher, Replication, WantedRegion};
//! # use cloud_publish_core::error::Error;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Error> {
//! # let folder = std::env::temp_dir().join(format!("conformance-example-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).map_err(|e| Error::new(cloud_publish_core::error::Kind::Storage, e.to_string()))?;
//! let regions = vec![WantedRegion { region: "here".parse()?, required: true }];
//! let settings =
//!     MemorySettings::new("test".parse()?, "account".parse()?, "debian".parse()?, regions, Replication::None)?;
//! let cloud = MemoryCloud::new();
//! let publisher = MemoryPublisher::new(&cloud, settings.clone())?;
//! let fixture = Fixture::new("debian".parse()?, "r1", &folder, move || {
//!     let fresh = MemoryPublisher::new(&cloud, settings.clone());
//!     Box::pin(async move { fresh.map(|publisher| Box::new(publisher) as Box<dyn Publisher>) })
//! })?;
//! let report = run_all(&publisher, &fixture).await?;
//! assert!(report.is_success(), "{report}");
//! # let _ = std::fs::remove_dir_all(folder);
//! # Ok(())
//! # }
//! ```

mod bench;
mod checks;
mod failure;
mod fixture;
mod report;
mod sample;
mod sweep;

pub use self::checks::{Check, Run, checks};
pub use self::failure::Failure;
pub use self::fixture::{Fixture, Fresh, Plant};
pub use self::report::{Outcome, Report};
pub use self::sample::Sample;
use crate::error::Result;
use crate::publisher::{Publisher, TargetInfo};

/// Runs every check, one after the other.
///
/// # Behaviour
/// A check that fails does not keep the next one from running. A check that takes longer than the fixture's limit has
/// failed.
///
/// # Errors
/// Only when the target does not even say what it is ([`Publisher::info`]).
pub async fn run_all(publisher: &dyn Publisher, fixture: &Fixture) -> Result<Report> {
    let info = publisher.info(&fixture.context()).await?;
    let mut report = Report::default();
    for check in checks() {
        report.add(check.name, run_one(publisher, fixture, (&info, check)).await);
    }
    Ok(report)
}

async fn run_one(publisher: &dyn Publisher, fixture: &Fixture, (info, check): (&TargetInfo, &Check)) -> Outcome {
    if !(check.applies)(info, fixture) {
        return Outcome::NotApplicable(check.needs);
    }
    let ended = tokio::time::timeout(fixture.limit(), (check.run)(publisher, fixture)).await;
    let mut result = ended.unwrap_or_else(|_| Err(Failure::new("it did not end within the fixture's time limit")));
    let swept = sweep::sweep(publisher, fixture).await;
    if result.is_ok() {
        result = swept;
    }
    match (result, fixture.shortfall(check.name)) {
        (Ok(()), None) => Outcome::Passed,
        (Err(failure), None) => Outcome::Failed(failure),
        (Err(_), Some(reason)) => Outcome::KnownShortfall(reason.to_owned()),
        (Ok(()), Some(reason)) => Outcome::Failed(Failure::new(format!(
            "it passes, but is listed as a known shortfall ({reason}): take it off the list"
        ))),
    }
}

#[cfg(test)]
mod broken;
#[cfg(test)]
mod tests;
