//! Reading: digests, holes, qcow2, and what it takes of memory.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;

use cloud_publish_core::disk::{Disk, DiskSource, Format};

use super::{LOCAL, Row, Runs, folder, site_of};
use crate::images::{self, ImageFile};
use crate::measure::{Used, measure};

/// What a program may have, in MiB, whatever the size of the image.
const MEMORY: f64 = 64.0;

fn openssl(file: &Path) -> Used {
    measure(Command::new("openssl").args(["dgst", "-sha256"]).arg(file))
}

fn seconds(time: std::time::Duration) -> f64 {
    time.as_secs_f64()
}

fn mib(used: Used) -> f64 {
    used.memory() as f64 / 1024.0
}

/// A raw file of 64 GiB with 16 MiB in it, and its digest as openssl has it.
fn mostly_holes(folder: &Path) -> ImageFile {
    let path = folder.join("sparse.raw");
    let file = File::create(&path).expect("a sparse file");
    file.set_len(64 << 30).expect("64 GiB of holes");
    for part in 0..16_u64 {
        file.write_all_at(&[part as u8 + 1; 1 << 20], part << 32).expect("some data");
    }
    let text = Command::new("openssl").args(["dgst", "-r", "-sha256"]).arg(&path).output().expect("openssl").stdout;
    let sha256 = String::from_utf8_lossy(&text).split_whitespace().next().expect("a digest").to_owned();
    ImageFile { path, sha256, sha512: String::new() }
}

/// `publish check` beside `openssl dgst`, on a disk with holes.
fn digest_of(name: &str, image: &ImageFile, runs: Runs) -> Vec<Row> {
    let (site, _folder) = site_of(image, "raw", LOCAL);
    let check = || measure(&site.command("check"));
    let [ours, theirs] = runs.medians([&check, &|| openssl(&image.path)]);
    let stored = fs::metadata(&image.path).expect("the image").blocks() * 512;
    vec![
        Row::beside(
            (format!("digest of {name}"), "CPU s"),
            seconds(ours.cpu()),
            ("openssl dgst -sha256", seconds(theirs.cpu())),
            1.1,
        ),
        Row::beside(
            (format!("bytes read of {name}"), "MB"),
            ours.read() as f64 / 1e6,
            ("stored on disk", stored as f64 / 1e6),
            1.05,
        ),
        Row::alone((format!("memory for {name}"), "MiB"), mib(ours), MEMORY),
    ]
}

pub(super) fn digest(runs: &Runs) -> Vec<Row> {
    let folder = folder();
    let mut rows = digest_of("a raw disk of 3 GiB, 20 % full", &images::big().raw, *runs);
    rows.extend(digest_of("a raw disk of 64 GiB, all but empty", &mostly_holes(folder.path()), *runs));
    rows
}

pub(super) fn qcow2(runs: &Runs) -> Vec<Row> {
    let (big, folder) = (images::big().qcow2, folder());
    let (site, _folder) = site_of(&big, "qcow2", LOCAL);
    let raw = folder.path().join("converted.raw");
    let script = "qemu-img convert -f qcow2 -O raw \"$0\" \"$1\" && openssl dgst -sha256 \"$1\"";
    let convert = || measure(Command::new("sh").args(["-c", script]).arg(&big.path).arg(&raw));
    let [ours, theirs] = runs.medians([&|| measure(&site.command("check")), &convert]);
    vec![
        Row::beside(
            ("digest of the disk in a qcow2 of 3 GiB", "CPU s"),
            seconds(ours.cpu()),
            ("qemu-img convert, openssl dgst", seconds(theirs.cpu())),
            1.0,
        ),
        Row::alone(("memory for a qcow2 of 3 GiB", "MiB"), mib(ours), MEMORY),
    ]
}

/// The map of an image: what `bench map` does in a process of its own, to be measured. Returns the number of extents.
///
/// # Panics
/// If the image cannot be read.
pub fn map(file: &Path, format: Format) -> usize {
    let disk = Disk::open(&DiskSource::new(file, format)).expect("a good image");
    disk.extents().expect("a map").len()
}

pub(super) fn memory(runs: &Runs) -> Vec<Row> {
    let folder = folder();
    let (raw, qcow2) = (folder.path().join("disk.raw"), folder.path().join("disk.qcow2"));
    let file = File::create(&raw).expect("a sparse file");
    file.set_len(1 << 40).expect("1 TiB of holes");
    for part in 0..4096_u64 {
        file.write_all_at(&[1; 4096], part << 28).expect("some data");
    }
    let made = Command::new("qemu-img").args(["convert", "-f", "raw", "-O", "qcow2"]).arg(&raw).arg(&qcow2).status();
    assert!(made.is_ok_and(|status| status.success()), "qemu-img convert failed");
    let rows = [(raw, "raw"), (qcow2, "qcow2")].map(|(path, format)| {
        let bench = std::env::current_exe().expect("its own path");
        let [used] = runs.medians([&|| measure(Command::new(&bench).args(["map", format]).arg(&path))]);
        Row::alone((format!("memory for the map of a {format} disk of 1 TiB"), "MiB"), mib(used), MEMORY)
    });
    rows.into()
}
