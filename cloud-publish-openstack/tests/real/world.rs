//! What a test starts from: a target, an owner nobody else has, a small disk, an image to be made of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cloud_publish_core::clock::SystemClock;
use cloud_publish_core::digest::hex;
use cloud_publish_core::disk::{Disk, DiskSource, Format, Wanted};
use cloud_publish_core::error::Result;
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::manifest::{Boot, Regions, Visibility};
use cloud_publish_core::names::{Class, ImageId, Owner, Region};
use cloud_publish_core::publisher::{
    Context, ImageAt, ImageSpec, Note, Notes, Progress, RegisterRequest, Staged, SurveyRequest, UploadRequest,
};
use cloud_publish_core::survey::{FoundImage, Survey};
use cloud_publish_openstack::{CloudsFile, OpenStack, OpenStackSettings};
use tokio_util::sync::CancellationToken;

use crate::foreign::{Foreign, variable};
use crate::steady::Steady;

pub(crate) struct World {
    pub(crate) target: Steady,
    pub(crate) owner: Owner,
    pub(crate) foreign: Foreign,
    pub(crate) context: Context,
    disk: Arc<Disk>,
    _folder: tempfile::TempDir,
}

/// A target of its own: no session is shared with another.
pub(crate) fn target(cloud: &str, owner: &Owner) -> Steady {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clouds = CloudsFile::read(Path::new(&variable("OS_CLIENT_CONFIG_FILE"))).unwrap();
    let target = OpenStack::new(OpenStackSettings {
        target: "openstack".parse().unwrap(),
        owner: owner.clone(),
        cloud: clouds.cloud(cloud).unwrap(),
        config: serde_json::from_value(serde_json::json!({"cloud": cloud})).unwrap(),
        regions: Some(Regions::These(vec![one(), two()])),
        best_effort: Vec::new(),
        deny: Vec::new(),
    });
    Steady(target.unwrap())
}

pub(crate) fn owner() -> Owner {
    let id = uuid::Uuid::new_v4().simple().to_string();
    format!("test-{}", id.get(..12).unwrap()).parse().unwrap()
}

pub(crate) fn one() -> Region {
    "RegionOne".parse().unwrap()
}

pub(crate) fn two() -> Region {
    "RegionTwo".parse().unwrap()
}

impl World {
    /// As the user who may publish, with a disk of 1 MiB.
    pub(crate) async fn new() -> Self {
        Self::of("publisher-admin", 1 << 20).await
    }

    pub(crate) async fn of(cloud: &str, size: usize) -> Self {
        let (user, project) = match cloud {
            "member" => ("publisher", "publisher"),
            "smallquota" => ("smallquota", "smallquota"),
            other => (other, "publisher"),
        };
        let owner = owner();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at / 512 % 251).unwrap()).collect();
        std::fs::write(&path, bytes).unwrap();
        Self {
            target: target(cloud, &owner),
            owner,
            foreign: Foreign::sign_in(user, project).await,
            context: Context::detached(),
            disk: Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap()),
            _folder: folder,
        }
    }

    pub(crate) fn spec(&self, version: &str) -> ImageSpec {
        let wanted = Wanted { file_sha512: true, ..Wanted::default() };
        let digests = self.disk.digests(wanted, &()).unwrap();
        ImageSpec {
            tags: ImageTags {
                owner: self.owner.clone(),
                release: format!("bookworm-{version}").parse().unwrap(),
                suite: "bookworm".parse().unwrap(),
                version: version.parse().unwrap(),
                class: Class::Release,
                variant: "genericcloud".parse().unwrap(),
                arch: "amd64".parse().unwrap(),
                rendition: "as-is".parse().unwrap(),
                date: "2024-01-01T00:00:00Z".parse().unwrap(),
                digest: digests.content,
            },
            name: format!("{}-{version}", self.owner).parse().unwrap(),
            family: self.owner.to_string(),
            description: "a test's image".to_owned(),
            suite_id: "12".to_owned(),
            boot: Boot::UefiPreferred,
            format: Format::Raw,
            file_size: self.disk.file_size(),
            virtual_size: self.disk.virtual_size(),
            file_sha512: digests.file_sha512.map(|bytes| hex(&bytes)),
            given: None,
            build_job: None,
            extra_tags: BTreeMap::from([("team".to_owned(), "cloud".to_owned())]),
            properties: BTreeMap::new(),
            visibility: Visibility::Public,
            build_manifest: None,
        }
    }

    pub(crate) fn request(&self, spec: &ImageSpec) -> UploadRequest {
        UploadRequest { image: Arc::new(spec.clone()), region: one(), disk: self.disk.clone() }
    }

    pub(crate) async fn upload(&self, spec: &ImageSpec) -> Result<Staged> {
        self.target.upload(&self.context, &self.request(spec)).await
    }

    /// Uploads and registers.
    pub(crate) async fn image(&self, spec: &ImageSpec) -> ImageAt {
        let staged = self.upload(spec).await.unwrap();
        let request = RegisterRequest { image: Arc::new(spec.clone()), staged };
        let made = self.target.register(&self.context, &request).await.unwrap();
        ImageAt { region: made.region, id: made.id, tags: spec.tags.clone() }
    }

    pub(crate) async fn survey(&self) -> Survey {
        let request = SurveyRequest { owner: self.owner.clone(), detail: None };
        let survey = self.target.survey(&self.context, &request).await.unwrap();
        assert_eq!(survey.incomplete, []);
        survey
    }

    pub(crate) async fn found(&self, id: &ImageId) -> FoundImage {
        self.survey().await.images.into_iter().find(|image| image.id == *id).expect("the survey shows the image")
    }

    pub(crate) async fn wipe(self) {
        self.foreign.wipe(self.owner.as_str()).await;
    }
}

/// Keeps notes, and pulls the plug as soon as the first bytes have been sent.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    notes: Mutex<Vec<Note>>,
    plug: Option<CancellationToken>,
}

impl Witness {
    pub(crate) fn with_plug() -> Self {
        Self { plug: Some(CancellationToken::new()), ..Self::default() }
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.notes.lock().unwrap().clone()
    }

    pub(crate) fn context(self: &Arc<Self>) -> Context {
        let token = self.plug.clone().unwrap_or_default();
        Context::new(token, Arc::new(SystemClock::new()), self.clone(), self.clone())
    }
}

impl Progress for Witness {
    fn advanced(&self, _done: u64, _total: u64) {
        if let Some(plug) = &self.plug {
            plug.cancel();
        }
    }

    fn says(&self, _message: &str) {}
}

#[async_trait]
impl Notes for Witness {
    async fn write(&self, note: Note) -> Result<()> {
        self.notes.lock().unwrap().push(note);
        Ok(())
    }

    fn earlier(&self) -> Vec<Note> {
        Vec::new()
    }
}
