//! A publisher with one bug at a time: the suite must see each of them.

use async_trait::async_trait;

use super::run_all;
use super::tests::Place;
use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::identity::Marks;
use crate::manifest::Visibility;
use crate::memory::MemoryPublisher;
use crate::names::Region;
use crate::publisher::{
    Context, Deletion, Expected, Finding, ImageAt, ImageSpec, Listing, ListingRequest, PointRequest, PreflightRequest,
    Proof, ProveRequest, Publisher, RegisterRequest, Registered, ReplicateRequest, Replication, Staged, SurveyRequest,
    TagRequest, TargetInfo, UploadRequest, Usage, VisibilityRequest,
};
use crate::survey::{FoundStaged, Native, Survey};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    PublicFromTheStart,
    SurveyMissesHidden,
    SurveyEndsEarly,
    NeverRevokes,
    DeleteMindsGone,
    DeleteKeepsQuiet,
    TagsAreAdded,
    AnswersInItsOwnOrder,
    SkipsTheGuard,
    IgnoresCancellation,
    PointsNowhere,
    RetiresWithoutMark,
    ProvesAnything,
    UploadsAgain,
    PreflightCries,
    ForgetsExtraTags,
    SharesTooLittle,
}

/// Each bug, and one check that must see it.
const BUGS: [(Bug, &str); 17] = [
    (Bug::PublicFromTheStart, "an_image_is_private_until_it_is_shown"),
    (Bug::SurveyMissesHidden, "hiding_is_repeatable_and_changes_no_visibility"),
    (Bug::SurveyEndsEarly, "replicating_twice_makes_one_image_per_region"),
    (Bug::NeverRevokes, "visibility_can_be_taken_back"),
    (Bug::DeleteMindsGone, "deleting_is_repeatable"),
    (Bug::DeleteKeepsQuiet, "deleting_is_repeatable"),
    (Bug::TagsAreAdded, "tagging_is_exact"),
    (Bug::AnswersInItsOwnOrder, "replicating_twice_makes_one_image_per_region"),
    (Bug::SkipsTheGuard, "other_tags_under_the_id_are_refused"),
    (Bug::IgnoresCancellation, "a_cancelled_verb_stops_and_works_later"),
    (Bug::PointsNowhere, "a_pointer_moves_and_repeats"),
    (Bug::RetiresWithoutMark, "retiring_is_repeatable_and_leaves_its_mark"),
    (Bug::ProvesAnything, "prove_shows_the_content"),
    (Bug::UploadsAgain, "uploading_twice_keeps_one_copy"),
    (Bug::PreflightCries, "preflight_of_a_good_place_finds_no_error_and_writes_nothing"),
    (Bug::ForgetsExtraTags, "tagging_without_extra_tags_leaves_them"),
    (Bug::SharesTooLittle, "visibility_is_exact"),
];

#[derive(Debug)]
struct Broken {
    inner: MemoryPublisher,
    bug: Bug,
}

impl Broken {
    fn has(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    /// The place as the inner publisher knows it, whatever the caller believes.
    async fn truth(&self, context: &Context, at: &ImageAt) -> Result<ImageAt> {
        if !self.has(Bug::SkipsTheGuard) {
            return Ok(at.clone());
        }
        let request = SurveyRequest { owner: "debian".parse()?, detail: None };
        let found = self.inner.survey(context, &request).await?.images;
        let same = found.into_iter().find(|image| image.id == at.id && image.region == at.region);
        let tags = same.and_then(|image| image.tags).unwrap_or_else(|| at.tags.clone());
        Ok(ImageAt { tags, ..at.clone() })
    }
}

#[async_trait]
impl Publisher for Broken {
    async fn info(&self, context: &Context) -> Result<TargetInfo> {
        self.inner.info(context).await
    }

    fn expect(&self, image: &ImageSpec, region: &Region) -> Result<Expected> {
        self.inner.expect(image, region)
    }

    async fn preflight(&self, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>> {
        let mut findings = self.inner.preflight(context, request).await?;
        if self.has(Bug::PreflightCries) {
            let severity = crate::publisher::Severity::Error;
            findings.push(Finding { severity, region: None, message: "wolf".to_owned(), hint: None });
        }
        Ok(findings)
    }

    async fn survey(&self, context: &Context, request: &SurveyRequest) -> Result<Survey> {
        let mut survey = self.inner.survey(context, request).await?;
        if self.has(Bug::SurveyMissesHidden) {
            survey.images.retain(|image| image.native != Native::Hidden);
        }
        if self.has(Bug::SurveyEndsEarly) {
            survey.images.truncate(1);
        }
        Ok(survey)
    }

    async fn usage(&self, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
        self.inner.usage(context, images).await
    }

    async fn upload(&self, context: &Context, request: &UploadRequest) -> Result<Staged> {
        let mut staged = if self.has(Bug::IgnoresCancellation) {
            self.inner.upload(&Context::detached(), request).await?
        } else {
            self.inner.upload(context, request).await?
        };
        if self.has(Bug::UploadsAgain) {
            staged.sent = request.disk.virtual_size();
        }
        Ok(staged)
    }

    async fn register(&self, context: &Context, request: &RegisterRequest) -> Result<Registered> {
        let made = self.inner.register(context, request).await?;
        if self.has(Bug::PublicFromTheStart) {
            let tags = request.image.tags.clone();
            let at = ImageAt { region: made.region.clone(), id: made.id.clone(), tags };
            self.inner
                .set_visibility(context, &VisibilityRequest { at, wanted: Visibility::Public, along: Vec::new() })
                .await?;
        }
        Ok(made)
    }

    async fn replicate(
        &self,
        context: &Context,
        request: &ReplicateRequest,
    ) -> Result<Vec<(Region, Result<Registered>)>> {
        let home = self.truth(context, &request.home).await?;
        let mut results = self.inner.replicate(context, &ReplicateRequest { home, ..request.clone() }).await?;
        if self.has(Bug::AnswersInItsOwnOrder) {
            results.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Ok(results)
    }

    async fn set_visibility(&self, context: &Context, request: &VisibilityRequest) -> Result<()> {
        if self.has(Bug::NeverRevokes) && request.wanted == Visibility::Private {
            return Ok(());
        }
        if self.has(Bug::SharesTooLittle) && request.wanted == Visibility::Community {
            return Ok(());
        }
        let at = self.truth(context, &request.at).await?;
        self.inner.set_visibility(context, &VisibilityRequest { at, ..request.clone() }).await
    }

    async fn tag(&self, context: &Context, request: &TagRequest) -> Result<()> {
        let mut request = TagRequest { at: self.truth(context, &request.at).await?, ..request.clone() };
        if self.has(Bug::TagsAreAdded) {
            let all = SurveyRequest { owner: "debian".parse()?, detail: None };
            let found = self.inner.survey(context, &all).await?.images;
            let now = found.into_iter().find(|image| image.id == request.at.id).map(|image| image.extra_tags);
            request.extra = request.extra.map(|wanted| now.unwrap_or_default().into_iter().chain(wanted).collect());
        }
        if self.has(Bug::ForgetsExtraTags) {
            request.extra.get_or_insert_default();
        }
        self.inner.tag(context, &request).await
    }

    async fn point(&self, context: &Context, request: &PointRequest) -> Result<()> {
        if self.has(Bug::PointsNowhere) {
            return Ok(());
        }
        let at = self.truth(context, &request.at).await?;
        self.inner.point(context, &PointRequest { at, ..request.clone() }).await
    }

    async fn list_in_marketplace(&self, context: &Context, request: &ListingRequest) -> Result<Listing> {
        self.inner.list_in_marketplace(context, request).await
    }

    async fn hide(&self, context: &Context, image: &ImageAt) -> Result<()> {
        self.inner.hide(context, &self.truth(context, image).await?).await
    }

    async fn retire(&self, context: &Context, image: &ImageAt) -> Result<()> {
        self.inner.retire(context, &self.truth(context, image).await?).await?;
        if self.has(Bug::RetiresWithoutMark) {
            let marks = Marks { published: Some(image.tags.date), ..Marks::default() };
            self.inner.tag(context, &TagRequest { at: image.clone(), marks: marks.into(), extra: None }).await?;
        }
        Ok(())
    }

    async fn restore(&self, context: &Context, image: &ImageAt) -> Result<()> {
        self.inner.restore(context, &self.truth(context, image).await?).await
    }

    async fn delete(&self, context: &Context, image: &ImageAt) -> Result<Deletion> {
        if self.has(Bug::DeleteKeepsQuiet) {
            return Ok(Deletion::Gone);
        }
        if self.has(Bug::DeleteMindsGone) {
            let found = self.inner.usage(context, std::slice::from_ref(image)).await?;
            if found.iter().all(|usage| usage.in_use.is_none()) {
                return Err(Error::new(Kind::NotFound, "there is no such image"));
            }
        }
        self.inner.delete(context, &self.truth(context, image).await?).await
    }

    async fn discard(&self, context: &Context, staged: &FoundStaged) -> Result<()> {
        self.inner.discard(context, staged).await
    }

    async fn prove(&self, context: &Context, request: &ProveRequest) -> Result<Proof> {
        if self.has(Bug::ProvesAnything) {
            return Ok(Proof::Content { digest: Digest::from_bytes([0; 32]) });
        }
        self.inner.prove(context, request).await
    }
}

#[tokio::test]
async fn the_suite_sees_every_seeded_bug() {
    for (bug, check) in BUGS {
        let place = Place::new(Replication::PerRegion);
        let broken = Broken { inner: place.publisher(), bug };
        let report = run_all(&broken, &place.fixture()).await.unwrap();
        assert!(report.failed().contains(&check), "{bug:?} was not seen by {check}:\n{report}");
    }
}
