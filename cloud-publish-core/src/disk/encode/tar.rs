//! The head of a tar archive with one sparse file, in the old GNU form.
//!
//! Format: <https://www.gnu.org/software/tar/manual/html_node/Standard.html>, `oldgnu_header` and `sparse_header`.

use crate::disk::extent::Extent;

/// Bytes of a header, and the unit of everything in an archive.
pub(super) const RECORD: usize = 512;

/// Entries of the map in the header, and in each record that follows it.
const FIRST: usize = 4;
const FURTHER: usize = 21;

/// The head of a sparse file of `size` bytes that belongs to root, may be read by all, and has no time. The data, of
/// which there is at each of the extents, follows without gaps.
pub(super) fn member(name: &[u8], size: u64, data: &[Extent]) -> Vec<u8> {
    let packed = data.iter().map(|extent| extent.length).sum();
    let mut map: Vec<[u8; 24]> = data.iter().map(|extent| entry(extent.offset, extent.length)).collect();
    if data.last().is_none_or(|last| last.end() < size) {
        // As GNU tar does: a hole at the end is told by empty data behind it.
        map.push(entry(size, 0));
    }
    let (first, rest) = map.split_at(map.len().min(FIRST));
    let mut header = [0; RECORD];
    let fields: [(usize, &[u8]); 13] = [
        (0, name.get(..100).unwrap_or(name)),
        (100, b"0000644\0"),
        (108, b"0000000\0"),
        (116, b"0000000\0"),
        (124, &number(packed)),
        (136, b"00000000000\0"),
        (148, b"        "), // the checksum, which counts as spaces
        (156, b"S"),
        (257, b"ustar  \0"),
        (265, b"root"),
        (297, b"root"),
        (386, first.as_flattened()),
        (483, &number(size)),
    ];
    fields.iter().for_each(|(at, bytes)| put(&mut header, *at, bytes));
    put(&mut header, 482, &[u8::from(!rest.is_empty())]);
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut header, 148, format!("{sum:06o}\0 ").as_bytes());
    let mut head = header.to_vec();
    let mut further = rest.chunks(FURTHER).peekable();
    while let Some(entries) = further.next() {
        let mut record = [0; RECORD];
        put(&mut record, 0, entries.as_flattened());
        put(&mut record, 504, &[u8::from(further.peek().is_some())]);
        head.extend(record);
    }
    head
}

fn put(record: &mut [u8; RECORD], at: usize, bytes: &[u8]) {
    for (to, from) in record.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

/// An entry of the map.
fn entry(offset: u64, length: u64) -> [u8; 24] {
    let mut entry = [0; 24];
    for (to, from) in entry.iter_mut().zip(number(offset).into_iter().chain(number(length))) {
        *to = from;
    }
    entry
}

/// Eleven octal digits, or beyond 8 GiB eight bytes behind a set first bit.
fn number(value: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if value < 1 << 33 {
        for (to, from) in field.iter_mut().zip(format!("{value:011o}\0").bytes()) {
            *to = from;
        }
    } else {
        let marked = [0x80, 0, 0, 0].into_iter().chain(value.to_be_bytes());
        for (to, from) in field.iter_mut().zip(marked) {
            *to = from;
        }
    }
    field
}

#[cfg(test)]
mod tests {
    use tar::{EntryType, Header};

    use super::member;
    use crate::disk::extent::Extent;

    #[test]
    fn headers_are_read_as_they_were_meant() {
        for size in [1_u64 << 30, (8 << 30) - 512, 8 << 30, 2 << 40] {
            let head = member(b"disk.raw", size, &[Extent { offset: 512, length: 1024 }]);
            let read = Header::from_byte_slice(&head).clone();
            assert_eq!((read.path_bytes().as_ref(), read.entry_size().unwrap()), (b"disk.raw".as_slice(), 1024));
            let written = read.cksum().unwrap();
            let mut again = read.clone();
            again.set_cksum();
            assert_eq!(again.cksum().unwrap(), written);
            assert_eq!((read.entry_type(), read.mtime().unwrap(), read.uid().unwrap()), (EntryType::GNUSparse, 0, 0));
            let gnu = read.as_gnu().unwrap();
            assert_eq!((gnu.real_size().unwrap(), gnu.is_extended(), head.len()), (size, false, 512));
            let map: Vec<(u64, u64)> =
                gnu.sparse.iter().take(2).map(|one| (one.offset().unwrap(), one.length().unwrap())).collect();
            assert_eq!(map, [(512, 1024), (size, 0)]);
        }
    }

    #[test]
    fn long_maps_go_on_in_further_records() {
        for (extents, records) in [(3, 1), (4, 2), (24, 2), (25, 3), (46, 4)] {
            let extents: Vec<Extent> = (0..extents).map(|n| Extent { offset: n * 4096, length: 512 }).collect();
            let head = member(b"disk.raw", 1 << 30, &extents);
            assert_eq!(head.len(), records * 512, "{} extents", extents.len());
            assert_eq!(head[482], u8::from(records > 1));
            let extended: Vec<u8> = head.chunks(512).skip(1).map(|record| record[504]).collect();
            assert!(extended.iter().rev().skip(1).all(|more| *more == 1) && extended.last() != Some(&1));
        }
    }
}
