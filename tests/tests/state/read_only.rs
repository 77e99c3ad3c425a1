//! A disk that may only be read: looking works, publishing is refused clearly.

use cloud_publish_tests::site::RELEASE;

use crate::world::World;

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_read_only_state_can_be_looked_at_and_stops_a_run_before_anything_is_made() {
    let mut world = World::new("disk/state", "public");
    world.mount("ro,size=8m");
    world.run(&format!("status --release {RELEASE}"), &[]);
    world.run(&format!("plan --release {RELEASE}"), &[]).expect(0);
    let ran = world.publish().expect(2);
    assert!(ran.err.contains("Read-only file system"), "{}", ran.err);
    assert!(ran.err.contains("hint: let this user write there, or name another directory as `state`"), "{}", ran.err);
    assert!(!world.path("public").exists() && !world.path("public.work").exists());
    world.disk().remount("rw,size=8m");
    world.finish("public");
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_finished_release_is_found_finished_with_a_read_only_state() {
    let mut world = World::new("disk/state", "public");
    world.mount("size=8m");
    world.finish("public");
    world.disk().remount("ro,size=8m");
    assert!(world.publish().expect(0).err.contains("nothing to do"));
    world.run(&format!("verify --release {RELEASE}"), &[]).expect(0);
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_read_only_directory_is_said_before_anything_is_made_there() {
    let mut world = World::new("state", "disk/public");
    world.mount("ro,size=8m");
    let ran = world.publish().expect(2);
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    world.disk().remount("rw,size=8m");
    world.finish("disk/public");
}
