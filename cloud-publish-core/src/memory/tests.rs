use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::{Fault, ImageRecord, MemoryCloud, MemoryPublisher, MemorySettings, Verb, What};
use crate::clock::{Clock, FastClock};
use crate::digest::Digest;
use crate::disk::{Disk, DiskSource, Format};
use crate::error::{Kind, Result};
use crate::identity::{ImageTags, Marks};
use crate::manifest::{Boot, Visibility};
use crate::names::{Account, Class, Region};
use crate::publisher::{
    Context, Deletion, ImageAt, ImageSpec, PreflightRequest, Probe, Publisher, RegisterRequest, ReplicateRequest,
    Replication, SurveyRequest, TagRequest, UploadRequest, VisibilityRequest, WantedRegion,
};

/// A cloud with an image to publish.
struct World {
    cloud: MemoryCloud,
    settings: MemorySettings,
    clock: Arc<dyn Clock>,
    spec: Arc<ImageSpec>,
    disk: Arc<Disk>,
    _folder: TempDir,
}

impl World {
    fn new(replication: Replication) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        std::fs::write(&path, [7; 1 << 16]).unwrap();
        let disk = Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(FastClock::new("2024-01-01T00:00:00Z".parse().unwrap(), 1000));
        let regions = ["north", "south"].map(|name| WantedRegion { region: region(name), required: true });
        let (target, owner) = ("test".parse().unwrap(), "debian".parse().unwrap());
        let settings = MemorySettings::new(target, account(), owner, regions.into(), replication).unwrap();
        let digest = disk.digests(crate::disk::Wanted::default(), &()).unwrap().content;
        let cloud = MemoryCloud::with_clock(Arc::clone(&clock));
        Self { cloud, settings, clock, spec: Arc::new(spec(digest, &disk)), disk, _folder: folder }
    }

    fn publisher(&self) -> MemoryPublisher {
        MemoryPublisher::new(&self.cloud, self.settings.clone()).unwrap()
    }

    fn context(&self) -> Context {
        Context::with_clock(Arc::clone(&self.clock))
    }

    fn upload(&self) -> UploadRequest {
        UploadRequest { image: Arc::clone(&self.spec), region: region("north"), disk: Arc::clone(&self.disk) }
    }

    async fn make(&self, publisher: &MemoryPublisher, context: &Context) -> Result<ImageAt> {
        let staged = publisher.upload(context, &self.upload()).await?;
        let made = publisher.register(context, &RegisterRequest { image: Arc::clone(&self.spec), staged }).await?;
        Ok(ImageAt { region: made.region, id: made.id, tags: self.spec.tags.clone() })
    }

    /// What a run does with one artifact.
    async fn run(&self) -> Result<()> {
        let (publisher, context) = (self.publisher(), self.context());
        let home = self.make(&publisher, &context).await?;
        let regions = vec![region("north"), region("south")];
        let request = ReplicateRequest { image: Arc::clone(&self.spec), home: home.clone(), regions };
        let mut all = Vec::new();
        for (region, made) in publisher.replicate(&context, &request).await? {
            all.push(ImageAt { region, id: made?.id, tags: home.tags.clone() });
        }
        for at in &all {
            let request = VisibilityRequest { at: at.clone(), wanted: Visibility::Public, along: Vec::new() };
            publisher.set_visibility(&context, &request).await?;
        }
        for at in all {
            let marks = Marks { published: Some(at.tags.date), ..Marks::default() };
            publisher.tag(&context, &TagRequest { at, marks: marks.into(), extra: None }).await?;
        }
        Ok(())
    }

    /// The end state without the times at which objects were made.
    fn state(&self) -> (Vec<ImageRecord>, usize) {
        let mut images = self.cloud.images(&account());
        images.iter_mut().for_each(|image| image.created = self.spec.tags.date);
        (images, self.cloud.staged(&account()).len())
    }
}

fn region(name: &str) -> Region {
    name.parse().unwrap()
}

fn account() -> Account {
    "0b12".parse().unwrap()
}

fn spec(digest: Digest, disk: &Disk) -> ImageSpec {
    ImageSpec {
        tags: ImageTags {
            owner: "debian".parse().unwrap(),
            release: "bookworm-20240101".parse().unwrap(),
            suite: "bookworm".parse().unwrap(),
            version: "20240101-1614".parse().unwrap(),
            class: Class::Release,
            variant: "genericcloud".parse().unwrap(),
            arch: "amd64".parse().unwrap(),
            rendition: "as-is".parse().unwrap(),
            date: "2024-01-01T00:00:00Z".parse().unwrap(),
            digest,
        },
        name: "debian-12-genericcloud-amd64-20240101-1614".parse().unwrap(),
        family: "debian-12-genericcloud-amd64".to_owned(),
        description: "Debian 12".to_owned(),
        suite_id: "12".to_owned(),
        boot: Boot::UefiPreferred,
        format: Format::Raw,
        file_size: disk.file_size(),
        virtual_size: disk.virtual_size(),
        file_sha512: None,
        given: None,
        build_job: None,
        extra_tags: [("team".to_owned(), "cloud".to_owned())].into(),
        properties: [].into(),
        visibility: Visibility::Public,
        build_manifest: None,
        outside_suite: None,
    }
}

#[tokio::test]
async fn a_run_killed_at_any_boundary_is_finished_by_a_new_publisher() {
    for replication in [Replication::PerRegion, Replication::Batch] {
        let whole = World::new(replication);
        whole.run().await.unwrap();
        let boundaries = whole.cloud.requests_seen();
        assert!(boundaries > 20, "{boundaries}");
        for n in 1..=boundaries {
            let world = World::new(replication);
            world.cloud.kill_at(n);
            let killed = world.run().await.unwrap_err();
            assert_eq!((killed.kind(), killed.message()), (Kind::Cancelled, "killed"), "at {n}");
            world.run().await.unwrap();
            assert_eq!(world.state(), whole.state(), "{replication:?} killed at {n}");
        }
    }
}

#[tokio::test]
async fn after_a_kill_nothing_of_that_publisher_reaches_the_cloud() {
    let world = World::new(Replication::PerRegion);
    let (publisher, context) = (world.publisher(), world.context());
    world.cloud.inject(Fault::new(What::Kill).on(Verb::Upload).nth(3));
    assert_eq!(publisher.upload(&context, &world.upload()).await.unwrap_err().message(), "killed");
    let seen = world.cloud.requests().len();
    let survey = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
    assert_eq!(publisher.survey(&context, &survey).await.unwrap_err().message(), "killed");
    assert_eq!(world.cloud.requests().len(), seen);
}

#[tokio::test]
async fn a_lost_reply_to_any_change_makes_no_second_object() {
    let whole = World::new(Replication::PerRegion);
    whole.run().await.unwrap();
    let changes = u32::try_from(whole.cloud.writes().len()).unwrap();
    for nth in 1..=changes {
        let world = World::new(Replication::PerRegion);
        world.cloud.inject(Fault::new(What::LostReply).nth(nth));
        let error = world.run().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "change {nth}");
        world.run().await.unwrap();
        assert_eq!(world.state(), whole.state(), "change {nth}");
    }
}

#[tokio::test]
async fn a_finished_run_repeated_writes_nothing() {
    let world = World::new(Replication::PerRegion);
    world.run().await.unwrap();
    let writes = world.cloud.writes().len();
    world.run().await.unwrap();
    assert_eq!(world.cloud.writes().len(), writes);
}

#[tokio::test]
async fn a_hanging_request_ends_when_the_run_is_cancelled() {
    let world = World::new(Replication::PerRegion);
    world.cloud.inject(Fault::new(What::Hang).on(Verb::Upload).nth(2));
    let (publisher, context) = (world.publisher(), world.context());
    let request = world.upload();
    let upload = publisher.upload(&context, &request);
    let cancel = async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        context.cancellation().cancel();
    };
    let (uploaded, ()) = futures::future::join(upload, cancel).await;
    assert_eq!(uploaded.unwrap_err().kind(), Kind::Cancelled);
    assert!(world.cloud.staged(&account()).is_empty());
}

#[tokio::test]
async fn an_interrupted_upload_is_resumed_and_not_busy() {
    let world = World::new(Replication::PerRegion);
    let (publisher, context) = (world.publisher(), world.context());
    // Two looks, the create, one part: the next part fails.
    world.cloud.inject(Fault::new(What::Unavailable).on(Verb::Upload).nth(5));
    assert_eq!(publisher.upload(&context, &world.upload()).await.unwrap_err().kind(), Kind::Unavailable);
    let [left] = world.cloud.staged(&account()).try_into().unwrap();
    assert!(left.received > 0 && left.digest.is_none() && left.senders == 0, "{left:?}");
    let staged = publisher.upload(&context, &world.upload()).await.unwrap();
    assert_eq!((staged.id, staged.sent), (left.id, world.disk.file_size() - left.received));
}

#[tokio::test]
async fn bytes_that_are_not_the_promised_ones_are_removed() {
    let mut world = World::new(Replication::PerRegion);
    let promised = ImageTags { digest: Digest::from_bytes([1; 32]), ..world.spec.tags.clone() };
    world.spec = Arc::new(ImageSpec { tags: promised, ..ImageSpec::clone(&world.spec) });
    let error = world.publisher().upload(&world.context(), &world.upload()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert!(world.cloud.staged(&account()).is_empty());
}

#[tokio::test]
async fn one_region_that_fails_does_not_stop_the_others() {
    for replication in [Replication::PerRegion, Replication::Batch] {
        let world = World::new(replication);
        world.cloud.adjust(&region("south"), |rules| rules.disabled = true);
        let (publisher, context) = (world.publisher(), world.context());
        let home = world.make(&publisher, &context).await.unwrap();
        let regions = vec![region("south"), region("north")];
        let request = ReplicateRequest { image: Arc::clone(&world.spec), home, regions };
        let results = publisher.replicate(&context, &request).await.unwrap();
        let kinds: Vec<_> = results.iter().map(|(_, made)| made.as_ref().map(drop).map_err(|e| e.kind())).collect();
        assert_eq!(kinds, [Err(Kind::PermissionDenied), Ok(())], "{replication:?}");
    }
}

#[tokio::test]
async fn preflight_finds_every_hindrance_at_once() {
    let world = World::new(Replication::Independent);
    world.cloud.adjust(&region("south"), |rules| {
        rules.denied.insert(Verb::SetVisibility);
        rules.image_quota = Some(0);
    });
    world.cloud.adjust(&region("north"), |rules| rules.disabled = true);
    let additions = ["north", "south"].map(|name| (Arc::clone(&world.spec), region(name))).to_vec();
    let request = PreflightRequest { exposures: additions.clone(), additions, probe: Probe::ReadOnly };
    let findings = world.publisher().preflight(&world.context(), &request).await.unwrap();
    let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages.len(), 3, "{messages:?}");
    assert!(messages[0].contains("not enabled"), "{messages:?}");
    assert!(messages[1].contains("set_visibility"), "{messages:?}");
    assert!(messages[2].contains("no room"), "{messages:?}");
    assert!(world.cloud.writes().is_empty());
}

#[tokio::test]
async fn a_survey_that_breaks_off_says_where_and_keeps_what_it_has() {
    let world = World::new(Replication::Independent);
    let (publisher, context) = (world.publisher(), world.context());
    let at = world.make(&publisher, &context).await.unwrap();
    let mut other = world.cloud.images(&account()).remove(0);
    other.id = "zzz".parse().unwrap();
    world.cloud.plant_image(&account(), other);
    world.cloud.adjust(&region("north"), |rules| {
        rules.page = Some(1);
        rules.listing_breaks_after = Some(1);
    });
    let request = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
    let survey = publisher.survey(&context, &request).await.unwrap();
    assert_eq!(survey.images.iter().map(|image| &image.id).collect::<Vec<_>>(), [&at.id]);
    assert!(!survey.covers(&region("north")) && survey.covers(&region("south")), "{survey:?}");
}

#[tokio::test]
async fn the_cloud_remembers_who_could_use_what_and_when() {
    let mut world = World::new(Replication::Batch);
    world.settings.capability.replicas_are_visible = true;
    world.run().await.unwrap();
    let (publisher, context) = (world.publisher(), world.context());
    let image = world.cloud.images(&account()).remove(0);
    let at = ImageAt { region: image.region, id: image.id, tags: world.spec.tags.clone() };
    publisher.retire(&context, &at).await.unwrap();
    let seen = world.cloud.exposures();
    let told: Vec<_> = seen.iter().map(|it| (it.region.as_str(), it.by_id_only, it.until.is_some())).collect();
    assert_eq!(told, [("south", true, true), ("north", false, true), ("south", false, false)]);
    let requests = world.cloud.requests();
    let by = |n: u64| requests.iter().find(|request| request.number == n).unwrap().verb;
    assert_eq!(
        seen.iter().map(|it| by(it.since_request)).collect::<Vec<_>>(),
        [Verb::Replicate, Verb::SetVisibility, Verb::SetVisibility]
    );
}

#[tokio::test]
async fn an_image_in_use_is_retired_instead_of_deleted() {
    let world = World::new(Replication::PerRegion);
    let (publisher, context) = (world.publisher(), world.context());
    let at = world.make(&publisher, &context).await.unwrap();
    assert!(world.cloud.edit_image(&account(), &at.region, &at.id, |image| image.in_use = true));
    assert_eq!(publisher.delete(&context, &at).await.unwrap(), Deletion::StillInUse);
    let image = world.cloud.images(&account()).remove(0);
    assert_eq!(image.native, crate::survey::Native::Retired);
    assert!(world.cloud.edit_image(&account(), &at.region, &at.id, |image| image.in_use = false));
    assert_eq!(publisher.delete(&context, &at).await.unwrap(), Deletion::Gone);
    assert!(world.cloud.images(&account()).is_empty() && world.cloud.staged(&account()).is_empty());
}

#[tokio::test]
async fn images_of_another_account_are_not_seen() {
    let world = World::new(Replication::PerRegion);
    world.run().await.unwrap();
    let mut settings = world.settings.clone();
    settings.account = "another".parse().unwrap();
    let other = MemoryPublisher::new(&world.cloud, settings).unwrap();
    let request = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
    assert!(other.survey(&world.context(), &request).await.unwrap().images.is_empty());
}

#[tokio::test]
async fn an_exposure_names_the_request_that_made_it() {
    let world = World::new(Replication::PerRegion);
    let (publisher, context) = (world.publisher(), world.context());
    let home = world.make(&publisher, &context).await.unwrap();
    let regions = vec![region("north"), region("south")];
    let request = ReplicateRequest { image: Arc::clone(&world.spec), home, regions };
    let all = publisher.replicate(&context, &request).await.unwrap();
    let shown = all.into_iter().map(|(region, made)| async {
        let at = ImageAt { region, id: made.unwrap().id, tags: world.spec.tags.clone() };
        publisher
            .set_visibility(&context, &VisibilityRequest { at, wanted: Visibility::Public, along: Vec::new() })
            .await
    });
    futures::future::try_join_all(shown).await.unwrap();
    let requests = world.cloud.requests();
    let exposures = world.cloud.exposures();
    assert_eq!(exposures.len(), 2);
    for exposure in exposures {
        let by = requests.iter().find(|request| request.number == exposure.since_request).unwrap();
        assert_eq!((by.call, by.region.as_ref()), ("set image permissions", Some(&exposure.region)));
    }
}
