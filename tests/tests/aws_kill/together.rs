//! Two machines publish the same release at once, and know nothing of each other but what AWS shows.

use crate::disturbed::BY_BLOCKS;
use crate::world::World;

#[test]
#[ignore = "needs what tests/run installs"]
fn two_publishers_with_separate_states_end_with_one_set_of_images() {
    let one = World::new();
    let two = World::beside(&one);
    let runs = (one.start("first"), two.start("first"));
    let (first, second) = (runs.0.wait(), runs.1.wait());
    one.assert_nothing_public_early("after both");
    // Each may have met the other half-way and said so; typing the line again is all it takes.
    let unfinished = [&first, &second].into_iter().filter(|ran| ran.code != Some(0));
    unfinished.for_each(|ran| assert_eq!(ran.code, Some(1), "{}\n{}", ran.out, ran.err));
    one.publish().expect(0);
    two.publish().expect(0);
    assert_eq!(one.seen(), BY_BLOCKS.seen);
}
