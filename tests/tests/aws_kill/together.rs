//! Two machines publish the same release at once, and know nothing of each other but what AWS shows.

use std::thread::sleep;
use std::time::Duration;

use cloud_publish_tests::is_full_run;
use serde_json::json;

use crate::disturbed::{BY_BLOCKS, BY_IMPORT, Undisturbed};
use crate::world::World;

/// Starts two runs with a pause between them.
fn meet(pause: Duration, undisturbed: &Undisturbed) {
    let at = format!("{pause:?} after the first");
    let one = World::with(undisturbed.keys, json!({}));
    let two = World::beside(&one);
    let first = one.start("first");
    sleep(pause);
    let second = two.start("first");
    let (first, second) = (first.wait(), second.wait());
    one.assert_nothing_public_early(&at);
    // Each may have met the other half-way and said so; typing the line again is all it takes.
    let unfinished = [&first, &second].into_iter().filter(|ran| ran.code != Some(0));
    unfinished.for_each(|ran| assert_eq!(ran.code, Some(1), "{at}:\n{}\n{}", ran.out, ran.err));
    one.publish().expect(0);
    two.publish().expect(0);
    undisturbed.is_what(&one, &at);
}

/// From the same moment to when the first is almost through.
fn pauses() -> impl Iterator<Item = Duration> {
    let step = if is_full_run() { 1 } else { 8 };
    (0..=20).step_by(step).map(|tenths| Duration::from_millis(100 * tenths))
}

#[test]
#[ignore = "needs what tests/run installs"]
fn two_publishers_with_separate_states_end_with_one_set_of_images() {
    pauses().for_each(|pause| meet(pause, &BY_BLOCKS));
}

#[test]
#[ignore = "needs what tests/run installs"]
fn two_publishers_that_import_end_with_one_set_of_images() {
    pauses().for_each(|pause| meet(pause, &BY_IMPORT));
}
