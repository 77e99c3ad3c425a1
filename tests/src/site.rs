//! A folder with `publish.toml` and one release, as a release manager has it, and what the binary did there. Knows no
//! cloud.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::{foreign, publish};

/// The release of every site.
pub const RELEASE: &str = "bookworm-20240101";

const MANIFEST: &str = r#"schema = 1
name = "bookworm-20240101"
suite = "bookworm"
suite_id = "12"
version = "20240101-1614"
class = "release"
date = 2024-01-01T00:00:00Z
build_job = "https://ci.example.org/jobs/1"
"#;

/// The folder.
#[derive(Debug)]
pub struct Site {
    folder: PathBuf,
}

/// One `[[artifact]]` of the release, for amd64.
#[derive(Debug, Clone, Copy)]
pub struct Artifact<'a> {
    /// The variant.
    pub variant: &'a str,
    /// The name of the disk image in the releases folder, where it is already.
    pub file: &'a str,
    /// `raw` or `qcow2`.
    pub format: &'a str,
    /// `uefi`, `uefi-preferred` or `bios`.
    pub boot: &'a str,
    /// The name of its build manifest in the releases folder.
    pub build_manifest: Option<&'a str>,
}

impl Site {
    /// Writes `publish.toml` and the head of the release manifest into a folder, which must be empty or absent.
    ///
    /// # Panics
    /// If they cannot be written.
    pub fn new(folder: &Path, config: &str) -> Self {
        let site = Self { folder: folder.to_owned() };
        fs::create_dir_all(site.path("releases")).expect("a folder for releases");
        fs::write(site.path("publish.toml"), config).expect("a written publish.toml");
        fs::write(site.manifest(), MANIFEST).expect("a written manifest");
        site
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A path in the releases folder.
    pub fn release_file(&self, name: &str) -> PathBuf {
        self.path("releases").join(name)
    }

    /// Adds an artifact to the release manifest.
    ///
    /// # Panics
    /// If its file is not there.
    pub fn add(&self, artifact: Artifact<'_>) {
        let sha512 = foreign::sha512(&self.release_file(artifact.file));
        self.write(artifact, &format!("sha512 = \"{sha512}\""));
    }

    /// Adds an artifact with this digest and no other.
    ///
    /// # Panics
    /// If the manifest cannot be written.
    pub fn add_by_sha256(&self, artifact: Artifact<'_>, sha256: &str) {
        self.write(artifact, &format!("sha256 = \"{sha256}\""));
    }

    fn write(&self, artifact: Artifact<'_>, digest: &str) {
        let Artifact { variant, file, format, boot, build_manifest } = artifact;
        let build = build_manifest.map(|name| format!("build_manifest = \"{name}\"\n")).unwrap_or_default();
        let known = fs::read_to_string(self.manifest()).expect("the manifest");
        let text = format!(
            "{known}\n[[artifact]]\nvariant = \"{variant}\"\narch = \"amd64\"\nfile = \"{file}\"\n\
             format = \"{format}\"\n{digest}\nboot = \"{boot}\"\n{build}"
        );
        fs::write(self.manifest(), text).expect("a written manifest");
    }

    /// Prepares to run `publish` with these words, separated by blanks, in the folder.
    pub fn command(&self, line: &str) -> Command {
        let mut command = publish::command();
        command.args(line.split_whitespace()).current_dir(&self.folder).stdin(Stdio::null());
        command
    }

    /// Runs `publish` with these words.
    ///
    /// # Panics
    /// If it cannot be started.
    pub fn run(&self, line: &str) -> Ran {
        let mut command = self.command(line);
        Ran::of(&command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}")))
    }

    fn manifest(&self) -> PathBuf {
        self.release_file(&format!("{RELEASE}.toml"))
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Ran {
    /// The exit code; nothing when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// Of a program that has ended.
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Every line of standard output as JSON.
    ///
    /// # Panics
    /// If one is none.
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.out.lines().map(parse).collect()
    }

    /// The last line of `--json`.
    ///
    /// # Panics
    /// If it is not the summary.
    pub fn summary(&self) -> Value {
        let last = self.lines().pop().unwrap_or_else(|| panic!("nothing on standard output: {}", self.err));
        assert_eq!(last["event"], "summary", "{last}");
        last
    }

    /// Asserts that it ended with this exit code.
    ///
    /// # Panics
    /// If it did not, showing what it printed.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "standard output:\n{}\nstandard error:\n{}", self.out, self.err);
        self
    }
}
