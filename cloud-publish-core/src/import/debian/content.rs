//! Which build each file belongs to, which file is taken of each build, and its digest: one, or a contradiction.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha512};

use super::boot::boot;
use super::build::Build;
use super::draft::DraftImage;
use super::files::ImageFile;
use super::{Folder, Seen, Wishes, Wrong, sums};
use crate::digest::hex;

/// A folder, understood.
pub(super) struct Content<'a> {
    /// The builds, sorted by variant and architecture.
    pub(super) builds: Vec<Build>,
    images: BTreeMap<&'a str, (ImageFile, &'a Seen)>,
    sums: BTreeMap<String, [u8; 64]>,
    /// Whether there is a `SHA512SUMS`.
    has_sums: bool,
}

impl<'a> Content<'a> {
    /// Takes a folder apart, and holds its files against what is told of them.
    pub(super) fn read(folder: &'a Folder, wishes: &Wishes, wrong: &mut Wrong) -> Self {
        let sums = folder.sums.as_ref().map(|bytes| sums::parse(bytes, wrong)).unwrap_or_default();
        let read = folder.json.iter().filter_map(|(name, bytes)| Build::read(name, bytes, wrong));
        let mut builds: Vec<Build> = read.collect();
        builds.sort_by(|a, b| (&a.info.variant, &a.info.arch).cmp(&(&b.info.variant, &b.info.arch)));
        let wanted = |file: &ImageFile| wishes.ending.as_ref().is_none_or(|ending| *ending == file.ending);
        let images = folder.images.iter().filter_map(|(name, seen)| {
            let file = ImageFile::of(name).filter(wanted)?;
            Some((name.as_str(), (file, seen)))
        });
        let content = Self { builds, images: images.collect(), sums, has_sums: folder.sums.is_some() };
        content.refuse_missing(folder, wanted, wrong);
        content.refuse_unclaimed(wrong);
        content.refuse_twins(wrong);
        content
    }

    /// Files that are told of must be there, and build manifests be those that `SHA512SUMS` lists.
    fn refuse_missing(&self, folder: &Folder, wanted: impl Fn(&ImageFile) -> bool, wrong: &mut Wrong) {
        let of_builds =
            self.builds.iter().flat_map(|build| build.uploads.iter().map(|upload| (&upload.file, &build.file)));
        let of_sums = self.sums.keys().map(|name| (name, "SHA512SUMS"));
        let told = of_builds.map(|(file, by)| (file, by.as_str())).chain(of_sums);
        for (file, by) in told {
            let is_needed = file.ends_with(".json") || ImageFile::of(file).is_some_and(|file| wanted(&file));
            if is_needed && !folder.json.contains_key(file) && !folder.images.contains_key(file) {
                wrong.push(format!("{by}: tells of `{file}`, which is not there"));
            }
        }
        for (name, bytes) in &folder.json {
            if self.sums.get(name).is_some_and(|sum| sum[..] != Sha512::digest(bytes)[..]) {
                wrong.push(format!("{name}: is not the file that SHA512SUMS lists"));
            }
        }
    }

    fn refuse_unclaimed(&self, wrong: &mut Wrong) {
        let claimed: BTreeSet<&str> = self.builds.iter().flat_map(|build| self.files_of(build)).collect();
        for name in self.images.keys().filter(|name| !claimed.contains(*name)) {
            wrong.push(format!("{name}: no build manifest tells of it"));
        }
    }

    fn refuse_twins(&self, wrong: &mut Wrong) {
        for pair in self.builds.windows(2) {
            let [one, other] = pair else { continue };
            if (&one.info.variant, &one.info.arch) == (&other.info.variant, &other.info.arch) {
                let (variant, arch) = (&one.info.variant, &one.info.arch);
                wrong.push(format!("{}: a second build of {variant} {arch}, besides {}", other.file, one.file));
            }
        }
    }

    /// The images of a build: those that have its name, and those that were given away.
    fn files_of(&self, build: &Build) -> impl Iterator<Item = &'a str> {
        let is_of = |name: &str, file: &ImageFile| {
            file.stem == build.stem || build.uploads.iter().any(|upload| upload.file == name)
        };
        let found = self.images.iter().filter(|(name, (file, _))| is_of(name, file)).map(|(name, _)| *name);
        found.collect::<Vec<_>>().into_iter()
    }

    /// The image of a build, as the manifest will have it.
    pub(super) fn image(&self, build: &Build, wishes: &Wishes, wrong: &mut Wrong) -> Option<DraftImage> {
        let rank = |name: &&str| self.images.get(name).map(|(file, _)| (file.rank(), (*name).to_owned()));
        let Some(name) = self.files_of(build).min_by_key(rank) else {
            let ending = wishes.ending.as_ref().map(|ending| format!(" that ends in .{ending}")).unwrap_or_default();
            wrong.push(format!("{}: no image of it is here{ending}", build.file));
            return None;
        };
        // Files that are not taken must agree with what is told of them, too.
        let digests: BTreeMap<&str, Option<[u8; 64]>> =
            self.files_of(build).map(|name| (name, self.digest(build, name, wrong))).collect();
        let Some(sha512) = digests.get(name).copied().flatten() else {
            wrong.push(format!("{name}: neither SHA512SUMS nor a build manifest has its digest"));
            wrong.wants_sums |= !self.has_sums;
            return None;
        };
        let (file, seen) = self.images.get(name)?;
        Some(DraftImage {
            variant: build.info.variant.clone(),
            arch: build.info.arch.clone(),
            file: below(&wishes.below, name),
            format: file.format,
            packed: file.packed.clone(),
            sha512: hex(&sha512),
            size: seen.size,
            boot: boot(seen.boot, &build.info.arch),
            build_manifest: below(&wishes.below, &build.file),
            outside_suite: match &wishes.packages {
                None => None,
                Some(index) => Some(index.outside(build, wrong)?),
            },
        })
    }

    /// The digest of a file; the first of several that differ, which is told.
    fn digest(&self, build: &Build, name: &str, wrong: &mut Wrong) -> Option<[u8; 64]> {
        let uploads = build.uploads.iter().filter(|upload| upload.file == name).flat_map(|upload| &upload.sha512);
        let archive = build.archive.iter().filter(|_| name.strip_suffix(".tar") == Some(build.stem.as_str()));
        let told = self.sums.get(name).map(|sum| (sum, "SHA512SUMS")).into_iter();
        let mut told = told.chain(uploads.chain(archive).map(|sum| (sum, build.file.as_str())));
        let (first, by) = told.next()?;
        for (other, by_other) in told.filter(|(other, _)| *other != first) {
            let (one, two) = (short(first), short(other));
            wrong.push(format!("{name}: its sha512 is {one}… in {by} and {two}… in {by_other}"));
        }
        Some(*first)
    }
}

fn short(sha512: &[u8; 64]) -> String {
    hex(sha512).chars().take(16).collect()
}

/// A file of the folder as the manifest names it.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
