//! Survey: everything of one owner, read from the three trees, the uploads and the records. It writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::entry::{self, Entry, Tree};
use super::files;
use super::layout::{Folder, INDEX, LATEST, line, stem};
use super::listing;
use super::lock::Lock;
use super::record::Record;
use super::site::Site;
use super::upload::Paths;
use crate::error::{Error, Kind, Result};
use crate::identity::{ImageTags, Marks, claims_owner};
use crate::manifest::Visibility;
use crate::names::{Class, ImageId, Owner, PointerName, Suite, Version};
use crate::publisher::SurveyRequest;
use crate::survey::{FoundImage, FoundPointer, FoundStaged, Gap, Native, Survey};

/// Reads all; see [`crate::publisher::Publisher::survey`].
pub(super) fn survey(site: &Site, request: &SurveyRequest) -> Result<Survey> {
    let layout = &site.layout;
    let _quiet = Lock::read(&layout.work);
    let mut reading = Reading { site, owner: &request.owner, survey: Survey::default(), seen: BTreeSet::new() };
    // In this order the first file found under an id is the one that counts.
    reading.tree(&layout.public, Tree::Public);
    match files::directories(&layout.retired()) {
        Ok(keys) => keys.iter().for_each(|key| reading.tree(&layout.retired().join(key), Tree::Retired)),
        Err(error) => reading.gap(&error),
    }
    reading.tree(&layout.building(), Tree::Building);
    reading.staged();
    let mut survey = reading.survey;
    survey.images.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
    survey.pointers.sort_by(|a, b| (&a.name, &a.to).cmp(&(&b.name, &b.to)));
    Ok(survey)
}

struct Reading<'a> {
    site: &'a Site,
    owner: &'a Owner,
    survey: Survey,
    /// Ids whose file was found.
    seen: BTreeSet<ImageId>,
}

impl Reading<'_> {
    fn gap(&mut self, error: &Error) {
        let reason = error.chain().join(": ");
        self.survey.incomplete.push(Gap { region: Some(self.site.layout.region.clone()), reason, passing: false });
    }

    /// Reads every version directory of a tree.
    fn tree(&mut self, top: &Path, tree: Tree) {
        match files::directories(top) {
            Ok(suites) => suites.iter().for_each(|suite| self.suite(top, suite, tree)),
            Err(error) => self.gap(&error),
        }
    }

    fn suite(&mut self, top: &Path, suite: &str, tree: Tree) {
        let Ok(suite) = Suite::new(suite) else { return };
        for class in [Class::Release, Class::Daily, Class::Dev] {
            let dir = top.join(line(&suite, class));
            let latest = if tree == Tree::Public && class != Class::Dev { self.latest(&suite, class) } else { None };
            let before = self.survey.pointers.len();
            let versions = match files::directories(&dir) {
                Ok(versions) => versions,
                Err(error) => {
                    self.gap(&error);
                    continue;
                }
            };
            for version in versions.iter().filter(|name| class != Class::Release || !is_class(name)) {
                let Ok(version) = Version::new(version.as_str()) else { continue };
                let leads_here = latest.as_ref().filter(|(_, to)| to == version.as_str()).map(|(name, _)| name.clone());
                let folder = Folder { suite: suite.clone(), class, version };
                self.version(&top.join(folder.relative()), &folder, tree, leads_here.as_ref());
            }
            if let Some((name, _)) = latest.filter(|_| self.survey.pointers.len() == before) {
                let region = self.site.layout.region.clone();
                self.survey.pointers.push(FoundPointer { region, name, to: None });
            }
        }
    }

    fn latest(&mut self, suite: &Suite, class: Class) -> Option<(PointerName, String)> {
        let line = line(suite, class);
        match listing::latest(&self.site.layout, &line) {
            Ok(to) => Some((PointerName::new(format!("{line}/{}", LATEST)).ok()?, to?)),
            Err(error) => {
                self.gap(&error);
                None
            }
        }
    }

    /// Reads one version directory; `latest`, if it leads here, is told of its first image: it leads to all.
    fn version(&mut self, dir: &Path, folder: &Folder, tree: Tree, latest: Option<&PointerName>) {
        let contents = match entry::read(dir, folder, tree) {
            Ok(contents) => contents,
            Err(error) => return self.gap(&error),
        };
        // A directory of somebody else may hold whatever it likes.
        let ours = tree != Tree::Public || listing::is_our_page(&dir.join(INDEX));
        for problem in contents.problems.into_iter().filter(|_| ours) {
            self.gap(&Error::new(Kind::Storage, format!("a build manifest cannot be read: {problem}")));
        }
        for entry in contents.entries.iter().filter(|entry| claims_owner(entry.upload.annotations(), self.owner)) {
            let Ok(id) = entry.folder.id(&entry.file) else { continue };
            let present = entry.is_present();
            // A manifest without its file is half of a move: the file is elsewhere, or still among the uploads.
            if self.seen.contains(&id) || (!present && (tree != Tree::Public || self.is_retired(entry))) {
                continue;
            }
            match image(self.site, entry, id.clone(), present) {
                Ok(image) => self.survey.images.push(image),
                Err(error) => {
                    self.gap(&error);
                    continue;
                }
            }
            self.seen.insert(id.clone());
            let is_first = self.survey.pointers.iter().all(|found| latest != Some(&found.name));
            if let Some(name) = latest.filter(|_| present && is_first).cloned() {
                let region = self.site.layout.region.clone();
                self.survey.pointers.push(FoundPointer { region, name, to: Some(id) });
            }
        }
    }

    fn is_retired(&self, entry: &Entry) -> bool {
        let tags = entry.upload.tags(&self.site.layout);
        let dir = |tags: &ImageTags| super::find::dir(&self.site.layout, &entry.folder, Tree::Retired, tags);
        tags.is_ok_and(|tags| files::is_file(&dir(&tags).join(&entry.file)))
    }

    /// Reads the uploads from which no image was made.
    fn staged(&mut self) {
        let layout = &self.site.layout;
        let tokens = match files::directories(&layout.staged()) {
            Ok(tokens) => tokens,
            Err(error) => return self.gap(&error),
        };
        for token in tokens {
            let paths = Paths::new(self.site, &token);
            let tags = paths.read_tags().filter(|tags| layout.token(tags) == token);
            if tags.as_ref().is_some_and(|tags| tags.owner != *self.owner) {
                continue;
            }
            let is_image = |tags: &ImageTags| self.survey.images.iter().any(|image| image.tags.as_ref() == Some(tags));
            if tags.as_ref().is_some_and(is_image) {
                continue;
            }
            let (region, created) = (layout.region.clone(), modified(&paths.dir));
            let busy = Lock::is_held(&paths.dir);
            self.survey.staged.push(FoundStaged { region, id: token, tags, created, busy });
        }
    }
}

fn is_class(name: &str) -> bool {
    [Class::Daily, Class::Dev].iter().any(|class| class.as_str() == name)
}

/// What is known of one image.
fn image(site: &Site, entry: &Entry, id: ImageId, present: bool) -> Result<FoundImage> {
    let layout = &site.layout;
    let mut problems = Vec::new();
    let tags = entry.upload.tags(layout).map_err(|trouble| problems.extend(trouble.problems)).ok();
    if !present {
        let (file, dir) = (entry.path(), entry.dir.display());
        let file = file.display();
        problems.push(format!("its file {file} is missing: put it back, or move {dir} away, and it is made anew"));
    }
    let record = tags.as_ref().map_or(Ok(None), |tags| Record::read(layout, &layout.key(tags)));
    let record = record.map_err(|error| problems.extend(error.chain())).unwrap_or_default();
    let record = record.filter(|record| tags.as_ref() == Some(&record.tags));
    let hidden = record.as_ref().is_some_and(|record| record.hidden);
    let lost = || (entry.tree == Tree::Public).then(|| modified(&entry.dir)).flatten();
    let marks = match &record {
        Some(record) => record.marks.clone(),
        None => Marks { published: lost(), ..Marks::default() },
    };
    let taken_back = marks.retired.is_some() || marks.withdrawn.is_some();
    let native = match entry.tree {
        _ if !present => Native::Failed,
        Tree::Retired => Native::Retired,
        Tree::Building if taken_back => Native::Retired,
        _ if hidden => Native::Hidden,
        Tree::Public | Tree::Building => Native::Available,
    };
    Ok(FoundImage {
        region: layout.region.clone(),
        id,
        name: stem(&entry.file).unwrap_or(&entry.file).to_owned(),
        native,
        visibility: if entry.tree == Tree::Public { Visibility::Public } else { Visibility::Private },
        tags,
        marks,
        extra_tags: record.and_then(|record| record.extra).unwrap_or_else(|| entry.upload.extra()),
        created: modified(&entry.path()),
        attributes: if present { attributes(site, entry)? } else { BTreeMap::new() },
        links: site.links(&entry.folder, &entry.file),
        problems,
    })
}

fn attributes(site: &Site, entry: &Entry) -> Result<BTreeMap<String, String>> {
    let size = entry.size()?.to_string();
    let fields = [
        ("file", Some(entry.file.clone())),
        ("size", Some(size)),
        ("sha512", entry.upload.sha512()),
        ("url", site.url(&entry.folder, &entry.file)),
    ];
    Ok(fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

fn modified(path: &PathBuf) -> Option<Timestamp> {
    let time = fs::symlink_metadata(path).and_then(|found| found.modified()).ok()?;
    let time = Timestamp::try_from(time).ok()?;
    Timestamp::from_second(time.as_second()).ok()
}
