//! Each rule once broken, on a disk that is otherwise good.

use proptest::prelude::{ProptestConfig, any, proptest};

use super::crc32;
use crate::disk::boot::{BootStructure, PartitionTable, inspect};
use crate::disk::testing::{Gpt, Scratch};
use crate::error::{Kind, Result};

fn look(disk: &[u8]) -> Result<BootStructure> {
    inspect(&Scratch::new(disk).source())
}

#[track_caller]
fn refused(disk: &[u8], why: &str) {
    let error = look(disk).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains(why), "{error}");
}

#[test]
fn the_checksum_is_that_of_zlib() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

#[test]
fn a_good_table_of_either_sector_size_is_read_with_its_boot_partitions() {
    for sector in [512, 4096] {
        let found = look(&Gpt::new(sector).build()).unwrap();
        assert_eq!(found, BootStructure { table: PartitionTable::Gpt, esp: true, bios_boot: true });
    }
    let plain = Gpt { partitions: vec![([9; 16], 64, 100)], ..Gpt::new(512) };
    assert_eq!(look(&plain.build()).unwrap(), BootStructure { table: PartitionTable::Gpt, ..BootStructure::default() });
}

#[test]
fn disks_without_a_gpt_are_accepted() {
    assert_eq!(look(&[0; 512]).unwrap(), BootStructure::default());
    assert_eq!(look(&[0; 65_536]).unwrap(), BootStructure::default());
}

#[test]
fn a_missing_side_of_the_pair_of_mbr_and_gpt_is_refused() {
    let mut disk = Gpt::new(512).build();
    disk[446 + 4] = 0x83;
    refused(&disk, "no protective MBR");
    let mut disk = Gpt::new(512).build();
    disk[512..520].fill(0);
    refused(&disk, "but there is none");
}

#[test]
fn flipped_bytes_in_headers_and_lists_are_refused() {
    let good = Gpt::new(512).build();
    let end = good.len();
    for (at, why) in [
        (512 + 57, "checksum of a header"),
        (1024 + 130, "checksum of its partition list"),
        (end - 512 + 57, "checksum of a header"),
        (end - 512, "copy of its header is missing"),
        (end - 512 - 128 * 128 + 7, "checksum of its partition list"),
    ] {
        let mut disk = good.clone();
        disk[at] ^= 1;
        refused(&disk, why);
    }
}

#[test]
fn a_truncated_or_grown_disk_is_refused() {
    let mut disk = Gpt::new(512).build();
    disk.truncate(disk.len() - 512);
    refused(&disk, "not in the last sector");
    let mut disk = Gpt::new(512).build();
    disk.resize(disk.len() + 512, 0);
    refused(&disk, "not in the last sector");
    let mut disk = Gpt::new(4096).build();
    disk.truncate(disk.len() - 512);
    refused(&disk, "sector boundary");
}

#[test]
fn impossible_numbers_are_refused_though_the_checksums_are_right() {
    // (offset in the header, value of four bytes, what is said)
    for (at, value, why) in [
        (8, 0x0002_0000, "revision"),
        (12, 91, "impossible length"),
        (12, 4096, "impossible length"),
        (24, 2, "not where it says"),
        (72, 1, "reaches into the partitions"),
        (72, u32::MAX, "reaches into the partitions"),
        (80, 0, "number of entries"),
        (80, 1025, "number of entries"),
        (80, u32::MAX, "number of entries"),
        (84, 64, "impossible size"),
        (84, 129, "impossible size"),
        (84, 1 << 31, "impossible size"),
        (88, 1, "copies differ"),
    ] {
        refused(&Gpt::new(512).patched(at, value).build(), why);
    }
    for (at, value, why) in [(40, 5, "reaches into the partitions"), (48, 10, "no room"), (48, 2046, "not between")] {
        let gpt = Gpt { patch_backup: vec![(at, value)], ..Gpt::new(512).patched(at, value) };
        refused(&gpt.build(), why);
    }
}

#[test]
fn a_backup_that_differs_or_lies_in_the_partitions_is_refused() {
    let gpt = Gpt { patch_backup: vec![(56, 7)], ..Gpt::new(512) };
    refused(&gpt.build(), "copies differ");
    let gpt = Gpt { patch_backup: vec![(32, 3)], ..Gpt::new(512) };
    refused(&gpt.build(), "copies differ");
    let gpt = Gpt { patch_backup: vec![(72, 40)], ..Gpt::new(512) };
    refused(&gpt.build(), "not between");
    let gpt = Gpt { patch_backup: vec![(72, u32::MAX)], ..Gpt::new(512) };
    refused(&gpt.build(), "not between");
}

#[test]
fn partitions_outside_or_over_each_other_are_refused() {
    for (partitions, why) in [
        (vec![([9; 16], 3, 100)], "not inside"),
        (vec![([9; 16], 64, 1 << 40)], "not inside"),
        (vec![([9; 16], 100, 64)], "not inside"),
        (vec![([9; 16], 64, 100), ([9; 16], 100, 120)], "overlap"),
        (vec![([9; 16], 64, 200), ([9; 16], 70, 80)], "overlap"),
    ] {
        refused(&Gpt { partitions, ..Gpt::new(512) }.build(), why);
    }
    let touching = vec![([9; 16], 101, 120), ([9; 16], 64, 100)];
    look(&Gpt { partitions: touching, ..Gpt::new(512) }.build()).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_header_however_odd_makes_it_panic(at in 0_usize..92, value in any::<u32>(), backup in any::<bool>()) {
        let gpt = Gpt::new(512);
        let gpt = if backup { Gpt { patch_backup: vec![(at, value)], ..gpt } } else { gpt.patched(at, value) };
        let _ = look(&gpt.build());
    }

    #[test]
    fn no_sectors_however_odd_make_it_panic(noise in proptest::collection::vec(any::<u8>(), 512..4096)) {
        let mut disk = Gpt::new(512).build();
        disk[512..][..noise.len()].copy_from_slice(&noise);
        let _ = look(&disk);
        disk[512..520].copy_from_slice(b"EFI PART");
        let _ = look(&disk);
    }
}
