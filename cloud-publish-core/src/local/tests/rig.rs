//! A directory to publish to, releases of small disks, and what can be seen of the mirrored tree.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha512};
use tempfile::TempDir;

use super::super::{FormatChoice, Local, LocalSettings};
use crate::digest::hex;
use crate::disk::{Disk, DiskSource, Expected, Format, Wanted};
use crate::error::Result;
use crate::identity::{ImageTags, Marks};
use crate::manifest::{Boot, Visibility};
use crate::names::{Class, Region};
use crate::publisher::{
    Context, ImageAt, ImageSpec, PointRequest, Publisher, RegisterRequest, Registered, SurveyRequest, TagRequest,
    UploadRequest, VisibilityRequest,
};
use crate::survey::{FoundImage, Survey};

pub(super) const SIZE: u64 = 1 << 20;

pub(super) struct Rig {
    pub(super) dir: TempDir,
    pub(super) local: Local,
    pub(super) context: Context,
    /// Bytes of each disk.
    pub(super) size: u64,
}

impl Rig {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = local_in(dir.path());
        Self { dir, local, context: Context::detached(), size: SIZE }
    }

    /// The target's own view of its top: links resolved.
    pub(super) fn top(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(super) fn public(&self) -> PathBuf {
        self.top().join("public")
    }

    pub(super) fn work(&self) -> PathBuf {
        self.top().join("public.work")
    }

    /// A disk of mostly holes, and the image to be made of it.
    pub(super) fn image(&self, variant: &str, class: Class, version: &str) -> (Arc<ImageSpec>, Arc<Disk>) {
        let path = self.top().join(format!("{variant}-{version}.raw"));
        let file = fs::File::create(&path).unwrap();
        file.set_len(self.size).unwrap();
        file.write_all_at(format!("{variant} {version}").as_bytes(), self.size / 2).unwrap();
        let disk = Disk::open(&DiskSource::new(&path, Format::Raw)).unwrap();
        let wanted = Wanted { file_sha512: true, ..Wanted::default() };
        let digests = disk.verify(&Expected::default(), wanted, &()).unwrap();
        let spec = ImageSpec {
            tags: ImageTags {
                owner: "debian".parse().unwrap(),
                release: format!("bookworm-{version}").parse().unwrap(),
                suite: "bookworm".parse().unwrap(),
                version: version.parse().unwrap(),
                class,
                variant: variant.parse().unwrap(),
                arch: "amd64".parse().unwrap(),
                rendition: "as-is".parse().unwrap(),
                date: "2024-01-01T00:00:00Z".parse().unwrap(),
                digest: digests.content,
            },
            name: format!("debian-12-{variant}-amd64-{version}").parse().unwrap(),
            family: format!("debian-12-{variant}-amd64"),
            description: format!("Debian 12 {variant}"),
            suite_id: "12".into(),
            boot: Boot::UefiPreferred,
            format: Format::Raw,
            file_size: self.size,
            virtual_size: self.size,
            file_sha512: digests.file_sha512.map(|sum| hex(&sum)),
            given: None,
            build_job: None,
            extra_tags: BTreeMap::from([("team".to_owned(), "cloud".to_owned())]),
            properties: BTreeMap::new(),
            visibility: Visibility::Public,
            build_manifest: None,
            outside_suite: None,
        };
        (Arc::new(spec), Arc::new(disk))
    }

    /// An image in several formats.
    pub(super) fn formats(&self, variant: &str, formats: &[FormatChoice]) -> Vec<(Arc<ImageSpec>, Arc<Disk>)> {
        let (image, disk) = self.image(variant, Class::Release, "20240101-1614");
        let one = |format: &FormatChoice| {
            let mut image = ImageSpec::clone(&image);
            image.tags.rendition = format.as_str().parse().unwrap();
            (Arc::new(image), Arc::clone(&disk))
        };
        formats.iter().map(one).collect()
    }

    /// The two images of a release.
    pub(super) fn release(&self, class: Class, version: &str) -> Vec<(Arc<ImageSpec>, Arc<Disk>)> {
        ["generic", "nocloud"].into_iter().map(|variant| self.image(variant, class, version)).collect()
    }

    pub(super) async fn register(&self, images: &[(Arc<ImageSpec>, Arc<Disk>)]) -> Result<Vec<ImageAt>> {
        register(&self.local, &self.context, images).await
    }

    pub(super) async fn publish(&self, images: &[(Arc<ImageSpec>, Arc<Disk>)]) -> Result<Vec<ImageAt>> {
        publish(&self.local, &self.context, images).await
    }

    pub(super) async fn survey(&self) -> Survey {
        let request = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
        self.local.survey(&self.context, &request).await.unwrap()
    }

    /// What the survey shows of one image.
    pub(super) async fn found(&self, at: &ImageAt) -> Option<FoundImage> {
        let survey = self.survey().await;
        assert_eq!(survey.incomplete, []);
        let mut found = survey.images.into_iter().filter(|image| image.id == at.id);
        let one = found.next();
        assert!(found.next().is_none(), "twice: {}", at.id);
        one
    }

    pub(super) async fn mark(&self, at: &ImageAt, marks: Marks) -> Result<()> {
        self.local.tag(&self.context, &TagRequest { at: at.clone(), marks: marks.into(), extra: None }).await
    }

    /// Everything in the mirrored tree: contents of files, targets of links.
    pub(super) fn tree(&self) -> BTreeMap<String, String> {
        tree(&self.public())
    }

    /// Inode and time of change of everything in the mirrored tree.
    pub(super) fn stamps(&self) -> BTreeMap<String, (u64, i64, i64)> {
        let stamp = |path: &Path| {
            let found = fs::symlink_metadata(path).unwrap();
            (found.ino(), found.mtime(), found.mtime_nsec())
        };
        walk(&self.public()).into_iter().map(|path| (path.display().to_string(), stamp(&path))).collect()
    }
}

pub(super) fn local_in(dir: &Path) -> Local {
    local_with(dir, &[FormatChoice::AsIs])
}

/// A target with formats of its own.
pub(super) fn local_with(dir: &Path, formats: &[FormatChoice]) -> Local {
    Local::new(LocalSettings {
        target: "local".parse().unwrap(),
        owner: "debian".parse().unwrap(),
        path: dir.join("public"),
        formats: formats.to_vec(),
        base_url: Some("https://images.example.org/cloud/".into()),
    })
    .unwrap()
}

pub(super) fn region() -> Region {
    "local".parse().unwrap()
}

/// Uploads and registers.
pub(super) async fn register(
    local: &Local,
    context: &Context,
    images: &[(Arc<ImageSpec>, Arc<Disk>)],
) -> Result<Vec<ImageAt>> {
    let mut done = Vec::new();
    for (image, disk) in images {
        let (spec, disk) = (Arc::clone(image), Arc::clone(disk));
        let staged = local.upload(context, &UploadRequest { image: spec, region: region(), disk }).await?;
        let request = RegisterRequest { image: Arc::clone(image), staged };
        let Registered { region, id, .. } = local.register(context, &request).await?;
        done.push(ImageAt { region, id, tags: image.tags.clone() });
    }
    Ok(done)
}

/// Takes images through every step of a publication.
pub(super) async fn publish(
    local: &Local,
    context: &Context,
    images: &[(Arc<ImageSpec>, Arc<Disk>)],
) -> Result<Vec<ImageAt>> {
    let all = register(local, context, images).await?;
    expose(local, context, &all).await?;
    for (at, (image, _)) in all.iter().zip(images) {
        let marks = Marks { published: Some("2024-01-02T00:00:00Z".parse().unwrap()), ..Marks::default() };
        local.tag(context, &TagRequest { at: at.clone(), marks: marks.into(), extra: None }).await?;
        for pointer in local.expect(image, &region())?.pointers {
            local.point(context, &PointRequest { pointer, at: at.clone() }).await?;
        }
    }
    Ok(all)
}

/// Makes images public together.
pub(super) async fn expose(local: &Local, context: &Context, all: &[ImageAt]) -> Result<()> {
    let along: Vec<ImageTags> = all.iter().map(|at| at.tags.clone()).collect();
    for at in all {
        let request = VisibilityRequest { at: at.clone(), wanted: Visibility::Public, along: along.clone() };
        local.set_visibility(context, &request).await?;
    }
    Ok(())
}

fn walk(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).into_iter().flatten() {
        let entry = entry.unwrap();
        found.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            found.extend(walk(&entry.path()));
        }
    }
    found.sort();
    found
}

pub(super) fn tree(top: &Path) -> BTreeMap<String, String> {
    let show = |path: &Path| {
        let found = fs::symlink_metadata(path).unwrap();
        if found.is_dir() {
            "directory".into()
        } else if found.is_symlink() {
            format!("-> {}", fs::read_link(path).unwrap().display())
        } else {
            hex(&Sha512::digest(fs::read(path).unwrap()))
        }
    };
    let name = |path: &Path| path.strip_prefix(top).unwrap().display().to_string();
    walk(top).iter().map(|path| (name(path), show(path))).collect()
}

/// What a mirror may see at any moment: no hidden or temporary names, links that lead somewhere, checksums that are
/// right (the way `sha512sum -c` looks at them).
pub(super) fn assert_mirrorable(top: &Path) {
    for path in walk(top) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(!name.starts_with('.'), "{}", path.display());
        let found = fs::symlink_metadata(&path).unwrap();
        let expected = match name.rsplit_once('.') {
            _ if found.is_symlink() => name == "latest" && path.canonicalize().is_ok(),
            _ if found.is_dir() => !name.contains("work") && !name.contains("tmp"),
            Some((_, "raw" | "qcow2" | "vhd" | "gz" | "json")) => true,
            _ => name == "SHA512SUMS" || name == "index.html",
        };
        assert!(expected, "{}", path.display());
        if name == "SHA512SUMS" {
            assert_sums(&path);
        }
    }
}

fn assert_sums(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.lines().is_sorted_by_key(|line| line.split_once("  ").unwrap().1));
    for line in text.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let bytes = fs::read(path.with_file_name(name)).unwrap();
        assert_eq!(sum, hex(&Sha512::digest(bytes)), "{name}");
    }
}
