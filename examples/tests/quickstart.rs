//! README's first command: it publishes, quickly and with what it needs only.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

fn quickstart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("quickstart")
}

/// What the quickstart writes besides its `target`; git ignores all of it.
const OUTPUTS: [&str; 3] = ["public", "public.work", "state"];

/// Puts what was there back, whatever the test does.
struct Kept(TempDir);

impl Kept {
    fn new() -> Self {
        fs::create_dir_all(quickstart().join("target")).unwrap();
        let kept = tempfile::tempdir_in(quickstart().join("target")).unwrap();
        for output in OUTPUTS.iter().filter(|output| quickstart().join(output).exists()) {
            fs::rename(quickstart().join(output), kept.path().join(output)).unwrap();
        }
        Self(kept)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        for output in OUTPUTS {
            drop(fs::remove_dir_all(quickstart().join(output)));
            drop(fs::rename(self.0.path().join(output), quickstart().join(output)));
        }
    }
}

fn run() -> String {
    let ran = Command::new(quickstart().join("run")).current_dir("/").output().unwrap();
    let text = text(&ran);
    assert!(ran.status.success(), "{text}");
    text
}

fn text(ran: &Output) -> String {
    [&ran.stdout, &ran.stderr].map(|stream| String::from_utf8_lossy(stream).into_owned()).concat()
}

#[test]
#[ignore = "builds the command anew; tests/run runs it"]
fn the_quickstart_publishes_its_release_and_a_second_run_finds_nothing_to_do() {
    let kept = Kept::new();
    run();
    let latest = quickstart().join("public/bookworm/latest");
    assert_eq!(fs::read_link(&latest).unwrap(), Path::new("20240101-1614"));
    let sums = Command::new("sha512sum").args(["--check", "--strict", "SHA512SUMS"]).current_dir(&latest).output();
    let sums = sums.unwrap();
    assert!(sums.status.success(), "{}", text(&sums));
    let name = "debian-12-genericcloud-amd64-20240101-1614.qcow2";
    let same = fs::read(latest.join(name)).unwrap() == fs::read(quickstart().join("releases").join(name)).unwrap();
    assert!(same, "{name} differs from the release's file");
    assert!(run().contains("nothing to do"));
    drop(kept);
}

#[test]
fn the_quickstart_builds_no_cloud() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--no-default-features", "-p", "cloud-publish-cli", "--prefix", "none"])
        .args(["--edges", "normal,build", "--manifest-path"])
        .arg(manifest)
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", text(&tree));
    let tree = text(&tree);
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.contains(&"cloud-publish-core"), "{tree}");
    let clouds = ["cloud-publish-aws", "cloud-publish-azure", "cloud-publish-gce", "cloud-publish-openstack"];
    for absent in clouds.iter().chain(&["osauth", "reqwest", "rustls", "ring"]) {
        assert!(!names.contains(absent), "{absent}");
    }
}
