//! Checks of upload and register.

use std::sync::Arc;

use crate::conformance::bench::Bench;
use crate::conformance::failure::{Failure, ensure, ensure_fails};
use crate::conformance::fixture::Fixture;
use crate::error::Kind;
use crate::identity::{ImageTags, Marks};
use crate::manifest::Visibility;
use crate::publisher::{ImageSpec, Publisher, RegisterRequest, UploadRequest};
use crate::survey::Life;

pub(super) async fn uploading_twice_keeps_one_copy(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let first = bench.upload(bench.home()).await?;
    ensure(first.region == *bench.home(), || format!("uploaded to {} instead", first.region))?;
    let second = bench.upload(bench.home()).await?;
    ensure(second.id == first.id, || format!("the second upload made {} beside {}", second.id, first.id))?;
    ensure(second.sent == 0, || format!("the second upload sent {} bytes again", second.sent))?;
    let (staged, images) = (bench.staged().await?, bench.images().await?);
    if !bench.info.capability.stages_apart {
        let one = staged.is_empty() && images.len() == 1 && images.iter().all(|it| it.id.as_str() == first.id);
        return ensure(one, || format!("the survey shows {staged:?} and {images:?}, not one upload that ended"));
    }
    ensure(staged.len() == 1 && images.is_empty(), || {
        format!("the survey shows {} staged copies and {} images", staged.len(), images.len())
    })?;
    ensure(staged.iter().all(|it| it.id == first.id && !it.busy), || {
        format!("the survey shows {staged:?}, not the upload that ended")
    })
}

pub(super) async fn another_machine_adopts_an_upload(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let first = bench.upload(bench.home()).await?;
    let fresh = fixture.fresh().await?;
    let there = bench.by(fresh.as_ref());
    let second = there.upload(bench.home()).await?;
    ensure(second.id == first.id, || format!("another machine made {} beside {}", second.id, first.id))?;
    ensure(second.sent == 0, || format!("another machine sent {} bytes again", second.sent))?;
    let at = there.at(&there.register(&second).await?);
    bench.found(&at).await.map(drop)
}

pub(super) async fn registering_twice_makes_one_image(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let staged = bench.upload(bench.home()).await?;
    let first = bench.register(&staged).await?;
    let second = bench.register(&staged).await?;
    ensure(first == second, || format!("the second register made {second:?} beside {first:?}"))?;
    bench.found(&bench.at(&first)).await?;
    let left = bench.staged().await?;
    ensure(left.is_empty(), || format!("what the image was made of still counts as a leftover: {left:?}"))
}

pub(super) async fn another_machine_adopts_an_image(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let first = bench.make().await?;
    let fresh = fixture.fresh().await?;
    let second = bench.by(fresh.as_ref()).make().await?;
    ensure(first == second, || format!("another machine made {} beside {}", second.id, first.id))?;
    bench.found(&first).await.map(drop)
}

pub(super) async fn tags_are_complete_from_the_start(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let staged = bench.upload(bench.home()).await?;
    let left = bench.staged().await?;
    ensure(left.iter().all(|it| it.tags.as_ref() == Some(&bench.spec.tags)), || {
        format!("the staged bytes have the tags {left:?}")
    })?;
    let at = bench.at(&bench.register(&staged).await?);
    let found = bench.found(&at).await?;
    ensure(found.problems.is_empty(), || format!("its tags have problems: {:?}", found.problems))?;
    ensure(found.tags.as_ref() == Some(&bench.spec.tags), || format!("its tags are {:?}", found.tags))?;
    ensure(found.extra_tags == bench.spec.extra_tags, || format!("its extra tags are {:?}", found.extra_tags))?;
    ensure(found.marks == Marks::default(), || format!("it has the marks {:?}", found.marks))
}

pub(super) async fn an_image_is_private_until_it_is_shown(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let found = bench.found(&at).await?;
    ensure(found.visibility == Visibility::Private, || format!("it is {:?} from the start", found.visibility))?;
    ensure(found.life() == Life::Registered, || format!("it counts as {} from the start", found.life()))
}

pub(super) async fn other_content_under_the_key_is_a_conflict(
    publisher: &dyn Publisher,
    fixture: &Fixture,
) -> Result<(), Failure> {
    let bench = Bench::open(publisher, fixture).await?;
    let at = bench.make().await?;
    let other = fixture.second();
    let image = Arc::new(ImageSpec {
        tags: ImageTags { digest: other.digest, ..bench.spec.tags.clone() },
        file_sha512: Some(other.sha512.clone()),
        ..ImageSpec::clone(&bench.spec)
    });
    let disk = Arc::clone(&other.disk);
    let request = UploadRequest { image: Arc::clone(&image), region: at.region.clone(), disk };
    match publisher.upload(&bench.context, &request).await {
        Ok(staged) => {
            let request = RegisterRequest { image, staged };
            let made = publisher.register(&bench.context, &request).await;
            ensure_fails(made, Kind::Conflict, "register of other content under the same key")?;
        }
        refused => ensure_fails(refused, Kind::Conflict, "upload of other content under the same key")?,
    }
    bench.found(&at).await.map(drop)
}
