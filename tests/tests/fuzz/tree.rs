//! The whole way to a directory: what is refused leaves nothing there, and what somebody changed there is read with care.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cloud_publish_core::disk::{Disk, DiskSource, Expected, Format, Wanted};
use cloud_publish_core::error::Error;
use cloud_publish_core::run::{RunOutcome, Summary};
use object_store::memory::InMemory;

use crate::gpt;
use crate::harness::{Target, Verdict, folder_with_canaries, judge, judged};
use crate::input::{Grammar, Input};
use crate::memory::MOST;
use crate::qcow2;
use crate::rig::{FILES, Rig, files_below};
use crate::text::words;

/// Whether the image may be published: nothing is wrong with it.
fn is_good(path: &Path, format: Format) -> bool {
    let disk = Disk::open(&DiskSource::new(path, format));
    disk.is_ok_and(|disk| disk.verify(&Expected::default(), Wanted::default(), &()).is_ok())
}

/// Publishes one image to a new directory.
fn published(releases: &Path, format: Format) -> Result<Verdict, String> {
    let path = releases.join("disk");
    // Hashing a disk of terabytes takes hours, as it should.
    let size = Disk::open(&DiskSource::new(&path, format)).map_or(0, |disk| disk.virtual_size());
    if size > 16 << 20 || fs::metadata(&path).unwrap().len() > 16 << 20 {
        return Ok(Verdict::Refused);
    }
    let rig = Rig::new(releases);
    rig.write_manifest(format.as_str());
    let (good, outcome) = (is_good(&path, format), rig.publish(Arc::new(InMemory::new())));
    match all_or_nothing(&rig, outcome)? {
        Verdict::Taken if !good => Err("it published an image that is not as it should be".to_owned()),
        verdict => Ok(verdict),
    }
}

/// A publication leaves the image as it is given, or nothing.
fn all_or_nothing(rig: &Rig, outcome: Result<Summary, Error>) -> Result<Verdict, String> {
    let there = files_below(&rig.public());
    let image = rig.image();
    match outcome {
        Ok(summary) if summary.outcome == RunOutcome::Complete => {
            match there.iter().any(|(_, bytes)| *bytes == image) {
                true => Ok(Verdict::Taken),
                false => Err("it published something else".to_owned()),
            }
        }
        Ok(_) if there.is_empty() => Ok(Verdict::Refused),
        Ok(summary) => Err(format!("it ended with {summary:?} and left {} files", there.len())),
        Err(error) if there.is_empty() => judge(&error),
        Err(error) => Err(format!("it refused ({error}) and left {} files", there.len())),
    }
}

fn fuzz_publication(name: &'static str, format: Format, seeds: impl Fn(&Path) -> Vec<Input>, grammar: Grammar) {
    let folder = folder_with_canaries();
    let releases = folder.path();
    Target {
        name,
        files: &FILES,
        seeds: seeds(releases),
        grammar,
        memory: MOST,
        read: &|_| published(releases, format),
    }
    .run(releases);
}

#[test]
#[ignore = "needs qemu-img; tests/run runs it"]
fn a_qcow2_image_is_published_as_it_is_or_not_at_all() {
    fuzz_publication("publish-qcow2", Format::Qcow2, qcow2::seeds, qcow2::grammar());
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_raw_image_is_published_as_it_is_or_not_at_all() {
    fuzz_publication("publish-raw", Format::Raw, |_| vec![gpt::disk(512)], gpt::grammar());
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_build_manifest_may_say_anything() {
    let folder = folder_with_canaries();
    let releases = folder.path();
    fs::write(releases.join("disk"), gpt::disk(512).bytes).unwrap();
    Rig::new(releases).write_manifest("raw");
    let seeds = vec![Input::new(fs::read(releases.join("build.json")).unwrap())];
    let read = |path: &Path| {
        let text = fs::read(path).unwrap();
        let rig = Rig::new(releases);
        fs::write(path, text).unwrap();
        all_or_nothing(&rig, rig.publish(Arc::new(InMemory::new())))
    };
    let files = ["build.json", FILES[0], FILES[1]];
    Target { name: "build-manifest", files: &files, grammar: words(&seeds, &[]), memory: MOST, seeds, read: &read }
        .run(releases);
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_published_directory_may_have_been_changed_in_any_way() {
    let folder = folder_with_canaries();
    let releases = folder.path();
    fs::write(releases.join("disk"), gpt::disk(512).bytes).unwrap();
    let (rig, state) = (Rig::new(releases), Arc::new(InMemory::new()));
    rig.write_manifest("raw");
    assert_eq!(rig.publish(state.clone()).unwrap().outcome, RunOutcome::Complete);
    // What a reader makes of it: every file but the image, its path in the first line.
    let whole = [("public", files_below(&rig.public())), ("public.work", files_below(&rig.work()))];
    let site = rig.public().parent().unwrap().to_owned();
    let files =
        whole.iter().flat_map(|(top, files)| files.iter().map(move |(path, bytes)| (Path::new(top).join(path), bytes)));
    let small = files.filter(|(_, bytes)| bytes.len() < 100_000);
    let seeds: Vec<Input> =
        small.map(|(path, bytes)| Input::new([path.to_str().unwrap().as_bytes(), b"\n", bytes].concat())).collect();
    assert!(seeds.len() > 3, "{seeds:?}");
    let read = |path: &Path| {
        let input = fs::read(path).unwrap();
        let (name, content) = input.split_at(input.iter().position(|byte| *byte == b'\n').unwrap_or(0));
        let place = std::str::from_utf8(name).map(|name| site.join(name)).unwrap_or_default();
        let before = match fs::read(&place) {
            Ok(before) if place.starts_with(&site) && !name.windows(2).any(|two| two == b"..") => before,
            _ => return Ok(Verdict::Refused),
        };
        fs::write(&place, content.get(1..).unwrap_or_default()).unwrap();
        let outcome = rig.look(state.clone());
        fs::write(&place, before).unwrap();
        judged(outcome)
    };
    let files = ["input", FILES[0], FILES[1], FILES[2]];
    Target {
        name: "published-directory",
        files: &files,
        grammar: words(&seeds, &[]),
        memory: MOST,
        seeds,
        read: &read,
    }
    .run(releases);
}
