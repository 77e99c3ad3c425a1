//! A folder as Debian's image builds leave it, made into a release manifest.
//!
//! # What is read
//! - Image files, by their ending: `.raw`, `.qcow2`, `.vhd`, each also with `.xz`, `.gz` or `.zst`, and `.tar`,
//!   `.tar.xz`, `.tar.gz`, `.tar.zst` around one `disk.raw`.
//! - Build manifests (`NAME.json`, `NAME.build.json`): a `Build`, or a `List` of one `Build` and an `Upload` for each
//!   file, as <https://salsa.debian.org/cloud-team/debian-cloud-images> writes them. Other JSON is passed by.
//! - `SHA512SUMS`, as `sha512sum` writes it.
//!
//! # What comes of it
//! | key | from |
//! |---|---|
//! | `suite` | `release` of the build; `bookworm` with the id `12-backports` on the base `12` is `bookworm-backports` |
//! | `suite_id`, `version`, `variant`, `arch` | `release_id`, `version`, `vendor`, `arch` of the build |
//! | `class` | the label `upload.cloud.debian.org/type`; a build of type `dev` is `dev`; else it has to be said |
//! | `date` | midnight UTC of the day with which the version begins; else it has to be said |
//! | `name` | suite, class and version: `bookworm-20240101-1614`, `bookworm-daily-20240102-1615` |
//! | `file`, `format`, `packed` | of the files of one build, which hold one disk: qcow2, else raw, else vhd, else what is packed |
//! | `sha512` | `SHA512SUMS` and the annotation `cloud.debian.org/digest`, which have to agree |
//! | `boot` | what the disk has: an EFI system partition, BIOS boot code, or both. Of a disk that was not opened or has neither: amd64 both, arm64, armhf, loong64 and riscv64 UEFI, all others not UEFI |
//! | `build_manifest` | the build manifest itself |
//! | `outside_suite` | the build's packages that are not in the given [`PackageIndex`] |
//!
//! Nothing of a build manifest is lost: labels, packages and whatever else it says stay in the file that
//! `build_manifest` names, which is published with the image.
//!
//! Contradictions refuse the folder, all of them at once: files that are missing, or that nothing tells of; digests
//! that differ or are not there; labels that contradict the build; two builds of one image; builds of several suites,
//! versions or classes.

mod annotation;
mod boot;
mod build;
mod content;
mod draft;
mod files;
mod info;
mod packages;
mod settle;
mod sums;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(crate) use self::annotation::{DIGEST, digest_text, sha512_of};
use self::build::Build;
use self::content::Content;
use self::draft::{Draft, DraftImage};
pub use self::files::{ImageFile, is_image_ending};
pub use self::packages::PackageIndex;
use self::settle::settle;
use crate::disk::BootStructure;
use crate::error::{Error, Kind, Result};
use crate::names::{Class, ReleaseName};

/// What lies in a folder.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    /// The image files ([`ImageFile::of`]) by name.
    pub images: BTreeMap<String, Seen>,
    /// The bytes of each file whose name ends in `.json`.
    pub json: BTreeMap<String, Vec<u8>>,
    /// The bytes of `SHA512SUMS`.
    pub sums: Option<Vec<u8>>,
}

/// What was seen of an image file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Bytes.
    pub size: u64,
    /// What its disk can be started from; `None` when it was not opened.
    pub boot: Option<BootStructure>,
}

/// What the folder cannot say, or shall not decide.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    /// The release's name.
    pub name: Option<ReleaseName>,
    /// The class of builds that do not tell theirs. It must not contradict those that do.
    pub class: Option<Class>,
    /// When the release was built.
    pub date: Option<Timestamp>,
    /// The ending of the files to take: `raw`, `tar.xz`. Files of other endings are then not looked at.
    pub ending: Option<String>,
    /// The address of the build's log.
    pub build_job: Option<String>,
    /// The packages of the suite.
    pub packages: Option<PackageIndex>,
    /// The folder as seen from where the manifest will lie: empty, or a relative path.
    pub below: String,
}

/// A release manifest that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The release's name; the file is to be called `NAME.toml`.
    pub name: ReleaseName,
    /// The manifest, TOML. The same folder gives the same text.
    pub text: String,
    /// How many images it has.
    pub images: usize,
    /// How many packages are not in the suite, over all images; `None` without an index.
    pub outside_suite: Option<usize>,
}

/// Makes a release manifest of a folder.
///
/// # Errors
/// [`Kind::InvalidInput`] with a line for each contradiction and each thing that cannot be told.
pub fn import(folder: &Folder, wishes: &Wishes) -> Result<Imported> {
    let mut wrong = Wrong::default();
    let content = Content::read(folder, wishes, &mut wrong);
    let builds: Vec<&Build> = content.builds.iter().collect();
    let common = settle(&builds, wishes, &mut wrong);
    let images: Vec<DraftImage> = builds.iter().filter_map(|build| content.image(build, wishes, &mut wrong)).collect();
    if builds.is_empty() && wrong.is_empty() {
        wrong.push("no build manifest: a JSON file that holds a `Build` of Debian's image builds".into());
    }
    let common = match common {
        Some(common) if wrong.is_empty() => common,
        _ => return Err(wrong.into_error()),
    };
    let outside = images.iter().filter_map(|image| Some(image.outside_suite.as_ref()?.len())).sum();
    let (name, count) = (common.name.clone(), images.len());
    Ok(Imported {
        name,
        text: Draft::new(common, images, wishes).to_toml()?,
        images: count,
        outside_suite: wishes.packages.is_some().then_some(outside),
    })
}

/// What is wrong, in the order in which it was found, each line once.
#[derive(Debug, Default)]
struct Wrong {
    lines: Vec<String>,
    /// Whether digests are missing that a new `SHA512SUMS` would have.
    wants_sums: bool,
}

impl Wrong {
    fn push(&mut self, line: String) {
        let line: String = line.chars().flat_map(visible).collect();
        if !self.lines.contains(&line) {
            self.lines.push(line);
        }
    }

    fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    fn into_error(self) -> Error {
        let hint = if self.wants_sums { "run `sha512sum * > SHA512SUMS` there" } else { "mend the folder" };
        Error::new(Kind::InvalidInput, self.lines.join("\n")).hint(hint)
    }
}

/// What a file says must not reach a terminal as a command.
fn visible(c: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = if c.is_control() { (None, Some(c.escape_debug())) } else { (Some(c), None) };
    plain.into_iter().chain(escaped.into_iter().flatten())
}
