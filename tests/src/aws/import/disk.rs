//! The bytes of an object as the blocks of a snapshot.

use jiff::Timestamp;

use super::vmdk;
use crate::aws::ebs::Blocks;
use crate::aws::s3::Object;

/// What a disk becomes.
pub(super) struct Disk {
    /// GiB.
    pub(super) size: u64,
    pub(super) blocks: Blocks,
}

/// Converts a whole object; otherwise tells why it is none of this format, as the task does.
pub(super) fn convert(object: &Object, format: &str, now: Timestamp) -> Result<Disk, String> {
    let failed = |why: &str| format!("ClientError: Disk validation failed [{why}]");
    let gib = |bytes: u64| bytes.div_ceil(1 << 30);
    match format {
        "RAW" if object.size() == 0 => Err(failed("Empty disk image")),
        "RAW" => {
            let blocks = Blocks::of_raw(object.size(), |start, length| object.slice(start, length), now);
            Ok(Disk { size: gib(object.size()), blocks })
        }
        "VMDK" => {
            let file = object.slice(0, object.size());
            let disk = vmdk::Disk::parse(&file).ok_or_else(|| failed("Unsupported VMDK File Format"))?;
            let raw = disk.raw().ok_or_else(|| failed("Corrupt VMDK"))?;
            let bytes = raw.len() as u64;
            let read = |start: u64, length: u64| {
                let [start, length] = [start, length].map(|number| usize::try_from(number).expect("a disk in memory"));
                raw.slice(start..start + length)
            };
            Ok(Disk { size: gib(bytes), blocks: Blocks::of_raw(bytes, read, now) })
        }
        _ => Err(failed("VHD is not converted here")),
    }
}
