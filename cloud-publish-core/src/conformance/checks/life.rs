//! Checks of hide, retire and restore, all of them on a published image.

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure};
use crate::conformance::fixture::Fixture;
use crate::publisher::{ImageAt, Publisher};
use crate::survey::{Life, Native};

pub(super) async fn hiding_is_repeatable_and_changes_no_visibility(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    for _ in 0..2 {
        doing("hide", publisher.hide(&bench.context, &at).await)?;
        let found = bench.found(&at).await?;
        ensure(found.life() == Life::Hidden, || format!("a hidden image counts as {}", found.life()))?;
        ensure(found.visibility == bench.spec.visibility, || format!("hiding has made it {:?}", found.visibility))?;
    }
    Ok(())
}

pub(super) async fn restoring_undoes_hiding(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    doing("hide", publisher.hide(&bench.context, &at).await)?;
    restored(&bench, &at).await
}

pub(super) async fn retiring_is_repeatable_and_leaves_its_mark(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    let mut marked = None;
    for _ in 0..2 {
        doing("retire", publisher.retire(&bench.context, &at).await)?;
        let found = bench.found(&at).await?;
        ensure(found.native == Native::Retired, || format!("the cloud takes a retired image for {:?}", found.native))?;
        ensure(found.marks.retired.is_some(), || "a retired image has no mark".to_owned())?;
        ensure(found.marks.published == Some(bench.spec.tags.date), || {
            format!("retiring has changed the other marks: {:?}", found.marks)
        })?;
        let unchanged = marked.is_none() || marked == found.marks.retired;
        ensure(unchanged, || "retiring again has changed the time of retirement".to_owned())?;
        marked = found.marks.retired;
    }
    Ok(())
}

pub(super) async fn restoring_undoes_retiring(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    doing("retire", publisher.retire(&bench.context, &at).await)?;
    restored(&bench, &at).await
}

/// Restores twice and publishes again, as a run does.
async fn restored(bench: &Bench<'_>, at: &ImageAt) -> Result<(), Failure> {
    for _ in 0..2 {
        doing("restore", bench.publisher.restore(&bench.context, at).await)?;
        let found = bench.found(at).await?;
        ensure(found.native == Native::Available, || format!("the cloud takes it for {:?}", found.native))?;
    }
    bench.publish(at).await?;
    let found = bench.found(at).await?;
    ensure(found.life() == Life::Published, || format!("a restored image counts as {}", found.life()))?;
    ensure(found.visibility == bench.spec.visibility, || format!("a restored image is {:?}", found.visibility))
}
