//! A folder in which the binary runs, and what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// The release of every test.
pub(crate) const RELEASE: &str = "bookworm-20240101";

const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.local]
provider = "local"
path = "public"
"#;

const MANIFEST: &str = r#"schema = 1
name = "bookworm-20240101"
suite = "bookworm"
suite_id = "12"
version = "20240101-1614"
class = "release"
date = 2024-01-01T00:00:00Z
"#;

/// The size of each disk.
const DISK: usize = 1 << 20;

/// A folder with publish.toml and `releases/`.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    /// A release of one image, `generic` for `amd64`.
    pub(crate) fn new() -> Self {
        Self::with_variants(&["generic"])
    }

    /// A release of one image for each variant.
    pub(crate) fn with_variants(variants: &[&str]) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.path("releases")).unwrap();
        place.write("publish.toml", CONFIG);
        let mut manifest = MANIFEST.to_owned();
        for variant in variants {
            let disk = disk(variant);
            fs::write(place.path(&format!("releases/{variant}.raw")), &disk).unwrap();
            let digest = hex(&Sha256::digest(&disk));
            write!(
                manifest,
                "[[artifact]]\nvariant = \"{variant}\"\narch = \"amd64\"\nfile = \"{variant}.raw\"\nformat = \"raw\"\n\
                 sha256 = \"{digest}\"\nboot = \"bios\"\n"
            )
            .unwrap();
        }
        place.write(&format!("releases/{RELEASE}.toml"), &manifest);
        place
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Appends to publish.toml.
    pub(crate) fn configure(&self, more: &str) {
        let text = fs::read_to_string(self.path("publish.toml")).unwrap();
        self.write("publish.toml", &format!("{text}{more}"));
    }

    /// Replaces a text of a file, which must be there.
    pub(crate) fn replace(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        self.write(name, &text.replace(from, to));
    }

    /// The command in this folder, with nothing of the caller's environment that could change what it prints.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_publish"));
        command.args(line.split_whitespace()).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "OS_CLIENT_CONFIG_FILE", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        command.env("HOME", self.folder.path());
        command
    }

    /// Runs the command.
    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().unwrap())
    }

    /// Publishes, which must succeed.
    pub(crate) fn publish(&self) -> Ran {
        let ran = self.run(&format!("--release {RELEASE} --to local"));
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran
    }

    /// Every file of the folder with its digest, every folder with none.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        let mut tree = BTreeMap::new();
        walk(self.folder.path(), self.folder.path(), &mut tree);
        tree
    }

    /// Fails when a file or folder came, went or changed since `before`, and names it.
    pub(crate) fn assert_unchanged(&self, before: &BTreeMap<String, String>) {
        let after = self.tree();
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let changed: Vec<&String> = names.into_iter().filter(|name| before.get(*name) != after.get(*name)).collect();
        assert!(changed.is_empty(), "changed: {changed:?}");
    }

    /// Exit code, standard output and standard error in one text, without what differs from run to run.
    pub(crate) fn shown(&self, ran: &Ran) -> String {
        let folder = fs::canonicalize(self.folder.path()).unwrap();
        let text = format!("exit: {}\n-- stdout\n{}-- stderr\n{}", ran.code, ran.out, ran.err);
        text.replace(folder.to_str().unwrap(), "[FOLDER]")
    }
}

/// What a run came to.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or_else(|| panic!("ended by a signal: {:?}", output.status)),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines of standard output as JSON; each must be an object.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    }

    /// The last line of standard output, which must be the summary.
    pub(crate) fn summary(&self) -> serde_json::Value {
        let summary = self.events().pop().unwrap();
        assert_eq!(summary.get("event").unwrap(), "summary");
        summary
    }
}

/// Compares with an inline snapshot, with times and digests filtered.
macro_rules! assert_shown {
    ($place:expr, $ran:expr, @$snapshot:literal) => {
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"\d+\.\d s\b", "[TIME]");
        settings.add_filter(r"\b[0-9a-f]{64}\b", "[HEX]");
        settings.add_filter(r"\b\d{4}-\d\d-\d\dT[\d:]+\.\d+Z", "[NOW]");
        settings.bind(|| insta::assert_snapshot!($place.shown(&$ran), @$snapshot));
    };
}
pub(crate) use assert_shown;

/// A disk that differs from others, with holes.
fn disk(variant: &str) -> Vec<u8> {
    let mut disk = vec![0; DISK];
    let text = variant.repeat(1000);
    disk.iter_mut().skip(DISK / 2).zip(text.bytes()).for_each(|(to, from)| *to = from);
    disk
}

fn walk(folder: &Path, top: &Path, tree: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(top).unwrap().to_str().unwrap().to_owned();
        if path.is_symlink() {
            tree.insert(name, fs::read_link(&path).unwrap().display().to_string());
        } else if path.is_dir() {
            tree.insert(name, String::new());
            walk(&path, top, tree);
        } else {
            tree.insert(name, hex(&Sha256::digest(fs::read(&path).unwrap())));
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
