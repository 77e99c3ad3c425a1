use std::sync::{Arc, Mutex};

use cloud_publish_core::error::Kind;
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::publisher::{
    Context, ImageAt, PointRequest, PreflightRequest, Probe, Publisher as _, SurveyRequest,
};
use serde_json::{Value, json};

use crate::publisher::OpenStack;
use crate::stub::{Seen, Stub, region};
use crate::testing::{place, spec, tags};

const STABLE: &str = "debian-12-genericcloud-amd64";

fn image(id: &str, tags: &ImageTags, name: &str) -> Value {
    let mut image = json!({"id": id, "status": "active", "visibility": "public", "owner": "p1", "name": name});
    let properties = tags.to_map(&place(), &region());
    image.as_object_mut().unwrap().extend(properties.into_iter().map(|(name, value)| (name, json!(value))));
    image
}

/// The stable name's holder, made with another one.
fn holder(id: &str, tags: &ImageTags, own: &str) -> Value {
    let mut holder = image(id, tags, STABLE);
    holder["cloud-publish-name"] = json!(own);
    holder
}

/// A Glance that carries out patches; the n-th of them is not answered with success, counted from 1.
struct Images {
    images: Arc<Mutex<Vec<Value>>>,
    stub: Stub,
}

impl Images {
    async fn new(images: Vec<Value>, failing: usize) -> Self {
        let images = Arc::new(Mutex::new(images));
        let (own, mut patches) = (images.clone(), 0);
        let count = Mutex::new(move || {
            patches += 1;
            patches == failing
        });
        let stub = Stub::start(3600, move |request: &Seen| {
            let mut images = own.lock().unwrap();
            let (verb, path) = request.line.split_once(' ').unwrap_or_default();
            if path.starts_with("/v2/images?") {
                let hidden = path.contains("os_hidden=true");
                let shown: Vec<&Value> = images.iter().filter(|_| !hidden).collect();
                return (200, String::new(), json!({"images": shown}).to_string());
            }
            if verb == "PATCH" && (count.lock().unwrap())() {
                return (503, String::new(), String::new());
            }
            let id = path.rsplit('/').next().unwrap_or_default();
            let Some(image) = images.iter_mut().find(|image| image["id"] == id) else {
                return (200, String::new(), json!({"usage": {}}).to_string());
            };
            if verb == "PATCH" {
                apply(image, &serde_json::from_str(&request.body).unwrap());
            }
            (200, String::new(), image.to_string())
        })
        .await;
        Self { images, stub }
    }

    fn target(&self) -> OpenStack {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut settings = self.stub.settings();
        let config = json!({"cloud": "stub", "stable_name": "debian-{suite_id}-{variant}-{arch}"});
        settings.config = serde_json::from_value(config).unwrap();
        OpenStack::new(settings).unwrap()
    }

    async fn point(&self, id: &str, tags: ImageTags) -> Result<(), cloud_publish_core::error::Error> {
        let at = ImageAt { region: region(), id: id.parse().unwrap(), tags };
        self.target().point(&Context::detached(), &PointRequest { pointer: STABLE.parse().unwrap(), at }).await
    }

    fn names(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let images = self.images.lock().unwrap();
        images.iter().map(|image| (text(&image["name"]), text(&image["cloud-publish-name"]))).collect()
    }

    /// Where the survey says that the pointer leads, and the images' names.
    async fn surveyed(&self) -> (Option<Option<String>>, Vec<String>) {
        let request = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
        let survey = self.target().survey(&Context::detached(), &request).await.unwrap();
        let pointer = survey.pointers.first().map(|pointer| pointer.to.as_ref().map(ToString::to_string));
        assert!(survey.pointers.len() < 2, "{:?}", survey.pointers);
        (pointer, survey.images.into_iter().map(|image| image.name).collect())
    }

    fn patched(&self) -> Vec<String> {
        let lines = self.stub.seen().into_iter().map(|request| request.line);
        lines.filter_map(|line| line.strip_prefix("PATCH /v2/images/").map(ToOwned::to_owned)).collect()
    }
}

fn apply(image: &mut Value, patch: &Value) {
    for change in patch.as_array().unwrap() {
        let name = change["path"].as_str().unwrap().trim_start_matches('/');
        let image = image.as_object_mut().unwrap();
        assert_eq!(image.contains_key(name), change["op"] != "add", "{change}");
        match change["op"].as_str() {
            Some("remove") => drop(image.remove(name)),
            _ => drop(image.insert(name.to_owned(), change["value"].clone())),
        }
    }
}

fn pair(name: &str, own: &str) -> (String, String) {
    (name.to_owned(), own.to_owned())
}

#[tokio::test]
async fn the_new_image_takes_the_name_before_the_old_one_gives_it_back() {
    let (old, new) = (tags("bookworm-1"), tags("bookworm-2"));
    let images = Images::new(vec![holder("old", &old, "debian-1"), image("new", &new, "debian-2")], 0).await;
    for _ in 0..2 {
        images.point("new", new.clone()).await.unwrap();
        assert_eq!(images.names(), [pair("debian-1", "-"), pair(STABLE, "debian-2")]);
    }
    assert_eq!(images.patched(), ["new", "old"]);
    let names = vec!["debian-2".to_owned(), "debian-1".to_owned()];
    assert_eq!(images.surveyed().await, (Some(Some("new".to_owned())), names));
}

#[tokio::test]
async fn a_run_that_ends_between_the_two_renames_leaves_two_and_the_next_leaves_the_newest() {
    let (old, new) = (tags("bookworm-1"), tags("bookworm-2"));
    let images = Images::new(vec![holder("old", &old, "debian-1"), image("new", &new, "debian-2")], 2).await;
    assert_eq!(images.point("new", new.clone()).await.unwrap_err().kind(), Kind::Unavailable);
    assert_eq!(images.names(), [pair(STABLE, "debian-1"), pair(STABLE, "debian-2")]);
    let (leads, names) = images.surveyed().await;
    assert_eq!((leads, names), (Some(None), vec!["debian-2".to_owned(), "debian-1".to_owned()]));
    images.point("new", new).await.unwrap();
    assert_eq!(images.names(), [pair("debian-1", "-"), pair(STABLE, "debian-2")]);
}

#[tokio::test]
async fn a_name_that_did_not_come_from_us_or_is_another_line_s_is_left_alone_and_its_holder_named() {
    let new = tags("bookworm-2");
    let other_line = ImageTags { variant: "nocloud".parse().unwrap(), ..tags("bookworm-1") };
    let other_owner = ImageTags { owner: "someone".parse().unwrap(), ..tags("bookworm-1") };
    for held in [
        json!({"id": "held", "status": "active", "visibility": "private", "owner": "p1", "name": STABLE}),
        holder("held", &other_line, "debian-1"),
        holder("held", &other_owner, "debian-1"),
        image("held", &tags("bookworm-1"), STABLE),
    ] {
        let images = Images::new(vec![held, image("new", &new, "debian-2")], 0).await;
        let error = images.point("new", new.clone()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NameTaken);
        assert!(error.message().contains("held") && error.advice().is_some(), "{error:?}");
        assert_eq!(images.patched().len(), 0);
        let mut spec = spec();
        spec.tags = new.clone();
        let exposures = vec![(Arc::new(spec), region())];
        let request = PreflightRequest { additions: Vec::new(), exposures, probe: Probe::ReadOnly };
        let found = images.target().preflight(&Context::detached(), &request).await.unwrap();
        let [finding] = found.as_slice() else { panic!("one finding: {found:?}") };
        assert!(finding.message.contains("held"), "{finding:?}");
    }
}
