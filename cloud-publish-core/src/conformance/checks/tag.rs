//! Checks of tags and marks.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure};
use crate::conformance::fixture::Fixture;
use crate::identity::Marks;
use crate::publisher::{Publisher, TagRequest};
use crate::survey::Life;

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn moment(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(1_704_067_200 + seconds).ok()
}

pub(super) async fn tagging_is_exact(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let walk = [tags(&[("colour", "red"), ("size", "xl")]), tags(&[("colour", "blue")]), BTreeMap::new()];
    for wanted in walk {
        for _ in 0..2 {
            let request = TagRequest { at: at.clone(), marks: Marks::default().into(), extra: Some(wanted.clone()) };
            doing("tag", publisher.tag(&bench.context, &request).await)?;
        }
        let found = bench.found(&at).await?;
        ensure(found.extra_tags == wanted, || {
            format!("the tags should be {wanted:?}, but are {:?}", found.extra_tags)
        })?;
        ensure(found.tags.as_ref() == Some(&at.tags), || format!("the identity has become {:?}", found.tags))?;
    }
    Ok(())
}

pub(super) async fn tagging_without_extra_tags_leaves_them(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    bench.mark(&at, Marks { published: moment(0), ..Marks::default() }).await?;
    let found = bench.found(&at).await?;
    ensure(found.extra_tags == bench.spec.extra_tags, || format!("the tags have become {:?}", found.extra_tags))
}

pub(super) async fn marks_round_trip(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let walk = [
        Marks { published: moment(1), ..Marks::default() },
        Marks { published: moment(1), retired: moment(60), withdrawn: moment(61) },
        Marks { published: moment(3600), retired: None, withdrawn: moment(61) },
        Marks::default(),
    ];
    for wanted in walk {
        bench.mark(&at, wanted.clone()).await?;
        let found = bench.found(&at).await?;
        ensure(found.marks == wanted, || format!("the marks should be {wanted:?}, but are {:?}", found.marks))?;
    }
    Ok(())
}

pub(super) async fn the_mark_makes_it_published(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    let found = bench.found(&at).await?;
    ensure(found.life() == Life::Published, || format!("it counts as {}", found.life()))?;
    ensure(found.visibility == bench.spec.visibility, || format!("it is {:?}", found.visibility))?;
    let fresh = fixture.fresh().await?;
    let seen = bench.by(fresh.as_ref()).found(&at).await?;
    ensure(seen.life() == Life::Published, || format!("another machine takes it for {}", seen.life()))
}
