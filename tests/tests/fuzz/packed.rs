//! Packed disks: what the packers of people write, with other bytes in the headers, and archives of other things.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cloud_publish_core::disk::{DiskSource, Format, Packing};
use crc_fast::{CrcAlgorithm, checksum};

use crate::disks::{read, tool};
use crate::gpt;
use crate::harness::{CANARY, Target, folder_with_canaries};
use crate::input::{Field, Grammar, Input};

/// Three quarters of it for the largest dictionary that is taken.
const MEMORY: usize = 176 << 20;
/// The largest disk that may come out, in bytes.
const LARGEST: u64 = 32 << 20;
/// Where the sum of a tar header is.
const SUM: usize = 148;

/// Every number of a few bytes at both ends, where packers have theirs.
fn ends(input: &Input) -> Vec<Field> {
    let end = input.bytes.len();
    let places = (0..48).chain(end.saturating_sub(48)..end);
    let fields = places.map(|at| Field { at, width: 1 + at % 4, big_endian: at % 2 == 0 });
    fields.filter(|field| field.at + field.width <= end).collect()
}

/// Makes the checksums of the headers of an xz stream right: flags, and the first block's filters.
fn repair_xz(input: &mut Input) {
    let crc = |bytes: &[u8]| (checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32).to_le_bytes();
    let sum = crc(&input.get::<2>(6));
    input.put(8, &sum);
    let length = (usize::from(input.get::<1>(12)[0]) + 1) * 4;
    if let Some(covered) = input.bytes.get(12..8 + length) {
        let sum = crc(covered);
        input.put(8 + length, &sum);
    }
}

/// The texts with numbers in the first two headers of an archive, in pieces of eight characters.
fn tar_fields(_: &Input) -> Vec<Field> {
    let texts = [0, 100, 116, 124, 136, 156, 157, 257, 265, 345, 386, 398, 410, 482, 483, 495];
    let places = [0, 512, 1024].into_iter().flat_map(|header| texts.map(|at| header + at));
    places.map(|at| Field { at, width: 8, big_endian: true }).collect()
}

/// Makes the sums of the first headers right.
fn repair_tar(input: &mut Input) {
    for header in [0, 512, 1024] {
        input.put(header + SUM, b"        ");
        let sum: u32 = input.bytes.iter().skip(header).take(512).map(|byte| u32::from(*byte)).sum();
        input.put(header + SUM, format!("{sum:06o}\0 ").as_bytes());
    }
}

/// Runs one command of the shell in a folder with `disk.raw`, and some other things; takes what it prints into a file.
fn packed(commands: &[&str]) -> Vec<Input> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(folder.path().join("disk.raw"), gpt::disk(512).bytes).unwrap();
    fs::write(folder.path().join(CANARY), "another file").unwrap();
    fs::create_dir(folder.path().join("links")).unwrap();
    symlink(Path::new("/etc/passwd"), folder.path().join("links/disk.raw")).unwrap();
    let pack = |command: &&str| {
        tool("sh", &["-c", &format!("{command} > packed")], folder.path());
        Input::new(fs::read(folder.path().join("packed")).unwrap())
    };
    commands.iter().map(pack).collect()
}

fn fuzz_packed(name: &'static str, packing: Packing, seeds: Vec<Input>, grammar: Grammar) {
    let (folder, work) = (folder_with_canaries(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
    let source = |path: &Path| DiskSource {
        max_size: LARGEST,
        ..DiskSource::new(path, Format::Raw).packed(packing, work.path())
    };
    let read = |path: &Path| {
        let verdict = read(&source(path))?;
        match fs::read_dir(work.path()).map(Iterator::count) {
            Ok(0) => Ok(verdict),
            left => Err(format!("it left {left:?} files in the work directory")),
        }
    };
    Target { name, files: &["disk"], seeds, grammar, memory: MEMORY, read: &read }.run(folder.path());
}

#[test]
#[ignore = "needs xz; tests/run runs it"]
fn an_xz_file_may_say_anything() {
    let seeds = packed(&[
        "xz -c disk.raw",
        "xz -0 -c --check=crc32 disk.raw",
        "xz -9 -c --block-size=100000 disk.raw",
        "xz -c --x86 --lzma2=dict=64MiB disk.raw",
        "xz -c --delta --lzma2 disk.raw",
    ]);
    fuzz_packed("xz", Packing::Xz, seeds, Grammar::Binary { fields: ends, repair: repair_xz });
}

#[test]
#[ignore = "needs gzip; tests/run runs it"]
fn a_gzip_file_may_say_anything() {
    let seeds = packed(&["gzip -c disk.raw", "gzip -nc disk.raw", "cat disk.raw disk.raw | gzip -1", "gzip -c canary"]);
    fuzz_packed("gzip", Packing::Gz, seeds, Grammar::Binary { fields: ends, repair: |_| {} });
}

#[test]
#[ignore = "needs zstd; tests/run runs it"]
fn a_zstd_file_may_say_anything() {
    let seeds = packed(&["zstd -qc disk.raw", "zstd -qc --no-check disk.raw", "zstd -q --long=27 < disk.raw"]);
    fuzz_packed("zstd", Packing::Zst, seeds, Grammar::Binary { fields: ends, repair: |_| {} });
}

#[test]
#[ignore = "needs tar; tests/run runs it"]
fn a_tar_archive_may_say_anything() {
    let seeds = packed(&[
        "tar -c --format=oldgnu disk.raw",
        "tar -cS --format=oldgnu disk.raw",
        "tar -cS --format=pax --sparse-version=1.0 disk.raw",
        "tar -c --format=ustar disk.raw canary",
        "tar -c --format=ustar -C links disk.raw",
    ]);
    fuzz_packed("tar", Packing::Tar, seeds, Grammar::Binary { fields: tar_fields, repair: repair_tar });
}
