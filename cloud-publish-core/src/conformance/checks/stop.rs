//! Checks of cancellation and of two publishers at once.

use std::time::Duration;

use futures::future::join;

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::error::Kind;
use crate::publisher::{Publisher, RegisterRequest, SurveyRequest, VisibilityRequest};

/// How long a verb may take to notice that it is to stop, on the machine's clock.
const PROMPTLY: Duration = Duration::from_secs(10);

async fn promptly<T>(verb: &str, work: impl Future<Output = T>) -> Result<T, Failure> {
    let ended = tokio::time::timeout(PROMPTLY, work).await;
    ended.map_err(|_| Failure::new(format!("{verb} did not stop within {} s", PROMPTLY.as_secs())))
}

pub(super) async fn a_cancelled_verb_stops_and_works_later(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let stopped = fixture.context();
    stopped.cancellation().cancel();
    let request = bench.upload_request(bench.home());
    let uploaded = promptly("upload", publisher.upload(&stopped, &request)).await?;
    ensure_fails(uploaded, Kind::Cancelled, "a cancelled upload")?;
    let survey = SurveyRequest { owner: fixture.owner().clone(), detail: None };
    let surveyed = promptly("survey", publisher.survey(&stopped, &survey)).await?;
    ensure_fails(surveyed, Kind::Cancelled, "a cancelled survey")?;
    let staged = bench.upload(bench.home()).await?;
    let request = RegisterRequest { image: bench.spec.clone(), staged: staged.clone() };
    let registered = promptly("register", publisher.register(&stopped, &request)).await?;
    ensure_fails(registered, Kind::Cancelled, "a cancelled register")?;
    let at = bench.at(&bench.register(&staged).await?);
    let request = VisibilityRequest { at: at.clone(), wanted: bench.spec.visibility.clone(), along: Vec::new() };
    let shown = promptly("set_visibility", publisher.set_visibility(&stopped, &request)).await?;
    ensure_fails(shown, Kind::Cancelled, "a cancelled set_visibility")?;
    let hidden = promptly("hide", publisher.hide(&stopped, &at)).await?;
    ensure_fails(hidden, Kind::Cancelled, "a cancelled hide")?;
    let deleted = promptly("delete", publisher.delete(&stopped, &at)).await?;
    ensure_fails(deleted, Kind::Cancelled, "a cancelled delete")?;
    bench.publish(&at).await?;
    bench.found(&at).await.map(drop)
}

pub(super) async fn a_verb_cancelled_half_way_leaves_nothing_twice(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    // Different moments hit different calls of the verb.
    for microseconds in [0, 200, 2_000, 20_000] {
        let bench = Bench::open(publisher, fixture).await?;
        let context = fixture.context();
        let cancel = async {
            tokio::time::sleep(Duration::from_micros(microseconds)).await;
            context.cancellation().cancel();
        };
        let request = bench.upload_request(bench.home());
        let work = async {
            let staged = publisher.upload(&context, &request).await?;
            let request = RegisterRequest { image: bench.spec.clone(), staged };
            publisher.register(&context, &request).await
        };
        let (made, ()) = promptly("upload and register", join(work, cancel)).await?;
        if made.is_err() {
            ensure_fails(made, Kind::Cancelled, "a verb cancelled half-way")?;
        }
        let at = bench.make().await?;
        bench.found(&at).await?;
        let left = bench.staged().await?;
        ensure(left.is_empty(), || format!("the cancelled verb has left {left:?}"))?;
    }
    Ok(())
}

pub(super) async fn two_publishers_at_once_make_one_image(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let fresh = fixture.fresh().await?;
    let other = bench.by(fresh.as_ref());
    let (here, there) = join(bench.make(), other.make()).await;
    ensure(here.is_ok() || there.is_ok(), || {
        let told = |made: Result<_, Failure>| made.err().map(|failure| failure.to_string()).unwrap_or_default();
        format!("both failed: {}; {}", told(here), told(there))
    })?;
    // The one that lost may have been told so; a rerun of it finds the other's image.
    let at = bench.make().await?;
    bench.found(&at).await?;
    let left = bench.staged().await?;
    ensure(left.is_empty(), || format!("beside the one image there is {left:?}"))
}
