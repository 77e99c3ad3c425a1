//! Killed by SIGKILL at its requests, then run again: with its state, and with the state folder removed.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use cloud_publish_aws::Feature;
use cloud_publish_tests::aws::ACCOUNT;
use cloud_publish_tests::is_full_run;
use cloud_publish_tests::judge::Account;
use serde_json::json;

use crate::policy::used;
use crate::world::{BYSTANDER, IMPORT, Moment, REGIONS, World};

/// Runs that are killed at a time. They mostly wait.
const AT_A_TIME: usize = 4;

/// What an undisturbed run leaves, and how many requests it makes.
pub(crate) struct Undisturbed {
    /// Further keys of the target.
    pub(crate) keys: &'static str,
    /// What it needs permissions for.
    features: &'static [Feature],
    pub(crate) seen: BTreeMap<String, Account>,
    pub(crate) requests: usize,
}

impl Undisturbed {
    fn of(keys: &'static str, features: &'static [Feature]) -> Self {
        let world = World::with(keys, json!({}));
        world.publish().expect(0);
        let (seen, requests) = (world.seen(), world.cloud.requests().len());
        assert_is_published(&seen);
        Self { keys, features, seen, requests }
    }

    /// Asserts that the same is there, that it was not public early, and that nobody asked for more than he may.
    pub(crate) fn is_what(&self, world: &World, at: &str) {
        world.assert_nothing_public_early(at);
        assert_eq!(world.seen(), self.seen, "{at}");
        used(&world.cloud, self.features);
    }
}

/// By EBS direct.
pub(crate) static BY_BLOCKS: LazyLock<Undisturbed> = LazyLock::new(|| Undisturbed::of("", &[Feature::Publish]));

/// Through a bucket.
pub(crate) static BY_IMPORT: LazyLock<Undisturbed> =
    LazyLock::new(|| Undisturbed::of(IMPORT, &[Feature::Publish, Feature::S3Import]));

/// One public image with its public snapshot in each region, both parameters, nothing staged, and nothing elsewhere.
fn assert_is_published(seen: &BTreeMap<String, Account>) {
    assert!(seen[ACCOUNT].buckets.values().all(|bucket| bucket.objects.is_empty() && bucket.uploads.is_empty()));
    for region in REGIONS {
        let here = &seen[ACCOUNT].regions[region];
        let ([image], [snapshot]) = (&here.images[..], &here.snapshots[..]) else { panic!("{region}: {here:#?}") };
        assert!(image.state == "available" && image.public && image.launch == ["all"], "{image:#?}");
        assert!(image.tags.contains_key("cloud-publish-published"), "{image:#?}");
        assert!(snapshot.state == "completed" && snapshot.create_volume == ["all"], "{snapshot:#?}");
        assert_eq!(snapshot.content, seen[ACCOUNT].regions[REGIONS[0]].snapshots[0].content, "{region}");
        assert_eq!(here.parameters.len(), 2, "{here:#?}");
        assert!(here.parameters.iter().all(|parameter| parameter.value == image.id), "{here:#?}");
        let there = &seen[BYSTANDER].regions[region];
        assert!(there.images.is_empty() && there.snapshots.is_empty() && there.parameters.is_empty(), "{there:#?}");
    }
}

/// What the rerun finds of the killed run's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Kept,
    Lost,
}

/// A request to kill at.
#[derive(Clone, Copy, Debug)]
struct Point {
    number: usize,
    moment: Moment,
    state: State,
}

/// Every `stride`-th request, in a full run before and after its effect, with the state and without.
fn points(requests: usize, stride: usize) -> Vec<Point> {
    let all = [
        (Moment::Before, State::Kept),
        (Moment::After, State::Lost),
        (Moment::Before, State::Lost),
        (Moment::After, State::Kept),
    ];
    let each = |(turn, number): (usize, usize)| {
        let kinds = if is_full_run() { all.to_vec() } else { vec![all[turn % all.len()]] };
        kinds.into_iter().map(move |(moment, state)| Point { number, moment, state })
    };
    (1..=requests).step_by(stride).enumerate().flat_map(each).collect()
}

/// Kills one run, finishes the job and compares; tells whether the run came so far.
fn disturb(world: &World, point: Point, undisturbed: &Undisturbed) -> bool {
    let at = format!("{point:?} of {}", undisturbed.requests);
    world.begin_anew();
    let hit = world.kill_at(point.number, point.moment);
    world.assert_nothing_public_early(&at);
    if point.state == State::Lost {
        world.lose_state();
    }
    world.finish(1);
    undisturbed.is_what(world, &at);
    hit
}

/// Kills runs of one kind at these points; returns how many came so far.
fn sweep(undisturbed: &Undisturbed, points: &[Point]) -> usize {
    let (next, hits) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(points.len()) {
            scope.spawn(|| {
                let world = World::with(undisturbed.keys, json!({}));
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let hit = disturb(&world, *point, undisturbed);
                    hits.fetch_add(usize::from(hit), Ordering::Relaxed);
                }
            });
        }
    });
    hits.into_inner()
}

fn stride(requests: usize, points: usize) -> usize {
    if is_full_run() { 1 } else { requests.div_ceil(points) }
}

#[test]
#[ignore = "needs what tests/run installs"]
fn killed_at_any_request_the_same_line_again_finishes() {
    let points = points(BY_BLOCKS.requests, stride(BY_BLOCKS.requests, 16));
    let hits = sweep(&BY_BLOCKS, &points);
    assert!(hits * 10 >= points.len() * 9, "only {hits} of {} runs were killed", points.len());
}

#[test]
#[ignore = "needs what tests/run installs"]
fn killed_while_it_imports_the_same_line_again_finishes() {
    let stride = stride(BY_IMPORT.requests, 8) * if is_full_run() { 3 } else { 1 };
    let points = points(BY_IMPORT.requests, stride);
    let hits = sweep(&BY_IMPORT, &points);
    assert!(hits * 10 >= points.len() * 9, "only {hits} of {} runs were killed", points.len());
}
