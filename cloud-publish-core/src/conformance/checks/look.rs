//! Checks of the verbs that only look.

use std::collections::BTreeSet;

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure};
use crate::conformance::fixture::Fixture;
use crate::publisher::{PreflightRequest, Probe, Proof, ProveRequest, Publisher, ReadBack, Severity, SurveyRequest};

pub(super) async fn info_is_stable(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let again = publisher.info(&bench.context).await?;
    ensure(again == bench.info, || "the second info differs from the first".to_owned())?;
    let fresh = fixture.fresh().await?;
    let other = fresh.info(&bench.context).await?;
    ensure(other == bench.info, || "info of a new client differs".to_owned())?;
    let regions: BTreeSet<_> = bench.regions().into_iter().collect();
    ensure(regions.len() == bench.info.regions.len(), || "a region is named twice".to_owned())?;
    ensure(regions.contains(bench.home()), || "the home region is not among the regions".to_owned())?;
    ensure(!bench.info.renditions.is_empty(), || "nothing is made of an artifact here".to_owned())
}

pub(super) async fn expect_is_pure(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let before = bench.survey().await?;
    let fresh = fixture.fresh().await?;
    for region in bench.regions() {
        let first = doing("expect", publisher.expect(&bench.spec, &region))?;
        let second = doing("expect", publisher.expect(&bench.spec, &region))?;
        let other = doing("expect of a new client", fresh.expect(&bench.spec, &region))?;
        ensure(first == second && first == other, || format!("expectations for {region} differ"))?;
    }
    ensure(bench.survey().await? == before, || "expect has changed something".to_owned())
}

pub(super) async fn preflight_of_a_good_place_finds_no_error_and_writes_nothing(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let before = bench.survey().await?;
    let additions: Vec<_> = bench.regions().into_iter().map(|region| (bench.spec.clone(), region)).collect();
    let request = PreflightRequest { exposures: additions.clone(), additions, probe: Probe::ReadOnly };
    let findings = publisher.preflight(&bench.context, &request).await?;
    let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
    ensure(errors.is_empty(), || format!("errors were found: {errors:?}"))?;
    ensure(bench.survey().await? == before, || "a read-only preflight has changed something".to_owned())
}

pub(super) async fn the_survey_shows_what_was_expected(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let everywhere = bench.make_everywhere().await?;
    for at in &everywhere {
        bench.publish(at).await?;
    }
    for at in &everywhere {
        let expected = doing("expect", publisher.expect(&bench.spec, &at.region))?;
        let found = bench.found(at).await?;
        for (name, value) in &expected.attributes {
            let shown = found.attributes.get(name);
            ensure(shown == Some(value), || format!("`{name}` should be `{value}`, the survey shows {shown:?}"))?;
        }
    }
    Ok(())
}

pub(super) async fn the_survey_leaves_other_owners_out(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    bench.found(&at).await?;
    let request = SurveyRequest { owner: "somebody-else".parse()?, detail: None };
    let others = publisher.survey(&bench.context, &request).await?;
    let ours = others.images.iter().any(|image| image.region == at.region && image.id == at.id);
    ensure(!ours, || "an image of ours shows in the survey of another owner".to_owned())
}

pub(super) async fn usage_answers_for_every_image(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let all = bench.make_everywhere().await?;
    let usage = doing("usage", publisher.usage(&bench.context, &all).await)?;
    for at in &all {
        let answers = usage.iter().filter(|usage| usage.region == at.region && usage.id == at.id).count();
        ensure(answers == 1, || format!("{answers} answers for {} in {}", at.id, at.region))?;
    }
    ensure(usage.len() == all.len(), || "usage answers for images that nobody asked for".to_owned())
}

pub(super) async fn prove_shows_the_content(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    for at in bench.make_everywhere().await? {
        let request = ProveRequest { at: at.clone(), file_sha512: bench.spec.file_sha512.clone() };
        let proof = doing("prove", publisher.prove(&bench.context, &request).await)?;
        let holds = match (&proof, bench.info.capability.read_back) {
            (Proof::Content { digest }, ReadBack::Content) => *digest == bench.spec.tags.digest,
            (Proof::Hash { shown, expected, .. }, ReadBack::Hash) => expected.as_ref() == Some(shown),
            (Proof::Unreadable { .. }, ReadBack::Nothing) => true,
            _ => false,
        };
        ensure(holds, || format!("{proof:?} in {} is not a proof of {}", at.region, bench.spec.tags.digest))?;
    }
    Ok(())
}
