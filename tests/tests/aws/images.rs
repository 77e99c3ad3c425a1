//! Images of one release in the fake AWS, made by uploads and registrations of small disks.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use cloud_publish_aws::{Aws, AwsSettings};
use cloud_publish_core::clock::FastClock;
use cloud_publish_core::conformance::Sample;
use cloud_publish_core::error::Result;
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{
    Context, Detail, ImageAt, ImageSpec, Marking, Note, Notes, Progress, Publisher as _, RegisterRequest, Registered,
    ReplicateRequest, Staged, SurveyRequest, TagRequest, UploadRequest, VisibilityRequest,
};
use cloud_publish_core::survey::Survey;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{World, disk, image, regions};

/// Two minutes of patience are over in four seconds.
const FASTER: u32 = 30;

/// The regions that these tests copy to.
pub(crate) const COPIES: [&str; 2] = ["eu-west-1", "us-west-2"];

/// A disk and what is to be made of it, with the notes of its step.
pub(crate) struct Images {
    pub(crate) sample: Sample,
    pub(crate) spec: ImageSpec,
    pub(crate) kept: Arc<Kept>,
    _folder: TempDir,
}

/// What steps have written down and said.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    notes: Mutex<Vec<Note>>,
    said: Mutex<Vec<String>>,
}

impl Kept {
    /// The sentences for people.
    pub(crate) fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }
}

impl Progress for Kept {
    fn advanced(&self, _done: u64, _total: u64) {}

    fn says(&self, message: &str) {
        self.said.lock().unwrap().push(message.to_owned());
    }
}

impl Notes for Kept {
    fn write<'a, 'b>(&'a self, note: Note) -> BoxFuture<'b, Result<()>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.notes.lock().unwrap().push(note);
        Box::pin(async { Ok(()) })
    }

    fn earlier(&self) -> Vec<Note> {
        self.notes.lock().unwrap().clone()
    }
}

impl Images {
    /// What is made of a disk, released yesterday.
    pub(crate) fn new(seed: u8) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let sample = disk(folder.path(), seed);
        let mut spec = image(&sample);
        let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
        spec.tags.date = Timestamp::from_second(yesterday.as_second()).unwrap();
        spec.extra_tags = BTreeMap::from([("team".to_owned(), "cloud".to_owned())]);
        Self { sample, spec, kept: Arc::default(), _folder: folder }
    }

    /// The same disk as another variant.
    pub(crate) fn variant(&self, variant: &str) -> ImageSpec {
        let mut spec = self.spec.clone();
        spec.tags.variant = variant.parse().unwrap();
        spec.name = format!("debian-12-{variant}-amd64-{}", spec.tags.version).parse().unwrap();
        spec
    }

    /// A context with a fast clock and these notes.
    pub(crate) fn context(&self) -> Context {
        let clock = Arc::new(FastClock::new(Timestamp::now(), FASTER));
        let never = Context::detached().cancellation().clone();
        Context::new(never, clock, self.kept.clone(), self.kept.clone())
    }

    /// Uploads the disk for an image.
    pub(crate) async fn staged(&self, target: &Aws, spec: &ImageSpec) -> Staged {
        let (image, disk) = (Arc::new(spec.clone()), self.sample.disk.clone());
        let request = UploadRequest { image, region: target_home(), disk };
        target.upload(&self.context(), &request).await.unwrap()
    }

    /// Uploads and registers.
    pub(crate) async fn register(&self, target: &Aws, spec: &ImageSpec) -> Result<Registered> {
        let staged = self.staged(target, spec).await;
        self.register_of(target, spec, staged).await
    }

    /// Registers what is staged.
    pub(crate) async fn register_of(&self, target: &Aws, spec: &ImageSpec, staged: Staged) -> Result<Registered> {
        let request = RegisterRequest { image: Arc::new(spec.clone()), staged };
        target.register(&self.context(), &request).await
    }

    /// Copies the home region's image.
    pub(crate) async fn copy(
        &self,
        target: &Aws,
        (spec, home): (&ImageSpec, &Registered),
        to: &[&str],
    ) -> Vec<(Region, Result<Registered>)> {
        let home = at(spec, home);
        let request = ReplicateRequest { image: Arc::new(spec.clone()), home, regions: regions(to) };
        target.replicate(&self.context(), &request).await.unwrap()
    }

    /// Shows an image to those it is for.
    pub(crate) async fn publish(&self, target: &Aws, spec: &ImageSpec, made: &Registered) {
        let (context, at) = (self.context(), at(spec, made));
        let request = VisibilityRequest { at: at.clone(), wanted: spec.visibility.clone(), along: Vec::new() };
        target.set_visibility(&context, &request).await.unwrap();
        let request = TagRequest { at, marks: Marking::Publish(context.clock().now()), extra: None };
        target.tag(&context, &request).await.unwrap();
    }

    /// Everything of ours, in every detail of this release.
    pub(crate) async fn survey(&self, target: &Aws) -> Survey {
        let detail = Some(Detail { release: self.spec.tags.release.clone(), pointers: BTreeSet::new() });
        let request = SurveyRequest { owner: "debian".parse().unwrap(), detail };
        let survey = target.survey(&self.context(), &request).await.unwrap();
        assert_eq!(survey.incomplete, []);
        survey
    }
}

fn target_home() -> Region {
    cloud_publish_tests::aws::REGION.parse().unwrap()
}

/// A target with the regions that are copied to.
pub(crate) fn target(world: &World, keys: Value) -> Aws {
    Aws::new(AwsSettings { regions: Some(Regions::These(regions(&COPIES))), ..world.settings(keys) })
}

/// An image with its tags.
pub(crate) fn at(spec: &ImageSpec, made: &Registered) -> ImageAt {
    ImageAt { region: made.region.clone(), id: made.id.clone(), tags: spec.tags.clone() }
}

/// The images of a region that are not gone.
pub(crate) fn images_in(world: &World, region: &str) -> Vec<Value> {
    let all = world.fake.world.dump()["ec2"]["images"].as_array().unwrap().clone();
    all.into_iter().filter(|image| image["region"] == region && image["state"] != "deregistered").collect()
}

/// The one image of a region.
pub(crate) fn only_image(world: &World, region: &str) -> Value {
    let [one] = images_in(world, region).try_into().unwrap_or_else(|all| panic!("one image, not {all:?}"));
    one
}

/// The snapshot of an image.
pub(crate) fn snapshot_of(world: &World, image: &Value) -> Value {
    let all = world.fake.world.dump()["ec2"]["snapshots"].as_array().unwrap().clone();
    all.into_iter().find(|snapshot| snapshot["id"] == image["snapshots"][0]).unwrap()
}

/// How many requests of an operation were made.
pub(crate) fn count(world: &World, operation: &str) -> usize {
    world.fake.world.requests().iter().filter(|entry| entry.operation == operation).count()
}

/// A rule that hurts the n-th request of an operation.
pub(crate) fn nth(operation: &str, nth: u64, what: Value) -> Value {
    json!([{"operation": operation, "nth": nth, "what": what}])
}
