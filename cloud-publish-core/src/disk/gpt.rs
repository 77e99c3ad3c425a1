//! A checked reader of GUID partition tables: both copies, both checksums, every bound, before anything is believed.
//!
//! Rules: <https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html>. Firmware and clouds repair or ignore
//! a damaged table, each in its own way; a disk that is about to be copied a hundred times must not have one.

use super::boot::{BootStructure, PartitionTable};
use super::field::{bytes, le32, le64};
use super::mbr::Mbr;
use super::view::View;
use crate::error::{Error, Kind, Result};

const SIGNATURE: [u8; 8] = *b"EFI PART";
const REVISION: u32 = 0x0001_0000;
const HEADER_SIZE: usize = 92;
const MAX_ENTRIES: u32 = 1024;
/// Far above any real table (16 KiB), and small enough to be read by a number from the disk.
const MAX_TABLE: u64 = 1 << 20;
/// C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it is on disk.
const ESP: [u8; 16] = [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
/// 21686148-6449-6E6F-744E-656564454649 as it is on disk: the text "Hah!IdontNeedEFI".
const BIOS_BOOT: [u8; 16] = *b"Hah!IdontNeedEFI";

/// One copy of the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    here: u64,
    other: u64,
    table: u64,
    shared: Shared,
}

/// What both copies must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shared {
    first_usable: u64,
    last_usable: u64,
    disk: [u8; 16],
    entries: u32,
    entry_size: u32,
    checksum: u32,
}

/// The sector size of the GPT on this disk, where there is one.
pub(super) fn sector_size(content: &dyn View) -> Result<Option<u64>> {
    for sector in [512, 4096] {
        let mut signature = [0; 8];
        if content.size() >= 2 * sector {
            content.read(sector, &mut signature)?;
            if signature == SIGNATURE {
                return Ok(Some(sector));
            }
        }
    }
    Ok(None)
}

/// Checks everything, and says what the table has to boot from.
pub(super) fn check(content: &dyn View, sector: u64, mbr: &Mbr) -> Result<BootStructure> {
    if !mbr.protective {
        return Err(damaged("there is a GPT, but no protective MBR in front of it"));
    }
    if !content.size().is_multiple_of(sector) {
        return Err(damaged("the disk does not end at a sector boundary"));
    }
    let last = content.size() / sector - 1;
    let primary = read_header(content, sector, 1)?;
    if primary.other != last {
        return Err(damaged("the backup table is not in the last sector").with("backup", primary.other));
    }
    let backup = read_header(content, sector, last)?;
    if backup.other != 1 || backup.shared != primary.shared {
        return Err(damaged("its two copies differ"));
    }
    let Shared { first_usable, last_usable, .. } = primary.shared;
    let length = primary.shared.table_length().div_ceil(sector);
    if primary.table < 2 || primary.table.checked_add(length).is_none_or(|end| end > first_usable) {
        return Err(damaged("its partition list reaches into the partitions"));
    }
    if backup.table <= last_usable || backup.table.checked_add(length).is_none_or(|end| end > last) {
        return Err(damaged("its backup partition list is not between the partitions and the last sector"));
    }
    read_table(content, sector, &backup)?;
    partitions(&read_table(content, sector, &primary)?, &primary.shared, first_usable..=last_usable)
}

impl Shared {
    fn table_length(&self) -> u64 {
        u64::from(self.entries) * u64::from(self.entry_size)
    }
}

fn read_header(content: &dyn View, sector: u64, at: u64) -> Result<Header> {
    let mut space = [0; 4096];
    let length = usize::try_from(sector).unwrap_or(usize::MAX);
    let Some(raw) = space.get_mut(..length) else { return Err(damaged("its sector size is unknown")) };
    content.read(at * sector, raw)?;
    if bytes(raw, 0) != SIGNATURE {
        return Err(damaged("a copy of its header is missing").with("sector", at));
    }
    let size = usize::try_from(le32(raw, 12)).unwrap_or(usize::MAX);
    let checksum = le32(raw, 16);
    raw.iter_mut().skip(16).take(4).for_each(|byte| *byte = 0);
    let Some(covered) = raw.get(..size).filter(|covered| covered.len() >= HEADER_SIZE) else {
        return Err(damaged("a header has an impossible length").with("sector", at));
    };
    if crc32(covered) != checksum {
        return Err(damaged("the checksum of a header is wrong").with("sector", at));
    }
    if le32(raw, 8) != REVISION {
        return Err(damaged("its revision is unknown"));
    }
    let header = Header {
        here: le64(raw, 24),
        other: le64(raw, 32),
        table: le64(raw, 72),
        shared: Shared {
            first_usable: le64(raw, 40),
            last_usable: le64(raw, 48),
            disk: bytes(raw, 56),
            entries: le32(raw, 80),
            entry_size: le32(raw, 84),
            checksum: le32(raw, 88),
        },
    };
    header.check(at)
}

impl Header {
    fn check(self, at: u64) -> Result<Self> {
        let Shared { entries, entry_size, first_usable, last_usable, .. } = self.shared;
        if self.here != at {
            return Err(damaged("a header is not where it says it is").with("sector", at));
        }
        if !(1..=MAX_ENTRIES).contains(&entries) {
            return Err(damaged("it has an impossible number of entries").with("entries", entries));
        }
        if entry_size < 128 || !entry_size.is_power_of_two() || self.shared.table_length() > MAX_TABLE {
            return Err(damaged("its entries have an impossible size").with("bytes", entry_size));
        }
        if first_usable > last_usable {
            return Err(damaged("it leaves no room for partitions"));
        }
        Ok(self)
    }
}

fn read_table(content: &dyn View, sector: u64, header: &Header) -> Result<Vec<u8>> {
    let start = header.table.checked_mul(sector).ok_or_else(|| damaged("its partition list is past the end"))?;
    // At most MAX_TABLE: the header was checked.
    let mut table = vec![0; usize::try_from(header.shared.table_length()).unwrap_or(0)];
    content.read(start, &mut table)?;
    if crc32(&table) != header.shared.checksum {
        return Err(damaged("the checksum of its partition list is wrong").with("sector", header.table));
    }
    Ok(table)
}

fn partitions(table: &[u8], shared: &Shared, usable: std::ops::RangeInclusive<u64>) -> Result<BootStructure> {
    let mut boot = BootStructure { table: PartitionTable::Gpt, esp: false, bios_boot: false };
    let mut ranges = Vec::new();
    for entry in table.chunks_exact(usize::try_from(shared.entry_size).unwrap_or(usize::MAX)) {
        let kind: [u8; 16] = bytes(entry, 0);
        if kind == [0; 16] {
            continue;
        }
        let (first, last) = (le64(entry, 32), le64(entry, 40));
        if first > last || !usable.contains(&first) || !usable.contains(&last) {
            return Err(damaged("a partition is not inside the disk").with("first", first).with("last", last));
        }
        ranges.push((first, last));
        boot.esp |= kind == ESP;
        boot.bios_boot |= kind == BIOS_BOOT;
    }
    ranges.sort_unstable();
    let clash = ranges.iter().zip(ranges.iter().skip(1)).find(|((_, last), (next, _))| next <= last);
    match clash {
        Some(((_, last), (next, _))) => {
            Err(damaged("two partitions overlap").with("one ends", last).with("the other starts", next))
        }
        None => Ok(boot),
    }
}

/// A refusal because of the partition table.
pub(super) fn damaged(what: &'static str) -> Error {
    Error::new(Kind::InvalidInput, format!("the partition table (GPT) is damaged: {what}"))
        .hint("look at it with `sgdisk -v`; after resizing a disk `sgdisk -e` moves the backup table to its end")
}

/// CRC-32 as in zlib, bit by bit: tables are a few KiB.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests;
