//! Checks of delete and discard.

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::error::Kind;
use crate::publisher::{Deletion, Publisher};
use crate::survey::FoundStaged;

pub(super) async fn deleting_is_repeatable(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make_published().await?;
    for _ in 0..2 {
        let gone = doing("delete", publisher.delete(&bench.context, &at).await)?;
        ensure(gone == Deletion::Gone, || format!("deleting an unused image answers {gone:?}"))?;
        let left = bench.images().await?;
        ensure(left.is_empty(), || format!("after the deletion the survey shows {left:?}"))?;
        let staged = bench.staged().await?;
        ensure(staged.is_empty(), || format!("the deletion has left {staged:?}"))?;
    }
    Ok(())
}

pub(super) async fn a_deleted_image_can_be_made_again(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    // The second time around there are two dead generations to pass.
    for _ in 0..2 {
        let at = bench.make().await?;
        doing("delete", publisher.delete(&bench.context, &at).await)?;
    }
    let again = bench.make().await?;
    bench.found(&again).await?;
    let fresh = fixture.fresh().await?;
    let adopted = bench.by(fresh.as_ref()).make().await?;
    ensure(adopted == again, || format!("another machine made {} beside {}", adopted.id, again.id))
}

pub(super) async fn discarding_removes_a_leftover_and_repeats(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let left = leftover(&bench).await?;
    for _ in 0..2 {
        doing("discard", publisher.discard(&bench.context, &left).await)?;
        let still = bench.staged().await?;
        ensure(still.is_empty(), || format!("after discarding the survey shows {still:?}"))?;
    }
    let at = bench.make().await?;
    bench.found(&at).await.map(drop)
}

pub(super) async fn discarding_what_became_an_image_harms_nothing(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let left = leftover(&bench).await?;
    let at = bench.make().await?;
    // Refused where the bytes still exist beside the image; success where making the image has used them up.
    match publisher.discard(&bench.context, &left).await {
        Ok(()) => {}
        refused => ensure_fails(refused, Kind::Refused, "discard")?,
    }
    let again = bench.make().await?;
    ensure(again == at, || format!("after discarding {} was made beside {}", again.id, at.id))?;
    let staged = bench.upload(bench.home()).await?;
    ensure(staged.sent == 0, || "discarding has removed what the image was made of".to_owned())?;
    bench.found(&at).await.map(drop)
}

async fn leftover(bench: &Bench<'_>) -> Result<FoundStaged, Failure> {
    bench.upload(bench.home()).await?;
    let mut staged = bench.staged().await?;
    ensure(staged.len() == 1, || format!("the survey shows {} staged copies", staged.len()))?;
    Ok(staged.swap_remove(0))
}
