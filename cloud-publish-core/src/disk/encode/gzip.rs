//! gzip of parts of a disk between a head and a tail: one member, deflated block by block on several threads.
//!
//! RFC 1952. Blocks are deflated each for itself and end at whole bytes, so they can be put in a row; the checksum of
//! the whole is combined from theirs. A block of zeros is always the same bytes, which are made once.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use crc32fast::Hasher;
use futures::stream::{self, Stream, StreamExt, TryStreamExt};

use super::ZEROS;
use super::blocks::{BLOCK, Bench, Block, Cut, blocks};
use super::deflate::{Deflater, END, Level};
use super::encoded::Part;
use crate::disk::image::Disk;
use crate::error::Result;

/// Deflate, no name, no time, no flags, system unknown.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// How many deflated blocks of zeros are one chunk.
const RUN: usize = 64;

/// What is packed around the content.
pub(super) struct Around {
    pub(super) head: Vec<u8>,
    /// Bytes of the disk that are told of in the head alone.
    pub(super) holes: u64,
    pub(super) tail: Vec<u8>,
}

/// Some deflated bytes, with what is known of the bytes that they stand for.
struct Deflated {
    content: u64,
    bytes: Bytes,
    sum: Hasher,
}

impl Deflated {
    fn of(block: &[u8], deflater: &mut Deflater) -> Result<Self> {
        let mut sum = Hasher::new();
        sum.update(block);
        let bytes = deflater.flushed(block)?.into();
        Ok(Self { content: block.len() as u64, bytes, sum })
    }
}

/// Packs head, content and tail; all ranges of the cut must be whole blocks.
pub(super) fn gzip(
    disk: Arc<Disk>,
    (cut, level): (Cut, Level),
    around: Around,
) -> Result<impl Stream<Item = Result<Part>> + Send + 'static> {
    let ends =
        |bytes: &[u8], content| Deflated::of(bytes, &mut Deflater::new(level)).map(|part| Deflated { content, ..part });
    let (head, tail) = (ends(&around.head, around.holes)?, ends(&around.tail, 0)?);
    let packed: u64 = cut.ranges.iter().map(|range| range.length).sum();
    let length = packed + (around.head.len() + around.tail.len()) as u64;
    let zeros = Zeros::new(level)?;
    let content = blocks(disk, cut, move |bench: &mut Bench<Option<Deflater>>| {
        Deflated::of(&bench.block, bench.tools.get_or_insert_with(|| Deflater::new(level)))
    });
    let content = content.map_ok(move |block| zeros.clone().parts(block)).try_flatten();
    let parts = stream::iter([Ok(head)]).chain(content).chain(stream::iter([Ok(tail)])).map_ok(Some);
    let summed = parts.chain(stream::iter([Ok(None)])).scan(Hasher::new(), move |sum, part| {
        let part = part.map(|part| match part {
            Some(part) => {
                sum.combine(&part.sum);
                Part { content: part.content, bytes: part.bytes }
            }
            None => Part { content: 0, bytes: trailer(sum.clone().finalize(), length) },
        });
        std::future::ready(Some(part))
    });
    let header = Part { content: 0, bytes: Bytes::from_static(&HEADER) };
    Ok(stream::iter([Ok(header)]).chain(summed))
}

/// The end of the deflate stream, the checksum, and the length modulo 2^32.
fn trailer(sum: u32, length: u64) -> Bytes {
    let [a, b, c, d, ..] = length.to_le_bytes();
    let mut bytes = BytesMut::from(END.as_slice());
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(&[a, b, c, d]);
    bytes.freeze()
}

/// A run of deflated blocks of zeros, to be cut into pieces.
#[derive(Clone)]
struct Zeros {
    run: Bytes,
    /// Bytes of one deflated block.
    one: usize,
    sum: Hasher,
}

impl Zeros {
    fn new(level: Level) -> Result<Self> {
        let Deflated { bytes, sum, .. } = Deflated::of(&ZEROS, &mut Deflater::new(level))?;
        Ok(Self { run: Bytes::from(bytes.repeat(RUN)), one: bytes.len(), sum })
    }

    fn parts(self, block: Block<Deflated>) -> impl Stream<Item = Result<Deflated>> + Send + 'static {
        let (zeros, data) = match block {
            Block::Zeros(length) => (usize::try_from(length / BLOCK as u64).unwrap_or(usize::MAX), None),
            Block::Data(_, deflated) => (0, Some(deflated)),
        };
        let zeros = (0..zeros).step_by(RUN).map(move |at| self.run_of((zeros - at).min(RUN)));
        stream::iter(data.into_iter().chain(zeros)).map(Ok)
    }

    fn run_of(&self, count: usize) -> Deflated {
        let mut sum = Hasher::new();
        (0..count).for_each(|_| sum.combine(&self.sum));
        Deflated { content: (count * BLOCK) as u64, bytes: self.run.slice(..count * self.one), sum }
    }
}
