//! Images written by QEMU, read back by QEMU: ours must be the same bytes.

use std::fs;
use std::path::Path;
use std::process::Command;

use sha2::{Digest as _, Sha256};

use crate::digest::Digest;
use crate::disk::digests::Wanted;
use crate::disk::format::Format;
use crate::disk::image::{Disk, DiskSource};
use crate::disk::testing::{Scratch, noise};
use crate::error::Kind;

fn qemu_img(arguments: &[&str], from: &Path, to: &Path) {
    let status = Command::new("qemu-img").args(arguments).arg(from).arg(to).status().unwrap();
    assert!(status.success(), "qemu-img {arguments:?}");
}

/// A disk with runs that deflate well, runs that do not, and holes; it ends inside of a cluster.
fn raw() -> Scratch {
    let text = b"deflate likes repetitions. ".repeat(8000);
    let random: Vec<u8> = (0_u32..9000).flat_map(|n| Sha256::digest(n.to_be_bytes())).collect();
    Scratch::sparse((24 << 20) + 1536, &[(1 << 20, &text), (9 << 20, &random), ((24 << 20) + 512, &noise(1024))])
}

#[test]
#[ignore = "needs qemu-img; tests/run runs it"]
fn images_that_qemu_writes_are_read_as_qemu_reads_them() {
    let raw = raw();
    let content = fs::read(raw.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for options in [
        "compat=1.1",
        "compat=0.10",
        "cluster_size=512",
        "cluster_size=4k",
        "cluster_size=2M",
        "lazy_refcounts=on",
        "refcount_bits=1",
        "preallocation=metadata",
        "preallocation=falloc",
    ] {
        for compress in [false, true] {
            if compress && options.starts_with("preallocation") {
                continue;
            }
            let (image, back) = (folder.path().join("image"), folder.path().join("back"));
            let mut arguments = vec!["convert", "-f", "raw", "-O", "qcow2", "-o", options];
            arguments.extend(compress.then_some("-c"));
            qemu_img(&arguments, raw.path(), &image);
            qemu_img(&["convert", "-f", "qcow2", "-O", "raw"], &image, &back);
            let disk = Disk::open(&DiskSource::new(&image, Format::Qcow2)).unwrap();
            let mut found = vec![9; content.len()];
            disk.read_at(0, &mut found).unwrap();
            assert!(found == fs::read(&back).unwrap(), "{options}, compressed: {compress}");
            let digest = Digest::from_bytes(Sha256::digest(&content).into());
            assert_eq!(disk.digests(Wanted::default(), &()).unwrap().content, digest);
        }
    }
}

#[test]
#[ignore = "needs qemu-img; tests/run runs it"]
fn what_qemu_can_write_and_we_cannot_publish_is_refused_by_name() {
    let raw = raw();
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("image");
    let data = format!("data_file={}", folder.path().join("data").display());
    for (options, kind, why) in [
        ("compression_type=zstd", Kind::InvalidInput, "zstd"),
        ("extended_l2=on", Kind::InvalidInput, "extended L2"),
        (data.as_str(), Kind::InvalidInput, "external data file"),
    ] {
        qemu_img(&["convert", "-f", "raw", "-O", "qcow2", "-o", options], raw.path(), &image);
        let error = Disk::open(&DiskSource::new(&image, Format::Qcow2)).unwrap_err();
        assert!(error.kind() == kind && error.message().contains(why), "{error}");
    }
    let luks = ["create", "-q", "-f", "qcow2", "--object", "secret,id=key,data=secret"];
    let luks = [&luks[..], &["-o", "encrypt.format=luks,encrypt.key-secret=key"]].concat();
    let status = Command::new("qemu-img").args(luks).arg(&image).arg("1M").status().unwrap();
    assert!(status.success());
    let error = Disk::open(&DiskSource::new(&image, Format::Qcow2)).unwrap_err();
    assert!(error.message().contains("encrypted"), "{error}");
    qemu_img(&["convert", "-f", "raw", "-O", "qcow2"], raw.path(), &image);
    let status = Command::new("qemu-img").args(["snapshot", "-c", "before"]).arg(&image).status().unwrap();
    assert!(status.success());
    let error = Disk::open(&DiskSource::new(&image, Format::Qcow2)).unwrap_err();
    assert!(error.message().contains("internal snapshots"), "{error}");
    let backed = format!("{}", raw.path().display());
    let arguments = ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", &backed];
    let status = Command::new("qemu-img").args(arguments).arg(&image).status().unwrap();
    assert!(status.success());
    let error = Disk::open(&DiskSource::new(&image, Format::Qcow2)).unwrap_err();
    assert!(error.message().contains("backing file"), "{error}");
}
