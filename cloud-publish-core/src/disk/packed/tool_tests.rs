//! Files packed by the programs that people use: their content is what those programs unpack.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

use super::Packing;
use crate::digest::Digest;
use crate::disk::digests::Wanted;
use crate::disk::format::Format;
use crate::disk::image::{Disk, DiskSource};
use crate::disk::testing::noise;

/// A folder with a sparse `disk.raw` of 24 MiB in it.
fn folder() -> (tempfile::TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let random: Vec<u8> = (0_u32..30_000).flat_map(|n| Sha256::digest(n.to_be_bytes())).collect();
    let mut disk = vec![0; 24 << 20];
    disk[1 << 20..(1 << 20) + 400_000].copy_from_slice(&noise(400_000));
    disk[9 << 20..(9 << 20) + random.len()].copy_from_slice(&random);
    disk[(24 << 20) - 700..].copy_from_slice(&noise(700));
    let file = File::create(folder.path().join("disk.raw")).unwrap();
    file.set_len(disk.len() as u64).unwrap();
    for (page, bytes) in (0_u64..).zip(disk.chunks(65_536)).filter(|(_, bytes)| bytes.iter().any(|byte| *byte != 0)) {
        std::os::unix::fs::FileExt::write_all_at(&file, bytes, page * 65_536).unwrap();
    }
    (folder, disk)
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(program).args(arguments).current_dir(folder).stderr(Stdio::inherit()).output().unwrap();
    assert!(done.status.success(), "{program} {arguments:?}");
    done.stdout
}

fn assert_content(packed: &[u8], packing: Packing, disk: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("packed");
    fs::write(&file, packed).unwrap();
    let source = DiskSource::new(&file, Format::Raw).packed(packing, folder.path());
    let opened = Disk::open(&source).unwrap();
    let found = opened.digests(Wanted { given_sha256: true, ..Wanted::default() }, &()).unwrap();
    assert_eq!(found.content, Digest::from_bytes(Sha256::digest(disk).into()));
    assert_eq!(found.given_sha256, Some(Sha256::digest(packed).into()));
    let data: u64 = opened.file_extents().unwrap().iter().map(|extent| extent.length).sum();
    assert!(data < 4 << 20, "holes were filled: {data}");
}

#[test]
#[ignore = "needs xz, gzip and zstd; tests/run runs it"]
fn what_the_usual_compressors_write_is_read() {
    let (folder, disk) = folder();
    let commands: [(&str, &[&str], Packing); 13] = [
        ("xz", &["-c", "-0"], Packing::Xz),
        ("xz", &["-c", "-9", "-T2", "--block-size=5MiB"], Packing::Xz),
        ("xz", &["-c", "-1", "--check=sha256"], Packing::Xz),
        ("xz", &["-c", "-1", "--check=crc32", "--x86", "--lzma2=preset=1"], Packing::Xz),
        ("xz", &["-c", "-1", "--check=none"], Packing::Xz),
        ("gzip", &["-c", "-1"], Packing::Gz),
        ("gzip", &["-c", "-9", "-N"], Packing::Gz),
        ("gzip", &["-c", "-n", "--rsyncable"], Packing::Gz),
        ("zstd", &["-qc", "-1"], Packing::Zst),
        ("zstd", &["-qc", "-19", "--check"], Packing::Zst),
        ("zstd", &["-qc", "--ultra", "-22"], Packing::Zst),
        ("zstd", &["-qc", "--long=27", "-T2"], Packing::Zst),
        ("zstd", &["-qc", "--no-check", "--no-content-size"], Packing::Zst),
    ];
    for (program, options, packing) in commands {
        let packed = run(folder.path(), program, &[options, &["disk.raw"]].concat());
        assert_content(&packed, packing, &disk);
        let twice = [packed.as_slice(), &packed].concat();
        assert_content(&twice, packing, &disk.repeat(2));
    }
}

#[test]
#[ignore = "needs zstd; tests/run runs it"]
fn a_window_that_is_too_large_is_refused() {
    let (folder, _) = folder();
    // A window this large is only announced for content whose size is not known.
    let wide = Command::new("sh").args(["-c", "zstd -qc --long=30 < disk.raw"]).current_dir(folder.path()).output();
    let file = folder.path().join("wide.zst");
    fs::write(&file, wide.unwrap().stdout).unwrap();
    let source = DiskSource::new(&file, Format::Raw).packed(Packing::Zst, folder.path());
    let error = Disk::open(&source).unwrap_err();
    assert!(error.message().contains("more than 128 MiB of memory"), "{error}");
}

#[test]
#[ignore = "needs GNU tar, xz, gzip and zstd; tests/run runs it"]
fn what_gnu_tar_writes_is_read() {
    let (folder, disk) = folder();
    for format in ["gnu", "oldgnu", "ustar", "posix"] {
        for sparse in ["", "-S", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"] {
            if format != "posix" && sparse.starts_with("--") || format == "ustar" && !sparse.is_empty() {
                continue;
            }
            let sparse: &[&str] = match sparse {
                "" => &[],
                "-S" => &["-S"],
                version => &["-S", version],
            };
            for name in ["disk.raw", "./disk.raw"] {
                let format = format!("--format={format}");
                let options = [&["-c", &format], sparse, &[name]].concat();
                assert_content(&run(folder.path(), "tar", &options), Packing::Tar, &disk);
            }
        }
    }
    fs::create_dir(folder.path().join("all")).unwrap();
    fs::rename(folder.path().join("disk.raw"), folder.path().join("all/disk.raw")).unwrap();
    for (option, packing) in [("--xz", Packing::TarXz), ("--gzip", Packing::TarGz), ("--zstd", Packing::TarZst)] {
        let packed = run(folder.path(), "tar", &["-c", "-S", "--format=gnu", option, "-C", "all", "."]);
        assert_content(&packed, packing, &disk);
    }
}
