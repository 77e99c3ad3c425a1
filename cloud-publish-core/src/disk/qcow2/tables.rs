//! The qcow2 tables: every offset is held against the file before anything is read through it.

use std::ops::Range;

use super::damaged;
use super::entry::{Entry, OFFSET};
use super::header::{Header, Table};
use crate::disk::extent::{Extent, Extents, merged};
use crate::disk::source::Source;
use crate::disk::view::View;
use crate::error::Result;

/// Offsets in the refcount table: bits 9 to 63.
const REFCOUNT_OFFSET: u64 = !0x1ff;
const COPIED: u64 = 1 << 63;

/// The L1 table, and with it the map of the disk.
#[derive(Debug)]
pub(super) struct Tables {
    header: Header,
    /// Offsets of the L2 tables that the disk's size needs; 0 where there is none.
    l2: Vec<u64>,
}

impl Tables {
    /// Reads the L1 table, and checks every entry of every table.
    ///
    /// Memory follows the tables that the file really holds; their announced lengths were held against its size.
    pub(super) fn load(file: &Source, header: Header) -> Result<Self> {
        let l1 = read_table(file, header.l1.offset, header.l1.length)?;
        let mut l2 = Vec::new();
        for raw in entries(&l1) {
            if raw & !(OFFSET | COPIED) != 0 {
                return Err(damaged("an L1 entry has unknown flags"));
            }
            l2.push(raw & OFFSET);
        }
        let needed = usize::try_from(header.size.div_ceil(header.l2_span())).unwrap_or(usize::MAX);
        let taken = Taken::new(file, &header, &l2)?;
        l2.truncate(needed);
        let tables = Self { header, l2 };
        tables.check_entries(file, &taken)?;
        Ok(tables)
    }

    /// The data between two places of the disk.
    pub(super) fn data<'a>(&'a self, file: &'a Source, start: u64, end: u64) -> Extents<'a> {
        let (span, range) = (self.header.l2_span(), start..end.min(self.header.size));
        let tables = self.l2.iter().zip((0..).map(move |index: u64| index * span));
        let tables = tables.filter(|(offset, _)| **offset != 0);
        let tables =
            tables.skip_while(move |(_, begin)| begin + span <= start).take_while(move |(_, begin)| *begin < end);
        let extents = tables.flat_map(move |(offset, begin)| {
            let (found, error) = match self.table_data(file, *offset, begin, &range) {
                Ok(found) => (found, None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            found.into_iter().map(Ok).chain(error)
        });
        merged(extents)
    }

    /// The data that one L2 table maps. `begin` is the first byte of the disk that it describes.
    fn table_data(&self, file: &Source, offset: u64, begin: u64, range: &Range<u64>) -> Result<Vec<Extent>> {
        let cluster = self.header.cluster();
        let table = read_table(file, offset, cluster)?;
        let mut found: Vec<Extent> = Vec::new();
        for (guest, raw) in self.guest_clusters(&table, begin) {
            let (from, to) = (guest.max(range.start), (guest + cluster).min(range.end));
            if from >= to || matches!(Entry::decode(raw, &self.header)?, Entry::Zero(_)) {
                continue;
            }
            match found.last_mut() {
                Some(run) if run.end() == from => run.length += to - from,
                _ => found.push(Extent { offset: from, length: to - from }),
            }
        }
        Ok(found)
    }

    fn check_entries(&self, file: &Source, taken: &Taken) -> Result<()> {
        let cluster = self.header.cluster();
        for (offset, index) in self.l2.iter().zip(0_u64..).filter(|(offset, _)| **offset != 0) {
            let table = read_table(file, *offset, cluster)?;
            for (guest, raw) in self.guest_clusters(&table, index * self.header.l2_span()) {
                // The last cluster of a disk may be cut where the disk ends.
                let needed = cluster.min(self.header.size - guest);
                check_entry(Entry::decode(raw, &self.header)?, needed, taken)
                    .map_err(|e| e.with("guest offset", guest))?;
            }
        }
        Ok(())
    }

    /// The entries of an L2 table, each with its place on the disk; those behind the disk's end are left out.
    fn guest_clusters<'a>(&self, table: &'a [u8], begin: u64) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (cluster, size) = (self.header.cluster(), self.header.size);
        let places = (0..).map(move |index: u64| begin + index * cluster).take_while(move |guest| *guest < size);
        places.zip(entries(table))
    }
}

fn check_entry(entry: Entry, needed: u64, taken: &Taken) -> Result<()> {
    let (place, end) = match entry {
        Entry::Zero(None) => return Ok(()),
        Entry::Zero(Some(offset)) | Entry::Plain(offset) => {
            if !offset.is_multiple_of(taken.cluster) {
                return Err(damaged("a data cluster is not aligned").with("offset", offset));
            }
            (offset..offset.saturating_add(needed), taken.file_size)
        }
        // Its length counts whole sectors, and the file may end inside the last one.
        Entry::Compressed(from, to) => (from..to, taken.file_size.next_multiple_of(512)),
    };
    if place.start >= taken.file_size || place.end > end {
        return Err(damaged("a data cluster is past the end of the file").with("offset", place.start));
    }
    if taken.meets(&place) {
        return Err(damaged("a data cluster lies over a table").with("offset", place.start));
    }
    Ok(())
}

/// The places of the file that hold the header and tables, none over another.
struct Taken {
    cluster: u64,
    file_size: u64,
    /// Sorted by start.
    places: Vec<Range<u64>>,
}

impl Taken {
    fn new(file: &Source, header: &Header, l2: &[u64]) -> Result<Self> {
        let cluster = header.cluster();
        let refcounts = read_table(file, header.refcounts.offset, header.refcounts.length)?;
        let first = Table { offset: 0, length: cluster };
        let places = [first, header.l1, header.refcounts]
            .map(|table| table.offset..(table.offset + table.length).next_multiple_of(cluster));
        let mut taken = Self { cluster, file_size: file.size(), places: places.into() };
        for raw in entries(&refcounts).filter(|raw| *raw != 0) {
            if raw & !REFCOUNT_OFFSET != 0 {
                return Err(damaged("an entry of its refcount table has unknown flags"));
            }
            taken.push(raw, "refcount block")?;
        }
        for offset in l2.iter().filter(|offset| **offset != 0) {
            taken.push(*offset, "L2 table")?;
        }
        taken.places.sort_unstable_by_key(|place| place.start);
        let mut pairs = taken.places.iter().zip(taken.places.iter().skip(1));
        if let Some((_, next)) = pairs.find(|(place, next)| place.end > next.start) {
            return Err(damaged("two of its tables lie over each other").with("offset", next.start));
        }
        Ok(taken)
    }

    fn push(&mut self, offset: u64, name: &str) -> Result<()> {
        if !offset.is_multiple_of(self.cluster) {
            return Err(damaged(format_args!("a {name} is not aligned")).with("offset", offset));
        }
        match offset.checked_add(self.cluster) {
            Some(end) if end <= self.file_size => self.places.push(offset..end),
            _ => return Err(damaged(format_args!("a {name} is past the end of the file")).with("offset", offset)),
        }
        Ok(())
    }

    fn meets(&self, place: &Range<u64>) -> bool {
        let after = self.places.partition_point(|taken| taken.start < place.end);
        after.checked_sub(1).and_then(|last| self.places.get(last)).is_some_and(|taken| taken.end > place.start)
    }
}

/// Reads a table whose bounds were checked, or which is refused by the end of the file.
fn read_table(file: &Source, offset: u64, length: u64) -> Result<Vec<u8>> {
    if offset.checked_add(length).is_none_or(|end| end > file.size()) {
        return Err(damaged("a table is past the end of the file").with("offset", offset));
    }
    let mut table = vec![0; usize::try_from(length).unwrap_or(0)];
    file.read(offset, &mut table)?;
    Ok(table)
}

fn entries(table: &[u8]) -> impl Iterator<Item = u64> {
    table.as_chunks::<8>().0.iter().map(|raw| u64::from_be_bytes(*raw))
}
