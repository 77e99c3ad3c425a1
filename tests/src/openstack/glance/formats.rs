//! Looks into what is uploaded: Glance refuses what is not of the declared format, or would read another file.
//! <https://docs.openstack.org/glance/latest/admin/useful-image-properties.html>,
//! <https://gitlab.com/qemu-project/qemu/-/blob/master/docs/interop/qcow2.txt>

use super::content::Content;
use super::image::Image;
use crate::openstack::refused::Refused;

/// A VHD's footer: <https://learn.microsoft.com/windows/win32/vstor/about-vhd>.
const FOOTER: u64 = 512;

/// In a qcow2 header: where the backing file's name is, and the bit that says that data are in another file.
const BACKING: std::ops::Range<usize> = 8..16;
const INCOMPATIBLE: std::ops::Range<usize> = 72..80;
const DATA_FILE: u64 = 1 << 2;

/// Refuses content that does not fit the record.
pub(super) fn check(image: &Image, content: &Content) -> Result<(), Refused> {
    let declared = image.disk_format.as_deref().unwrap_or_default();
    if image.container_format.as_deref() != Some("bare") {
        return Ok(());
    }
    let head = content.head(512);
    let found = detect(&head, content);
    let can_tell = ["qcow2", "vmdk", "vhd", "vhdx", "raw"].contains(&declared);
    // What claims to be raw may be anything.
    if can_tell && declared != "raw" && found != declared {
        let message = format!("Image disk_format {declared} does not match stream data {found}");
        return Err(Refused::new(415, message));
    }
    if found == "qcow2" && is_unsafe(&head) {
        return Err(Refused::new(415, "Image failed safety checks"));
    }
    Ok(())
}

fn detect(head: &[u8], content: &Content) -> &'static str {
    let footer = || content.range(content.size.saturating_sub(FOOTER), FOOTER).concat();
    match head {
        head if head.starts_with(b"QFI\xfb") => "qcow2",
        head if head.starts_with(b"KDMV") || head.starts_with(b"# Disk DescriptorFile") => "vmdk",
        head if head.starts_with(b"vhdxfile") => "vhdx",
        head if head.starts_with(b"conectix") || footer().starts_with(b"conectix") => "vhd",
        _ => "raw",
    }
}

fn is_unsafe(head: &[u8]) -> bool {
    let number = |place: std::ops::Range<usize>| {
        let bytes = head.get(place).and_then(|bytes| bytes.try_into().ok());
        bytes.map(u64::from_be_bytes)
    };
    let version_3 = head.get(4..8) == Some(&[0, 0, 0, 3]);
    number(BACKING) != Some(0) || (version_3 && number(INCOMPATIBLE).is_none_or(|bits| bits & DATA_FILE != 0))
}
