//! Checks of visibility.

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::error::Kind;
use crate::manifest::Visibility;
use crate::publisher::{Publisher, VisibilityKind, VisibilityRequest};

pub(super) async fn visibility_is_exact(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let mut walk = Vec::new();
    for wanted in fixture.visibilities(&bench.info) {
        // Twice, to see that it repeats; and back, to see that grants are revoked.
        walk.extend([wanted.clone(), wanted, Visibility::Private]);
    }
    walk.extend(fixture.visibilities(&bench.info));
    walk.push(Visibility::Private);
    for wanted in walk {
        let request = VisibilityRequest { at: at.clone(), wanted: wanted.clone() };
        doing(&format!("set_visibility {wanted:?}"), publisher.set_visibility(&bench.context, &request).await)?;
        let found = bench.found(&at).await?;
        ensure(found.visibility == wanted, || format!("it should be {wanted:?}, but is {:?}", found.visibility))?;
    }
    Ok(())
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
        let request = VisibilityRequest { at: at.clone(), wanted: wanted.clone() };
        let set = publisher.set_visibility(&bench.context, &request).await;
        ensure_fails(set, Kind::Unsupported, &format!("set_visibility {wanted:?}"))?;
    }
    let found = bench.found(&at).await?;
    ensure(found.visibility == Visibility::Private, || format!("a refusal has made it {:?}", found.visibility))
}
