use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tempfile::TempDir;

use super::{Check, Fixture, Report, checks, run_all};
use crate::clock::{Clock, FastClock};
use crate::error::Result;
use crate::manifest::Visibility;
use crate::memory::{ImageRecord, MemoryCloud, MemoryPublisher, MemorySettings};
use crate::names::Account;
use crate::publisher::{ImageAt, ImageSpec, Publisher, ReadBack, Replication, VisibilityKind, WantedRegion};
use crate::survey::Native;

/// A memory cloud, settings for one target in it, and a clock for both.
pub(super) struct Place {
    pub(super) cloud: MemoryCloud,
    pub(super) settings: MemorySettings,
    clock: Arc<dyn Clock>,
    folder: TempDir,
}

impl Place {
    pub(super) fn new(replication: Replication) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(FastClock::new("2024-01-01T00:00:00Z".parse().unwrap(), 1000));
        let names: &[&str] = if replication == Replication::None { &["global"] } else { &["north", "east", "south"] };
        let regions = names.iter().map(|name| WantedRegion { region: name.parse().unwrap(), required: true });
        let (target, account) = ("test".parse().unwrap(), "0b12".parse().unwrap());
        let settings =
            MemorySettings::new(target, account, "debian".parse().unwrap(), regions.collect(), replication).unwrap();
        let cloud = MemoryCloud::with_clock(Arc::clone(&clock));
        Self { cloud, settings, clock, folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn publisher(&self) -> MemoryPublisher {
        MemoryPublisher::new(&self.cloud, self.settings.clone()).unwrap()
    }

    pub(super) fn fixture(&self) -> Fixture {
        let (cloud, settings) = (self.cloud.clone(), self.settings.clone());
        let fresh = move || -> BoxFuture<'static, Result<Box<dyn Publisher>>> {
            let made = MemoryPublisher::new(&cloud, settings.clone());
            Box::pin(async move { made.map(|publisher| Box::new(publisher) as Box<dyn Publisher>) })
        };
        let account = self.settings.account.clone();
        let fixture = Fixture::new("debian".parse().unwrap(), "r1", self.folder.path(), fresh).unwrap();
        fixture
            .with_clock(Arc::clone(&self.clock))
            .with_limit(Duration::from_secs(60))
            .with_listing("debian-12")
            .with_twins(planting(&self.cloud, &account, |image, _| image.id = "twin".parse().unwrap()))
            .with_squatters(planting(&self.cloud, &account, |image, spec| {
                image.id = format!("squatter-{}", spec.name).parse().unwrap();
                image.tags.clear();
            }))
    }

    async fn report(&self) -> Report {
        run_all(&self.publisher(), &self.fixture()).await.unwrap()
    }
}

fn planting(
    cloud: &MemoryCloud,
    account: &Account,
    change: fn(&mut ImageRecord, &ImageSpec),
) -> impl Fn(Arc<ImageSpec>, ImageAt) -> BoxFuture<'static, Result<()>> + Send + Sync + 'static {
    let (cloud, account) = (cloud.clone(), account.clone());
    move |spec, at| {
        let twin = cloud.images(&account).into_iter().find(|image| image.id == at.id);
        let mut image = twin.unwrap_or_else(|| ImageRecord {
            region: at.region.clone(),
            id: at.id.clone(),
            name: spec.name.to_string(),
            tags: std::collections::BTreeMap::new(),
            native: Native::Available,
            visibility: Visibility::Private,
            digest: spec.tags.digest,
            attributes: std::collections::BTreeMap::new(),
            staged: None,
            created: spec.tags.date,
            in_use: false,
            last_used: None,
        });
        change(&mut image, &spec);
        cloud.plant_image(&account, image);
        Box::pin(async { Ok(()) })
    }
}

fn not_applicable(report: &Report) -> Vec<&'static str> {
    let ran = [report.failed(), report.passed()].concat();
    checks().iter().map(|check: &Check| check.name).filter(|name| !ran.contains(name)).collect()
}

#[tokio::test]
async fn a_cloud_that_copies_per_region_conforms() {
    let report = Place::new(Replication::PerRegion).report().await;
    assert!(report.is_success(), "{report}");
    assert_eq!(
        not_applicable(&report),
        [
            "replicating_only_finds_what_is_there",
            "an_unknown_visibility_is_refused",
            "pointing_is_refused_where_there_are_no_pointers",
            "listing_is_refused_where_there_is_no_marketplace"
        ]
    );
}

#[tokio::test]
async fn a_cloud_that_replicates_in_a_batch_conforms() {
    let mut place = Place::new(Replication::Batch);
    place.settings.capability.replicas_are_visible = true;
    place.settings.capability.visibilities.remove(&VisibilityKind::Public);
    let report = place.report().await;
    assert!(report.is_success(), "{report}");
    assert!(report.passed().contains(&"an_unknown_visibility_is_refused"), "{report}");
}

#[tokio::test]
async fn a_cloud_of_independent_regions_conforms() {
    let mut place = Place::new(Replication::Independent);
    place.settings.capability.read_back = ReadBack::Hash;
    place.settings.capability.pointers = false;
    place.settings.capability.marketplace = false;
    let report = place.report().await;
    assert!(report.is_success(), "{report}");
    assert!(report.passed().contains(&"replicating_only_finds_what_is_there"), "{report}");
    assert!(report.passed().contains(&"pointing_is_refused_where_there_are_no_pointers"), "{report}");
    assert!(report.passed().contains(&"listing_is_refused_where_there_is_no_marketplace"), "{report}");
}

#[tokio::test]
async fn a_cloud_without_regions_conforms() {
    let mut place = Place::new(Replication::None);
    place.settings.capability.read_back = ReadBack::Nothing;
    place.settings.reviews = 3;
    let report = place.report().await;
    assert!(report.is_success(), "{report}");
}

#[tokio::test]
async fn slow_clouds_that_show_new_objects_late_and_in_small_pages_conform() {
    for replication in [Replication::Batch, Replication::PerRegion, Replication::Independent, Replication::None] {
        let place = Place::new(replication);
        place.cloud.adjust_all(|rules| {
            rules.delay = Duration::from_millis(30);
            rules.settle = Duration::from_secs(2);
            rules.making = Duration::from_secs(3);
            rules.page = Some(1);
        });
        let report = place.report().await;
        assert!(report.is_success(), "{replication:?}\n{report}");
    }
}

#[tokio::test]
async fn a_shortfall_that_went_away_is_a_failure() {
    let place = Place::new(Replication::None);
    let fixture = place.fixture().with_shortfall("info_is_stable", "no reason at all");
    let report = run_all(&place.publisher(), &fixture).await.unwrap();
    assert_eq!(report.failed(), ["info_is_stable"], "{report}");
}
