//! Magic bytes: they confirm or refuse the declared format, and never choose one.
//!
//! A raw disk may start with anything its guest wrote. Were it probed, a guest that writes a qcow2 header with a
//! backing file into its first sector would get a file of this machine published. So a raw file that looks like a
//! container is refused, and one that looks like two formats as well.

use super::format::Format;
use super::packed::{Compression, Packing};
use super::vhd::FOOTER;
use super::view::View;
use crate::error::{Error, Kind, Result};

/// A file format that can be told by its first or last bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Container {
    Qcow2,
    Vmdk,
    Vhdx,
    Vhd,
    Vdi,
    Gzip,
    Xz,
    Zstd,
    Bzip2,
    Tar,
    Iso,
}

/// Where each magic is, from the start of the file.
const MAGIC: &[(u64, &[u8], Container)] = &[
    (0, b"QFI\xfb", Container::Qcow2),
    (0, b"KDMV", Container::Vmdk),
    (0, b"COWD", Container::Vmdk),
    (0, b"# Disk DescriptorFile", Container::Vmdk),
    (0, b"vhdxfile", Container::Vhdx),
    (0, b"conectix", Container::Vhd),
    (0, b"\x1f\x8b", Container::Gzip),
    (0, b"\xfd7zXZ\0", Container::Xz),
    (0, b"\x28\xb5\x2f\xfd", Container::Zstd),
    (0, b"BZh", Container::Bzip2),
    (64, b"\x7f\x10\xda\xbe", Container::Vdi),
    (257, b"ustar", Container::Tar),
    (32_769, b"CD001", Container::Iso),
];

/// Skippable frames of zstd, which may come first: the second nibble of the first byte is free.
/// <https://www.rfc-editor.org/rfc/rfc8878#name-skippable-frames>
const SKIPPABLE: &[u8] = b"\x2a\x4d\x18";

impl Container {
    fn of(format: Format) -> Option<Self> {
        match format {
            Format::Raw => None,
            Format::Qcow2 => Some(Self::Qcow2),
            Format::Vhd => Some(Self::Vhd),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Qcow2 => "a qcow2 image",
            Self::Vmdk => "a VMDK image",
            Self::Vhdx => "a VHDX image",
            Self::Vhd => "a VHD image",
            Self::Vdi => "a VirtualBox (VDI) image",
            Self::Gzip => "a gzip file",
            Self::Xz => "an xz file",
            Self::Zstd => "a zstd file",
            Self::Bzip2 => "a bzip2 file",
            Self::Tar => "a tar archive",
            Self::Iso => "an ISO 9660 image",
        }
    }

    /// What to do about a file that is this, inside of `packing`.
    fn hint(self, packing: Option<Packing>) -> &'static str {
        match (self, packing) {
            (Self::Qcow2, _) => "set `format = \"qcow2\"`",
            (Self::Vhd, _) => "set `format = \"vhd\"`; a dynamic one must be converted to a fixed one first",
            (Self::Xz, None) => "set `packed = \"xz\"`, or `\"tar.xz\"` if a tar archive is inside",
            (Self::Gzip, None) => "set `packed = \"gz\"`, or `\"tar.gz\"` if a tar archive is inside",
            (Self::Zstd, None) => "set `packed = \"zst\"`, or `\"tar.zst\"` if a tar archive is inside",
            (Self::Tar, None) => "set `packed = \"tar\"`",
            (Self::Tar, Some(Packing::Xz)) => "set `packed = \"tar.xz\"`",
            (Self::Tar, Some(Packing::Gz)) => "set `packed = \"tar.gz\"`",
            (Self::Tar, Some(Packing::Zst)) => "set `packed = \"tar.zst\"`",
            (Self::Xz | Self::Gzip | Self::Zstd | Self::Tar, Some(_)) => "it is packed twice: unpack it once",
            (Self::Bzip2, _) => "bzip2 is not supported: pack it with xz, gzip or zstd",
            (Self::Vmdk | Self::Vhdx | Self::Vdi, _) => "convert it, for example with `qemu-img convert -O raw`",
            (Self::Iso, _) => "an installation medium cannot be published: list the installed system's disk",
        }
    }
}

/// Refuses a file whose magic bytes do not fit the declared packing.
pub(super) fn confirm_packing(packing: Packing, format: Format, file: &dyn View) -> Result<()> {
    let fits = match packing.compression() {
        Some(Compression::Xz) => starts_with(file, 0, b"\xfd7zXZ\0")?,
        Some(Compression::Gzip) => starts_with(file, 0, b"\x1f\x8b")?,
        Some(Compression::Zstd) => starts_with(file, 0, b"\x28\xb5\x2f\xfd")? || starts_with(file, 1, SKIPPABLE)?,
        None => starts_with(file, 257, b"ustar")?,
    };
    if fits {
        return Ok(());
    }
    let is = is_what(&detect(file)?, format);
    Err(Error::new(Kind::InvalidInput, format!("the disk image is declared packed as {packing}, but {is}"))
        .hint("check `packed` and that the file is complete"))
}

fn is_what(found: &[Container], format: Format) -> String {
    match found.first() {
        Some(other) => format!("is {}", other.name()),
        None if format == Format::Raw => "is a plain file".to_owned(),
        None => "is not one".to_owned(),
    }
}

/// Refuses a disk's own file whose magic bytes do not fit the declared format; `packing` is what was around it.
pub(super) fn confirm(format: Format, packing: Option<Packing>, file: &dyn View) -> Result<()> {
    let found = detect(file)?;
    let own = Container::of(format);
    let is_own = match format {
        Format::Raw => true,
        Format::Qcow2 => found.contains(&Container::Qcow2),
        Format::Vhd => has_footer(file)?,
    };
    let foreign = found.iter().find(|container| own != Some(**container));
    match (is_own, foreign) {
        (true, None) => Ok(()),
        (true, Some(other)) if own.is_some() => {
            let name = other.name();
            Err(Error::new(Kind::InvalidInput, format!("the disk image is declared {format}, but is also {name}"))
                .hint("a file of two formats is ambiguous: write it again with `qemu-img convert`"))
        }
        (_, foreign) => {
            let is = foreign.map_or_else(|| "is not one".to_owned(), |other| format!("is {}", other.name()));
            let hint = foreign.map_or("check `format` and that the file is complete", |other| other.hint(packing));
            Err(Error::new(Kind::InvalidInput, format!("the disk image is declared {format}, but {is}")).hint(hint))
        }
    }
}

/// Whether the last 512 bytes are a VHD's footer; a fixed VHD has its magic only there.
fn has_footer(file: &dyn View) -> Result<bool> {
    match file.size().checked_sub(FOOTER) {
        Some(at) => starts_with(file, at, b"conectix"),
        None => Ok(false),
    }
}

fn detect(file: &dyn View) -> Result<Vec<Container>> {
    let mut found = Vec::new();
    for (at, magic, container) in MAGIC {
        if starts_with(file, *at, magic)? && !found.contains(container) {
            found.push(*container);
        }
    }
    if has_footer(file)? && !found.contains(&Container::Vhd) {
        found.push(Container::Vhd);
    }
    Ok(found)
}

fn starts_with(file: &dyn View, at: u64, magic: &[u8]) -> Result<bool> {
    let mut bytes = [0; 32];
    let Some(bytes) = bytes.get_mut(..magic.len()) else { return Ok(false) };
    if at.saturating_add(magic.len() as u64) > file.size() {
        return Ok(false);
    }
    file.read(at, bytes)?;
    Ok(bytes == magic)
}

#[cfg(test)]
mod tests {
    use super::{MAGIC, confirm, confirm_packing};
    use crate::disk::format::Format;
    use crate::disk::packed::{Compression, Packing};
    use crate::disk::testing::Scratch;

    fn with_magic(at: usize, magic: &[u8]) -> Scratch {
        let mut bytes = vec![0; 64 << 10];
        bytes[at..at + magic.len()].copy_from_slice(magic);
        Scratch::new(&bytes)
    }

    #[test]
    fn every_container_is_refused_as_raw_by_its_name() {
        for (at, magic, container) in MAGIC {
            let file = with_magic(usize::try_from(*at).unwrap(), magic);
            let error = confirm(Format::Raw, None, &file.source()).unwrap_err();
            assert!(error.message().contains(container.name()), "{error}");
            assert!(error.advice().is_some());
        }
        let fixed_vhd = with_magic((64 << 10) - 512, b"conectix");
        assert!(confirm(Format::Raw, None, &fixed_vhd.source()).unwrap_err().message().contains("VHD"));
    }

    #[test]
    fn a_disk_that_is_no_container_is_raw() {
        confirm(Format::Raw, None, &with_magic(0, b"").source()).unwrap();
        confirm(Format::Raw, None, &with_magic(512, b"EFI PART").source()).unwrap();
        confirm(Format::Raw, None, &with_magic(4, b"QFI\xfb").source()).unwrap();
        confirm(Format::Raw, None, &Scratch::new(&[]).source()).unwrap();
    }

    #[test]
    fn a_packed_file_without_the_key_is_refused_with_the_key() {
        for (magic, key) in [(&b"\xfd7zXZ\0"[..], "xz"), (b"\x1f\x8b", "gz"), (b"\x28\xb5\x2f\xfd", "zst")] {
            for format in [Format::Raw, Format::Qcow2, Format::Vhd] {
                let error = confirm(format, None, &with_magic(0, magic).source()).unwrap_err();
                let hint = error.advice().unwrap();
                assert!(hint.contains(&format!("`packed = \"{key}\"`")), "{hint}");
                assert!(hint.contains(&format!("\"tar.{key}\"")), "{hint}");
            }
        }
        let tar = with_magic(257, b"ustar");
        assert!(
            confirm(Format::Raw, None, &tar.source()).unwrap_err().advice().unwrap().contains("`packed = \"tar\"`")
        );
        let inside = confirm(Format::Raw, Some(Packing::Zst), &tar.source()).unwrap_err();
        assert!(inside.advice().unwrap().contains("`packed = \"tar.zst\"`"));
        let twice = confirm(Format::Raw, Some(Packing::Xz), &with_magic(0, b"\x1f\x8b").source()).unwrap_err();
        assert!(twice.advice().unwrap().contains("packed twice"));
    }

    #[test]
    fn a_packing_is_confirmed_by_its_own_magic_alone() {
        let magics = [(0, &b"\xfd7zXZ\0"[..]), (0, b"\x1f\x8b"), (0, b"\x28\xb5\x2f\xfd"), (257, b"ustar")];
        let fitting = |packing: Packing| match packing.compression() {
            Some(Compression::Xz) => 0,
            Some(Compression::Gzip) => 1,
            Some(Compression::Zstd) => 2,
            None => 3,
        };
        for packing in Packing::ALL {
            for (index, (at, magic)) in magics.iter().enumerate() {
                let confirmed = confirm_packing(packing, Format::Raw, &with_magic(*at, magic).source());
                assert_eq!(confirmed.is_ok(), fitting(packing) == index, "{packing} {index}");
            }
            let plain = confirm_packing(packing, Format::Raw, &with_magic(0, b"").source()).unwrap_err();
            assert!(plain.message().contains("plain file"), "{plain}");
        }
        confirm_packing(Packing::Zst, Format::Raw, &with_magic(0, b"\x5e\x2a\x4d\x18").source()).unwrap();
    }

    #[test]
    fn qcow2_needs_its_magic_and_no_other() {
        confirm(Format::Qcow2, None, &with_magic(0, b"QFI\xfb").source()).unwrap();
        assert!(confirm(Format::Qcow2, None, &with_magic(0, b"").source()).is_err());
        let gzip = confirm(Format::Qcow2, None, &with_magic(0, b"\x1f\x8b").source()).unwrap_err();
        assert!(gzip.message().contains("gzip"), "{gzip}");
        let mut both = vec![0; 4096];
        both[..4].copy_from_slice(b"QFI\xfb");
        both[4096 - 512..4096 - 504].copy_from_slice(b"conectix");
        let error = confirm(Format::Qcow2, None, &Scratch::new(&both).source()).unwrap_err();
        assert!(error.message().contains("also a VHD"), "{error}");
    }
}
