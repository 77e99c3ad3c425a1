//! Stream-optimised VMDK: compressed grains that two levels of tables lead to. Others are not imported.
//! <https://github.com/libyal/libvmdk/blob/main/documentation/VMWare%20Virtual%20Disk%20Format%20(VMDK).asciidoc>

use std::io::Read as _;

use bytes::Bytes;
use flate2::read::ZlibDecoder;

const SECTOR: u64 = 512;

/// The flag of compressed grains.
const COMPRESSED: u32 = 1 << 16;

/// The directory is named by a second header, before the end.
const AT_END: u64 = u64::MAX;

/// The most that is unpacked.
const LARGEST: u64 = 64 << 30;

/// A file of this format.
#[derive(Debug)]
pub(super) struct Disk<'f> {
    file: &'f Bytes,
    /// Bytes.
    capacity: u64,
    /// Bytes.
    grain: u64,
    /// Grains of one table.
    entries: u64,
    /// Where the directory is, in bytes.
    directory: u64,
}

fn number(file: &[u8], at: u64, length: usize) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let bytes = file.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

impl<'f> Disk<'f> {
    /// Reads the header; none if it is that of something else.
    pub(super) fn parse(file: &'f Bytes) -> Option<Self> {
        let at = |offset, length| number(file, offset, length);
        let is_compressed = u32::try_from(at(8, 4)?).ok()? & COMPRESSED != 0 && at(77, 2)? == 1;
        if !file.starts_with(b"KDMV") || !is_compressed {
            return None;
        }
        let directory = match at(56, 8)? {
            AT_END => at((file.len() as u64).checked_sub(2 * SECTOR)? + 56, 8)?,
            sector => sector,
        };
        let disk = Self {
            file,
            capacity: at(12, 8)?.checked_mul(SECTOR)?,
            grain: at(20, 8)?.checked_mul(SECTOR)?,
            entries: at(44, 4)?,
            directory: directory.checked_mul(SECTOR)?,
        };
        let is_sane = (1..=LARGEST).contains(&disk.capacity) && (SECTOR..=1 << 24).contains(&disk.grain);
        (is_sane && disk.entries > 0).then_some(disk)
    }

    /// The whole disk.
    pub(super) fn raw(&self) -> Option<Bytes> {
        let mut raw = vec![0; usize::try_from(self.capacity).ok()?];
        for (index, place) in raw.chunks_mut(usize::try_from(self.grain).ok()?).enumerate() {
            let index = index as u64;
            let table = number(self.file, self.directory + index / self.entries * 4, 4)? * SECTOR;
            if table == 0 {
                continue;
            }
            let sector = number(self.file, table + index % self.entries * 4, 4)?;
            // 1 stands for a grain of zeros.
            if sector > 1 {
                self.unpack(sector * SECTOR, index, place)?;
            }
        }
        Some(Bytes::from(raw))
    }

    /// A grain has its first sector and its packed length before it.
    fn unpack(&self, at: u64, index: u64, place: &mut [u8]) -> Option<()> {
        if number(self.file, at, 8)? != index * self.grain / SECTOR {
            return None;
        }
        let length = usize::try_from(number(self.file, at + 8, 4)?).ok()?;
        let start = usize::try_from(at + 12).ok()?;
        let packed = self.file.get(start..start.checked_add(length)?)?;
        ZlibDecoder::new(packed).read_exact(place).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::Bytes;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;

    use super::Disk;

    /// Two grains of a sector each, of which the first is missing.
    fn file(flags: u32) -> Bytes {
        let mut file = vec![0; 4 * 512];
        file[..4].copy_from_slice(b"KDMV");
        file[8..12].copy_from_slice(&flags.to_le_bytes());
        file[12] = 2;
        file[20] = 1;
        file[44] = 2;
        file[56] = 1;
        file[77] = 1;
        file[512] = 2;
        file[1024 + 4] = 3;
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&[7; 512]).unwrap();
        let packed = packed.finish().unwrap();
        file[1536] = 1;
        file[1544..1548].copy_from_slice(&u32::try_from(packed.len()).unwrap().to_le_bytes());
        file[1548..1548 + packed.len()].copy_from_slice(&packed);
        Bytes::from(file)
    }

    #[test]
    fn grains_are_found_by_their_tables() {
        let file = file(3 << 16);
        let raw = Disk::parse(&file).unwrap().raw().unwrap();
        assert_eq!(raw, [vec![0; 512], vec![7; 512]].concat());
    }

    #[test]
    fn what_is_not_compressed_is_not_imported() {
        assert!(Disk::parse(&file(1)).is_none());
        assert!(Disk::parse(&Bytes::from_static(b"QFI\xfb")).is_none());
    }

    #[test]
    fn a_grain_that_is_cut_off_is_noticed() {
        let whole = file(3 << 16);
        assert_eq!(Disk::parse(&whole.slice(..1560)).unwrap().raw(), None);
    }
}
