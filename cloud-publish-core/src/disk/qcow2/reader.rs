//! Reads the content of a checked qcow2 image through `imago`, on the descriptor that was checked.
//!
//! Compressed clusters are inflated each time they are read, once to verify and once to send, and not kept unpacked
//! beside: of a 3 GiB image with 550 MiB of data that costs 1 CPU second more, where a copy would cost half of that to
//! write and read again, and the room for all of the data.

use std::io;

use imago::file::File as Storage;
use imago::qcow2::Qcow2 as Format;
use imago::{DenyImplicitOpenGate, FormatAccess, FormatDriverBuilder};

use super::damaged;
use super::header::Header;
use super::tables::Tables;
use crate::disk::extent::Extents;
use crate::disk::source::Source;
use crate::disk::view::{View, check_bounds};
use crate::error::{Error, Kind, Result};

/// Blocks are whole clusters, so that no compressed one is inflated twice.
const BLOCK: u64 = 1 << 20;

/// The raw disk inside a qcow2 image.
#[derive(Debug)]
pub(in crate::disk) struct Qcow2 {
    header: Header,
    tables: Tables,
    access: FormatAccess<Storage>,
    /// Its own handle on the same open file, for the tables.
    file: Source,
}

impl Qcow2 {
    /// Checks header and tables of `file`, then opens it for reading.
    pub(in crate::disk) fn open(file: &Source, max_size: u64) -> Result<Self> {
        let header = Header::read(file, max_size)?;
        let tables = Tables::load(file, header)?;
        let own = file.share()?;
        let storage = file.share().and_then(|shared| Storage::try_from(shared.into_file()).map_err(cannot_read))?;
        let image = Format::<Storage>::builder(storage).open(DenyImplicitOpenGate::default()).map_err(cannot_read)?;
        let access = FormatAccess::new(image);
        if access.size() != header.size {
            return Err(damaged("it was changed while it was being opened"));
        }
        Ok(Self { header, tables, access, file: own })
    }
}

impl View for Qcow2 {
    fn size(&self) -> u64 {
        self.header.size
    }

    fn block(&self) -> usize {
        usize::try_from(self.header.cluster().max(BLOCK)).unwrap_or(usize::MAX)
    }

    fn data(&self, start: u64, end: u64) -> Extents<'_> {
        self.tables.data(&self.file, start, end)
    }

    /// `imago` caches the tables and makes up the zeros of holes itself.
    fn read(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        check_bounds(self, offset, buffer)?;
        self.read_data(offset, buffer)
    }

    fn read_data(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        self.access.read(buffer, offset).map_err(|e| cannot_read(e).with("guest offset", offset))
    }
}

/// An error number comes from the file system; anything else is `imago`'s opinion of the bytes.
fn cannot_read(error: io::Error) -> Error {
    if error.raw_os_error().is_some() {
        return Error::new(Kind::Storage, "could not read the disk image").caused_by(error);
    }
    damaged("its content cannot be read").caused_by(error)
}
