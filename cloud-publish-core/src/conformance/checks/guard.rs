//! Checks that nothing is touched but what the caller means.

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, doing, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::digest::Digest;
use crate::error::{Kind, Result as Outcome};
use crate::identity::{ImageTags, Marks};
use crate::manifest::Visibility;
use crate::publisher::{
    Deletion, ImageAt, ListingRequest, PointRequest, PreflightRequest, Probe, Publisher, RegisterRequest,
    ReplicateRequest, Replication, Severity, TagRequest, VisibilityRequest,
};

/// Calls every verb that changes an image, except delete.
async fn every_change(bench: &Bench<'_>, at: &ImageAt) -> Result<Vec<(&'static str, Outcome<()>)>, Failure> {
    let (publisher, context) = (bench.publisher, &bench.context);
    let wanted = bench.spec.visibility.clone();
    let marks = Marks { published: Some(at.tags.date), ..Marks::default() };
    let mut all = vec![
        (
            "set_visibility",
            publisher.set_visibility(context, &VisibilityRequest { at: at.clone(), wanted, along: Vec::new() }).await,
        ),
        ("tag", publisher.tag(context, &TagRequest { at: at.clone(), marks: marks.into(), extra: None }).await),
        ("hide", publisher.hide(context, at).await),
        ("retire", publisher.retire(context, at).await),
        ("restore", publisher.restore(context, at).await),
    ];
    if bench.info.capability.pointers {
        for pointer in publisher.expect(&bench.spec, &at.region)?.pointers {
            let request = PointRequest { pointer, at: at.clone() };
            all.push(("point", publisher.point(context, &request).await));
        }
    }
    if let (true, Some(listing)) = (bench.info.capability.marketplace, bench.fixture.listing()) {
        let request = ListingRequest { image: bench.spec.clone(), at: at.clone(), listing: listing.to_owned() };
        all.push(("list_in_marketplace", publisher.list_in_marketplace(context, &request).await.map(drop)));
    }
    if matches!(bench.info.capability.replication, Replication::Batch | Replication::PerRegion) {
        let (image, regions) = (bench.spec.clone(), bench.regions());
        let request = ReplicateRequest { image, home: at.clone(), regions };
        all.push(("replicate", publisher.replicate(context, &request).await.map(drop)));
    }
    Ok(all)
}

pub(super) async fn other_tags_under_the_id_are_refused(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let before = bench.found(&at).await?;
    let others = [
        ImageTags { digest: Digest::from_bytes([7; 32]), ..at.tags.clone() },
        ImageTags { version: "19991231-0000".parse()?, ..at.tags.clone() },
        ImageTags { owner: "somebody-else".parse()?, ..at.tags.clone() },
    ];
    for tags in others {
        let wrong = ImageAt { tags, ..at.clone() };
        for (verb, result) in every_change(&bench, &wrong).await? {
            ensure_fails(result, Kind::Refused, &format!("{verb} of an image with other tags"))?;
        }
        let deleted = publisher.delete(&bench.context, &wrong).await;
        ensure_fails(deleted, Kind::Refused, "delete of an image with other tags")?;
    }
    let after = bench.found(&at).await?;
    ensure(after == before, || format!("a refused verb has changed the image from {before:?} to {after:?}"))
}

pub(super) async fn an_image_that_is_gone_is_not_found(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    doing("delete", publisher.delete(&bench.context, &at).await)?;
    for (verb, result) in every_change(&bench, &at).await? {
        ensure_fails(result, Kind::NotFound, &format!("{verb} of an image that is gone"))?;
    }
    let gone = doing("delete", publisher.delete(&bench.context, &at).await)?;
    ensure(gone == Deletion::Gone, || format!("deleting what is gone answers {gone:?}"))
}

pub(super) async fn two_images_of_one_key_are_a_conflict(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let plant = fixture.twins().ok_or_else(|| Failure::new("the fixture plants no twins"))?;
    doing("planting a twin", plant(bench.spec.clone(), at.clone()).await)?;
    let twins = bench.images().await?;
    ensure(twins.len() == 2, || format!("the survey shows {} of two images", twins.len()))?;
    let refused = match publisher.upload(&bench.context, &bench.upload_request(bench.home())).await {
        Ok(staged) => {
            let request = RegisterRequest { image: bench.spec.clone(), staged };
            publisher.register(&bench.context, &request).await.map(drop)
        }
        Err(error) => Err(error),
    };
    let named = match &refused {
        Err(error) => error.chain().join(" "),
        Ok(()) => String::new(),
    };
    ensure_fails(refused, Kind::Conflict, "making an image of which there are two")?;
    for twin in &twins {
        ensure(named.contains(twin.id.as_str()), || format!("the error does not name {}: {named}", twin.id))?;
    }
    let after = bench.images().await?;
    ensure(after == twins, || "the refusal has changed one of the two images".to_owned())
}

pub(super) async fn a_name_held_by_another_is_taken(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    // Made and deleted, to learn what a place looks like here.
    let at = bench.make().await?;
    doing("delete", publisher.delete(&bench.context, &at).await)?;
    let plant = fixture.squatters().ok_or_else(|| Failure::new("the fixture plants no squatters"))?;
    doing("planting a squatter", plant(bench.spec.clone(), at.clone()).await)?;
    let additions = vec![(bench.spec.clone(), at.region.clone())];
    let request = PreflightRequest { exposures: additions.clone(), additions, probe: Probe::ReadOnly };
    let findings = publisher.preflight(&bench.context, &request).await?;
    let seen = findings.iter().any(|finding| finding.severity == Severity::Error);
    ensure(seen, || format!("preflight does not see that the name is taken: {findings:?}"))?;
    let staged = bench.upload(bench.home()).await?;
    let request = RegisterRequest { image: bench.spec.clone(), staged };
    let made = publisher.register(&bench.context, &request).await;
    ensure_fails(made, Kind::NameTaken, "register under a name that is taken")?;
    let images = bench.images().await?;
    let private = images.iter().all(|image| image.visibility == Visibility::Private);
    ensure(images.is_empty() && private, || format!("the survey shows {images:?}"))
}
