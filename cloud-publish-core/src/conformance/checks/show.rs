//! Checks of visibility.

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::error::Kind;
use crate::manifest::Visibility;
use crate::publisher::{ImageAt, Publisher, TargetInfo, VisibilityKind, VisibilityRequest};

pub(super) async fn visibility_is_exact(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    for wanted in fixture.visibilities(&info(publisher, fixture).await?) {
        let bench = Bench::open(publisher, fixture).await?;
        let at = bench.make().await?;
        // Private first, which it is, and each of them twice: it repeats.
        for wanted in [&Visibility::Private, &wanted, &wanted] {
            set(&bench, &at, wanted).await?;
        }
    }
    Ok(())
}

pub(super) async fn visibility_can_be_taken_back(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let wanted = fixture.visibilities(&bench.info);
    // Each of them and back, then straight from one to the next.
    for wanted in wanted.iter().flat_map(|wanted| [wanted, &Visibility::Private]).chain(&wanted) {
        set(&bench, &at, wanted).await?;
    }
    set(&bench, &at, &Visibility::Private).await
}

async fn info(publisher: &dyn Publisher, fixture: &Fixture) -> Result<TargetInfo, Failure> {
    doing("info", publisher.info(&fixture.context()).await)
}

/// Sets a visibility and looks whether it is that.
async fn set(bench: &Bench<'_>, at: &ImageAt, wanted: &Visibility) -> Result<(), Failure> {
    let request = VisibilityRequest { at: at.clone(), wanted: wanted.clone(), along: Vec::new() };
    let set = bench.publisher.set_visibility(&bench.context, &request).await;
    doing(&format!("set_visibility {wanted:?}"), set)?;
    let found = bench.found(at).await?;
    ensure(found.visibility == *wanted, || format!("it should be {wanted:?}, but is {:?}", found.visibility))
}

pub(super) async fn an_unknown_visibility_is_refused(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let all = [Visibility::Public, Visibility::Community, Visibility::SharedWith(vec!["conformance-peer".to_owned()])];
    let known = &bench.info.capability.visibilities;
    for wanted in all.into_iter().filter(|it| !known.contains(&VisibilityKind::from(it))) {
        let request = VisibilityRequest { at: at.clone(), wanted: wanted.clone(), along: Vec::new() };
        let set = publisher.set_visibility(&bench.context, &request).await;
        ensure_fails(set, Kind::Unsupported, &format!("set_visibility {wanted:?}"))?;
    }
    let found = bench.found(&at).await?;
    ensure(found.visibility == Visibility::Private, || format!("a refusal has made it {:?}", found.visibility))
}
