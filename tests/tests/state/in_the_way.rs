//! Something else is where the state should be.

use std::fs;

use crate::world::World;

#[test]
fn a_state_below_a_file_is_refused_with_its_path() {
    let world = World::new("taken/state", "public");
    fs::write(world.path("taken"), "a file").unwrap();
    let ran = world.publish().expect(2);
    assert!(ran.err.contains("taken/state"), "{}", ran.err);
    assert!(ran.err.contains("hint: "), "{}", ran.err);
    assert!(!world.path("public").exists() && !world.path("public.work").exists());
    fs::remove_file(world.path("taken")).unwrap();
    world.finish("public");
}

#[test]
fn a_file_as_the_state_is_refused_with_what_to_name_instead() {
    let world = World::new("taken", "public");
    fs::write(world.path("taken"), "a file").unwrap();
    let ran = world.publish().expect(2);
    assert!(ran.err.contains("the state is not a directory"), "{}", ran.err);
    assert!(ran.err.contains("hint: name a directory as `state`"), "{}", ran.err);
    assert!(!world.path("public").exists());
}

#[test]
fn folders_where_files_of_the_state_belong_are_said_and_nothing_is_lost() {
    let world = World::new("state", "public");
    world.finish("public");
    fs::remove_file(world.path("state/catalogue.json")).unwrap();
    fs::create_dir(world.path("state/catalogue.json")).unwrap();
    let ran = world.publish().expect(1);
    assert!(ran.err.contains("catalogue.json") && ran.err.contains("hint: "), "{}", ran.err);
    fs::remove_dir(world.path("state/catalogue.json")).unwrap();
    world.finish("public");
}
