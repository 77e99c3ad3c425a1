//! qcow2: images that QEMU wrote, with other numbers in their header and tables.

use std::fs;
use std::path::Path;

use cloud_publish_core::disk::{DiskSource, Format};

use crate::disks::{read, tool};
use crate::harness::{CANARY, FIFO, Target, folder_with_canaries};
use crate::input::{Field, Grammar, Input};
use crate::memory::MOST;

/// Place and width of every number in the header of version 3 and in the first extensions.
const HEADER: [(usize, usize); 21] = [
    (4, 4),
    (8, 8),
    (16, 4),
    (20, 4),
    (24, 8),
    (32, 4),
    (36, 4),
    (40, 8),
    (48, 8),
    (56, 4),
    (60, 4),
    (64, 8),
    (72, 8),
    (80, 8),
    (88, 8),
    (96, 4),
    (100, 4),
    (104, 1),
    (104, 4),
    (108, 4),
    (112, 4),
];

/// How many entries at the beginning of each table are changed.
const ENTRIES: u64 = 16;

fn fields(input: &Input) -> Vec<Field> {
    let mut fields: Vec<Field> = HEADER.map(|(at, width)| Field { at, width, big_endian: true }).into();
    let offset = |at: u64| u64::from_be_bytes(input.get(at)) & 0x00ff_ffff_ffff_fe00;
    let (l1, refcounts) = (offset(40), offset(48));
    let l2_tables = (0..ENTRIES).map(|index| offset(l1.wrapping_add(index * 8))).filter(|table| *table != 0);
    for table in [l1, refcounts].into_iter().chain(l2_tables) {
        let Ok(at) = usize::try_from(table) else { continue };
        let entries =
            (0..ENTRIES as usize).map(|index| Field { at: at.saturating_add(index * 8), width: 8, big_endian: true });
        fields.extend(entries.filter(|field| field.at < input.bytes.len()));
    }
    fields
}

/// What is known of the format.
pub(crate) fn grammar() -> Grammar {
    Grammar::Binary { fields, repair: |_| {} }
}

/// Images of all kinds that QEMU writes, those that nobody may publish too.
pub(crate) fn seeds(canaries: &Path) -> Vec<Input> {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let random: Vec<u8> = (0_u32..20_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let disk = [&vec![0; 64 << 10], &random[..], &vec![0; 100 << 10], &b"text ".repeat(9000)[..]].concat();
    let mut disk = Input::new(disk);
    disk.put((256 << 10) - 1, &[1]);
    fs::write(folder.path().join("raw"), &disk.bytes).unwrap();
    let (canary, fifo) = (canaries.join(CANARY), canaries.join(FIFO));
    let (canary, fifo) = (canary.to_str().unwrap(), fifo.to_str().unwrap());
    let converted = ["cluster_size=512", "cluster_size=4k,compat=0.10", "cluster_size=64k"];
    let made = [
        "compat=1.1".to_owned(),
        format!("cluster_size=512,backing_file={canary},backing_fmt=raw"),
        format!("cluster_size=512,data_file={canary}.data,data_file_raw=on"),
        format!("cluster_size=16k,backing_file={fifo},backing_fmt=raw"),
        "cluster_size=16k,extended_l2=on".to_owned(),
        "cluster_size=4k,compression_type=zstd".to_owned(),
    ];
    let mut seeds = Vec::new();
    let mut take = || seeds.push(Input::new(fs::read(folder.path().join("qcow2")).unwrap()));
    for (options, compressed) in converted.iter().flat_map(|options| [(options, None), (options, Some("-c"))]) {
        let arguments = ["convert", "-f", "raw", "-O", "qcow2", "-o", options].into_iter().chain(compressed);
        tool("qemu-img", &arguments.chain(["raw", "qcow2"]).collect::<Vec<_>>(), folder.path());
        take();
    }
    for options in &made {
        // Without opening what it names (-u).
        tool("qemu-img", &["create", "-u", "-f", "qcow2", "-o", options, "qcow2", "1M"], folder.path());
        take();
    }
    tool("qemu-img", &["snapshot", "-c", "first", "qcow2"], folder.path());
    take();
    seeds
}

#[test]
#[ignore = "needs qemu-img; tests/run runs it"]
fn a_qcow2_image_may_say_anything() {
    let folder = folder_with_canaries();
    let target = Target {
        name: "qcow2",
        files: &["disk"],
        seeds: seeds(folder.path()),
        grammar: grammar(),
        memory: MOST,
        read: &|path| read(&DiskSource::new(path, Format::Qcow2)),
    };
    target.run(folder.path());
}
