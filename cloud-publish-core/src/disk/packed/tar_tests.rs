//! tar archives byte by byte: each rule once broken, and sparse files in all of GNU's forms.

use proptest::prelude::{ProptestConfig, any, proptest};

use super::Packing;
use crate::disk::format::Format;
use crate::disk::image::Disk;
use crate::disk::testing::{Scratch, noise};
use crate::error::{Error, Kind};

/// A writer of archives that can lie.
pub(super) struct Tar(Vec<u8>);

impl Tar {
    pub(super) fn new() -> Self {
        Self(Vec::new())
    }

    /// A header of a kind, and whatever is behind it, filled to whole blocks.
    fn member(mut self, (kind, name): (u8, &str), size: u64, patches: &[(usize, &[u8])], data: &[u8]) -> Self {
        let mut header = [0; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
        header[148..156].fill(b' ');
        header[156] = kind;
        header[257..265].copy_from_slice(b"ustar\x0000");
        for (at, bytes) in patches {
            header[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        self.0.extend(header);
        self.0.extend(data);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub(super) fn file(self, name: &str, data: &[u8]) -> Self {
        self.member((b'0', name), data.len() as u64, &[], data)
    }

    fn pax(self, records: &[(&str, &str)]) -> Self {
        let text: String = records
            .iter()
            .map(|(key, value)| {
                let rest = format!(" {key}={value}\n");
                let length = (rest.len()..).find(|n| n.to_string().len() + rest.len() == *n).unwrap();
                format!("{length}{rest}")
            })
            .collect();
        self.member((b'x', "PaxHeaders/disk.raw"), text.len() as u64, &[], text.as_bytes())
    }

    /// GNU's old sparse file; pieces behind the fourth go to further blocks.
    fn sparse(self, pieces: &[(u64, u64)], real: u64, data: &[u8]) -> Self {
        let fields = |pieces: &[(u64, u64)]| -> Vec<u8> {
            pieces.iter().flat_map(|(at, length)| format!("{at:011o}\0{length:011o}\0").into_bytes()).collect()
        };
        let (first, more) = pieces.split_at(pieces.len().min(4));
        let mut behind = Vec::new();
        for block in more.chunks(21) {
            behind.extend(fields(block));
            behind.resize(behind.len().next_multiple_of(512), 0);
            let last = behind.len() - 8;
            behind[last] = 1;
        }
        if let Some(last) = behind.len().checked_sub(8) {
            behind[last] = 0;
        }
        let (first, real) = (fields(first), format!("{real:011o}\0"));
        let patches: [(usize, &[u8]); 4] =
            [(257, b"ustar  \0"), (386, &first), (482, &[u8::from(!more.is_empty())]), (483, real.as_bytes())];
        self.member((b'S', "disk.raw"), data.len() as u64, &patches, &[behind.as_slice(), data].concat())
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn open(archive: &[u8]) -> Result<Vec<u8>, Error> {
    let disk = Disk::open(&Scratch::new(archive).packed(Format::Raw, Packing::Tar))?;
    let mut found = vec![9; usize::try_from(disk.virtual_size()).unwrap()];
    disk.read_at(0, &mut found).unwrap();
    Ok(found)
}

#[track_caller]
fn refused(archive: Tar, why: &str) {
    let error = open(&archive.end()).unwrap_err();
    assert_eq!(error.kind(), Kind::InvalidInput);
    assert!(error.message().contains(why), "{error}");
    assert!(error.advice().is_some());
}

/// Pieces of `noise` with holes around them, and the disk that they make.
fn pieces(count: usize) -> (Vec<(u64, u64)>, Vec<u8>, Vec<u8>) {
    let data = noise(count * 1024);
    let mut disk = vec![0; count * 8192 + 4096];
    let map: Vec<(u64, u64)> = (0..count).map(|n| (n as u64 * 8192 + 512, 1024)).collect();
    for ((at, _), piece) in map.iter().zip(data.chunks(1024)) {
        let at = usize::try_from(*at).unwrap();
        disk[at..at + 1024].copy_from_slice(piece);
    }
    (map, data, disk)
}

#[test]
fn directories_and_records_may_be_beside_the_disk() {
    let disk = noise(1536);
    let archive = Tar::new().member((b'5', "./"), 0, &[], &[]).pax(&[("mtime", "1.5"), ("uid", "0")]);
    assert!(open(&archive.file("./disk.raw", &disk).end()).unwrap() == disk);
    let old_kind = Tar::new().member((0, "disk.raw"), 1536, &[], &disk).end();
    assert!(open(&old_kind).unwrap() == disk);
    let padded = [Tar::new().file("disk.raw", &disk).end(), vec![0; 10_240]].concat();
    assert!(open(&padded).unwrap() == disk);
    let renamed = Tar::new().pax(&[("path", "disk.raw"), ("size", "1536")]).member((b'0', "x"), 0, &[], &disk);
    assert!(open(&renamed.end()).unwrap() == disk);
    let binary = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0];
    assert!(open(&Tar::new().member((b'0', "disk.raw"), 0, &[(124, &binary)], &disk).end()).unwrap() == disk);
}

#[test]
fn anything_else_in_the_archive_is_refused_by_name() {
    let disk = || Tar::new().file("disk.raw", &noise(512));
    refused(Tar::new().member((b'5', "./"), 0, &[], &[]), "no file called disk.raw");
    refused(Tar::new().file("disk.img", &noise(512)), "something else");
    refused(Tar::new().file("images/disk.raw", &noise(512)), "something else");
    refused(Tar::new().member((b'0', "disk.raw"), 512, &[(345, b"images")], &noise(512)), "something else");
    refused(Tar::new().pax(&[("path", "other")]).file("disk.raw", &noise(512)), "something else");
    refused(disk().file("README", b"hello"), "something else");
    refused(disk().file("disk.raw", &noise(512)), "two files");
    refused(Tar::new().member((b'1', "disk.raw"), 0, &[(157, b"/etc/passwd")], &[]), "a link");
    refused(Tar::new().member((b'2', "disk.raw"), 0, &[(157, b"/etc/passwd")], &[]), "a link");
    for kind in *b"3467LKAVM" {
        let archive = Tar::new().member((kind, "x"), 0, &[], &[]).file("disk.raw", &noise(512));
        refused(archive, "something else");
    }
    refused(Tar::new().member((b'g', "x"), 0, &[], &[]).file("disk.raw", &noise(512)), "global PAX");
    refused(Tar::new().member((b'5', "x"), 512, &[], &noise(512)), "something else");
    let v7 = Tar::new().member((b'0', "disk.raw"), 512, &[(257, b"ustar\x0099")], &noise(512));
    refused(v7, "before POSIX");
}

#[test]
fn numbers_and_checksums_that_are_wrong_are_refused() {
    for size in [&b"zzzzzzzzzzz\0"[..], b"-0000000001\0", &[0xff; 12], &[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0]] {
        refused(Tar::new().member((b'0', "disk.raw"), 0, &[(124, size)], &noise(512)), "no number");
    }
    let mut archive = Tar::new().file("disk.raw", &noise(512)).end();
    archive[3] ^= 1;
    assert!(open(&archive).unwrap_err().message().contains("checksum"));
    refused(Tar::new().member((b'0', "disk.raw"), u64::MAX >> 32, &[], &noise(512)), "cut off");
    refused(Tar::new().member((b'x', "x"), 2 << 20, &[], &noise(512)), "more than 1 MiB");
    for record in ["x", "99 path=disk.raw\n", "0 path=a\n", "15 path=disk.ra", "18 path-disk.raw  \n", "11 size=-1\n"] {
        refused(Tar::new().member((b'x', "x"), record.len() as u64, &[], record.as_bytes()), "PAX record");
    }
}

#[test]
fn gnu_s_old_sparse_files_become_their_content() {
    for count in [0, 1, 4, 5, 25, 26, 60] {
        let (map, data, disk) = pieces(count);
        let archive = Tar::new().sparse(&map, disk.len() as u64, &data).end();
        assert!(open(&archive).unwrap() == disk, "{count} pieces");
    }
    // GNU tar ends the map with an empty piece at the end of the file.
    let (mut map, data, disk) = pieces(3);
    map.push((disk.len() as u64, 0));
    assert!(open(&Tar::new().sparse(&map, disk.len() as u64, &data).end()).unwrap() == disk);
}

#[test]
fn pax_sparse_files_of_all_versions_become_their_content() {
    let (map, data, disk) = pieces(30);
    let (stored, real) = (data.len() as u64, disk.len().to_string());
    let count = map.len().to_string();
    let numbers: Vec<String> = map.iter().flat_map(|(at, length)| [at.to_string(), length.to_string()]).collect();

    let mut zero: Vec<(&str, &str)> = vec![("GNU.sparse.size", &real), ("GNU.sparse.numblocks", &count)];
    for pair in numbers.chunks(2) {
        zero.extend([("GNU.sparse.offset", pair[0].as_str()), ("GNU.sparse.numbytes", pair[1].as_str())]);
    }
    let archive = Tar::new().pax(&zero).member((b'0', "disk.raw"), stored, &[], &data);
    assert!(open(&archive.end()).unwrap() == disk, "version 0.0");

    let joined = numbers.join(",");
    let one = [("GNU.sparse.size", real.as_str()), ("GNU.sparse.map", &joined), ("GNU.sparse.name", "disk.raw")];
    let archive = Tar::new().pax(&one).member((b'0', "GNUSparseFile.1/disk.raw"), stored, &[], &data);
    assert!(open(&archive.end()).unwrap() == disk, "version 0.1");

    let archive = version_1(&real, &format!("{count}\n{}\n", numbers.join("\n")), &data);
    assert!(open(&archive.end()).unwrap() == disk, "version 1.0");
}

fn version_1(real: &str, map: &str, data: &[u8]) -> Tar {
    let records = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "disk.raw"),
        ("GNU.sparse.realsize", real),
    ];
    let mut stored = map.as_bytes().to_vec();
    stored.resize(stored.len().next_multiple_of(512), 0);
    stored.extend(data);
    Tar::new().pax(&records).member((b'0', "GNUSparseFile.1/disk.raw"), stored.len() as u64, &[], &stored)
}

#[test]
fn maps_that_contradict_themselves_are_refused() {
    let data = noise(1024);
    let sparse = |map: &[(u64, u64)], real| Tar::new().sparse(map, real, &data);
    refused(sparse(&[(512, 512)], 4096), "map of a sparse file");
    refused(sparse(&[(0, 512), (512, 1024)], 4096), "map of a sparse file");
    refused(sparse(&[(1024, 512), (0, 512)], 4096), "map of a sparse file");
    refused(sparse(&[(0, 512), (256, 512)], 4096), "map of a sparse file");
    refused(sparse(&[(0, 512), (4096, 512)], 4096), "map of a sparse file");
    refused(sparse(&[(0, 512), (u64::MAX >> 31, 512)], 4096), "map of a sparse file");
    for (real, map) in [
        ("4096", "1\n0\n512\n"),
        ("4096", "99999999999999999999\n"),
        ("4096", "600000\n"),
        ("4096", "x\n"),
        ("4096", "2\n0\n512\n18446744073709551615\n512\n"),
    ] {
        refused(version_1(real, map, &data), "map of a sparse file");
    }
    let odd = [("GNU.sparse.size", "4096"), ("GNU.sparse.map", "0,512,1024")];
    refused(Tar::new().pax(&odd).file("disk.raw", &data), "map of a sparse file");
    let both = Tar::new().pax(&[("GNU.sparse.size", "4096"), ("GNU.sparse.map", "0,1024")]);
    refused(both.sparse(&[(0, 1024)], 1024, &data), "two ways");
}

#[test]
fn a_map_without_end_is_refused_before_it_fills_the_memory() {
    // One block of the map, again and again: each says that another one follows.
    let mut block = Vec::new();
    (0..21).for_each(|_| block.extend(b"00000000000\x0000000000000\0"));
    block.resize(512, 0);
    block[504] = 1;
    let endless = block.repeat(25_000);
    let patches: [(usize, &[u8]); 2] = [(257, b"ustar  \0"), (482, &[1])];
    let archive = Tar::new().member((b'S', "disk.raw"), 0, &patches, &endless);
    refused(archive, "map of a sparse file");
}

#[test]
fn a_huge_hole_takes_no_time_and_no_room_before_it_is_refused() {
    let archive = Tar::new().sparse(&[(0, 512)], 1 << 32, &noise(512)).end();
    let source = Scratch::new(&archive);
    let mut source_of = source.packed(Format::Raw, Packing::Tar);
    source_of.max_size = 1 << 30;
    assert!(Disk::open(&source_of).unwrap_err().message().contains("unpacks to more"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_header_however_odd_makes_it_panic(
        kind in proptest::sample::select(b"0S57x".to_vec()),
        changes in proptest::collection::vec((100_usize..512, any::<u8>()), 0..8),
    ) {
        let changes: Vec<(usize, [u8; 1])> = changes.into_iter().map(|(at, byte)| (at, [byte])).collect();
        let sound: [(usize, &[u8]); 3] =
            [(257, b"ustar  \0"), (386, b"00000000000\x0000000002000\0"), (483, b"00000002000\0")];
        let patches: Vec<(usize, &[u8])> =
            sound.into_iter().chain(changes.iter().map(|(at, byte)| (*at, byte.as_slice()))).collect();
        // The checksum is right, whatever it sums up.
        let archive = Tar::new().member((kind, "disk.raw"), 1024, &patches, &noise(1024)).end();
        let _ = open(&archive);
    }

    #[test]
    fn no_pax_record_however_odd_makes_it_panic(value in "[0-9,=\\n A-Za-z.]{0,60}", key in 0..8_usize) {
        let keys = ["path", "size", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.offset", "GNU.sparse.major", "x", ""];
        let records = [("GNU.sparse.size", "4096"), (keys[key], value.as_str())];
        let _ = open(&Tar::new().pax(&records).file("disk.raw", &noise(1024)).end());
        let raw = Tar::new().member((b'x', "x"), value.len() as u64, &[], value.as_bytes());
        let _ = open(&raw.file("disk.raw", &noise(1024)).end());
    }
}
