//! Round trips of random sparse disks, and that bytes depend on content alone.

use std::fs::{self, File};
use std::io::Read as _;
use std::sync::Arc;

use flate2::read::GzDecoder;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use proptest::prelude::{ProptestConfig, Strategy, any, prop, proptest};
use sha2::{Digest as _, Sha256};
use tar::Archive;

use super::blocks::Cut;
use super::gce::tar_gz;
use super::raw::content;
use super::{Encoded, Level, gce_tar_gz, qcow2, raw, vhd, vhd_footer, vhd_size, write_qcow2};
use crate::digest::Digest;
use crate::disk::format::Format;
use crate::disk::image::{Disk, DiskSource};
use crate::disk::testing::{Scratch, noise};
use crate::error::{Kind, Result};

const MIB: u64 = 1 << 20;

/// A disk of several MiB that does not end at a whole one: data, holes, zeros that are written, bytes that do not
/// deflate.
pub(super) fn sample() -> Scratch {
    let random: Vec<u8> = (0_u32..9000).flat_map(|n| Sha256::digest(n.to_be_bytes())).collect();
    let (text, zeros) = (b"deflate likes repetitions. ".repeat(8000), vec![0; 3 << 20]);
    let size = 40 * MIB + 1536;
    Scratch::sparse(
        size,
        &[(0, &noise(512)), (MIB - 100, &text), (9 * MIB, &random), (20 * MIB, &zeros), (size - 1024, &noise(1024))],
    )
}

pub(super) fn open(file: &Scratch) -> Arc<Disk> {
    Arc::new(file.open(Format::Raw).unwrap())
}

pub(super) async fn collect(stream: impl futures::Stream<Item = Result<bytes::Bytes>>) -> Vec<u8> {
    stream.try_collect::<Vec<_>>().await.unwrap().concat()
}

pub(super) fn digest(content: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(content).into())
}

async fn qcow2_of(disk: &Arc<Disk>, at_once: usize) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    let cut = Cut::at_once(disk.virtual_size(), at_once);
    let size = qcow2::write(Arc::clone(disk), File::create(&path).unwrap(), (cut, &mut |_| {})).await.unwrap();
    let bytes = fs::read(path).unwrap();
    assert_eq!(size, bytes.len() as u64);
    bytes
}

/// The tarball of a disk, in a smaller unit than Google's so that tests are short.
async fn small_tar_gz(disk: &Arc<Disk>, at_once: usize) -> Vec<u8> {
    let cut = Cut::at_once(vhd_size(disk.virtual_size()), at_once);
    collect(tar_gz(Arc::clone(disk), cut, Level::DEFAULT)).await
}

/// What an archive in one gzip member holds: one file and nothing behind it.
fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut archive = Archive::new(GzDecoder::new(bytes));
    let mut entries = archive.entries().unwrap();
    let mut content = Vec::new();
    let mut entry = entries.next().unwrap().unwrap();
    assert_eq!(entry.path_bytes().as_ref(), b"disk.raw");
    entry.read_to_end(&mut content).unwrap();
    assert!(entries.next().is_none());
    let mut packed = archive.into_inner();
    let mut end = Vec::new();
    packed.read_to_end(&mut end).unwrap();
    assert_eq!(end, [0; 512], "the second empty record; the first one ended the entries");
    assert!(packed.into_inner().is_empty(), "one member and nothing behind it");
    content
}

#[tokio::test]
async fn raw_and_vhd_are_as_long_as_they_say_and_have_the_content() {
    let file = sample();
    let (disk, bytes) = (open(&file), fs::read(file.path()).unwrap());
    let stream = raw(Arc::clone(&disk));
    assert_eq!(stream.length(), Some(bytes.len() as u64));
    assert!(collect(stream).await == bytes);
    let stream = vhd(Arc::clone(&disk), &digest(&bytes));
    let length = usize::try_from(stream.length().unwrap()).unwrap();
    let made = collect(stream).await;
    assert_eq!(made.len(), length);
    let (body, footer) = made.split_at(made.len() - 512);
    assert_eq!(footer, vhd_footer(41 * MIB, &digest(&bytes)));
    assert!(body[..bytes.len()] == bytes && body[bytes.len()..].iter().all(|byte| *byte == 0));
}

#[tokio::test]
async fn progress_ends_where_it_should_and_chunks_are_neither_empty_nor_large() {
    let disk = open(&sample());
    let (content, size) = (digest(b""), disk.virtual_size());
    let streams = [raw(Arc::clone(&disk)), vhd(Arc::clone(&disk), &content), gce_tar_gz(disk, Level::FAST)];
    for mut stream in streams {
        let (mut before, mut sent) = (0, 0);
        while let Some(chunk) = stream.next().await {
            let length = chunk.unwrap().len();
            assert!((1..=(1 << 20) + (1 << 15)).contains(&length), "{length}");
            assert!(stream.progress().0 >= before);
            (before, sent) = (stream.progress().0, sent + length as u64);
        }
        assert_eq!(stream.progress(), (size, size), "padding is no work");
        assert!(stream.length().is_none_or(|length| length == sent));
    }
}

#[tokio::test]
async fn the_tarball_holds_the_padded_disk_without_its_holes() {
    let file = sample();
    let (disk, mut bytes) = (open(&file), fs::read(file.path()).unwrap());
    let packed = small_tar_gz(&disk, 3).await;
    bytes.resize(41 << 20, 0);
    assert!(unpacked(&packed) == bytes);
    let mut archive = Vec::new();
    GzDecoder::new(packed.as_slice()).read_to_end(&mut archive).unwrap();
    // Whole MiB of data: two at the start, one of random bytes, one at the end.
    assert_eq!(archive.len(), 512 + (4 << 20) + 1024);
}

#[tokio::test]
async fn the_map_of_a_large_disk_stays_small() {
    let pieces: Vec<(u64, &[u8])> = (0..40_u64).map(|n| (n << 34, b"x".as_slice())).collect();
    let disk = open(&Scratch::sparse(1 << 40, &pieces));
    let made = collect(gce_tar_gz(disk, Level::FAST)).await;
    let mut archive = Vec::new();
    GzDecoder::new(made.as_slice()).take(1 << 16).read_to_end(&mut archive).unwrap();
    // Two further records of the map, and then the first data.
    assert_eq!((archive[482], archive[512 + 504], archive[1024 + 504], archive[1536]), (1, 1, 0, b'x'));
}

#[tokio::test]
async fn the_same_content_gives_the_same_bytes_without_holes_and_on_any_number_of_threads() {
    let file = sample();
    let (disk, copy) = (open(&file), Scratch::new(&fs::read(file.path()).unwrap()));
    let full = open(&copy);
    let (packed, image) = (small_tar_gz(&disk, 1).await, qcow2_of(&disk, 1).await);
    for (disk, at_once) in [(&disk, 8), (&full, 1), (&full, 8)] {
        assert!(small_tar_gz(disk, at_once).await == packed);
        assert!(qcow2_of(disk, at_once).await == image);
    }
    assert!(collect(raw(full)).await == fs::read(file.path()).unwrap());
}

#[cfg(feature = "qcow2")]
#[tokio::test]
async fn a_qcow2_image_is_made_anew_with_the_same_bytes() {
    let file = sample();
    let first = Scratch::new(&qcow2_of(&open(&file), 4).await);
    let again = qcow2_of(&Arc::new(first.open(Format::Qcow2).unwrap()), 4).await;
    assert!(again == fs::read(first.path()).unwrap());
}

#[tokio::test]
async fn an_unreadable_disk_ends_the_stream_with_one_error() {
    let file = Scratch::new(&noise(4 << 20));
    let disk = open(&file);
    File::options().write(true).open(file.path()).unwrap().set_len(2 << 20).unwrap();
    let digest = digest(b"");
    let makers: [fn(Arc<Disk>, &Digest) -> Encoded; 3] =
        [|disk, _| raw(disk), vhd, |disk, _| gce_tar_gz(disk, Level::FAST)];
    for make in makers {
        let items: Vec<_> = make(Arc::clone(&disk), &digest).collect().await;
        assert!(items.last().unwrap().is_err());
        assert_eq!(items.iter().filter(|item| item.is_err()).count(), 1);
    }
    let into = tempfile::tempfile().unwrap();
    let error = write_qcow2(disk, into.try_clone().unwrap(), |_| {}).await.unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    let mut start = Vec::new();
    (&into).take(4).read_to_end(&mut start).unwrap();
    assert_ne!(start, b"QFI\xfb", "half an image looks like one");
}

#[tokio::test]
async fn a_dropped_stream_reads_no_further() {
    let file = Scratch::new(&noise(64 << 20));
    let disk = open(&file);
    let mut stream = gce_tar_gz(Arc::clone(&disk), Level::DEFAULT);
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    drop(stream);
    // Each block that is still worked on holds the disk; when they are through, nobody does.
    while Arc::strong_count(&disk) > 1 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn holes_are_not_read_but_made_up() {
    let file = Scratch::sparse(64 << 30, &[(50 << 30, &noise(65_536))]);
    let disk = open(&file);
    let made = qcow2_of(&disk, 2).await;
    assert!(made.len() < 1 << 20, "{}", made.len());
    let (mut stream, mut chunks) = (std::pin::pin!(content(Arc::clone(&disk), Cut::new(64 << 30))), 0);
    while let Some(part) = stream.next().await {
        chunks += part.unwrap().content >> 20;
    }
    assert_eq!(chunks, 64 << 10);
}

/// The size of a disk of up to 12 MiB, and pieces of data here and there.
fn disks() -> impl Strategy<Value = (u64, Vec<(u64, Vec<u8>)>)> {
    let piece = (0..24_u64, 1..200_000_usize, any::<u8>(), any::<bool>());
    (1..24_000_u64, prop::collection::vec(piece, 0..6)).prop_map(|(sectors, pieces)| {
        let size = sectors * 512;
        let bytes = pieces.iter().map(|(at, length, byte, regular)| {
            let at = (at << 19).min(size - 1);
            let length = usize::try_from(size - at).unwrap().min(*length);
            (at, if *regular { vec![*byte; length] } else { noise(length) })
        });
        (size, bytes.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_disk_comes_back_as_it_was((size, pieces) in disks()) {
        let pieces: Vec<(u64, &[u8])> = pieces.iter().map(|(at, bytes)| (*at, bytes.as_slice())).collect();
        let file = Scratch::sparse(size, &pieces);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bytes = fs::read(file.path()).unwrap();
            let disk = open(&file);
            assert!(collect(raw(Arc::clone(&disk))).await == bytes);
            let packed = unpacked(&small_tar_gz(&disk, 2).await);
            assert!(packed[..bytes.len()] == bytes && packed[bytes.len()..].iter().all(|byte| *byte == 0));
            if cfg!(feature = "qcow2") {
                let image = Scratch::new(&qcow2_of(&disk, 2).await);
                let source = DiskSource::new(image.path(), Format::Qcow2);
                assert!(collect(raw(Arc::new(Disk::open(&source).unwrap()))).await == bytes);
            }
        });
    }
}
