//! A disk that is full: of bytes, and at every single file and page that a run writes.

use cloud_publish_tests::site::Ran;

use crate::world::{IMAGE, World, is_whole};

/// What a run says of a full disk.
fn says_so(ran: &Ran, hint: &str) {
    assert!(matches!(ran.code, Some(1 | 2)), "{:?}\n{}", ran.code, ran.err);
    assert!(ran.err.contains("No space left on device"), "{}", ran.err);
    assert!(ran.err.contains(hint), "{}", ran.err);
}

/// Room for so many files and folders.
fn files(count: usize) -> String {
    format!("size=8m,nr_inodes={}", count + 1)
}

/// Room for so many pages of 4 KiB; every file that is not empty takes one.
fn pages(count: usize) -> String {
    format!("size={}k,nr_inodes=1000", 4 * count)
}

/// Publishes with ever more room, until there is enough; after each failure with room for all.
fn with_ever_more((state, public): (&str, &str), room: fn(usize) -> String, hint: &str) {
    let mut world = World::new(state, public);
    let mut failed = 0;
    for count in 1.. {
        world.mount(&room(count));
        let ran = world.publish();
        let is_done = is_whole(&world.path(public));
        if ran.code == Some(0) {
            assert!(is_done);
            break;
        }
        failed += 1;
        says_so(&ran, hint);
        assert_eq!(world.drafts(state), Vec::<String>::new());
        world.disk().remount("size=8m,nr_inodes=1000");
        world.finish(public);
        std::fs::remove_dir_all(world.path("public")).ok();
        std::fs::remove_dir_all(world.path("public.work")).ok();
        std::fs::remove_dir_all(world.path("state")).ok();
    }
    assert!(failed > 5, "it was full only {failed} times");
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_state_that_is_full_at_any_file_is_said_and_the_same_line_finishes_when_there_is_room() {
    with_ever_more(("disk/state", "public"), files, "make room there, then run the same command again");
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_state_that_is_full_at_any_page_is_said_and_the_same_line_finishes_when_there_is_room() {
    with_ever_more(("disk/state", "public"), pages, "make room there, then run the same command again");
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_directory_that_is_full_at_any_file_is_said_and_the_same_line_finishes_when_there_is_room() {
    with_ever_more(("state", "disk/public"), files, "free some space, then run the same command again");
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn an_image_that_does_not_fit_is_said_and_nothing_of_it_is_shown() {
    let mut world = World::new("state", "disk/public");
    world.mount(&format!("size={}", IMAGE / 2));
    let ran = world.publish().expect(2);
    assert!(ran.err.contains("262144 bytes are to be written, 131072 are free"), "{}", ran.err);
    assert!(ran.err.contains("hint: free some space, or delete old versions"), "{}", ran.err);
    assert!(!world.path("disk/public").exists() && !world.path("disk/public.work").exists());
    world.disk().remount("size=8m");
    world.finish("disk/public");
}

#[test]
#[ignore = "needs a mount of its own, which tests/run tries"]
fn a_state_without_a_single_free_byte_stops_the_run_before_anything_is_made() {
    let mut world = World::new("disk/state", "public");
    world.mount("size=16k");
    std::fs::write(world.path("disk/filler"), [1; 16 << 10]).unwrap();
    says_so(&world.publish().expect(2), "make room there, then run the same command again");
    assert!(!world.path("public").exists() && !world.path("public.work").exists());
    std::fs::remove_file(world.path("disk/filler")).unwrap();
    world.disk().remount("size=8m");
    world.finish("public");
}
