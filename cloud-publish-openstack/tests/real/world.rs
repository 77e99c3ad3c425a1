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
use cloud_publish_openstack::{Cloud, CloudsFile, OpenStack, OpenStackConfig, OpenStackSettings};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::foreign::{Foreign, variable};
use crate::steady::Steady;

pub(crate) struct World {
    pub(crate) target: Steady,
    pub(crate) owner: Owner,
    pub(crate) foreign: Foreign,
    pub(crate) context: Context,
    disk: Arc<Disk>,
    folder: tempfile::TempDir,
}

/// A target of its own: no session is shared with another.
pub(crate) fn target(cloud: &str, owner: &Owner) -> Steady {
    target_with(json!({"cloud": cloud}), owner)
}

/// One with these keys of its own.
pub(crate) fn target_with(config: Value, owner: &Owner) -> Steady {
    let config: OpenStackConfig = serde_json::from_value(config).unwrap();
    let clouds = CloudsFile::read(Path::new(&variable("OS_CLIENT_CONFIG_FILE"))).unwrap();
    target_at(clouds.cloud(&config.cloud).unwrap(), config, owner)
}

/// One of a cloud that was read from elsewhere.
pub(crate) fn target_at(cloud: Cloud, config: OpenStackConfig, owner: &Owner) -> Steady {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = OpenStack::new(OpenStackSettings {
        target: "openstack".parse().unwrap(),
        owner: owner.clone(),
        cloud,
        config,
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
        Self::made(json!({"cloud": cloud}), size).await
    }

    /// As the user who may publish, with these keys of the target beside `cloud`.
    pub(crate) async fn with(mut config: Value) -> Self {
        config["cloud"] = json!("publisher-admin");
        Self::made(config, 1 << 20).await
    }

    async fn made(config: Value, size: usize) -> Self {
        let cloud = config["cloud"].as_str().unwrap().to_owned();
        let (user, project) = match cloud.as_str() {
            "member" => ("publisher", "publisher"),
            "smallquota" => ("smallquota", "smallquota"),
            "tls" => ("publisher-admin", "publisher"),
            other => (other, "publisher"),
        };
        let owner = owner();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at / 512 % 251).unwrap()).collect();
        std::fs::write(&path, bytes).unwrap();
        Self {
            target: target_with(config, &owner),
            owner,
            foreign: Foreign::sign_in(user, project).await,
            context: Context::detached(),
            disk: Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap()),
            folder,
        }
    }

    /// The disk's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.folder.path().join("disk.raw")).unwrap()
    }

    /// With another disk.
    pub(crate) fn with_disk(mut self, bytes: &[u8]) -> Self {
        let path = self.folder.path().join("other.raw");
        std::fs::write(&path, bytes).unwrap();
        self.disk = Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap());
        self
    }

    /// Puts a file on the web server from which Glance may download; returns its URL.
    pub(crate) fn serve(&self, bytes: &[u8]) -> String {
        std::fs::write(Path::new(&variable("OPENSTACK_TEST_WEB_FOLDER")).join(self.owner.as_str()), bytes).unwrap();
        format!("{}/{}", variable("OPENSTACK_TEST_WEB_URL"), self.owner)
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
            outside_suite: None,
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

/// Keeps notes and what is said, and pulls the plug as soon as the first bytes have been sent.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    notes: Mutex<Vec<Note>>,
    said: Mutex<Vec<String>>,
    plug: Option<CancellationToken>,
}

impl Witness {
    pub(crate) fn with_plug() -> Self {
        Self { plug: Some(CancellationToken::new()), ..Self::default() }
    }

    pub(crate) fn notes(&self) -> Vec<Note> {
        self.notes.lock().unwrap().clone()
    }

    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().join("\n")
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

    fn says(&self, message: &str) {
        self.said.lock().unwrap().push(message.to_owned());
    }
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
