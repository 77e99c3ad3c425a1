//! Fixed VHD: the content, zeros up to a whole MiB, and a footer of 512 bytes.
//!
//! Format: "Virtual Hard Disk Image Format Specification",
//! <https://learn.microsoft.com/windows/win32/vstor/about-vhd>. Azure wants whole MiB:
//! <https://learn.microsoft.com/azure/virtual-machines/linux/create-upload-generic>.

use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use uuid::Uuid;

use super::blocks::Cut;
use super::encoded::{Encoded, Part};
use super::raw::content;
use crate::digest::Digest;
use crate::disk::image::Disk;

/// Bytes of the footer.
pub const VHD_FOOTER: u64 = 512;

const MIB: u64 = 1 << 20;
const SECTOR: u64 = 512;

/// The disk as a fixed VHD. `digest` is the content's.
///
/// # Behaviour
/// As all [encoders](super); [`Encoded::length`] is [`vhd_size`] and the footer.
pub fn vhd(disk: Arc<Disk>, digest: &Digest) -> Encoded {
    let work = disk.virtual_size();
    let size = vhd_size(work);
    let footer = Part { content: 0, bytes: Bytes::copy_from_slice(&vhd_footer(size, digest)) };
    let parts = content(disk, Cut::new(size)).chain(stream::iter([Ok(footer)]));
    Encoded::new(Some(size.saturating_add(VHD_FOOTER)), work, parts)
}

/// The size of a disk in a fixed VHD: rounded up to a whole MiB, the footer not included.
pub fn vhd_size(virtual_size: u64) -> u64 {
    virtual_size.next_multiple_of(MIB)
}

/// The footer of a fixed VHD of `size` bytes, which [`vhd_size`] has given.
///
/// # Behaviour
/// A pure function: the time is 2000-01-01, the UUID derives from the content's digest. The creator is `qem2`, because
/// QEMU and with it many readers believe the size of a VHD only if they know that its creator did not round it to a
/// geometry: <https://gitlab.com/qemu-project/qemu/-/blob/master/block/vpc.c>.
pub fn vhd_footer(size: u64, digest: &Digest) -> [u8; 512] {
    let (cylinders, heads, sectors) = geometry(size / SECTOR);
    let uuid = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("fixed VHD of {digest}").as_bytes());
    let fields: [&[u8]; 15] = [
        b"conectix",
        &2_u32.to_be_bytes(),           // features: reserved, always set
        &0x0001_0000_u32.to_be_bytes(), // format version 1.0
        &u64::MAX.to_be_bytes(),        // no dynamic header
        &0_u32.to_be_bytes(),           // seconds since 2000-01-01T00:00:00Z
        b"qem2",
        &0x0005_0003_u32.to_be_bytes(), // creator version, as QEMU writes it
        b"Wi2k",
        &size.to_be_bytes(), // original size
        &size.to_be_bytes(), // current size
        &cylinders.to_be_bytes(),
        &[heads, sectors],
        &2_u32.to_be_bytes(), // fixed
        &0_u32.to_be_bytes(), // checksum, below
        uuid.as_bytes(),
    ];
    let mut footer = [0; 512];
    for (to, from) in footer.iter_mut().zip(fields.iter().copied().flatten()) {
        *to = *from;
    }
    let sum: u32 = footer.iter().map(|byte| u32::from(*byte)).sum();
    for (to, from) in footer.iter_mut().skip(64).zip((!sum).to_be_bytes()) {
        *to = from;
    }
    footer
}

/// Cylinders, heads and sectors per track, as the specification's appendix computes them: never more than the disk has.
fn geometry(sectors: u64) -> (u16, u8, u8) {
    const MOST: u64 = 65_535 * 16 * 255;
    let total = sectors.min(MOST);
    let (mut heads, mut per_track);
    if total > 65_535 * 16 * 63 {
        (heads, per_track) = (16, 255);
    } else {
        per_track = 17;
        heads = (total / per_track).div_ceil(1024).max(4);
        if total / per_track >= heads * 1024 || heads > 16 {
            (heads, per_track) = (16, 31);
        }
        if total / per_track >= heads * 1024 {
            (heads, per_track) = (16, 63);
        }
    }
    let cylinders = total / per_track / heads;
    let small = |number: u64| u8::try_from(number).unwrap_or(u8::MAX);
    (u16::try_from(cylinders).unwrap_or(u16::MAX), small(heads), small(per_track))
}

#[cfg(test)]
mod tests {
    use super::{geometry, vhd_footer, vhd_size};
    use crate::digest::Digest;
    use crate::disk::field::bytes;

    #[test]
    fn sizes_are_whole_mebibytes() {
        for (size, padded) in [(512, 1 << 20), (1 << 20, 1 << 20), ((1 << 20) + 512, 2 << 20), (3 << 30, 3 << 30)] {
            assert_eq!(vhd_size(size), padded);
        }
    }

    #[test]
    fn the_footer_has_the_fields_of_the_specification() {
        let footer = vhd_footer(3 << 30, &Digest::from_bytes([7; 32]));
        let be32 = |at| u32::from_be_bytes(bytes(&footer, at));
        let be64 = |at| u64::from_be_bytes(bytes(&footer, at));
        assert_eq!(&bytes::<8>(&footer, 0), b"conectix");
        assert_eq!((be32(8), be32(12), be64(16)), (2, 0x0001_0000, u64::MAX));
        assert_eq!((be64(40), be64(48), be32(60)), (3 << 30, 3 << 30, 2));
        let mut unsummed = footer;
        unsummed[64..68].fill(0);
        assert_eq!(be32(64), !unsummed.iter().map(|byte| u32::from(*byte)).sum::<u32>());
        assert_eq!(footer[84..], [0; 428]);
    }

    #[test]
    fn the_footer_depends_on_size_and_content_alone() {
        let of = |size, byte| vhd_footer(size, &Digest::from_bytes([byte; 32]));
        assert_eq!(of(1 << 20, 1), of(1 << 20, 1));
        assert_ne!(of(1 << 20, 1), of(1 << 20, 2));
        assert_ne!(of(1 << 20, 1), of(2 << 20, 1));
    }

    #[test]
    fn geometries_fit_into_the_disk() {
        let known = [(1, (30, 4, 17)), (64, (963, 8, 17)), (3072, (6241, 16, 63)), (1 << 20, (65_535, 16, 255))];
        for (mib, (cylinders, heads, sectors)) in known {
            assert_eq!(geometry(mib * 2048), (cylinders, heads, sectors), "{mib} MiB");
            assert!(u64::from(cylinders) * u64::from(heads) * u64::from(sectors) <= mib * 2048);
        }
    }
}
