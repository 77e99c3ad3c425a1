//! Known bad inputs: the command refuses each by name, quickly, and publishes nothing.
//!
//! A case says how its file is made: a good one (`base`, or `qemu` with the arguments of qemu-img), and what is put where.
//! Places are numbers or names of the format's own tables, so that a case reads like the rule that it breaks. What a
//! target found belongs here as well.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;

use cloud_publish_core::digest::hex;
use cloud_publish_core::disk::{Disk, DiskSource, Format};
use cloud_publish_tests::measure;
use cloud_publish_tests::site::{Artifact, RELEASE, Site};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::disks::tool;
use crate::gpt;
use crate::harness::{CANARY, SECRET, alone, folder_with_canaries};
use crate::input::Input;
use crate::memory::{MOST, peak_of};
use crate::opened::Opened;

/// The whole program, in KiB; it is less than half of this for a good image.
const MEMORY: u64 = 64 << 10;

/// The same for a text of 1 MiB, of which TOML's parser makes eighty at worst.
const TEXT_MEMORY: u64 = 128 << 10;

const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.local]
provider = "local"
path = "public"
"#;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(default)]
    disk: Vec<DiskCase>,
    #[serde(default)]
    text: Vec<TextCase>,
}

/// A disk image.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DiskCase {
    name: String,
    format: Format,
    /// A good disk (`gpt`, `gpt-4096`, `qcow2`), bytes of no meaning (`noise`), nothing, or what is no file at all.
    #[serde(default)]
    base: String,
    /// Arguments of qemu-img, instead: each a command that writes `disk`.
    #[serde(default)]
    qemu: Vec<String>,
    #[serde(default)]
    patch: Vec<Patch>,
    /// Makes the checksums of a GPT right again.
    #[serde(default)]
    repair: bool,
    /// The length that the file then gets, in bytes.
    length: Option<u64>,
    /// What the command must say.
    says: String,
}

/// Bytes at a place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Patch {
    at: At,
    #[serde(default)]
    plus: u64,
    be32: Option<u32>,
    be64: Option<u64>,
    le32: Option<u32>,
    le64: Option<u64>,
    text: Option<String>,
    /// Numbers of one byte each.
    bytes: Option<Vec<u8>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum At {
    Byte(u64),
    Named(String),
}

/// A file that a person writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextCase {
    name: String,
    /// Its path in the folder of publish.toml.
    file: String,
    content: String,
    /// How often what follows is repeated between the content and the end.
    #[serde(default)]
    times: usize,
    #[serde(default)]
    repeated: String,
    #[serde(default)]
    end: String,
    says: String,
}

/// The place of a named table in an image.
fn named(name: &str, input: &Input) -> u64 {
    let entry = |at: u64| u64::from_be_bytes(input.get(at)) & 0x00ff_ffff_ffff_fe00;
    let (l1, refcounts) = (entry(40), entry(48));
    match name {
        "l1" => l1,
        "l2" => entry(l1),
        "data" => entry(entry(l1)),
        "refcount-table" => refcounts,
        "refcount-block" => entry(refcounts),
        "end" => input.bytes.len() as u64,
        "gpt" => 512,
        "gpt-list" => 1024,
        "gpt-backup" => input.bytes.len() as u64 - 512,
        other => panic!("there is no place {other}"),
    }
}

impl Patch {
    fn bytes(&self) -> Vec<u8> {
        let all = [
            self.be32.map(|number| number.to_be_bytes().to_vec()),
            self.be64.map(|number| number.to_be_bytes().to_vec()),
            self.le32.map(|number| number.to_le_bytes().to_vec()),
            self.le64.map(|number| number.to_le_bytes().to_vec()),
            self.text.clone().map(String::into_bytes),
            self.bytes.clone(),
        ];
        all.into_iter().flatten().next().expect("something to put")
    }

    fn put(&self, input: &mut Input) {
        let at = match &self.at {
            At::Byte(at) => *at,
            At::Named(name) => named(name, input),
        };
        input.put(usize::try_from(at + self.plus).unwrap(), &self.bytes());
    }
}

impl DiskCase {
    /// Makes the file, whatever it is.
    fn make(&self, place: &Path) {
        let folder = place.parent().unwrap();
        match self.base.as_str() {
            "fifo" => return mknodat(CWD, place, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap(),
            "directory" => return fs::create_dir(place).unwrap(),
            "link-to-itself" => return symlink("disk", place).unwrap(),
            "link-to-device" => return symlink("/dev/zero", place).unwrap(),
            "missing" => return,
            _ => {}
        }
        let gpt = gpt::disk(512).bytes;
        let mut input = match self.base.as_str() {
            "" if self.qemu.is_empty() => Input::default(),
            "gpt" => Input::new(gpt),
            "gpt-4096" => gpt::disk(4096),
            "noise" => Input::new(b"neither this nor that".repeat(1000).split_at(16 << 10).0),
            base => {
                let source = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
                let raw = source.path().join("raw");
                fs::write(&raw, gpt).unwrap();
                let plain = ["convert -f raw -O qcow2 -o cluster_size=4k RAW disk".to_owned()];
                let commands = if base == "qcow2" { &plain[..] } else { &self.qemu };
                for command in commands {
                    let command = command.replace("RAW", raw.to_str().unwrap());
                    tool("qemu-img", &command.split_whitespace().collect::<Vec<_>>(), folder);
                }
                Input::new(fs::read(place).unwrap())
            }
        };
        self.patch.iter().for_each(|patch| patch.put(&mut input));
        if self.repair {
            gpt::repair(&mut input);
        }
        fs::write(place, &input.bytes).unwrap();
        if let Some(length) = self.length {
            File::options().write(true).open(place).unwrap().set_len(length).unwrap();
        }
    }

    fn check(&self) {
        let (canaries, folder) = (folder_with_canaries(), TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
        let site = Site::new(folder.path(), CONFIG);
        for entry in fs::read_dir(canaries.path()).unwrap() {
            let path = entry.unwrap().path();
            fs::rename(&path, site.release_file(path.file_name().unwrap().to_str().unwrap())).unwrap();
        }
        let place = site.release_file("disk");
        self.make(&place);
        let small = fs::metadata(&place).is_ok_and(|found| found.is_file() && found.len() < 32 << 20);
        let digest = if small { hex(&Sha256::digest(fs::read(&place).unwrap())) } else { "0".repeat(64) };
        let format = self.format.as_str();
        let artifact = Artifact { variant: "generic", file: "disk", format, boot: "uefi", build_manifest: None };
        site.add_by_sha256(artifact, &digest);
        let opened = Opened::watch(&site.path("releases"));
        for line in ["check", "--release bookworm-20240101 --to local --no-progress"] {
            self.refused(&site, line, &opened);
        }
    }

    fn refused(&self, site: &Site, line: &str, opened: &Opened) {
        let ended = measure::run(&site.command(line));
        let (name, err) = (&self.name, &ended.err);
        assert_eq!(ended.code, 2, "{name}: publish {line}\n{err}");
        assert!(err.contains(&self.says), "{name}: publish {line} does not say `{}`\n{err}", self.says);
        assert!(!err.as_bytes().windows(SECRET.len()).any(|part| part == SECRET), "{name}: shows another file\n{err}");
        assert!(ended.used.memory() < MEMORY, "{name}: publish {line} took {} KiB", ended.used.memory());
        let names = opened.names();
        assert!(!names.iter().any(|file| file.starts_with(CANARY)), "{name}: publish {line} opened {names:?}");
        assert!(
            names.iter().filter(|file| *file == "disk").count() <= 1,
            "{name}: opened again by its name: {names:?}"
        );
        assert!(!site.path("public").exists(), "{name}: publish {line} left something");
    }

    /// Of the process that reads it, to the byte.
    fn takes_little_memory(&self) {
        let folder = folder_with_canaries();
        let place = folder.path().join("disk");
        self.make(&place);
        let (_, peak) = peak_of(|| Disk::open(&DiskSource::new(&place, self.format)).map(drop));
        assert!(peak < MOST, "{} takes {} MiB", self.name, peak >> 20);
    }
}

impl TextCase {
    fn check(&self) {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let site = Site::new(folder.path(), CONFIG);
        let content = [&self.content, &self.repeated.repeat(self.times), &self.end].map(String::as_str).concat();
        fs::write(site.path(&self.file), content).unwrap();
        if self.file == "clouds.yaml" {
            let more = "[target.openstack]\nprovider = \"openstack\"\ncloud = \"mycloud\"\n";
            fs::write(site.path("publish.toml"), format!("{CONFIG}{more}")).unwrap();
        }
        let mut command = site.command("check");
        command.env("OS_CLIENT_CONFIG_FILE", site.path("clouds.yaml"));
        let ended = measure::run(&command);
        let (name, err) = (&self.name, &ended.err);
        println!("{name}: {:?}", ended.used);
        assert_eq!(ended.code, 2, "{name}\n{err}");
        assert!(err.contains(&self.says), "{name}: it does not say `{}`\n{err}", self.says);
        assert!(ended.used.memory() < TEXT_MEMORY, "{name}: took {} KiB", ended.used.memory());
    }
}

fn cases(text: &str) -> Cases {
    toml::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn check_disks(text: &str) {
    let cases = cases(text).disk;
    assert!(!cases.is_empty());
    let _alone = alone();
    cases.iter().for_each(DiskCase::check);
    cases.iter().for_each(DiskCase::takes_little_memory);
}

#[test]
#[ignore = "needs qemu-img and the binary; tests/run runs it"]
fn every_bad_qcow2_image_of_the_corpus_is_refused_by_name() {
    check_disks(include_str!("corpus/qcow2.toml"));
}

#[test]
#[ignore = "needs the binary; tests/run runs it"]
fn every_bad_raw_disk_of_the_corpus_is_refused_by_name() {
    check_disks(include_str!("corpus/raw.toml"));
}

#[test]
#[ignore = "needs the binary; tests/run runs it"]
fn every_bad_text_of_the_corpus_is_refused_by_name() {
    let cases = cases(include_str!("corpus/text.toml")).text;
    assert!(!cases.is_empty());
    let _alone = alone();
    cases.iter().for_each(TextCase::check);
}

#[test]
#[ignore = "needs qemu-img and the binary; tests/run runs it"]
fn the_disks_that_cases_are_made_of_are_published() {
    for (base, format) in [("gpt", Format::Raw), ("gpt-4096", Format::Raw), ("qcow2", Format::Qcow2)] {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let site = Site::new(folder.path(), CONFIG);
        let case = format!("name = \"good\"\nformat = \"{format}\"\nbase = \"{base}\"\nsays = \"\"");
        toml::from_str::<DiskCase>(&case).unwrap().make(&site.release_file("disk"));
        let (format, boot) = (format.as_str(), "uefi");
        site.add(Artifact { variant: "generic", file: "disk", format, boot, build_manifest: None });
        let ran = site.run(&format!("--release {RELEASE} --to local --json --quiet")).expect(0);
        assert_eq!(ran.summary()["outcome"], "complete");
    }
}
