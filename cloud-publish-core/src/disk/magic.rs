//! Magic bytes: they confirm or refuse the declared format, and never choose one.
//!
//! A raw disk may start with anything its guest wrote. Were it probed, a guest that writes a qcow2 header with a
//! backing file into its first sector would get a file of this machine published. So a raw file that looks like a
//! container is refused, and one that looks like two formats as well.

use super::format::Format;
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

/// A fixed VHD has its magic only in the last 512 bytes.
const VHD_FOOTER: u64 = 512;

impl Container {
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

    fn hint(self) -> &'static str {
        match self {
            Self::Qcow2 => "set `format = \"qcow2\"`",
            Self::Gzip | Self::Xz | Self::Zstd | Self::Bzip2 | Self::Tar => {
                "compressed and packed inputs are not supported yet: unpack the file and list the unpacked one"
            }
            Self::Vmdk | Self::Vhdx | Self::Vhd | Self::Vdi => "convert it, for example with `qemu-img convert -O raw`",
            Self::Iso => "an installation medium cannot be published: list the installed system's disk",
        }
    }
}

/// Refuses a file whose magic bytes do not fit the declared format.
pub(super) fn confirm(format: Format, file: &dyn View) -> Result<()> {
    let found = detect(file)?;
    if format == Format::Qcow2 && !found.contains(&Container::Qcow2) {
        let is = found.first().map_or("is not one", |other| other.name());
        let is = if found.is_empty() { is.to_owned() } else { format!("is {is}") };
        return Err(Error::new(Kind::InvalidInput, format!("the disk image is declared qcow2, but {is}"))
            .hint("check `format` and that the file is complete"));
    }
    let foreign = found.iter().find(|container| format != Format::Qcow2 || **container != Container::Qcow2);
    match foreign {
        None => Ok(()),
        Some(other) if format == Format::Qcow2 => {
            let name = other.name();
            Err(Error::new(Kind::InvalidInput, format!("the disk image is declared qcow2, but is also {name}"))
                .hint("a file of two formats is ambiguous: write it again with `qemu-img convert -O qcow2`"))
        }
        Some(other) => {
            let name = other.name();
            Err(Error::new(Kind::InvalidInput, format!("the disk image is declared {format}, but is {name}"))
                .hint(other.hint()))
        }
    }
}

fn detect(file: &dyn View) -> Result<Vec<Container>> {
    let mut found = Vec::new();
    for (at, magic, container) in MAGIC {
        if starts_with(file, *at, magic)? && !found.contains(container) {
            found.push(*container);
        }
    }
    let footer = file.size().checked_sub(VHD_FOOTER);
    if let Some(at) = footer
        && starts_with(file, at, b"conectix")?
        && !found.contains(&Container::Vhd)
    {
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
    use super::{MAGIC, confirm};
    use crate::disk::format::Format;
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
            let error = confirm(Format::Raw, &file.source()).unwrap_err();
            assert!(error.message().contains(container.name()), "{error}");
            assert!(error.advice().is_some());
        }
        let fixed_vhd = with_magic((64 << 10) - 512, b"conectix");
        assert!(confirm(Format::Raw, &fixed_vhd.source()).unwrap_err().message().contains("VHD"));
    }

    #[test]
    fn a_disk_that_is_no_container_is_raw() {
        confirm(Format::Raw, &with_magic(0, b"").source()).unwrap();
        confirm(Format::Raw, &with_magic(512, b"EFI PART").source()).unwrap();
        confirm(Format::Raw, &with_magic(4, b"QFI\xfb").source()).unwrap();
        confirm(Format::Raw, &Scratch::new(&[]).source()).unwrap();
    }

    #[test]
    fn compressed_files_are_said_to_be_unsupported_yet() {
        let error = confirm(Format::Raw, &with_magic(0, b"\xfd7zXZ\0").source()).unwrap_err();
        assert!(error.advice().unwrap().contains("not supported yet"));
    }

    #[test]
    fn qcow2_needs_its_magic_and_no_other() {
        confirm(Format::Qcow2, &with_magic(0, b"QFI\xfb").source()).unwrap();
        assert!(confirm(Format::Qcow2, &with_magic(0, b"").source()).is_err());
        let gzip = confirm(Format::Qcow2, &with_magic(0, b"\x1f\x8b").source()).unwrap_err();
        assert!(gzip.message().contains("gzip"), "{gzip}");
        let mut both = vec![0; 4096];
        both[..4].copy_from_slice(b"QFI\xfb");
        both[4096 - 512..4096 - 504].copy_from_slice(b"conectix");
        let error = confirm(Format::Qcow2, &Scratch::new(&both).source()).unwrap_err();
        assert!(error.message().contains("also a VHD"), "{error}");
    }
}
