//! One pass: read the packed file, decode, write the sparse spool; all digests of both on the way.

use std::fs::File;
use std::io::{self, Read};
use std::thread::scope;

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::input::Input;
use super::spool::Spool;
use super::zstd::Frames;
use super::{Compression, Packed, Packing, tar};
use crate::disk::digests::Watch;
use crate::disk::format::Format;
use crate::disk::hashing::{Hashers, Hashes, Sums};
use crate::disk::source::Source;
use crate::disk::view::View;
use crate::error::{Error, Kind, Result};

/// The most memory that a decoder may take for what it looks back at: more than any of the usual levels needs
/// (`xz -9` 64 MiB, `zstd --ultra -22` and `--long` 128 MiB).
const MAX_MEMORY: u64 = 128 << 20;
/// What `xz` needs besides its dictionary.
const XZ_OVERHEAD: u64 = 1 << 20;
const BLOCK: usize = 1 << 20;

/// An unpacked disk image file and the digests that came with it.
#[derive(Debug)]
pub(in crate::disk) struct Unpacked {
    pub(in crate::disk) packing: Packing,
    /// The disk's own file; it has no name.
    pub(in crate::disk) file: Source,
    /// Of the file as given.
    pub(in crate::disk) given_sums: Sums,
    /// Of the disk's own file.
    pub(in crate::disk) file_sums: Sums,
}

/// What is asked of one pass.
pub(in crate::disk) struct Task<'a> {
    pub(in crate::disk) packed: &'a Packed,
    pub(in crate::disk) format: Format,
    /// The largest virtual size of the disk.
    pub(in crate::disk) max_size: u64,
    /// Hashes of the file as given, and of the disk's own.
    pub(in crate::disk) hashes: (Hashes, Hashes),
}

/// Unpacks a file.
pub(in crate::disk) fn unpack(given: &Source, task: &Task<'_>, watch: &dyn Watch) -> Result<Unpacked> {
    let Packed { packing, work_dir } = task.packed;
    let (file, given_sums, file_sums) = scope(|scope| {
        let (of_given, of_file) = (Hashers::start(scope, task.hashes.0)?, Hashers::start(scope, task.hashes.1)?);
        let limits = (most(task), least(*packing, given.size()));
        let unpacked = Spool::create(work_dir, limits, &of_file, watch).and_then(|mut spool| {
            let mut input = Input::new(given, &of_given, watch);
            match (decode(*packing, &mut input, &mut spool), input.into_failure()) {
                (_, Some(reason)) => Err(reason),
                (decoded, None) => decoded.and_then(|()| spool.finish()),
            }
        });
        let (given_sums, file_sums) = (of_given.finish()?, of_file.finish()?);
        unpacked.map(|file: File| (file, given_sums, file_sums))
    })?;
    given.check_unchanged()?;
    let file = Source::of_open(file, given.path())?;
    Ok(Unpacked { packing: *packing, file, given_sums, file_sums })
}

/// The most bytes that a disk image file of the allowed size can have.
fn most(task: &Task<'_>) -> u64 {
    let overhead = match task.format {
        Format::Raw => 0,
        Format::Vhd => 512,
        // Tables, and clusters that were given back.
        Format::Qcow2 => (task.max_size / 16).saturating_add(16 << 20),
    };
    task.max_size.saturating_add(overhead)
}

/// The bytes that must be free before anything is written. What is compressed takes at least its own room, but a plain
/// archive may be mostly zeros, which become holes.
fn least(packing: Packing, given_size: u64) -> u64 {
    if packing.compression().is_some() { given_size } else { 0 }
}

fn decode(packing: Packing, input: &mut Input<'_, '_>, spool: &mut Spool<'_, '_>) -> Result<()> {
    let kib = u32::try_from((MAX_MEMORY + XZ_OVERHEAD) >> 10).unwrap_or(u32::MAX);
    match packing.compression() {
        Some(Compression::Xz) => deliver(packing, &mut XzReader::new_mem_limit(input, true, kib), spool),
        Some(Compression::Gzip) => deliver(packing, &mut MultiGzDecoder::new(input), spool),
        Some(Compression::Zstd) => deliver(packing, &mut Frames::new(input, MAX_MEMORY), spool),
        None => deliver(packing, input, spool),
    }
}

fn deliver(packing: Packing, stream: &mut dyn Read, spool: &mut Spool<'_, '_>) -> Result<()> {
    if packing.is_tar() { tar::extract(stream, spool) } else { copy(stream, spool).map(drop) }
}

/// Copies a stream to its end; returns its length.
pub(super) fn copy(stream: &mut dyn Read, spool: &mut Spool<'_, '_>) -> Result<u64> {
    let mut copied = 0;
    loop {
        let mut block = vec![0; BLOCK];
        let length = fill(stream, &mut block)?;
        block.truncate(length);
        copied += length as u64;
        if length > 0 {
            spool.data(block)?;
        }
        if length < BLOCK {
            return Ok(copied);
        }
    }
}

/// Fills a buffer; less only at the end of the stream.
pub(super) fn fill(stream: &mut dyn Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match stream.read(rest) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(cannot_decode(error)),
        }
    }
    Ok(filled)
}

fn cannot_decode(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::OutOfMemory => {
            let most = format!("unpacking the disk image takes more than {} MiB of memory", MAX_MEMORY >> 20);
            Error::new(Kind::InvalidInput, most)
                .hint("compress it with a smaller dictionary or window: `xz -9` and `zstd -19` need less")
                .caused_by(error)
        }
        io::ErrorKind::UnexpectedEof => damaged("it is cut off").caused_by(error),
        _ => damaged("it cannot be decoded").caused_by(error),
    }
}

/// A refusal of a file that no packer has written so.
pub(super) fn damaged(what: &str) -> Error {
    Error::new(Kind::InvalidInput, format!("the packed disk image is damaged: {what}"))
        .hint("copy or pack it again, and check that the file is complete")
}

/// A refusal of what a packer may write but nobody needs here.
pub(super) fn refused(what: &str) -> Error {
    Error::new(Kind::InvalidInput, format!("the packed disk image cannot be published: {what}"))
        .hint("pack the file disk.raw alone, for example with `tar --format=oldgnu -Scf NAME disk.raw`")
}
