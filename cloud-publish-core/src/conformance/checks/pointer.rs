//! Checks of pointers and marketplaces.

use std::time::Duration;

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::error::Kind;
use crate::names::{ImageId, PointerName, Region};
use crate::poll::{Pace, poll_until};
use crate::publisher::{ImageAt, Listing, ListingRequest, PointRequest, Publisher};

async fn resolves(bench: &Bench<'_>, at: &ImageAt, pointer: &PointerName) -> Result<Option<ImageId>, Failure> {
    let here = |name: &PointerName, region: &Region| name == pointer && region == &at.region;
    let found = bench.survey().await?.pointers;
    let mut found = found.into_iter().filter(|found| here(&found.name, &found.region));
    let first = found.next();
    ensure(found.next().is_none(), || format!("the survey shows `{pointer}` twice"))?;
    Ok(first.and_then(|found| found.to))
}

pub(super) async fn a_pointer_moves_and_repeats(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let older = Bench::open(publisher, fixture).await?;
    let newer = Bench::open(publisher, fixture).await?;
    let pointers = doing("expect", publisher.expect(&older.spec, older.home()))?.pointers;
    ensure(!pointers.is_empty(), || "a target with pointers expects none".to_owned())?;
    for bench in [&older, &newer, &newer, &older] {
        let at = bench.make_published().await?;
        for pointer in &pointers {
            let request = PointRequest { pointer: pointer.clone(), at: at.clone() };
            doing("point", publisher.point(&bench.context, &request).await)?;
            let to = resolves(bench, &at, pointer).await?;
            ensure(to.as_ref() == Some(&at.id), || format!("`{pointer}` leads to {to:?} instead of {}", at.id))?;
        }
    }
    Ok(())
}

pub(super) async fn pointing_is_refused_where_there_are_no_pointers(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    let request = PointRequest { pointer: PointerName::new("latest")?, at };
    ensure_fails(publisher.point(&bench.context, &request).await, Kind::Unsupported, "point")
}

pub(super) async fn a_listing_ends_listed(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    let listing = fixture.listing().unwrap_or_default().to_owned();
    let request = ListingRequest { image: bench.spec.clone(), at, listing };
    let pace = Pace::new(Duration::from_millis(100), fixture.limit());
    let ask = || async {
        let answer = publisher.list_in_marketplace(&bench.context, &request).await?;
        Ok((answer == Listing::Listed).then_some(()))
    };
    doing("waiting for the marketplace", poll_until(&bench.context, "the review", pace, ask).await)?;
    let again = publisher.list_in_marketplace(&bench.context, &request).await?;
    ensure(again == Listing::Listed, || format!("a listed image, asked for again, is {again:?}"))
}

pub(super) async fn listing_is_refused_where_there_is_no_marketplace(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    let request = ListingRequest { image: bench.spec.clone(), at, listing: "any".to_owned() };
    let listed = publisher.list_in_marketplace(&bench.context, &request).await;
    ensure_fails(listed, Kind::Unsupported, "list_in_marketplace")
}
