//! An image of ours that is there from the beginning, for verbs that change one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use cloud_publish_core::clock::FastClock;
use cloud_publish_core::digest::Digest;
use cloud_publish_core::identity::{ImageTags, Place};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::Class;
use cloud_publish_core::publisher::{Context, ImageAt, Publisher as _, VisibilityRequest};
use cloud_publish_tests::aws::{ACCOUNT, REGION};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{World, region};

/// Two minutes of patience are over in six seconds, and a short test keeps the world's time.
const FASTER: u32 = 20;

/// A world with one image of ours in it.
pub(crate) struct Planted {
    pub(crate) world: World,
    pub(crate) at: ImageAt,
}

impl Planted {
    /// A private image, made now.
    pub(crate) fn new() -> Self {
        Self::with(json!({}), json!({}))
    }

    /// An image that differs by these members of a seed, in a world that differs by these settings.
    pub(crate) fn with(image: Value, settings: Value) -> Self {
        let place = Place { provider: "aws".parse().unwrap(), account: ACCOUNT.parse().unwrap() };
        let home = region(REGION);
        let mut seed = json!({"name": "debian-12", "tags": tags().to_map(&place, &home)});
        seed.as_object_mut().unwrap().extend(image.as_object().unwrap().clone());
        let mut patch = json!({"ec2": {"images": [seed]}});
        patch.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let world = World::start(patch);
        let id = world.fake.world.dump()["ec2"]["images"][0]["id"].as_str().unwrap().parse().unwrap();
        Self { world, at: ImageAt { region: home, id, tags: tags() } }
    }

    /// What the server has of the image; `Null` when it has none.
    pub(crate) fn image(&self) -> Value {
        find(&self.world, "images", self.at.id.as_str())
    }

    /// What the server has of the image's snapshot.
    pub(crate) fn snapshot(&self) -> Value {
        self.world.fake.world.dump()["ec2"]["snapshots"][0].clone()
    }

    /// Sets a visibility with these keys of the target.
    pub(crate) async fn share(&self, keys: Value, wanted: Visibility) -> cloud_publish_core::error::Result<()> {
        let request = VisibilityRequest { at: self.at.clone(), wanted, along: Vec::new() };
        self.world.target(keys).set_visibility(&context(), &request).await
    }

    /// The operations so far that could change something.
    pub(crate) fn changes(&self) -> Vec<String> {
        self.world.writes().into_iter().map(|entry| entry.operation).collect()
    }
}

/// One of `images` or `snapshots`.
pub(crate) fn find(world: &World, kind: &str, id: &str) -> Value {
    let all = world.fake.world.dump()["ec2"][kind].as_array().unwrap().clone();
    all.into_iter().find(|one| one["id"] == id).unwrap_or_default()
}

/// What the image is.
pub(crate) fn tags() -> ImageTags {
    ImageTags {
        owner: "debian".parse().unwrap(),
        release: "bookworm-20240101".parse().unwrap(),
        suite: "bookworm".parse().unwrap(),
        version: "20240101-1614".parse().unwrap(),
        class: Class::Release,
        variant: "genericcloud".parse().unwrap(),
        arch: "amd64".parse().unwrap(),
        rendition: "as-is".parse().unwrap(),
        date: "2024-01-01T00:00:00Z".parse().unwrap(),
        digest: Digest::from_bytes([7; 32]),
    }
}

/// A step without notes, on a clock that runs fast.
pub(crate) fn context() -> Context {
    Context::with_clock(Arc::new(FastClock::new(Timestamp::now(), FASTER)))
}

/// Asks EC2 as somebody else's program does, and answers with the XML.
pub(crate) fn ask(world: &World, query: &str) -> String {
    let host = world.fake.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let body = format!("Version=2016-11-15&{query}");
    let scope = format!("AKIA{}OTHER/20240101/{REGION}/ec2/aws4_request", world.account);
    let signed = format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0");
    let head = "Content-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n";
    let length = body.len();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {host}\r\nAuthorization: {signed}\r\nContent-Length: {length}\r\n{head}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer
}
