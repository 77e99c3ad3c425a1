//! tar: an archive of exactly one regular file called `disk.raw`, sparse or not, and nothing beside it but directories.
//!
//! Parsed here and not by a library, because the archive is somebody's stream: the known readers keep long names and
//! maps of any length in memory, and read PAX's sparse maps as content. Formats: POSIX ustar and PAX
//! (<https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html>), GNU
//! (<https://www.gnu.org/software/tar/manual/html_node/Standard.html>) and GNU's sparse files, old and PAX 0.0 to 1.0
//! (<https://www.gnu.org/software/tar/manual/html_section/Sparse-Formats.html>).

mod header;
mod pax;

use std::io::Read;

use self::header::{BLOCK, Header, number};
use self::pax::Pax;
use super::spool::Spool;
use super::unpack::{copy, damaged, fill, refused};
use crate::error::Result;

const MEMBER: &[u8] = b"disk.raw";
/// PAX records of one member; GNU tar writes maps of version 0 there.
const MAX_PAX: u64 = 1 << 20;
/// Pieces of a sparse file. Even an image of 2 TiB has only some thousands.
const MAX_PIECES: usize = 1 << 19;
/// Zeros behind the end of an archive; GNU tar fills its last record, usually of 10 KiB.
const MAX_PADDING: u64 = 64 << 20;

/// Writes the disk of an archive to `spool`, and reads the archive to its end.
pub(super) fn extract(stream: &mut dyn Read, spool: &mut Spool<'_, '_>) -> Result<()> {
    let mut archive = Archive { stream, pax: Pax::default(), found: false };
    loop {
        let header = Header(archive.block()?);
        if header.0 == [0; BLOCK] {
            break;
        }
        archive.member(&header, spool)?;
    }
    if !archive.found {
        return Err(refused("the tar archive has no file called disk.raw"));
    }
    archive.end()
}

struct Archive<'a> {
    stream: &'a mut dyn Read,
    pax: Pax,
    found: bool,
}

impl Archive<'_> {
    fn block(&mut self) -> Result<[u8; BLOCK]> {
        let mut block = [0; BLOCK];
        match fill(self.stream, &mut block)? {
            BLOCK => Ok(block),
            _ => Err(damaged("the tar archive is cut off")),
        }
    }

    fn member(&mut self, header: &Header, spool: &mut Spool<'_, '_>) -> Result<()> {
        header.check()?;
        let size = header.number(124)?;
        match header.kind() {
            b'x' => {
                self.pax = self.records(size)?;
                return Ok(());
            }
            b'5' if size == 0 => {}
            0 | b'0' | b'7' | b'S' => self.file(header, size, spool)?,
            b'1' | b'2' => return Err(refused("the tar archive has a link")),
            b'g' => return Err(refused("the tar archive has global PAX records")),
            _ => return Err(other_member(&header.name())),
        }
        self.pax = Pax::default();
        Ok(())
    }

    fn file(&mut self, header: &Header, size: u64, spool: &mut Spool<'_, '_>) -> Result<()> {
        let pax = std::mem::take(&mut self.pax);
        let name = pax.sparse.name.or(pax.path).unwrap_or_else(|| header.name());
        if name.strip_prefix(b"./").unwrap_or(&name) != MEMBER {
            return Err(other_member(&name));
        }
        if std::mem::replace(&mut self.found, true) {
            return Err(refused("the tar archive has two files called disk.raw"));
        }
        let stored = pax.size.unwrap_or(size);
        let mut left = stored;
        match (header.kind(), pax.sparse.size) {
            (b'S', None) => {
                let map = self.old_map(header)?;
                self.pieces(&map, (header.number(483)?, &mut left), spool)?;
            }
            (0 | b'0', Some(real)) if pax.sparse.in_data => {
                let map = self.map_in_data(&mut left)?;
                self.pieces(&map, (real, &mut left), spool)?;
            }
            (0 | b'0', Some(real)) => self.pieces(&pax.sparse.map, (real, &mut left), spool)?,
            (0 | b'0' | b'7', None) => self.pieces(&[0, stored], (stored, &mut left), spool)?,
            _ => return Err(damaged("the tar archive describes a sparse file in two ways")),
        }
        if left != 0 {
            return Err(bad_map());
        }
        self.skip_to_block(stored)
    }

    /// The map of GNU's old format: four pieces in the header, more in blocks behind it.
    fn old_map(&mut self, header: &Header) -> Result<Vec<u64>> {
        let mut map = Vec::new();
        push_pieces(header.field(386, 96), &mut map)?;
        let mut more = header.field(482, 1) != [0];
        while more {
            let block = Header(self.block()?);
            push_pieces(block.field(0, 504), &mut map)?;
            more = block.field(504, 1) != [0];
        }
        Ok(map)
    }

    /// The map of PAX 1.0: decimal numbers on lines of their own, how many pieces there are first, in whole blocks.
    fn map_in_data(&mut self, left: &mut u64) -> Result<Vec<u64>> {
        let mut numbers = Lines { archive: self, left, block: [0; BLOCK], at: BLOCK };
        let pieces = numbers.next()?;
        let pieces = usize::try_from(pieces).ok().filter(|pieces| *pieces <= MAX_PIECES).ok_or_else(bad_map)?;
        (0..pieces * 2).map(|_| numbers.next()).collect()
    }

    /// Copies the pieces of a file of `real` bytes, with holes between them.
    fn pieces(&mut self, map: &[u64], (real, left): (u64, &mut u64), spool: &mut Spool<'_, '_>) -> Result<()> {
        let mut at = 0;
        let (pieces, odd) = map.as_chunks::<2>();
        if !odd.is_empty() {
            return Err(bad_map());
        }
        for [offset, length] in pieces {
            let end = offset.checked_add(*length).filter(|end| *offset >= at && *end <= real).ok_or_else(bad_map)?;
            *left = left.checked_sub(*length).ok_or_else(bad_map)?;
            spool.hole(offset - at)?;
            if copy(&mut self.stream.take(*length), spool)? != *length {
                return Err(damaged("the tar archive is cut off"));
            }
            at = end;
        }
        spool.hole(real - at)
    }

    /// Reads what fills the last block of a member.
    fn skip_to_block(&mut self, size: u64) -> Result<()> {
        let padding = size.next_multiple_of(BLOCK as u64) - size;
        let mut rest = [0; BLOCK];
        let rest = rest.get_mut(..usize::try_from(padding).unwrap_or(0)).unwrap_or_default();
        if fill(self.stream, rest)? < rest.len() {
            return Err(damaged("the tar archive is cut off"));
        }
        Ok(())
    }

    fn records(&mut self, size: u64) -> Result<Pax> {
        if size > MAX_PAX {
            return Err(refused("the tar archive has PAX records of more than 1 MiB"));
        }
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        if fill(self.stream, &mut bytes)? < bytes.len() {
            return Err(damaged("the tar archive is cut off"));
        }
        self.skip_to_block(size)?;
        Pax::parse(&bytes).ok_or_else(|| damaged("a PAX record of the tar archive cannot be read"))
    }

    /// Behind the last member: a second block of zeros, and nothing but zeros.
    fn end(&mut self) -> Result<()> {
        self.block().and_then(only_zeros)?;
        let mut padding = 0;
        let mut block = [0; BLOCK];
        loop {
            let read = fill(self.stream, &mut block)?;
            only_zeros(block)?;
            padding += read as u64;
            match read {
                0 => return Ok(()),
                _ if padding > MAX_PADDING => {
                    return Err(refused("there is too much behind the end of the tar archive"));
                }
                _ => {}
            }
        }
    }
}

fn only_zeros(block: [u8; BLOCK]) -> Result<()> {
    if block == [0; BLOCK] { Ok(()) } else { Err(refused("there is something behind the end of the tar archive")) }
}

/// Decimal numbers, one on a line, in whole blocks.
struct Lines<'a, 'b> {
    archive: &'a mut Archive<'b>,
    left: &'a mut u64,
    block: [u8; BLOCK],
    at: usize,
}

impl Lines<'_, '_> {
    fn next(&mut self) -> Result<u64> {
        let mut number: u64 = 0;
        loop {
            match self.byte()? {
                b'\n' => return Ok(number),
                digit @ b'0'..=b'9' => {
                    let longer = number.checked_mul(10).and_then(|ten| ten.checked_add(u64::from(digit - b'0')));
                    number = longer.ok_or_else(bad_map)?;
                }
                _ => return Err(bad_map()),
            }
        }
    }

    fn byte(&mut self) -> Result<u8> {
        if self.at == BLOCK {
            *self.left = self.left.checked_sub(BLOCK as u64).ok_or_else(bad_map)?;
            self.block = self.archive.block()?;
            self.at = 0;
        }
        self.at += 1;
        self.block.get(self.at - 1).copied().ok_or_else(bad_map)
    }
}

/// Pieces of GNU's old format: offset and length in 12 bytes each; those not used are empty.
fn push_pieces(fields: &[u8], map: &mut Vec<u64>) -> Result<()> {
    for piece in fields.chunks_exact(24).filter(|piece| piece.first() != Some(&0)) {
        let (offset, length) = piece.split_at(12);
        map.extend([number(offset).ok_or_else(bad_map)?, number(length).ok_or_else(bad_map)?]);
    }
    if map.len() > MAX_PIECES * 2 {
        return Err(bad_map());
    }
    Ok(())
}

fn other_member(name: &[u8]) -> crate::error::Error {
    let name: String = String::from_utf8_lossy(name).chars().filter(|c| !c.is_control()).take(100).collect();
    refused("the tar archive has something else than the file disk.raw").with("member", name)
}

fn bad_map() -> crate::error::Error {
    damaged("the map of a sparse file in the tar archive is wrong")
}
