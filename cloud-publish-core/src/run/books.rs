//! Bringing the derived files of the state up to date: the catalogue and a release's receipts.
//!
//! The catalogue is one file for all places, so a run holds a lease of its own over reading, changing and writing it.

use std::collections::BTreeSet;

use super::{Environment, Observed};
use crate::catalogue::{self, Catalogue, Scope};
use crate::error::Result;
use crate::identity::Place;
use crate::ledger::{Claim, Holder, RunId};
use crate::names::ReleaseName;
use crate::survey::Survey;

/// What a run knows of one target in the end.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) observed: &'a Observed,
    pub(super) survey: Survey,
    /// The run held the lease of the place, so its survey speaks for all of it.
    pub(super) is_whole: bool,
}

/// Brings the catalogue up to date; writes nothing when it says the same already.
pub(super) async fn catalogue(
    environment: &Environment,
    release: &ReleaseName,
    pages: &[Page<'_>],
    run: RunId,
) -> Result<Catalogue> {
    let state = environment.state.as_ref();
    let before = catalogue::read(state).await?;
    let after = with(before.clone(), release, pages);
    if after == before {
        return Ok(after);
    }
    let place = Place { provider: "state".parse()?, account: "catalogue".parse()? };
    let holder = Holder::this_process(run, environment.clock.now());
    let claim = Claim::new(BTreeSet::from([place]), holder);
    // Not cancelled by the run's stop: what was done is written down in any case.
    let context = crate::publisher::Context::with_clock(environment.clock.clone());
    let leases = environment.ledger().acquire(&claim, &context, &|_, _| {}).await?;
    let written = async {
        let after = with(catalogue::read(state).await?, release, pages);
        catalogue::write(state, &after).await?;
        Ok(after)
    };
    let written = written.await;
    leases.release().await?;
    written
}

fn with(mut catalogue: Catalogue, release: &ReleaseName, pages: &[Page<'_>]) -> Catalogue {
    for page in pages {
        let scope = if page.is_whole { Scope::Place } else { Scope::Release(release) };
        catalogue.take(&page.observed.info, &page.survey, scope);
    }
    catalogue
}

/// Writes the release's receipts, from the catalogue and from the ledger as it is now.
pub(super) async fn receipts(environment: &Environment, release: &ReleaseName, catalogue: &Catalogue) -> Result<()> {
    let history = environment.ledger().history(release).await?;
    catalogue::write_receipts(environment.state.as_ref(), release, catalogue, &history).await
}
