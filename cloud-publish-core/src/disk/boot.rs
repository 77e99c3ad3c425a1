//! What a disk has that firmware can start from.
//!
//! It decides about AWS' boot mode, Azure's generation and GCE's `UEFI_COMPATIBLE`, and whether the manifest's `boot`
//! can be true at all. Whether the disk really boots is for a test to find out.

use serde::Serialize;

use super::gpt;
use super::mbr::Mbr;
use super::view::View;
use crate::error::Result;

/// The kind of partition table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PartitionTable {
    /// Neither GPT nor MBR: perhaps a file system without partitions.
    #[default]
    None,
    /// A master boot record.
    Mbr,
    /// A GUID partition table, checked in both copies.
    Gpt,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct BootStructure {
    /// The partition table.
    pub table: PartitionTable,
    /// There is an EFI system partition.
    pub esp: bool,
    /// GPT: there is a BIOS boot partition. MBR: the first sector has boot code.
    pub bios_boot: bool,
}

/// Looks at the partition table of a disk's content.
///
/// A disk without one is fine; a GPT that is damaged in any way is not.
pub(super) fn inspect(content: &dyn View) -> Result<BootStructure> {
    let mut first = [0; 512];
    if content.size() < first.len() as u64 {
        return Ok(BootStructure::default());
    }
    content.read(0, &mut first)?;
    let mbr = Mbr::parse(&first);
    match gpt::sector_size(content)? {
        Some(sector) => gpt::check(content, sector, &mbr),
        None if mbr.protective => Err(gpt::damaged("the first sector announces a GPT, but there is none")),
        None => Ok(mbr.boot_structure()),
    }
}
