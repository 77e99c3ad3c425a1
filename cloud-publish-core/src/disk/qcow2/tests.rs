//! Each rule once broken, on an image that is otherwise good.

use std::env::current_exe;
use std::process::Command;

use proptest::prelude::{ProptestConfig, any, proptest};
use sha2::{Digest as _, Sha256, Sha512};

use super::builder::{Builder, Cluster};
use crate::digest::Digest;
use crate::disk::digests::Wanted;
use crate::disk::extent::Extent;
use crate::disk::format::Format;
use crate::disk::image::{Disk, DiskSource};
use crate::disk::testing::{Gpt, Scratch, noise};
use crate::disk::verify::Expected;
use crate::error::Kind;

const CLUSTER: u64 = 4096;

fn sample() -> Builder {
    Builder::sample(3, 12)
}

#[track_caller]
fn refused(builder: &Builder, why: &str) {
    refused_file(&builder.file(), why);
}

#[track_caller]
fn refused_file(file: &Scratch, why: &str) {
    let error = file.open(Format::Qcow2).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains(why), "{error}");
    assert!(error.advice().is_some());
}

#[test]
fn plain_zero_and_compressed_clusters_of_all_sizes_read_as_their_content() {
    for (version, bits) in [(2, 9), (2, 16), (3, 9), (3, 12), (3, 16), (3, 21)] {
        let builder = Builder::sample(version, bits);
        let (file, content) = (builder.file(), builder.content());
        let disk = file.open(Format::Qcow2).unwrap();
        assert_eq!(disk.virtual_size(), content.len() as u64);
        let mut found = vec![9; content.len()];
        disk.read_at(0, &mut found).unwrap();
        assert!(found == content, "version {version}, cluster bits {bits}");
        let mut part = vec![9; content.len() / 2 + 3];
        disk.read_at(5, &mut part).unwrap();
        assert!(part == content[5..5 + part.len()]);
        assert_eq!(disk.read_at(disk.virtual_size() - 1, &mut [0; 2]).unwrap_err().kind(), Kind::Unexpected);
    }
}

#[test]
fn extents_are_the_clusters_with_data_joined() {
    let disk = sample().file().open(Format::Qcow2).unwrap();
    let extent = |first: u64, clusters: u64| Extent { offset: first * CLUSTER, length: clusters * CLUSTER };
    assert_eq!(disk.extents().unwrap(), [extent(0, 2), extent(4, 2), extent(7, 1)]);
}

#[test]
fn the_file_as_given_is_read_byte_for_byte() {
    let builder = sample();
    let (file, bytes) = (builder.file(), builder.build());
    let disk = file.open(Format::Qcow2).unwrap();
    assert_eq!(disk.file_size(), bytes.len() as u64);
    let mut found = vec![9; bytes.len()];
    disk.read_file_at(0, &mut found).unwrap();
    assert!(found == bytes);
    let extents = disk.file_extents().unwrap();
    assert!(extents.iter().all(|extent| extent.end() <= disk.file_size()));
}

#[test]
fn digests_are_of_the_content_and_of_the_file() {
    let builder = sample();
    let (file, bytes) = (builder.file(), builder.build());
    let disk = file.open(Format::Qcow2).unwrap();
    let all = Wanted { file_sha512: true, given_sha256: true, given_sha512: true };
    let expected = Expected { sha512: Some(Sha512::digest(&bytes).into()), ..Expected::default() };
    let found = disk.verify(&expected, all, &()).unwrap();
    assert_eq!(found.content, Digest::from_bytes(Sha256::digest(builder.content()).into()));
    assert_eq!(found.given_sha256, Some(Sha256::digest(&bytes).into()));
    assert_eq!(found.file_sha512, expected.sha512);
    assert_eq!(disk.digests(Wanted::default(), &()).unwrap().content, found.content);
}

#[test]
fn a_last_cluster_may_end_where_the_disk_ends() {
    let builder = Builder::new(vec![Cluster::Hole, Cluster::Data(noise(4096))]).patched(24, &4608_u64.to_be_bytes());
    let mut bytes = builder.build();
    bytes.truncate(bytes.len() - 4096 + 512);
    let file = Scratch::new(&bytes);
    let disk = file.open(Format::Qcow2).unwrap();
    assert_eq!(disk.extents().unwrap(), [Extent { offset: 4096, length: 512 }]);
    disk.digests(Wanted::default(), &()).unwrap();
    bytes.truncate(bytes.len() - 1);
    refused_file(&Scratch::new(&bytes), "past the end of the file");
}

#[test]
fn header_fields_that_break_a_rule_are_refused() {
    let fields: &[(u64, &[u8], &str)] = &[
        (4, &[0, 0, 0, 1], "version 1"),
        (4, &[0, 0, 0, 4], "version 4"),
        (8, &[0, 0, 0, 0, 0, 0, 2, 0], "backing file"),
        (16, &[0, 0, 0, 9], "backing file"),
        (20, &[0, 0, 0, 8], "cluster size"),
        (20, &[0, 0, 0, 22], "cluster size"),
        (20, &[255; 4], "cluster size"),
        (24, &[0; 8], "no size"),
        (24, &[0, 0, 0, 0, 0, 0, 2, 1], "multiple of 512"),
        (24, &[255, 0, 0, 0, 0, 0, 0, 0], "larger than allowed"),
        (24, &[0, 0, 0, 0, 1, 0, 0, 0], "too short for its disk"),
        (32, &[0, 0, 0, 1], "encrypted"),
        (32, &[0, 0, 0, 2], "encrypted"),
        (36, &[0, 0, 0, 0], "L1 table has an impossible length"),
        (36, &[255; 4], "L1 table has an impossible length"),
        (36, &[0, 0x10, 0, 1], "L1 table has an impossible length"),
        (36, &[0, 0x10, 0, 0], "L1 table reaches past"),
        (40, &[0, 0, 0, 0, 0, 0, 0, 0], "L1 table is not at a cluster"),
        (40, &[0, 0, 0, 0, 0, 0, 0x30, 8], "L1 table is not at a cluster"),
        (40, &[255, 255, 255, 255, 255, 255, 0xf0, 0], "L1 table reaches past"),
        (40, &[0, 0, 0, 0, 0, 0, 0x10, 0], "lie over each other"),
        (48, &[0, 0, 0, 0, 0, 0, 0x10, 1], "refcount table is not at a cluster"),
        (48, &[0, 0, 0, 1, 0, 0, 0, 0], "refcount table reaches past"),
        (56, &[0, 0, 0, 0], "refcount table has an impossible length"),
        (56, &[255; 4], "refcount table has an impossible length"),
        (56, &[0, 0, 0, 2], "lie over each other"),
        (60, &[0, 0, 0, 1], "snapshots"),
        (79, &[1], "dirty"),
        (79, &[2], "corrupt"),
        (79, &[4], "external data file"),
        (79, &[8], "zstd"),
        (79, &[16], "extended L2"),
        (79, &[32], "unknown"),
        (72, &[0x80], "unknown"),
        (96, &[0, 0, 0, 7], "refcounts"),
        (100, &[0, 0, 0, 103], "impossible length"),
        (100, &[0, 0, 0, 96], "impossible length"),
        (100, &[0, 0, 0, 108], "impossible length"),
        (100, &[0, 0, 0x10, 8], "impossible length"),
        (100, &[0, 0, 0x10, 0], "extensions do not end"),
    ];
    for (at, bytes, why) in fields {
        refused(&sample().patched(*at, bytes), why);
    }
}

#[test]
fn a_longer_header_with_zlib_named_is_accepted_and_another_compression_refused() {
    let longer = || sample().patched(100, &112_u32.to_be_bytes());
    longer().file().open(Format::Qcow2).unwrap();
    refused(&longer().patched(104, &[1]), "compression type");
}

#[test]
fn header_extensions_are_walked() {
    let extension = |kind: u32, length: u32| [kind.to_be_bytes(), length.to_be_bytes()].concat();
    let names = 0x6803_f857;
    sample().patched(104, &extension(names, 96)).file().open(Format::Qcow2).unwrap();
    sample().patched(104, &extension(0x1234, 5)).file().open(Format::Qcow2).unwrap();
    refused(&sample().patched(104, &extension(names, 97)), "feature names");
    refused(&sample().patched(104, &extension(0x1234, u32::MAX)), "extensions do not end");
    refused(&sample().patched(104, &extension(0x1234, 4096 - 104)), "extensions do not end");
}

#[test]
fn the_limit_on_the_size_is_the_disks_not_the_files() {
    let file = sample().file();
    let size = 8 * CLUSTER;
    let open = |max_size| Disk::open(&DiskSource { max_size, ..DiskSource::new(file.path(), Format::Qcow2) });
    open(size).unwrap();
    assert!(open(size - 1).unwrap_err().message().contains("larger than allowed"));
}

#[test]
fn table_offsets_that_break_a_rule_are_refused() {
    let l1 = |entry: u64| sample().patched(Builder::L1 * CLUSTER, &entry.to_be_bytes());
    refused(&l1(1 << 63 | 1 << 40), "L2 table is past the end");
    refused(&l1(1 << 63 | (4 * CLUSTER + 512)), "L2 table is not aligned");
    refused(&l1(1 << 63 | (4 * CLUSTER + 1)), "unknown flags");
    refused(&l1((1 << 62) | (4 * CLUSTER)), "unknown flags");
    refused(&l1((1 << 63) | (3 * CLUSTER)), "lie over each other");
    let block = |entry: u64| sample().patched(Builder::REFCOUNT_TABLE * CLUSTER, &entry.to_be_bytes());
    refused(&block(1 << 40), "refcount block is past the end");
    refused(&block(u64::MAX << 12), "refcount block is past the end");
    refused(&block(2 * CLUSTER + 512), "refcount block is not aligned");
    refused(&block(2 * CLUSTER + 1), "unknown flags");
    refused(&block(Builder::L2 * CLUSTER), "lie over each other");
    l1(0).file().open(Format::Qcow2).unwrap();
}

#[test]
fn one_l2_table_for_two_places_is_refused() {
    let twice = ((1_u64 << 63) | (Builder::L2 * CLUSTER)).to_be_bytes();
    let two = sample().patched(36, &2_u32.to_be_bytes()).patched(Builder::L1 * CLUSTER, &[twice, twice].concat());
    refused(&two, "lie over each other");
}

#[test]
fn data_offsets_that_break_a_rule_are_refused() {
    for place in [0, 1, 2, 3, 4] {
        // An offset of 0 means that there is no cluster.
        if place != 0 {
            refused(&sample().l2_entry(0, (1 << 63) | (place * CLUSTER)), "over a table");
            refused(&sample().l2_entry(0, 1 | (place * CLUSTER)), "over a table");
        }
        refused(&sample().l2_entry(0, 1 << 62 | (place * CLUSTER + 64)), "over a table");
    }
    let end = sample().build().len() as u64;
    refused(&sample().l2_entry(0, 1 << 63 | end), "past the end");
    refused(&sample().l2_entry(0, 1 | end), "past the end");
    refused(&sample().l2_entry(0, 1 << 62 | end), "past the end");
    refused(&sample().l2_entry(0, 1 << 62 | 1 << 58 | (end - 512)), "past the end");
    refused(&sample().l2_entry(0, 1 << 62 | ((1 << 58) - 1)), "past the end");
    refused(&sample().l2_entry(0, 1 << 63 | (5 * CLUSTER + 512)), "not aligned");
    refused(&sample().l2_entry(0, 1 << 63 | (5 * CLUSTER + 2)), "unknown flags");
}

#[test]
fn a_truncated_image_is_refused() {
    let whole = sample().build();
    for (length, why) in [
        (whole.len() - 1, "past the end"),
        (usize::try_from(Builder::L2 * CLUSTER).unwrap() + 8, "L2 table is past the end"),
        (usize::try_from(Builder::L1 * CLUSTER).unwrap(), "L1 table reaches past"),
        (111, "shorter than a header"),
        (4, "shorter than a header"),
        (3, "declared qcow2"),
    ] {
        refused_file(&Scratch::new(&whole[..length]), why);
    }
}

#[test]
fn a_damaged_compressed_cluster_is_refused_when_it_is_read() {
    let builder = sample();
    let compressed = (Builder::DATA + 2) * CLUSTER + 77;
    let file = builder.patched(compressed, &[0xff; 16]).file();
    let disk = file.open(Format::Qcow2).unwrap();
    let error = disk.digests(Wanted { file_sha512: true, ..Wanted::default() }, &()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains("damaged"), "{error}");
    disk.read_at(0, &mut [0; 4096]).unwrap();
}

#[test]
fn the_partition_table_inside_is_checked() {
    let clusters = |gpt: &Gpt| gpt.build().chunks(4096).map(|chunk| Cluster::Data(chunk.to_vec())).collect();
    let good = Builder::new(clusters(&Gpt::new(512)));
    assert!(good.file().open(Format::Qcow2).unwrap().boot().esp);
    let bad = Builder::new(clusters(&Gpt::new(512).patched(80, 0)));
    refused(&bad, "GPT");
}

#[test]
fn a_qcow2_is_neither_raw_nor_is_raw_a_qcow2() {
    let error = sample().file().open(Format::Raw).unwrap_err();
    assert!(error.message().contains("declared raw, but is a qcow2 image"), "{error}");
    refused_file(&Scratch::new(&noise(8192)), "declared qcow2");
}

#[test]
fn no_number_in_a_file_decides_how_much_memory_is_taken() {
    // These tests once more, in a process that may have 512 MiB of addresses: one allocation by a number ends it.
    let limited = ["-c", "ulimit -v 524288 && exec \"$@\"", "sh"];
    let tests = [
        "disk::qcow2::tests::header_fields",
        "disk::qcow2::tests::header_extensions",
        "disk::qcow2::tests::no_header",
        "disk::gpt::tests::impossible_numbers",
        "disk::gpt::tests::no_header",
    ];
    let mut command = Command::new("sh");
    let output = command.args(limited).arg(current_exe().unwrap()).args(tests).arg("--test-threads=1").output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("5 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_header_however_odd_makes_it_panic(changes in proptest::collection::vec((4_u64..160, any::<u8>()), 1..4)) {
        let builder = changes.iter().fold(sample(), |builder, (at, byte)| builder.patched(*at, &[*byte]));
        let file = builder.file();
        if let Ok(disk) = Disk::open(&DiskSource { max_size: 1 << 26, ..DiskSource::new(file.path(), Format::Qcow2) }) {
            let _ = disk.digests(Wanted::default(), &());
            let _ = disk.extents();
        }
    }

    #[test]
    fn no_table_however_odd_makes_it_panic(
        table in 1_u64..5,
        changes in proptest::collection::vec((0_u64..8, any::<u64>()), 1..4),
    ) {
        let put = |builder: Builder, (index, entry): &(u64, u64)| {
            builder.patched(table * CLUSTER + index * 8, &entry.to_be_bytes())
        };
        let file = changes.iter().fold(sample(), put).file();
        if let Ok(disk) = file.open(Format::Qcow2) {
            let _ = disk.digests(Wanted::default(), &());
        }
    }

    #[test]
    fn no_bytes_behind_the_magic_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = Scratch::new(&[b"QFI\xfb", noise.as_slice()].concat()).open(Format::Qcow2);
        let _ = Scratch::new(&noise).open(Format::Raw);
    }
}
