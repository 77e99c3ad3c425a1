//! What QEMU, GNU tar and gzip say of what the encoders make.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output};

use super::tests::{collect, digest, open, sample};
use super::{Level, gce_tar_gz, vhd, write_qcow2};
use crate::disk::testing::Scratch;

fn run(program: &str, arguments: &[&str], folder: &Path) -> Output {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{program} {arguments:?}: {said}");
    output
}

/// A folder with the disk, as a file `disk`.
fn folder(disk: &Scratch) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::hard_link(disk.path(), folder.path().join("disk")).unwrap();
    folder
}

#[tokio::test]
#[ignore = "needs qemu-img; tests/run runs it"]
async fn qemu_finds_no_fault_in_qcow2_images_and_reads_the_disk() {
    for file in [sample(), Scratch::sparse(5 << 30, &[(0, &[1; 512]), ((4 << 30) + 512, &[7; 99])])] {
        let folder = folder(&file);
        let into = File::create(folder.path().join("image")).unwrap();
        write_qcow2(open(&file), into, |_| {}).await.unwrap();
        run("qemu-img", &["check", "-f", "qcow2", "image"], folder.path());
        run("qemu-img", &["compare", "-f", "raw", "-F", "qcow2", "disk", "image"], folder.path());
        let info = run("qemu-img", &["info", "--output=json", "image"], folder.path());
        let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
        assert_eq!((&info["format"], &info["format-specific"]["data"]["compat"]), (&"qcow2".into(), &"1.1".into()));
    }
}

#[tokio::test]
#[ignore = "needs qemu-img; tests/run runs it"]
async fn qemu_reads_fixed_vhds_at_their_true_size() {
    let file = sample();
    let folder = folder(&file);
    let bytes = fs::read(file.path()).unwrap();
    fs::write(folder.path().join("image"), collect(vhd(open(&file), &digest(&bytes))).await).unwrap();
    let info = run("qemu-img", &["info", "-f", "vpc", "--output=json", "image"], folder.path());
    let info: serde_json::Value = serde_json::from_slice(&info.stdout).unwrap();
    assert_eq!((&info["format"], &info["virtual-size"]), (&"vpc".into(), &(41_u64 << 20).into()));
    run("qemu-img", &["convert", "-f", "vpc", "-O", "raw", "image", "back"], folder.path());
    let back = fs::read(folder.path().join("back")).unwrap();
    assert!(back[..bytes.len()] == bytes && back.len() == 41 << 20);
}

#[tokio::test]
#[ignore = "unpacks whole GiB; tests/run runs it"]
async fn gzip_and_gnu_tar_take_the_tarball_without_a_word() {
    let file = sample();
    let folder = folder(&file);
    let mut sizes = Vec::new();
    for level in [Level::FAST, Level::DEFAULT] {
        let packed = collect(gce_tar_gz(open(&file), level)).await;
        sizes.push(packed.len());
        fs::write(folder.path().join("image.tar.gz"), packed).unwrap();
        run("gzip", &["-t", "image.tar.gz"], folder.path());
        let listed = run("tar", &["--numeric-owner", "--full-time", "--utc", "-tvzf", "image.tar.gz"], folder.path());
        let listed = String::from_utf8(listed.stdout).unwrap();
        let words: Vec<&str> = listed.split_whitespace().collect();
        assert_eq!(words, ["-rw-r--r--", "0/0", "1073741824", "1970-01-01", "00:00:00", "disk.raw"]);
        run("tar", &["--sparse", "-xzf", "image.tar.gz"], folder.path());
        let found = File::open(folder.path().join("disk.raw")).unwrap();
        assert_eq!(found.metadata().unwrap().len(), 1 << 30);
        run("cmp", &["-n", &((40 << 20) + 1536).to_string(), "disk", "disk.raw"], folder.path());
    }
    assert!(sizes[1] < sizes[0]);
}
