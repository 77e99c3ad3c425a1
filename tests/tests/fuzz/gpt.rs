//! Raw disks: partition tables with other numbers in them, and files that look like another format.

use cloud_publish_core::disk::{DiskSource, Format};
use crc_fast::{CrcAlgorithm, checksum};

use crate::disks::read;
use crate::harness::{Target, folder_with_canaries};
use crate::input::{Field, Grammar, Input};
use crate::memory::MOST;

const ESP: [u8; 16] = [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
/// Place and width of the numbers in a header.
const HEADER: [(usize, usize); 13] =
    [(0, 8), (8, 4), (12, 4), (16, 4), (20, 4), (24, 8), (32, 8), (40, 8), (48, 8), (56, 8), (72, 8), (80, 4), (84, 4)];

/// A disk with a GPT: ESP and one more partition.
pub(crate) fn disk(sector: usize) -> Input {
    let (sectors, last) = (2048, 2047_u64);
    let mut disk = Input::default();
    disk.put(sectors * sector - 1, &[0]);
    disk.put(446, &[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
    disk.put(510, &[0x55, 0xaa]);
    let list = (128 * 128_usize).div_ceil(sector) as u64;
    for (here, other, table) in [(1, last, 2), (last, 1, last - list)] {
        let at = here as usize * sector;
        disk.put(at, b"EFI PART\0\0\x01\0\x5c\0\0\0");
        for (place, number) in [(24, here), (32, other), (40, 2 + list), (48, last - list - 1), (72, table)] {
            disk.put(at + place, &u64::to_le_bytes(number));
        }
        disk.put(at + 80, &[128, 0, 0, 0, 128, 0, 0, 0]);
        for (index, first, end) in [(0, 64_u64, 1000_u64), (1, 40, 63)] {
            let entry = table as usize * sector + index * 128;
            disk.put(entry, &ESP);
            disk.put(entry + 32, &first.to_le_bytes());
            disk.put(entry + 40, &end.to_le_bytes());
        }
    }
    repair(&mut disk);
    disk
}

/// The sector size, and where the headers of an input are.
fn headers(input: &Input) -> (usize, Vec<usize>) {
    let sector = if input.get(4096) == *b"EFI PART" { 4096 } else { 512 };
    let last = usize::try_from(input.length).unwrap_or(usize::MAX).min(input.bytes.len()).saturating_sub(sector);
    (sector, vec![sector, last - last % sector])
}

fn fields(input: &Input) -> Vec<Field> {
    let (sector, headers) = headers(input);
    let mut fields: Vec<Field> = (446..510).step_by(4).map(|at| Field { at, width: 4, big_endian: false }).collect();
    for header in headers {
        fields.extend(HEADER.map(|(at, width)| Field { at: header + at, width, big_endian: false }));
        let table = u64::from_le_bytes(input.get(header as u64 + 72)).saturating_mul(sector as u64);
        let Ok(table) = usize::try_from(table) else { continue };
        let entries = [0, 8, 32, 40, 48, 128, 160, 168].map(|at| table.saturating_add(at));
        let inside = entries.into_iter().filter(|at| *at < input.bytes.len());
        fields.extend(inside.map(|at| Field { at, width: 8, big_endian: false }));
    }
    fields
}

/// What is known of the format.
pub(crate) fn grammar() -> Grammar {
    Grammar::Binary { fields, repair }
}

/// Makes both checksums of both copies right.
pub(crate) fn repair(input: &mut Input) {
    for header in headers(input).1 {
        let number = |at: usize| u32::from_le_bytes(input.get((header + at) as u64)) as usize;
        let (size, length) = (number(12), number(80).saturating_mul(number(84)));
        let table = u64::from_le_bytes(input.get(header as u64 + 72)).saturating_mul(headers(input).0 as u64);
        let list = usize::try_from(table).ok().and_then(|at| input.bytes.get(at..at.checked_add(length)?));
        if let Some(list) = list {
            let sum = crc32(list).to_le_bytes();
            input.put(header + 88, &sum);
        }
        input.put(header + 16, &[0; 4]);
        if let Some(covered) = header.checked_add(size).and_then(|end| input.bytes.get(header..end)) {
            let sum = crc32(covered).to_le_bytes();
            input.put(header + 16, &sum);
        }
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    checksum(CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

#[test]
fn the_disk_that_is_changed_is_a_good_one() {
    let folder = folder_with_canaries();
    for sector in [512, 4096] {
        let place = folder.path().join("disk");
        std::fs::write(&place, &disk(sector).bytes).unwrap();
        let source = DiskSource::new(&place, Format::Raw);
        assert!(cloud_publish_core::disk::Disk::open(&source).unwrap().boot().esp);
    }
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_partition_table_may_say_anything() {
    let folder = folder_with_canaries();
    let mut with_mbr = disk(512);
    with_mbr.put(446 + 4, &[0x83, 0, 0, 0, 64]);
    let mut boot_sector = Input::new(vec![0x5a; 4096]);
    boot_sector.put(510, &[0x55, 0xaa]);
    let target = Target {
        name: "partition-table",
        files: &["disk"],
        seeds: vec![disk(512), disk(4096), with_mbr, boot_sector],
        grammar: grammar(),
        memory: MOST,
        read: &|path| read(&DiskSource::new(path, Format::Raw)),
    };
    target.run(folder.path());
}
