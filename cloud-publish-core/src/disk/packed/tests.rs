//! What comes out of packed files, and what is refused.

use std::fs;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use sha2::{Digest as _, Sha256, Sha512};

use super::Packing;
use super::tar_tests::Tar;
use super::testing::pack;
use crate::digest::Digest;
use crate::disk::digests::{Wanted, Watch};
use crate::disk::format::Format;
use crate::disk::image::{Disk, DiskSource};
use crate::disk::testing::{Gpt, Scratch, noise};
use crate::disk::verify::Expected;
use crate::error::{Error, Kind};

const ALL: Wanted = Wanted { file_sha512: true, given_sha256: true, given_sha512: true };
const COMPRESSED: [Packing; 3] = [Packing::Xz, Packing::Gz, Packing::Zst];

/// 6 MiB, most of it zeros, with data that is on no page border.
fn disk() -> Vec<u8> {
    let mut bytes = vec![0; 6 << 20];
    bytes[1000..90_000].copy_from_slice(&noise(89_000));
    bytes[(5 << 20) + 5000..(5 << 20) + 9000].copy_from_slice(&noise(4000));
    bytes
}

fn open(packed: &[u8], format: Format, packing: Packing) -> Result<Disk, Error> {
    Disk::open(&Scratch::new(packed).packed(format, packing))
}

fn content(disk: &Disk) -> Vec<u8> {
    let mut found = vec![9; usize::try_from(disk.virtual_size()).unwrap()];
    disk.read_at(0, &mut found).unwrap();
    found
}

/// Counts, and stops at a number of bytes.
struct Counter(AtomicU64, u64);

impl Watch for Counter {
    fn advanced(&self, bytes: u64) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    fn cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) >= self.1
    }
}

#[test]
fn every_packing_gives_the_disk_and_all_digests_in_one_reading() {
    let bytes = disk();
    for packing in Packing::ALL {
        let packed = pack(&bytes, packing);
        let file = Scratch::new(&packed);
        let counter = Counter(AtomicU64::new(0), u64::MAX);
        let disk = Disk::open_watched(&file.packed(Format::Raw, packing), ALL, &counter).unwrap();
        assert_eq!(counter.0.into_inner(), packed.len() as u64, "{packing}");
        assert_eq!((disk.packing(), disk.format(), disk.path()), (Some(packing), Format::Raw, file.path()));
        assert_eq!((disk.given_size(), disk.file_size()), (packed.len() as u64, bytes.len() as u64));
        assert_eq!(disk.work(ALL), 0, "{packing}: digests would be computed again");
        let found = disk.digests(ALL, &()).unwrap();
        assert_eq!(found.content, Digest::from_bytes(Sha256::digest(&bytes).into()), "{packing}");
        assert_eq!(found.file_sha512, Some(Sha512::digest(&bytes).into()));
        assert_eq!(found.given_sha256, Some(Sha256::digest(&packed).into()));
        assert_eq!(found.given_sha512, Some(Sha512::digest(&packed).into()));
        assert!(content(&disk) == bytes, "{packing}");
        let mut given = vec![0; packed.len()];
        disk.read_given_at(0, &mut given).unwrap();
        assert!(given == packed && disk.given_extents().unwrap().last().unwrap().end() <= packed.len() as u64);
    }
}

#[test]
fn digests_that_were_not_asked_for_at_opening_can_be_had_later() {
    let (bytes, packed) = (disk(), pack(&disk(), Packing::Gz));
    let disk = open(&packed, Format::Raw, Packing::Gz).unwrap();
    assert_eq!(disk.work(ALL), (bytes.len() + packed.len()) as u64);
    let found = disk.digests(ALL, &()).unwrap();
    assert_eq!(found.file_sha512, Some(Sha512::digest(&bytes).into()));
    assert_eq!(found.given_sha512, Some(Sha512::digest(&packed).into()));
}

#[test]
fn the_manifest_promises_the_file_as_given() {
    let packed = pack(&disk(), Packing::Xz);
    let file = Scratch::new(&packed);
    let disk = Disk::open(&file.packed(Format::Raw, Packing::Xz)).unwrap();
    let promised = Expected {
        sha256: Some(Sha256::digest(&packed).into()),
        sha512: Some(Sha512::digest(&packed).into()),
        size: Some(packed.len() as u64),
    };
    disk.verify(&promised, Wanted::default(), &()).unwrap();
    let of_content = Expected { sha256: Some(Sha256::digest(self::disk()).into()), ..Expected::default() };
    assert_eq!(disk.verify(&of_content, Wanted::default(), &()).unwrap_err().kind(), Kind::InvalidInput);
}

#[test]
fn zeros_become_holes_and_nothing_is_left_in_the_work_directory() {
    let file = Scratch::new(&pack(&disk(), Packing::Zst));
    let source = file.packed(Format::Raw, Packing::Zst);
    let disk = Disk::open(&source).unwrap();
    let work = &source.packed.as_ref().unwrap().work_dir;
    assert_eq!(fs::read_dir(work).unwrap().count(), 0);
    let extents = disk.file_extents().unwrap();
    assert!(extents.iter().map(|extent| extent.length).sum::<u64>() <= 128 << 10, "{extents:?}");
    assert!(content(&disk) == self::disk());
}

#[test]
fn any_format_may_be_inside() {
    let disk = Gpt::new(512).build();
    let footer = crate::disk::vhd::testing::footer(disk.len() as u64, &[]);
    let vhd = [disk.as_slice(), &footer].concat();
    let opened = open(&pack(&vhd, Packing::Gz), Format::Vhd, Packing::Gz).unwrap();
    assert!(content(&opened) == disk && opened.boot().esp);
    assert_eq!(opened.file_size(), vhd.len() as u64);
    let found = opened.digests(ALL, &()).unwrap();
    assert_eq!(found.file_sha512, Some(Sha512::digest(&vhd).into()));
    assert_eq!(found.content, Digest::from_bytes(Sha256::digest(&disk).into()));
    let error = open(&pack(&vhd, Packing::Gz), Format::Raw, Packing::Gz).unwrap_err();
    assert!(error.message().contains("declared raw, but is a VHD"), "{error}");
    for format in [Format::Qcow2, Format::Vhd] {
        let error = open(&pack(&disk, Packing::TarXz), format, Packing::TarXz).unwrap_err();
        assert!(error.message().contains("holds a raw disk"), "{error}");
    }
}

#[cfg(feature = "qcow2")]
#[test]
fn a_packed_qcow2_is_read_through() {
    use crate::disk::qcow2::builder::Builder;
    let image = Builder::sample(3, 12);
    let bytes = fs::read(image.file().path()).unwrap();
    let packed = pack(&bytes, Packing::Xz);
    let disk = open(&packed, Format::Qcow2, Packing::Xz).unwrap();
    assert!(content(&disk) == image.content());
    let found = disk.digests(ALL, &()).unwrap();
    assert_eq!(found.content, Digest::from_bytes(Sha256::digest(image.content()).into()));
    assert_eq!(found.file_sha512, Some(Sha512::digest(&bytes).into()));
}

#[test]
fn several_streams_are_one_disk() {
    let (one, two) = (noise(3 << 20), noise(100_352));
    for packing in COMPRESSED {
        let packed = [pack(&one, packing), pack(&two, packing)].concat();
        assert!(content(&open(&packed, Format::Raw, packing).unwrap()) == [one.as_slice(), &two].concat(), "{packing}");
    }
    let padded = [pack(&one, Packing::Xz), vec![0; 8], pack(&two, Packing::Xz), vec![0; 4]].concat();
    open(&padded, Format::Raw, Packing::Xz).unwrap();
    let skippable = b"\x53\x2a\x4d\x18\x05\0\0\0hello";
    let framed = [skippable.as_slice(), &pack(&one, Packing::Zst), skippable].concat();
    assert!(content(&open(&framed, Format::Raw, Packing::Zst).unwrap()) == one);
}

#[test]
fn what_goes_on_behind_its_end_is_refused() {
    for packing in Packing::ALL {
        for garbage in [&b"\x01"[..], b"garbage", &[7; 600]] {
            let packed = [pack(&disk(), packing), garbage.to_owned()].concat();
            let error = open(&packed, Format::Raw, packing).unwrap_err();
            assert!(error.kind() == Kind::InvalidInput && error.message().contains("packed disk image"), "{error}");
        }
        let tar = [Tar::new().file("disk.raw", &noise(512)).end(), b"x".to_vec()].concat();
        let inside = match packing {
            Packing::TarXz => pack(&tar, Packing::Xz),
            Packing::TarGz => pack(&tar, Packing::Gz),
            Packing::TarZst => pack(&tar, Packing::Zst),
            _ => continue,
        };
        assert!(open(&inside, Format::Raw, packing).unwrap_err().message().contains("behind the end"));
    }
}

#[test]
fn what_is_cut_off_anywhere_is_refused() {
    let bytes = noise(1024);
    for packing in Packing::ALL {
        let packed = pack(&bytes, packing);
        open(&packed, Format::Raw, packing).unwrap();
        let ends = (0..64).chain(packed.len() - 64..packed.len()).chain((64..packed.len() - 64).step_by(31));
        for length in ends {
            let error = open(&packed[..length], Format::Raw, packing).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput, "{packing} cut to {length}: {error}");
        }
    }
}

#[test]
fn a_changed_byte_is_refused_or_changes_nothing() {
    let bytes = noise(1024);
    for packing in COMPRESSED {
        let packed = pack(&bytes, packing);
        for at in (0..64).chain(packed.len() - 64..packed.len()).chain((64..packed.len() - 64).step_by(13)) {
            let mut changed = packed.clone();
            changed[at] ^= 0x10;
            if let Ok(disk) = open(&changed, Format::Raw, packing) {
                assert!(content(&disk) == bytes, "{packing} changed at {at}");
            }
        }
    }
}

#[test]
fn a_size_bomb_is_refused_by_the_limit_of_the_disk() {
    let bomb = vec![0; 32 << 20];
    for packing in Packing::ALL {
        let file = Scratch::new(&pack(&bomb, packing));
        let source = DiskSource { max_size: (32 << 20) - 512, ..file.packed(Format::Raw, packing) };
        let error = Disk::open(&source).unwrap_err();
        assert!(error.message().contains("unpacks to more"), "{packing}: {error}");
        assert_eq!(error.context("limit"), Some("33553920"));
        Disk::open(&DiskSource { max_size: 32 << 20, ..source }).unwrap();
    }
}

#[test]
fn memory_is_not_taken_because_a_header_asks_for_it() {
    // A frame with a window of 256 MiB: descriptor 0, exponent 18, and one raw block that is the last.
    let zstd = b"\x28\xb5\x2f\xfd\x00\x90\x09\0\0x";
    let mut xz = pack(&noise(2048), Packing::Xz);
    // The block header behind the stream header of 12 bytes: size, flags, filter 0x21, 1, dictionary, padding, CRC32.
    assert_eq!(xz[14..16], [0x21, 1]);
    xz[16] = 34; // 512 MiB
    let end = 12 + (usize::from(xz[12]) + 1) * 4;
    let checksum = crc32fast::hash(&xz[12..end - 4]);
    xz[end - 4..end].copy_from_slice(&checksum.to_le_bytes());
    for (packed, packing) in [(zstd.to_vec(), Packing::Zst), (xz, Packing::Xz)] {
        let error = open(&packed, Format::Raw, packing).unwrap_err();
        assert!(error.message().contains("more than 128 MiB of memory"), "{error}");
        assert!(error.advice().is_some());
    }
}

#[test]
fn an_announced_size_of_a_frame_must_be_its_size() {
    // Single segment, one byte of content size: 2 announced, a raw block of 1.
    let frame = b"\x28\xb5\x2f\xfd\x20\x02\x09\0\0x";
    let error = open(frame, Format::Raw, Packing::Zst).unwrap_err();
    assert!(error.chain().concat().contains("size that it announces"), "{error}");
}

#[test]
fn a_disk_packed_twice_or_not_at_all_is_refused_by_name() {
    let twice = pack(&pack(&disk(), Packing::Gz), Packing::Xz);
    let error = open(&twice, Format::Raw, Packing::Xz).unwrap_err();
    assert!(error.message().contains("gzip") && error.advice().unwrap().contains("twice"), "{error}");
    let plain = open(&disk(), Format::Raw, Packing::Xz).unwrap_err();
    assert!(plain.message().contains("declared packed as xz, but is a plain file"), "{plain}");
    let other = open(&pack(&disk(), Packing::Gz), Format::Raw, Packing::Zst).unwrap_err();
    assert!(other.message().contains("is a gzip file"), "{other}");
    let nothing = open(&pack(&[], Packing::Gz), Format::Raw, Packing::Gz).unwrap_err();
    assert!(nothing.message().contains("empty"), "{nothing}");
}

#[test]
fn a_work_directory_that_cannot_be_used_is_named() {
    let file = Scratch::new(&pack(&disk(), Packing::Gz));
    let source = DiskSource::new(file.path(), Format::Raw).packed(Packing::Gz, file.path().join("below-a-file"));
    let error = Disk::open(&source).unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert!(error.context("work_dir").is_some() && error.advice().unwrap().contains("`work_dir`"), "{error}");
}

#[test]
fn unpacking_can_be_stopped_in_the_middle() {
    let packed = pack(&noise(6 << 20), Packing::Tar);
    for stop_at in [0, 1 << 20, 3 << 20] {
        let file = Scratch::new(&packed);
        let counter = Counter(AtomicU64::new(0), stop_at);
        let error = Disk::open_watched(&file.packed(Format::Raw, Packing::Tar), ALL, &counter).unwrap_err();
        assert_eq!(error.kind(), Kind::Cancelled);
        assert!(counter.0.into_inner() < packed.len() as u64);
    }
}

#[test]
fn a_plain_archive_of_holes_needs_no_room_for_them() {
    let file = Scratch::new(&pack(&disk(), Packing::Tar));
    fs::File::options().write(true).open(file.path()).unwrap().set_len(8 << 40).unwrap();
    // It gets as far as reading, where it is stopped.
    let stop = Counter(AtomicU64::new(0), 1);
    let error = Disk::open_watched(&file.packed(Format::Raw, Packing::Tar), ALL, &stop).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled, "{error}");
}

#[test]
fn a_file_that_is_written_to_while_it_is_unpacked_is_noticed() {
    struct Writer(std::path::PathBuf);
    impl Watch for Writer {
        fn advanced(&self, _bytes: u64) {
            let file = fs::File::options().append(true).open(&self.0).unwrap();
            (&file).write_all(&[0; 512]).unwrap();
        }
        fn cancelled(&self) -> bool {
            false
        }
    }
    for packing in Packing::ALL {
        let file = Scratch::new(&pack(&disk(), packing));
        let source = file.packed(Format::Raw, packing);
        let error = Disk::open_watched(&source, ALL, &Writer(file.path().to_owned())).unwrap_err();
        assert!(error.message().contains("changed while"), "{packing}: {error}");
    }
}

#[test]
fn a_packed_file_that_is_replaced_later_is_noticed() {
    let file = Scratch::new(&pack(&disk(), Packing::Zst));
    let disk = Disk::open(&file.packed(Format::Raw, Packing::Zst)).unwrap();
    disk.check_unchanged().unwrap();
    let other = file.path().with_file_name("other");
    fs::write(&other, pack(&noise(512), Packing::Zst)).unwrap();
    fs::rename(other, file.path()).unwrap();
    assert_eq!(disk.check_unchanged().unwrap_err().kind(), Kind::InvalidInput);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_behind_the_magic_make_it_panic(
        which in 0..3_usize,
        changes in proptest::collection::vec((0..2000_usize, any::<u8>()), 1..6),
    ) {
        let packing = [Packing::TarXz, Packing::TarGz, Packing::TarZst][which];
        let mut packed = pack(&noise(2048), packing);
        for (at, value) in changes {
            let at = 6 + at % (packed.len() - 6);
            packed[at] = value;
        }
        if let Err(error) = open(&packed, Format::Raw, packing) {
            prop_assert_eq!(error.kind(), Kind::InvalidInput);
        }
    }
}
