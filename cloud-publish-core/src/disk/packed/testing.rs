//! Packs small disks for tests, without the programs that usually do.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::Packing;
use super::tar_tests::Tar;

/// Packs the bytes of a disk's own file.
pub(in crate::disk) fn pack(bytes: &[u8], packing: Packing) -> Vec<u8> {
    let inner = if packing.is_tar() { Tar::new().file("disk.raw", bytes).end() } else { bytes.to_owned() };
    match packing.compression() {
        None => inner,
        Some(super::Compression::Gzip) => {
            let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
            writer.write_all(&inner).unwrap();
            writer.finish().unwrap()
        }
        Some(super::Compression::Xz) => xz(&inner),
        Some(super::Compression::Zstd) => compress_to_vec(inner.as_slice(), CompressionLevel::Fastest),
    }
}

/// An xz stream of one block whose chunks are stored, with a CRC32.
fn xz(bytes: &[u8]) -> Vec<u8> {
    let flags = [0, 1];
    let mut stream = b"\xfd7zXZ\0".to_vec();
    stream.extend(flags);
    stream.extend(crc32fast::hash(&flags).to_le_bytes());
    let begin = stream.len();
    // Header of 12 bytes, one filter: LZMA2 with a dictionary of 2 MiB.
    let header = [2, 0, 0x21, 1, 18, 0, 0, 0];
    stream.extend(header);
    stream.extend(crc32fast::hash(&header).to_le_bytes());
    for (index, chunk) in bytes.chunks(1 << 16).enumerate() {
        stream.push(if index == 0 { 1 } else { 2 });
        stream.extend(u16::try_from(chunk.len() - 1).unwrap().to_be_bytes());
        stream.extend(chunk);
    }
    stream.push(0);
    let unpadded = stream.len() - begin + 4;
    pad(&mut stream);
    stream.extend(crc32fast::hash(bytes).to_le_bytes());
    let mut index = vec![0, 1];
    varint(unpadded, &mut index);
    varint(bytes.len(), &mut index);
    pad(&mut index);
    index.extend(crc32fast::hash(&index).to_le_bytes());
    let mut footer = u32::try_from(index.len() / 4 - 1).unwrap().to_le_bytes().to_vec();
    footer.extend(flags);
    stream.extend(index);
    stream.extend(crc32fast::hash(&footer).to_le_bytes());
    stream.extend(footer);
    stream.extend(b"YZ");
    stream
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn varint(mut number: usize, to: &mut Vec<u8>) {
    while number > 127 {
        to.push(number as u8 | 128);
        number >>= 7;
    }
    to.push(number as u8);
}
