//! The master boot record: enough of it to tell a protective one from a real one.
//!
//! Layout: <https://uefi.org/specs/UEFI/2.10/05_GUID_Partition_Table_Format.html#legacy-master-boot-record-mbr>.

use super::boot::{BootStructure, PartitionTable};
use super::field::le32;

const PARTITIONS: usize = 446;
const PARTITION_SIZE: usize = 16;
const ESP: u8 = 0xef;
const PROTECTIVE: u8 = 0xee;

/// What the first sector says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mbr {
    /// It protects a GPT: a partition of type 0xEE starts right behind it.
    pub(super) protective: bool,
    partitioned: bool,
    esp: bool,
    boot_code: bool,
}

impl Mbr {
    /// Reads a first sector of 512 bytes. Without the signature, or with entries that cannot be partitions (the boot
    /// sector of a file system), it is no MBR.
    pub(super) fn parse(sector: &[u8; 512]) -> Self {
        let mut mbr = Self::default();
        if !sector.ends_with(&[0x55, 0xaa]) {
            return mbr;
        }
        let table = sector.get(PARTITIONS..PARTITIONS + 4 * PARTITION_SIZE).unwrap_or_default();
        let mut plausible = true;
        for entry in table.as_chunks::<PARTITION_SIZE>().0 {
            let [status, _, _, _, kind, ..] = *entry;
            let (start, sectors) = (le32(entry, 8), le32(entry, 12));
            if kind == 0 {
                continue;
            }
            plausible &= matches!(status, 0 | 0x80) && start > 0 && sectors > 0;
            mbr.partitioned = true;
            mbr.esp |= kind == ESP;
            mbr.protective |= kind == PROTECTIVE && start == 1;
        }
        if !plausible {
            return Self::default();
        }
        mbr.boot_code = sector.first().is_some_and(|byte| *byte != 0);
        mbr
    }

    pub(super) fn boot_structure(self) -> BootStructure {
        if !self.partitioned {
            return BootStructure::default();
        }
        BootStructure { table: PartitionTable::Mbr, esp: self.esp, bios_boot: self.boot_code }
    }
}

#[cfg(test)]
mod tests {
    use super::Mbr;
    use crate::disk::boot::{BootStructure, PartitionTable};

    fn sector(kind: u8, start: u32) -> [u8; 512] {
        let mut sector = [0; 512];
        sector[0] = 0xeb;
        sector[446 + 4] = kind;
        sector[446 + 8..446 + 12].copy_from_slice(&start.to_le_bytes());
        sector[446 + 12..446 + 16].copy_from_slice(&2048_u32.to_le_bytes());
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        sector
    }

    #[test]
    fn partitions_and_boot_code_are_reported() {
        let linux = Mbr::parse(&sector(0x83, 2048)).boot_structure();
        assert_eq!(linux, BootStructure { table: PartitionTable::Mbr, esp: false, bios_boot: true });
        assert!(Mbr::parse(&sector(0xef, 2048)).boot_structure().esp);
    }

    #[test]
    fn sectors_that_only_look_like_an_mbr_are_none() {
        let none = BootStructure::default();
        let mut unsigned = sector(0x83, 2048);
        unsigned[511] = 0;
        let mut file_system = sector(0x83, 2048);
        file_system[446] = 0x6e;
        for bytes in [unsigned, file_system, sector(0, 0), sector(0x83, 0)] {
            assert_eq!(Mbr::parse(&bytes).boot_structure(), none);
        }
    }

    #[test]
    fn only_a_partition_right_behind_it_is_protective() {
        assert!(Mbr::parse(&sector(0xee, 1)).protective);
        assert!(!Mbr::parse(&sector(0xee, 34)).protective);
        assert!(!Mbr::parse(&sector(0x83, 1)).protective);
    }
}
