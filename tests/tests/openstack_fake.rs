//! What the fake OpenStack does that a real one does not do to order: faults, hanging imports, tokens that end, volumes
//! cloned from images. That it answers like the real services otherwise is `openstack_clients`' matter.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use cloud_publish_tests::openstack::{CLOUD, FakeOpenStack, Settings, project_id};
use serde_json::{Value, json};

const ID: &str = "11111111-2222-4333-8444-555555555555";

/// Somebody at one region.
struct Client<'a> {
    fake: &'a FakeOpenStack,
    token: String,
    region: &'static str,
}

/// Nothing: the connection ended without an answer.
type Answer = Option<(u16, Value)>;

impl<'a> Client<'a> {
    fn new(fake: &'a FakeOpenStack, user: &str, project: &str) -> Self {
        let token = sign_in(fake, CLOUD, user, project).expect("a token");
        Self { fake, token, region: "RegionOne" }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let kind = if method == "PATCH" { "application/openstack-images-v2.1-json-patch" } else { "application/json" };
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        answer(&mut self.begin(method, path, kind, body.len()), &body)
    }

    fn upload(&self, path: &str, data: &[u8]) -> Answer {
        answer(&mut self.begin("PUT", path, "application/octet-stream", data.len()), data)
    }

    /// Sends the head of a request that will have so many bytes.
    fn begin(&self, method: &str, path: &str, kind: &str, length: usize) -> TcpStream {
        let path = format!("/{CLOUD}/image/{}/v2{path}", self.region);
        request(self.fake, method, &path, &format!("X-Auth-Token: {}\r\nContent-Type: {kind}", self.token), length)
    }

    fn create(&self, more: Value) -> u16 {
        let mut body = json!({"id": ID, "name": "n", "disk_format": "raw", "container_format": "bare"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.call("POST", "/images", &body).unwrap().0
    }

    fn show(&self) -> Value {
        self.call("GET", &format!("/images/{ID}"), &Value::Null).unwrap().1
    }

    /// Waits until the image has this status.
    fn until(&self, status: &str) -> Value {
        let begun = Instant::now();
        loop {
            let image = self.show();
            if image["status"] == status {
                return image;
            }
            assert!(begun.elapsed() < Duration::from_secs(240), "not {status}: {image}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn import(&self, body: &Value) -> u16 {
        self.call("POST", &format!("/images/{ID}/import"), body).unwrap().0
    }
}

fn request(fake: &FakeOpenStack, method: &str, path: &str, headers: &str, length: usize) -> TcpStream {
    let address = fake.url.trim_start_matches("http://");
    let mut socket = TcpStream::connect(address).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n");
    write!(socket, "{head}Content-Length: {length}\r\n\r\n").unwrap();
    socket
}

fn answer(socket: &mut TcpStream, body: &[u8]) -> Answer {
    // A connection that is cut may be cut before everything is sent.
    let _ = socket.write_all(body);
    let mut text = Vec::new();
    let _ = socket.read_to_end(&mut text);
    let text = String::from_utf8_lossy(&text);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).unwrap_or(json!(body))))
}

/// A token, if these are good.
fn sign_in(fake: &FakeOpenStack, cloud: &str, user: &str, project: &str) -> Option<String> {
    let domain = json!({"id": "default"});
    let user = json!({"name": user, "domain": domain, "password": "test-user"});
    let identity = json!({"methods": ["password"], "password": {"user": user}});
    let scope = json!({"project": {"name": project, "domain": domain}});
    let body = json!({"auth": {"identity": identity, "scope": scope}}).to_string();
    let mut socket = request(fake, "POST", &format!("/{cloud}/identity/v3/auth/tokens"), "Accept: */*", body.len());
    socket.write_all(body.as_bytes()).unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    text.lines().find_map(|line| line.strip_prefix("x-subject-token: ")).map(str::to_owned)
}

fn start(patch: Value) -> FakeOpenStack {
    FakeOpenStack::start(Settings::default().merged(patch).unwrap())
}

fn hurt(fake: &FakeOpenStack, rule: Value) {
    fake.world.set_faults(serde_json::from_value(json!([rule])).unwrap());
}

#[test]
fn a_record_is_saving_until_the_last_byte_and_empty_again_when_its_client_dies() {
    let fake = start(json!({}));
    let client = Client::new(&fake, "publisher", "publisher");
    assert_eq!(client.create(json!({})), 201);
    let mut socket = client.begin("PUT", &format!("/images/{ID}/file"), "application/octet-stream", 1000);
    socket.write_all(&[7; 500]).unwrap();
    client.until("saving");
    assert_eq!(client.upload(&format!("/images/{ID}/file"), b"x").unwrap().0, 409);
    drop(socket);
    client.until("queued");
    assert_eq!(client.upload(&format!("/images/{ID}/file"), &[7; 1000]).unwrap().0, 204);
    assert_eq!(client.show()["size"], 1000);
}

#[test]
fn a_record_that_is_deleted_during_its_upload_is_gone() {
    let fake = start(json!({}));
    let client = Client::new(&fake, "publisher", "publisher");
    client.create(json!({}));
    let mut socket = client.begin("PUT", &format!("/images/{ID}/file"), "application/octet-stream", 10);
    socket.write_all(b"12345").unwrap();
    client.until("saving");
    assert_eq!(client.call("DELETE", &format!("/images/{ID}"), &Value::Null).unwrap().0, 204);
    assert_eq!(answer(&mut socket, b"67890").unwrap().0, 410);
    assert_eq!(client.create(json!({})), 409);
}

#[test]
fn faults_strike_what_they_name_and_are_in_the_log() {
    let fake = start(json!({}));
    let client = Client::new(&fake, "publisher", "publisher");
    let rule = |what: &str| json!({"service": "image", "operation": "Create*", "account": "publisher", "times": 1, "what": what});
    let record = json!({"id": ID});
    for (what, status) in [("throttle", Some(429)), ("error500", Some(500)), ("error503", Some(503)), ("reset", None)] {
        hurt(&fake, rule(what));
        let found = client.call("POST", "/images", &record);
        assert_eq!(found.map(|(status, _)| status), status, "{what}");
        assert_eq!(fake.world.requests().last().unwrap().fault.as_deref(), Some(what));
    }
    hurt(&fake, rule("lost"));
    assert_eq!(client.call("POST", "/images", &record), None);
    assert_eq!(client.call("POST", "/images", &record).unwrap().0, 409);
}

#[test]
fn tokens_end_by_age_and_by_revocation() {
    let fake = start(json!({"clouds": {"fake": {"token_seconds": 100}}}));
    let client = Client::new(&fake, "publisher", "publisher");
    let list = || client.call("GET", "/images", &Value::Null).unwrap().0;
    assert_eq!(list(), 200);
    fake.world.advance(101_000);
    assert_eq!(list(), 401);
    let client = Client::new(&fake, "publisher", "publisher");
    fake.world.revoke_tokens();
    assert_eq!(client.call("GET", "/images", &Value::Null).unwrap().0, 401);
}

#[test]
fn an_image_that_a_volume_was_cloned_from_is_not_deleted() {
    let fake = start(json!({}));
    let client = Client::new(&fake, "publisher", "publisher");
    client.create(json!({}));
    let delete = || client.call("DELETE", &format!("/images/{ID}"), &Value::Null).unwrap().0;
    fake.world.set_in_use(CLOUD, "RegionOne", ID, true);
    assert_eq!(delete(), 409);
    fake.world.set_in_use(CLOUD, "RegionOne", ID, false);
    assert_eq!(delete(), 204);
}

#[test]
fn clouds_regions_and_projects_do_not_see_each_other() {
    let fake = start(json!({"clouds": {"other": {}}}));
    let mut client = Client::new(&fake, "publisher", "publisher");
    client.create(json!({"visibility": "private"}));
    let there = |client: &Client<'_>| client.call("GET", &format!("/images/{ID}"), &Value::Null).unwrap().0;
    assert_eq!(there(&Client::new(&fake, "consumer", "consumer")), 404);
    client.region = "RegionTwo";
    assert_eq!(there(&client), 404);
    assert_eq!(sign_in(&fake, CLOUD, "publisher", "consumer"), None);
    client.token = sign_in(&fake, "other", "publisher", "publisher").unwrap();
    assert_eq!(there(&client), 401);
    assert_ne!(project_id(CLOUD, "publisher"), project_id("other", "publisher"));
}

#[test]
fn an_import_that_hangs_never_ends_and_can_be_deleted() {
    let fake = start(json!({"clouds": {"fake": {"regions": {"RegionOne": {"imports_hang": true}}}}}));
    let client = Client::new(&fake, "publisher", "publisher");
    client.create(json!({}));
    assert_eq!(client.upload(&format!("/images/{ID}/stage"), b"data").unwrap().0, 204);
    assert_eq!(client.import(&json!({"method": {"name": "glance-direct"}})), 202);
    assert_eq!(client.show()["status"], "importing");
    assert_eq!(client.upload(&format!("/images/{ID}/file"), b"data").unwrap().0, 409);
    assert_eq!(client.call("DELETE", &format!("/images/{ID}"), &Value::Null).unwrap().0, 204);
}

#[test]
fn a_store_that_fails_fails_the_import_unless_the_others_are_enough() {
    let fake = start(json!({"clouds": {"fake": {"regions": {"RegionOne": {"broken_stores": ["slow"]}}}}}));
    let client = Client::new(&fake, "publisher", "publisher");
    client.create(json!({}));
    client.upload(&format!("/images/{ID}/stage"), b"data");
    let import = |enough: bool| json!({"method": {"name": "glance-direct"}, "all_stores": true, "all_stores_must_succeed": enough});
    assert_eq!(client.import(&import(true)), 202);
    assert_eq!(client.until("queued")["os_glance_failed_import"], "slow");
    client.upload(&format!("/images/{ID}/stage"), b"data");
    assert_eq!(client.import(&import(false)), 202);
    let image = client.until("active");
    assert_eq!(image["stores"], "fast");
}

#[test]
fn a_download_of_a_web_page_that_is_not_there_leaves_an_empty_record() {
    let fake = start(json!({}));
    let client = Client::new(&fake, "publisher", "publisher");
    client.create(json!({}));
    let import = |path: &str| json!({"method": {"name": "web-download", "uri": format!("{}{path}", fake.url)}});
    assert_eq!(client.import(&import("/nowhere")), 202);
    assert_eq!(client.until("queued")["os_glance_failed_import"], "fast");
    assert_eq!(client.import(&import("/health")), 202);
    assert_eq!(client.until("active")["size"], json!({"status": "running"}).to_string().len());
}
