//! Checks of replication.

use std::sync::Arc;

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, ensure};
use crate::conformance::fixture::Fixture;
use crate::manifest::Visibility;
use crate::publisher::{Publisher, ReplicateRequest};

pub(super) async fn replicating_twice_makes_one_image_per_region(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let first = bench.make_everywhere().await?;
    let home = first.iter().find(|at| at.region == *bench.home()).cloned();
    let home = home.ok_or_else(|| Failure::new("the home region is not among the answers"))?;
    let mut backwards = bench.regions();
    backwards.reverse();
    let mut second = bench.replicate(&home, backwards).await?;
    second.reverse();
    let again: Vec<_> = second.iter().map(|made| bench.at(made)).collect();
    ensure(again == first, || format!("replicating again found {again:?} where {first:?} was made"))?;
    for at in &first {
        let found = bench.found(at).await?;
        ensure(found.tags.as_ref() == Some(&bench.spec.tags), || format!("a replica has the tags {:?}", found.tags))?;
    }
    Ok(())
}

pub(super) async fn replicating_to_fewer_regions_removes_nothing(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let all = bench.make_everywhere().await?;
    let home = all.iter().find(|at| at.region == *bench.home()).cloned();
    let home = home.ok_or_else(|| Failure::new("the home region is not among the answers"))?;
    bench.replicate(&home, vec![bench.home().clone()]).await?;
    for at in &all {
        bench.found(at).await?;
    }
    Ok(())
}

pub(super) async fn replicas_are_private_until_they_are_shown(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let all = bench.make_everywhere().await?;
    for at in &all {
        let found = bench.found(at).await?;
        ensure(found.visibility == Visibility::Private, || {
            format!("the replica in {} is {:?} from the start", at.region, found.visibility)
        })?;
    }
    Ok(())
}

pub(super) async fn replicating_only_finds_what_is_there(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let home = bench.make().await?;
    let regions = bench.regions();
    let request = ReplicateRequest { image: Arc::clone(&bench.spec), home, regions };
    for (region, result) in publisher.replicate(&bench.context, &request).await? {
        let right = result.is_ok() == (region == *bench.home());
        ensure(right, || format!("replicating answers {result:?} for {region}, where nothing was registered"))?;
    }
    let images = bench.images().await?;
    ensure(images.len() == 1, || format!("replicating has made {} images", images.len()))
}
