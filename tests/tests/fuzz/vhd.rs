//! Fixed VHD: a good footer with other numbers in it, and those of VHDs that are not fixed.

use std::fs;

use cloud_publish_core::disk::{DiskSource, Format};

use crate::disks::{read, tool};
use crate::gpt;
use crate::harness::{Target, folder_with_canaries};
use crate::input::{Field, Grammar, Input};
use crate::memory::MOST;

/// Place and width of the numbers in the footer, which is also at the begin of a dynamic one.
const FOOTER: [(usize, usize); 16] = [
    (0, 8),
    (8, 4),
    (12, 4),
    (16, 8),
    (24, 4),
    (28, 4),
    (32, 4),
    (36, 4),
    (40, 8),
    (48, 8),
    (56, 4),
    (60, 4),
    (64, 4),
    (68, 8),
    (84, 1),
    (85, 4),
];

fn footer(input: &Input) -> usize {
    input.bytes.len().saturating_sub(512)
}

fn fields(input: &Input) -> Vec<Field> {
    let footer = footer(input);
    let at = |(at, width): (usize, usize)| Field { at: footer + at, width, big_endian: true };
    FOOTER.into_iter().map(at).chain(FOOTER.map(|(at, width)| Field { at, width, big_endian: true })).collect()
}

/// Makes the checksum of the footer right.
fn repair(input: &mut Input) {
    let footer = footer(input);
    input.put(footer + 64, &[0; 4]);
    let sum: u32 = input.bytes.iter().skip(footer).map(|byte| u32::from(*byte)).sum();
    input.put(footer + 64, &(!sum).to_be_bytes());
}

#[test]
#[ignore = "needs qemu-img; tests/run runs it"]
fn a_vhd_may_say_anything() {
    let (folder, made) = (folder_with_canaries(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
    fs::write(made.path().join("raw"), gpt::disk(512).bytes).unwrap();
    let options = ["subformat=fixed,force_size=on", "subformat=fixed", "subformat=dynamic,force_size=on"];
    let seeds = options.map(|options| {
        tool("qemu-img", &["convert", "-f", "raw", "-O", "vpc", "-o", options, "raw", "vhd"], made.path());
        Input::new(fs::read(made.path().join("vhd")).unwrap())
    });
    let target = Target {
        name: "vhd",
        files: &["disk"],
        seeds: seeds.into(),
        grammar: Grammar::Binary { fields, repair },
        memory: MOST,
        read: &|path| read(&DiskSource::new(path, Format::Vhd)),
    };
    target.run(folder.path());
}
