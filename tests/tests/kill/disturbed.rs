//! Killed by SIGKILL, then run again: with its state, and with the state folder removed.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use cloud_publish_tests::foreign::GlanceImage;
use cloud_publish_tests::is_full_run;

use crate::world::{World, is_about_a_step};

/// What an undisturbed run leaves, how many lines about steps it printed, and how long it took.
pub(crate) struct Undisturbed {
    pub(crate) seen: Vec<GlanceImage>,
    lines: usize,
    took: Duration,
}

pub(crate) static UNDISTURBED: LazyLock<Undisturbed> = LazyLock::new(|| {
    let world = World::new("undisturbed");
    let begun = Instant::now();
    let ran = world.publish().expect(0);
    let (took, seen) = (begun.elapsed(), world.seen());
    let complete = |image: &GlanceImage| {
        let published = image.properties.contains_key("cloud-publish-published");
        published && (image.status.as_str(), image.visibility.as_str()) == ("active", "public")
    };
    assert!(seen.len() == 4 && seen.iter().all(complete), "{seen:#?}");
    world.wipe();
    Undisturbed { seen, lines: ran.out.lines().filter(|line| is_about_a_step(line)).count(), took }
});

/// What the rerun finds of the killed run's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Kept,
    Lost,
}

/// Both, or one of them in turn.
fn states(turn: usize) -> &'static [State] {
    match (is_full_run(), turn.is_multiple_of(2)) {
        (true, _) => &[State::Kept, State::Lost],
        (false, true) => &[State::Kept],
        (false, false) => &[State::Lost],
    }
}

/// Kills one run, looks at what it left, finishes the job and compares; tells whether the kill came in time.
fn disturb(at: &str, state: State, kill: impl FnOnce(&World) -> bool) -> bool {
    let world = World::new("killed");
    let was_running = kill(&world);
    let at = format!("{at}, state {state:?}, owner {}", world.owner);
    world.assert_nothing_public_early(&at);
    if state == State::Lost {
        world.lose_state();
    }
    world.finish();
    assert_eq!(world.seen(), UNDISTURBED.seen, "{at}");
    world.wipe();
    was_running
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn killed_at_a_step_boundary_the_same_line_again_finishes() {
    let stride = if is_full_run() { 1 } else { UNDISTURBED.lines.div_ceil(8) };
    let mut hits = 0;
    for (turn, line) in (1..=UNDISTURBED.lines).step_by(stride).enumerate() {
        for state in states(turn) {
            let hit = disturb(&format!("after line {line}"), *state, |world| world.kill_after_line(line));
            hits += usize::from(hit);
        }
    }
    assert!(hits >= 6, "only {hits} of the runs were killed");
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn killed_at_any_moment_the_same_line_again_finishes() {
    let moments = if is_full_run() { 40 } else { 6 };
    let mut hits = 0;
    let mut chance: u32 = 20_240_101;
    for turn in 0..moments {
        // xorshift32: any moment of this turn's share of the run, the same ones each time.
        chance ^= chance << 13;
        chance ^= chance >> 17;
        chance ^= chance << 5;
        let share = (f64::from(turn) + f64::from(chance) / f64::from(u32::MAX)) / f64::from(moments);
        let time = UNDISTURBED.took.mul_f64(share);
        for state in states(turn as usize + 1) {
            hits += usize::from(disturb(&format!("after {time:?}"), *state, |world| world.kill_after(time)));
        }
    }
    assert!(hits >= 3, "only {hits} of the runs were killed");
}
