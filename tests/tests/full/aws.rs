//! The upload to AWS beside coldsnap's, Amazon's own client of EBS direct, on the 3 GiB image.
//!
//! Both speak to this package's fake AWS, which keeps what it gets in memory and takes no time of its own. What is
//! compared is the upload alone: `publish` also verifies the image before the first byte, which `publish check` does too,
//! so the one is taken off the other.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;

use cloud_publish_tests::aws::{ACCOUNT, FakeAws, REGION, Settings};
use cloud_publish_tests::aws_clients;
use cloud_publish_tests::aws_site::lead;
use cloud_publish_tests::images::{self, ImageFile};
use cloud_publish_tests::measure::{Used, measure};
use cloud_publish_tests::site::{Artifact, Site};
use serde_json::{Value, json};

const BLOCK: usize = 512 << 10;

const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.aws]
provider = "aws"
home_region = "us-east-1"
"#;

pub(crate) const LINE: &str = "--release bookworm-20240101 --to aws --no-progress";

/// An upload, and the blocks that it has sent.
struct Uploaded {
    used: Used,
    blocks: BTreeSet<String>,
    requests: usize,
}

/// Everything that takes time in a world.
pub(crate) const DELAYS: [&str; 9] = [
    "snapshot_completion",
    "image_available",
    "copy",
    "import",
    "snapshot_visible",
    "image_visible",
    "block_public_access",
    "change_set",
    "parameter_validation",
];

/// A world in which nothing takes time, with some other settings replaced as JSON merge patch does.
pub(crate) fn world(patch: Value) -> FakeAws {
    let none: serde_json::Map<_, _> = DELAYS.map(|delay| (delay.to_owned(), json!(0))).into_iter().collect();
    let quick = Settings::default().merged(json!({"delays": none, "page_size": 1000}));
    FakeAws::start(quick.and_then(|settings| settings.merged(patch)).unwrap()).for_foreign_clients()
}

/// Runs a program against a world of its own.
fn upload(command: impl FnOnce(&FakeAws) -> Command) -> Uploaded {
    let fake = world(json!({}));
    let mut command = command(&fake);
    lead(&mut command, &fake, ACCOUNT);
    let used = measure(&command);
    let mut puts = fake.world.requests();
    puts.retain(|entry| entry.operation == "PutSnapshotBlock");
    let block = |uri: &str| uri.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    Uploaded { used, blocks: puts.iter().map(|entry| block(&entry.uri)).collect(), requests: puts.len() }
}

fn publish_uploads(image: &ImageFile) -> Uploaded {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let site = site(folder.path(), image, CONFIG);
    upload(|_| site.command(LINE))
}

fn coldsnap_uploads(image: &ImageFile) -> Uploaded {
    upload(|fake| {
        let mut command = Command::new(aws_clients::coldsnap());
        command.args(["--region", REGION, "--endpoint", &fake.url]);
        command.args(["upload", "--no-progress", "--omit-zero-blocks", "--wait"]).arg(&image.path);
        command
    })
}

/// A folder from which a raw image is published, of which the manifest says only the sha256.
pub(crate) fn site(folder: &Path, image: &ImageFile, config: &str) -> Site {
    let site = Site::new(folder, config);
    let (place, boot) = (site.release_file("disk.raw"), "uefi-preferred");
    fs::hard_link(&image.path, &place).or_else(|_| fs::copy(&image.path, &place).map(drop)).unwrap();
    let artifact = Artifact { variant: "generic", file: "disk.raw", format: "raw", boot, build_manifest: None };
    site.add_by_sha256(artifact, &image.sha256);
    site
}

/// How many blocks of a file are not zeros.
fn blocks_of_data(image: &Path) -> usize {
    let (file, size) = (File::open(image).unwrap(), fs::metadata(image).unwrap().len());
    let mut block = vec![0; BLOCK];
    let is_data = |start: &usize| {
        let length = BLOCK.min(usize::try_from(size).unwrap() - start);
        file.read_exact_at(&mut block[..length], *start as u64).unwrap();
        block[..length].iter().any(|byte| *byte != 0)
    };
    (0..usize::try_from(size).unwrap()).step_by(BLOCK).filter(is_data).count()
}

fn thrice(what: impl Fn() -> Uploaded) -> (Used, Uploaded) {
    let runs = [what(), what(), what()];
    let median = Used::median(&runs.each_ref().map(|run| run.used));
    let [first, ..] = runs;
    (median, first)
}

/// Times are printed for people to compare: machines differ. What is sent and the memory do not depend on the machine.
#[test]
#[ignore = "needs the image and the coldsnap that tests/run --full builds"]
fn benchmark_of_the_upload_to_aws_beside_coldsnap() {
    let image = images::big().raw;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let checked = site(folder.path(), &image, CONFIG);
    let check = Used::median(&[(); 3].map(|()| measure(&checked.command("check"))));
    let (ours, sent) = thrice(|| publish_uploads(&image));
    let (theirs, coldsnap) = thrice(|| coldsnap_uploads(&image));
    println!("\n{:<36}{:>10}{:>10}{:>12}{:>10}", "3 GiB raw, median of 3", "wall s", "CPU s", "memory MiB", "blocks");
    for (what, used, blocks) in [
        ("publish --to aws", ours, sent.requests),
        ("publish check", check, 0),
        ("coldsnap upload --omit-zero-blocks", theirs, coldsnap.requests),
    ] {
        let (wall, cpu, memory) = (used.wall().as_secs_f64(), used.cpu().as_secs_f64(), used.memory() >> 10);
        println!("{what:<36}{wall:>10.2}{cpu:>10.2}{memory:>12}{blocks:>10}");
    }
    let alone = |figure: fn(Used) -> std::time::Duration| figure(ours).saturating_sub(figure(check)).as_secs_f64();
    let ratio = |figure: fn(Used) -> std::time::Duration| alone(figure) / figure(theirs).as_secs_f64();
    println!("upload alone, of coldsnap's: wall {:.2}, CPU {:.2}", ratio(Used::wall), ratio(Used::cpu));
    assert_eq!((sent.blocks.len(), sent.requests), (blocks_of_data(&image.path), sent.blocks.len()));
    assert!(ours.memory() < 96 << 10, "{} KiB", ours.memory());
}
