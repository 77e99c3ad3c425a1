//! What `publish import-debian` reads: checksums and build manifests.

use std::collections::BTreeMap;
use std::fs;

use cloud_publish_core::import::debian::{Folder, Seen, Wishes, import};
use cloud_publish_tests::paths;

use crate::harness::{Target, folder_with_canaries, judged};
use crate::input::Input;
use crate::memory::MOST;
use crate::text::words;

const IMAGE: &str = "debian-12-genericcloud-amd64-20240101-1614.qcow2";

/// A folder with one build, as the quickstart has it.
fn folder() -> Folder {
    let releases = paths::root().join("examples/quickstart/releases");
    let json = fs::read(releases.join(IMAGE).with_extension("json")).unwrap();
    Folder {
        images: BTreeMap::from([(IMAGE.to_owned(), Seen { size: 1 << 20, boot: None })]),
        json: BTreeMap::from([(IMAGE.replace("qcow2", "json"), json)]),
        sums: Some(format!("{}  {IMAGE}\n", "11".repeat(64)).into_bytes()),
    }
}

fn wishes() -> Wishes {
    Wishes { class: Some("release".parse().unwrap()), ..Wishes::default() }
}

/// Fuzzes one of its files.
fn fuzz_import(name: &'static str, file: &'static str, seed: Vec<u8>, put: &dyn Fn(&mut Folder, Vec<u8>)) {
    let canaries = folder_with_canaries();
    let seeds = vec![Input::new(seed)];
    let read = |path: &std::path::Path| {
        let mut folder = folder();
        put(&mut folder, fs::read(path).unwrap());
        judged(import(&folder, &wishes()))
    };
    let grammar = words(&seeds, &["../", "/", "\r", "*", "\\", "=="]);
    Target { name, files: &[file], seeds, grammar, memory: MOST, read: &read }.run(canaries.path());
}

#[test]
fn the_folder_that_is_changed_is_a_good_one() {
    import(&folder(), &wishes()).unwrap();
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_list_of_checksums_may_say_anything() {
    let put = |folder: &mut Folder, bytes: Vec<u8>| folder.sums = Some(bytes);
    fuzz_import("sums", "SHA512SUMS", folder().sums.unwrap(), &put);
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_build_manifest_that_is_imported_may_say_anything() {
    let put = |folder: &mut Folder, bytes: Vec<u8>| folder.json.values_mut().for_each(|json| json.clone_from(&bytes));
    let seed = folder().json.into_values().next().unwrap();
    fuzz_import("import-build", "build.json", seed, &put);
}
