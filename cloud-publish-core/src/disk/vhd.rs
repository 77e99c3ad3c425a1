//! Fixed VHD: the raw disk, then a footer of 512 bytes.
//!
//! Format: <https://learn.microsoft.com/en-us/windows/win32/vstor/about-vhd> ("Virtual Hard Disk Image Format
//! Specification", 1.0). Azure takes whole MiB only; that is a rule of that target, not of the format.
//!
//! The geometry (cylinders, heads, sectors) is not looked at: it cannot express most sizes, and writers round it in
//! different ways. What counts is the current size, which must be what is before the footer. The original size may
//! differ: a disk that was resized keeps it.

use super::extent::Extents;
use super::field::{be32, be64};
use super::source::Source;
use super::view::View;
use crate::error::{Error, Kind, Result};

/// Bytes of the footer.
pub(super) const FOOTER: u64 = 512;
const VERSION: u32 = 0x0001_0000;
/// "Reserved", always set; the only other feature is "temporary".
const RESERVED: u32 = 2;
const TEMPORARY: u32 = 1;
const FIXED: u32 = 2;
const DYNAMIC: u32 = 3;
const DIFFERENCING: u32 = 4;
/// Where fixed disks have no further header.
const NO_HEADER: u64 = u64::MAX;

/// The content of a fixed VHD.
#[derive(Debug)]
pub(super) struct Vhd {
    file: Source,
    size: u64,
}

impl Vhd {
    /// Checks the footer of `file`, whose magic was confirmed.
    pub(super) fn open(file: &Source) -> Result<Self> {
        let size = file.size().checked_sub(FOOTER).ok_or_else(|| damaged("it is shorter than a footer"))?;
        let mut footer = [0; 512];
        file.read(size, &mut footer)?;
        check(&footer, size)?;
        let mut begin = [0; 8];
        if size >= 8 {
            file.read(0, &mut begin)?;
        }
        if begin == *b"conectix" {
            return Err(damaged("it has a second footer at its begin, as only dynamic ones have"));
        }
        Ok(Self { file: file.share()?, size })
    }
}

fn check(footer: &[u8; 512], size: u64) -> Result<()> {
    let kind = be32(footer, 60);
    let refused = |what: &str| {
        Error::new(Kind::InvalidInput, format!("the VHD image cannot be published: {what}"))
            .hint("write a fixed one with `qemu-img convert -O vpc -o subformat=fixed,force_size=on OLD NEW`")
    };
    if checksum(footer) != be32(footer, 64) {
        return Err(damaged("the checksum of its footer is wrong"));
    }
    match kind {
        FIXED => {}
        DYNAMIC => return Err(refused("it is dynamic, not fixed")),
        DIFFERENCING => return Err(refused("it is differencing: it needs another file")),
        _ => return Err(refused("its disk type is unknown").with("type", kind)),
    }
    if be32(footer, 12) != VERSION {
        return Err(refused("its version is unknown").with("version", format!("{:#x}", be32(footer, 12))));
    }
    if be32(footer, 8) & !TEMPORARY != RESERVED {
        return Err(refused("it has features that are unknown").with("features", format!("{:#x}", be32(footer, 8))));
    }
    if be64(footer, 16) != NO_HEADER {
        return Err(damaged("its footer leads to a further header, which a fixed disk does not have"));
    }
    if be64(footer, 48) != size {
        return Err(damaged("the size in its footer is not that of the disk before it")
            .with("footer", be64(footer, 48))
            .with("disk", size));
    }
    Ok(())
}

/// The complement of the sum of all bytes of a footer, its own field left out.
fn checksum(footer: &[u8; 512]) -> u32 {
    let sum = |bytes: &[u8]| bytes.iter().fold(0_u32, |sum, byte| sum.wrapping_add(u32::from(*byte)));
    !sum(footer).wrapping_sub(sum(footer.get(64..68).unwrap_or_default()))
}

fn damaged(what: &str) -> Error {
    Error::new(Kind::InvalidInput, format!("the VHD image is damaged: {what}"))
        .hint("copy or build it again, and check that the file is complete")
}

impl View for Vhd {
    fn size(&self) -> u64 {
        self.size
    }

    fn block(&self) -> usize {
        self.file.block()
    }

    fn data(&self, start: u64, end: u64) -> Extents<'_> {
        self.file.data(start, end.min(self.size))
    }

    fn read_data(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.file.read_data(offset, buffer)
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! A footer that can lie.

    use super::checksum;

    /// Number fields of four bytes that a test wants otherwise.
    pub(in crate::disk) fn footer(size: u64, changes: &[(usize, u32)]) -> [u8; 512] {
        let mut footer = [0; 512];
        footer[..8].copy_from_slice(b"conectix");
        let words = [(8, 2), (12, 0x1_0000), (16, u32::MAX), (20, u32::MAX), (60, 2)];
        footer[40..48].copy_from_slice(&size.to_be_bytes());
        footer[48..56].copy_from_slice(&size.to_be_bytes());
        for (at, value) in words.iter().chain(changes) {
            footer[*at..at + 4].copy_from_slice(&value.to_be_bytes());
        }
        let sum = checksum(&footer);
        footer[64..68].copy_from_slice(&sum.to_be_bytes());
        footer
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use proptest::prelude::{ProptestConfig, any, proptest};
    use sha2::{Digest as _, Sha256, Sha512};

    use super::testing::footer;
    use crate::digest::Digest;
    use crate::disk::digests::Wanted;
    use crate::disk::format::Format;
    use crate::disk::image::{Disk, DiskSource};
    use crate::disk::testing::{Gpt, Scratch, noise};
    use crate::error::Kind;

    fn vhd(content: &[u8], changes: &[(usize, u32)]) -> Scratch {
        Scratch::new(&[content, &footer(content.len() as u64, changes)].concat())
    }

    #[test]
    fn the_content_is_what_is_before_the_footer_and_the_file_is_all_of_it() {
        let content = Gpt::new(512).build();
        let file = vhd(&content, &[]);
        let bytes = fs::read(file.path()).unwrap();
        let disk = file.open(Format::Vhd).unwrap();
        assert_eq!((disk.virtual_size(), disk.file_size()), (content.len() as u64, content.len() as u64 + 512));
        assert!(disk.boot().esp);
        let wanted = Wanted { file_sha512: true, given_sha256: true, given_sha512: true };
        let found = disk.digests(wanted, &()).unwrap();
        assert_eq!(found.content, Digest::from_bytes(Sha256::digest(&content).into()));
        assert_eq!(found.given_sha256, Some(Sha256::digest(&bytes).into()));
        assert_eq!((found.file_sha512, found.given_sha512), (Some(Sha512::digest(&bytes).into()), found.file_sha512));
        let mut end = vec![0; 512];
        disk.read_at(content.len() as u64 - 512, &mut end).unwrap();
        assert_eq!(end, content[content.len() - 512..]);
        assert_eq!(disk.read_at(content.len() as u64, &mut end).unwrap_err().kind(), Kind::Unexpected);
        assert_eq!(disk.extents().unwrap().last().unwrap().end(), content.len() as u64);
    }

    #[test]
    fn a_footer_that_breaks_a_rule_is_refused_by_name() {
        for (changes, why) in [
            (&[(60, 3)][..], "it is dynamic"),
            (&[(60, 4)], "it is differencing"),
            (&[(60, 0)], "disk type is unknown"),
            (&[(12, 0x2_0000)], "version is unknown"),
            (&[(8, 6)], "features that are unknown"),
            (&[(8, 0)], "features that are unknown"),
            (&[(16, 0), (20, 512)], "further header"),
            (&[(52, 512)], "size in its footer"),
        ] {
            let error = vhd(&noise(8192), changes).open(Format::Vhd).unwrap_err();
            assert!(error.kind() == Kind::InvalidInput && error.message().contains(why), "{error}");
            assert!(error.advice().is_some());
        }
        let temporary = vhd(&noise(8192), &[(8, 3)]);
        temporary.open(Format::Vhd).unwrap();
        let resized = vhd(&noise(8192), &[(44, 4096)]);
        resized.open(Format::Vhd).unwrap();
    }

    #[test]
    fn any_byte_of_the_footer_counts() {
        let sound = fs::read(vhd(&noise(1024), &[]).path()).unwrap();
        for at in 1024..1536 {
            let mut bytes = sound.clone();
            bytes[at] ^= 1;
            assert!(Scratch::new(&bytes).open(Format::Vhd).is_err(), "byte {at}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn no_footer_however_odd_makes_it_panic(
            changes in proptest::collection::vec((2_usize..127, any::<u32>()), 0..4),
        ) {
            let changes: Vec<(usize, u32)> = changes.into_iter().map(|(word, value)| (word * 4, value)).collect();
            if let Ok(disk) = vhd(&noise(1024), &changes).open(Format::Vhd) {
                assert_eq!(disk.virtual_size(), 1024);
            }
        }
    }

    #[test]
    fn a_second_footer_a_missing_one_and_another_format_are_refused() {
        let mut content = noise(8192);
        content[..8].copy_from_slice(b"conectix");
        let error = vhd(&content, &[]).open(Format::Vhd).unwrap_err();
        assert!(error.message().contains("a second footer"), "{error}");
        content[..4].copy_from_slice(b"QFI\xfb");
        let error = vhd(&content, &[]).open(Format::Vhd).unwrap_err();
        assert!(error.message().contains("also a qcow2"), "{error}");
        for size in [1, 511, 512, 8192] {
            let error = Scratch::new(&noise(size)).open(Format::Vhd).unwrap_err();
            assert!(error.message().contains("declared vhd, but"), "{error}");
        }
        let error = Scratch::new(&footer(0, &[])).open(Format::Vhd).unwrap_err();
        assert!(error.kind() == Kind::InvalidInput, "{error}");
        let odd = vhd(&noise(8193), &[]).open(Format::Vhd).unwrap_err();
        assert!(odd.message().contains("multiple of 512"), "{odd}");
        let small = vhd(&noise(8192), &[]);
        let limit = DiskSource { max_size: 8191, ..DiskSource::new(small.path(), Format::Vhd) };
        assert!(Disk::open(&limit).unwrap_err().message().contains("larger than allowed"));
    }

    #[test]
    #[ignore = "needs qemu-img; tests/run runs it"]
    fn what_qemu_writes_is_read_as_qemu_reads_it() {
        let raw = Scratch::sparse((24 << 20) + 1536, &[(1 << 20, &noise(300_000)), (24 << 20, &noise(1024))]);
        let folder = tempfile::tempdir().unwrap();
        let (image, back) = (folder.path().join("image"), folder.path().join("back"));
        let qemu_img = |arguments: &[&str], from: &std::path::Path, to: &std::path::Path| {
            let done = Command::new("qemu-img").arg("convert").args(arguments).arg(from).arg(to).status().unwrap();
            assert!(done.success(), "qemu-img {arguments:?}");
        };
        for options in ["subformat=fixed,force_size=on", "subformat=fixed"] {
            qemu_img(&["-f", "raw", "-O", "vpc", "-o", options], raw.path(), &image);
            qemu_img(&["-f", "vpc", "-O", "raw"], &image, &back);
            let disk = Disk::open(&DiskSource::new(&image, Format::Vhd)).unwrap();
            let content = disk.digests(Wanted::default(), &()).unwrap().content;
            assert_eq!(content, Digest::from_bytes(Sha256::digest(fs::read(&back).unwrap()).into()), "{options}");
        }
        qemu_img(&["-f", "raw", "-O", "vpc", "-o", "subformat=dynamic"], raw.path(), &image);
        let error = Disk::open(&DiskSource::new(&image, Format::Vhd)).unwrap_err();
        assert!(error.message().contains("dynamic"), "{error}");
    }
}
