//! A cloud that throttles, breaks connections, fails and forgets to answer.

use cloud_publish_tests::is_full_run;
use serde_json::{Value, json};

use crate::disturbed::{BY_BLOCKS, BY_IMPORT, Undisturbed};
use crate::world::World;

/// One in ten of all requests, in equal shares.
fn noise(seed: u64) -> Value {
    let rule = |(at, what): (u64, &str)| json!({"rate": 0.025, "seed": 4 * seed + at, "what": what});
    (0..).zip(["throttle", "reset", "error500", "lost"]).map(rule).collect()
}

/// Typed again at most twice.
fn completes(undisturbed: &Undisturbed) {
    let seeds = if is_full_run() { 20 } else { 2 };
    let world = World::with(undisturbed.keys, json!({}));
    for seed in 0..seeds {
        world.begin_anew();
        world.cloud.hurt(noise(seed));
        world.finish(2);
        world.cloud.hurt(json!([]));
        let struck = world.cloud.requests().iter().filter(|entry| entry.fault.is_some()).count();
        assert!(struck > 0, "seed {seed} hurt nobody");
        undisturbed.is_what(&world, &format!("seed {seed}"));
    }
}

#[test]
#[ignore = "needs what tests/run installs"]
fn with_one_request_in_ten_disturbed_it_completes() {
    completes(&BY_BLOCKS);
}

#[test]
#[ignore = "needs what tests/run installs"]
fn with_one_request_in_ten_disturbed_an_import_completes() {
    completes(&BY_IMPORT);
}
