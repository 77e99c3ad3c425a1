//! A workbench for one check: a publisher, an image of its own to make, and looks at what is there.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::conformance::failure::{Failure, doing, ensure};
use crate::conformance::fixture::Fixture;
use crate::identity::Marks;
use crate::names::Region;
use crate::publisher::{
    Context, Detail, ImageAt, ImageSpec, Publisher, RegisterRequest, Registered, ReplicateRequest, Replication, Staged,
    SurveyRequest, TagRequest, TargetInfo, UploadRequest, VisibilityRequest,
};
use crate::survey::{FoundImage, FoundStaged, Survey};

/// One check's publisher and image.
pub(super) struct Bench<'a> {
    pub(super) publisher: &'a dyn Publisher,
    pub(super) fixture: &'a Fixture,
    pub(super) context: Context,
    pub(super) info: TargetInfo,
    pub(super) spec: Arc<ImageSpec>,
}

impl<'a> Bench<'a> {
    pub(super) async fn open(publisher: &'a dyn Publisher, fixture: &'a Fixture) -> Result<Self, Failure> {
        let context = fixture.context();
        let info = doing("info", publisher.info(&context).await)?;
        let spec = fixture.spec(&info)?;
        Ok(Self { publisher, fixture, context, info, spec })
    }

    /// The same image at the same place, by another publisher.
    pub(super) fn by<'b>(&self, publisher: &'b dyn Publisher) -> Bench<'b>
    where
        'a: 'b,
    {
        let (info, spec) = (self.info.clone(), Arc::clone(&self.spec));
        Bench { publisher, fixture: self.fixture, context: self.fixture.context(), info, spec }
    }

    pub(super) fn home(&self) -> &Region {
        &self.info.home
    }

    pub(super) fn regions(&self) -> Vec<Region> {
        self.info.regions.iter().map(|wanted| wanted.region.clone()).collect()
    }

    pub(super) fn upload_request(&self, region: &Region) -> UploadRequest {
        let disk = Arc::clone(&self.fixture.first().disk);
        UploadRequest { image: Arc::clone(&self.spec), region: region.clone(), disk }
    }

    pub(super) async fn upload(&self, region: &Region) -> Result<Staged, Failure> {
        doing("upload", self.publisher.upload(&self.context, &self.upload_request(region)).await)
    }

    pub(super) async fn register(&self, staged: &Staged) -> Result<Registered, Failure> {
        let request = RegisterRequest { image: Arc::clone(&self.spec), staged: staged.clone() };
        doing("register", self.publisher.register(&self.context, &request).await)
    }

    pub(super) fn at(&self, made: &Registered) -> ImageAt {
        ImageAt { region: made.region.clone(), id: made.id.clone(), tags: self.spec.tags.clone() }
    }

    /// Makes the image in one region by itself.
    pub(super) async fn make_in(&self, region: &Region) -> Result<ImageAt, Failure> {
        let staged = self.upload(region).await?;
        Ok(self.at(&self.register(&staged).await?))
    }

    /// Makes the image in the home region.
    pub(super) async fn make(&self) -> Result<ImageAt, Failure> {
        self.make_in(self.home()).await
    }

    /// Makes the image in the home region and shows it to those it is for.
    pub(super) async fn make_published(&self) -> Result<ImageAt, Failure> {
        let at = self.make().await?;
        self.publish(&at).await?;
        Ok(at)
    }

    /// Makes the image in all wanted regions, in the way of this kind of cloud.
    pub(super) async fn make_everywhere(&self) -> Result<Vec<ImageAt>, Failure> {
        let home = self.make().await?;
        if self.info.capability.replication == Replication::Independent {
            for region in self.regions().iter().filter(|region| *region != self.home()) {
                self.make_in(region).await?;
            }
        }
        let results = self.replicate(&home, self.regions()).await?;
        Ok(results.iter().map(|made| self.at(made)).collect())
    }

    /// Replicates and insists on success and on the request's order.
    pub(super) async fn replicate(&self, home: &ImageAt, regions: Vec<Region>) -> Result<Vec<Registered>, Failure> {
        let request = ReplicateRequest { image: Arc::clone(&self.spec), home: home.clone(), regions: regions.clone() };
        let results = doing("replicate", self.publisher.replicate(&self.context, &request).await)?;
        let answered: Vec<Region> = results.iter().map(|(region, _)| region.clone()).collect();
        ensure(answered == regions, || format!("replicate to {regions:?} answers for {answered:?}"))?;
        let mut all = Vec::new();
        for (region, result) in results {
            let made = doing(&format!("replicate to {region}"), result)?;
            ensure(made.region == region, || format!("replicate to {region} made an image in {}", made.region))?;
            all.push(made);
        }
        Ok(all)
    }

    /// Shows the image to those it is for and marks it published.
    pub(super) async fn publish(&self, at: &ImageAt) -> Result<(), Failure> {
        let request = VisibilityRequest { at: at.clone(), wanted: self.spec.visibility.clone(), along: Vec::new() };
        doing("set_visibility", self.publisher.set_visibility(&self.context, &request).await)?;
        self.mark(at, Marks { published: Some(self.spec.tags.date), ..Marks::default() }).await
    }

    /// Sets exactly these marks, leaving other tags alone.
    pub(super) async fn mark(&self, at: &ImageAt, marks: Marks) -> Result<(), Failure> {
        let request = TagRequest { at: at.clone(), marks: marks.into(), extra: None };
        doing("tag", self.publisher.tag(&self.context, &request).await)
    }

    /// A survey, which must be complete.
    pub(super) async fn survey(&self) -> Result<Survey, Failure> {
        let mut pointers = BTreeSet::new();
        for region in self.regions() {
            let expected = doing("expect", self.publisher.expect(&self.spec, &region))?;
            pointers.extend(expected.pointers.into_iter().chain(expected.own_pointers));
        }
        let detail = Some(Detail { release: self.spec.tags.release.clone(), pointers });
        let request = SurveyRequest { owner: self.fixture.owner().clone(), detail };
        let survey = doing("survey", self.publisher.survey(&self.context, &request).await)?;
        ensure(survey.incomplete.is_empty(), || format!("the survey is incomplete: {:?}", survey.incomplete))?;
        Ok(survey)
    }

    /// The images of this bench's release that a survey shows.
    pub(super) async fn images(&self) -> Result<Vec<FoundImage>, Failure> {
        let ours = |image: &FoundImage| image.tags.as_ref().is_some_and(|tags| tags.release == self.spec.tags.release);
        Ok(self.survey().await?.images.into_iter().filter(ours).collect())
    }

    /// The staged bytes of this bench's release that a survey shows.
    pub(super) async fn staged(&self) -> Result<Vec<FoundStaged>, Failure> {
        let ours =
            |staged: &FoundStaged| staged.tags.as_ref().is_some_and(|tags| tags.release == self.spec.tags.release);
        Ok(self.survey().await?.staged.into_iter().filter(ours).collect())
    }

    /// The one image in a region that a survey shows of this bench's release.
    pub(super) async fn found(&self, at: &ImageAt) -> Result<FoundImage, Failure> {
        let mut there: Vec<_> = self.images().await?.into_iter().filter(|image| image.region == at.region).collect();
        ensure(there.len() == 1, || {
            let ids: Vec<_> = there.iter().map(|image| image.id.as_str()).collect();
            format!("the survey should show one image of the release in {}, but shows {ids:?}", at.region)
        })?;
        let found = there.swap_remove(0);
        ensure(found.id == at.id, || format!("the survey shows {} where {} was made", found.id, at.id))?;
        Ok(found)
    }
}
