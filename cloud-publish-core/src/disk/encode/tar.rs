//! The header of a tar archive with one file, in the old GNU form.
//!
//! Format: <https://www.gnu.org/software/tar/manual/html_node/Standard.html>, "OLDGNU_MAGIC" and "GNU extensions".

/// Bytes of a header, and the unit of everything in an archive.
pub(super) const RECORD: usize = 512;

/// The header of a regular file that belongs to root, may be read by all, and has no time.
pub(super) fn header(name: &[u8], size: u64) -> [u8; RECORD] {
    let mut header = [0; RECORD];
    let mut put = |at: usize, bytes: &[u8]| {
        for (to, from) in header.iter_mut().skip(at).zip(bytes) {
            *to = *from;
        }
    };
    put(0, name.get(..100).unwrap_or(name));
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, &number(size));
    put(136, b"00000000000\0");
    put(156, b"0");
    put(257, b"ustar  \0");
    put(265, b"root");
    put(297, b"root");
    put(148, b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    for (to, from) in header.iter_mut().skip(148).zip(format!("{sum:06o}\0 ").bytes()) {
        *to = from;
    }
    header
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

    use super::header;

    #[test]
    fn headers_are_read_as_they_were_meant() {
        for size in [1_u64 << 30, (8 << 30) - 512, 8 << 30, 2 << 40] {
            let read = Header::from_byte_slice(&header(b"disk.raw", size)).clone();
            assert_eq!((read.path_bytes().as_ref(), read.entry_size().unwrap()), (b"disk.raw".as_slice(), size));
            let wrong = read.cksum().unwrap();
            let mut again = read.clone();
            again.set_cksum();
            assert_eq!(again.cksum().unwrap(), wrong);
            assert_eq!((read.entry_type(), read.mtime().unwrap(), read.uid().unwrap()), (EntryType::Regular, 0, 0));
            assert!(read.as_gnu().is_some() && read.mode().unwrap() == 0o644);
        }
    }
}
