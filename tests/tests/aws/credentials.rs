//! The SDK's own ways to credentials, and its variables: each in a process of its own, because they are the environment.
//!
//! The process is this test binary again, which then only tells where it finds itself ([`tell`]).

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cloud_publish_aws::{Aws, AwsSettings};
use cloud_publish_core::publisher::{Context, Publisher as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::World;

/// Any test of this module: in a process with [`KEYS`] it only tells.
const CHILD: &str = "credentials::variables_are_credentials";

/// The target's keys of the child.
const KEYS: &str = "CLOUD_PUBLISH_TEST_AWS_KEYS";

/// What the child prints before its answer.
const ANSWER: &str = "the account is ";

/// What the child does: it says in which account a target with these keys finds itself.
fn tell(keys: &str) {
    // Only to make settings: nobody asks this one.
    let unasked = World::start(json!({}));
    let target = Aws::new(AwsSettings { sdk: None, ..unasked.settings(serde_json::from_str(keys).unwrap()) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let account = match runtime.block_on(target.info(&Context::detached())) {
        Ok(info) => info.place.account.to_string(),
        Err(error) => format!("unknown: {}", error.chain().join(": ")),
    };
    println!("\n{ANSWER}{account}");
}

/// A fake and a folder for what the SDK reads.
struct Machine {
    world: World,
    folder: TempDir,
}

impl Machine {
    fn new(patch: Value) -> Self {
        Self { world: World::start(patch), folder: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The account that a target with these keys finds itself in, on a machine with these variables and no others of
    /// AWS's.
    fn account(&self, keys: &Value, variables: &[(&str, &str)]) -> String {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([CHILD, "--exact", "--nocapture"]);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
            child.env_remove(name);
        }
        let nothing = self.folder.path().join("nothing");
        child
            .env("HOME", self.folder.path())
            .env("AWS_CONFIG_FILE", &nothing)
            .env("AWS_SHARED_CREDENTIALS_FILE", nothing);
        child.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", &self.world.fake.url);
        child.env(KEYS, keys.to_string()).envs(variables.iter().copied());
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let answer = text.lines().find_map(|line| line.strip_prefix(ANSWER));
        answer.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr))).to_owned()
    }
}

fn key(account: &str) -> String {
    format!("AKIA{account}TEST")
}

/// The credentials of an account, as processes and containers tell them.
fn told(account: &str) -> Value {
    json!({"Version": 1, "AccessKeyId": key(account), "SecretAccessKey": "any"})
}

#[test]
fn variables_are_credentials() {
    if let Ok(keys) = std::env::var(KEYS) {
        return tell(&keys);
    }
    let machine = Machine::new(json!({}));
    let key = key("222222222222");
    let variables = [("AWS_ACCESS_KEY_ID", key.as_str()), ("AWS_SECRET_ACCESS_KEY", "any")];
    assert_eq!(machine.account(&json!({}), &variables), "222222222222");
}

#[test]
fn nothing_at_all_is_said_to_be_that() {
    let machine = Machine::new(json!({}));
    let found = machine.account(&json!({}), &[]);
    assert!(found.starts_with("unknown: there are no usable AWS credentials"), "{found}");
    assert_eq!(machine.world.asked(), [""; 0]);
}

#[test]
fn a_profile_may_name_a_process_or_a_role() {
    let machine = Machine::new(json!({}));
    let credentials = machine.write("process.json", &told("111111111111").to_string());
    let config = machine.write(
        "config",
        &format!(
            "[profile process]\ncredential_process = cat {credentials}\n\
             [profile role]\nrole_arn = arn:aws:iam::222222222222:role/publisher\nsource_profile = process\n",
        ),
    );
    let variables = [("AWS_CONFIG_FILE", config.as_str())];
    assert_eq!(machine.account(&json!({"profile": "process"}), &variables), "111111111111");
    assert_eq!(machine.account(&json!({"profile": "role"}), &variables), "222222222222");
    let by_variable = [("AWS_CONFIG_FILE", config.as_str()), ("AWS_PROFILE", "role")];
    assert_eq!(machine.account(&json!({}), &by_variable), "222222222222");
    let both = json!({"profile": "process", "roles": ["arn:aws:iam::222222222222:role/publisher"]});
    assert_eq!(machine.account(&both, &variables), "222222222222");
}

#[test]
fn a_ci_job_is_who_its_token_says() {
    let ci = json!({"accounts": {"111111111111": {"roles": {"ci": {"web_identity": ["ci.example.org"]}}}}});
    let machine = Machine::new(ci);
    let claims = json!({"iss": "https://ci.example.org", "sub": "project", "aud": "sts.amazonaws.com"});
    let payload = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let token = machine.write("token", &format!("e30.{payload}.signature"));
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()),
        ("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/ci"),
        ("AWS_ROLE_SESSION_NAME", "job"),
    ];
    assert_eq!(machine.account(&json!({}), &variables), "111111111111");
}

/// What a container's host answers: one client after the other, until the test's process ends.
fn host(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let lines = BufReader::new(&client).lines().map_while(Result::ok);
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            let _ = client.write_all((head + &answer).as_bytes());
        }
    });
    url
}

/// The fake's answer to a signed question; it looks at the signature's scope alone.
fn assume(role: &str, fake: &str) -> String {
    let body = format!("Action=AssumeRole&Version=2011-06-15&RoleArn={role}&RoleSessionName=container");
    let scope = format!("{}/20240101/us-east-1/sts/aws4_request", key("111111111111"));
    let address = fake.trim_start_matches("http://");
    let mut server = TcpStream::connect(address).unwrap();
    write!(
        server,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_container_has_the_role_that_its_host_gives() {
    let machine = Machine::new(json!({}));
    let answer = assume("arn:aws:iam::222222222222:role/publisher", &machine.world.fake.url);
    let field = |name: &str| {
        let rest = answer.split(&format!("<{name}>")).nth(1).unwrap_or_else(|| panic!("{answer}"));
        rest.split('<').next().unwrap().to_owned()
    };
    let credentials = json!({
        "AccessKeyId": field("AccessKeyId"),
        "SecretAccessKey": field("SecretAccessKey"),
        "Token": field("SessionToken"),
        "Expiration": "2099-01-01T00:00:00Z",
    });
    let url = host(credentials.to_string());
    let found = machine.account(&json!({}), &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str())]);
    assert_eq!(found, "222222222222");
}

#[test]
fn one_service_may_have_an_endpoint_of_its_own() {
    let machine = Machine::new(json!({}));
    let key = key("111111111111");
    let url = machine.world.fake.url.as_str();
    let variables = [
        ("AWS_ACCESS_KEY_ID", key.as_str()),
        ("AWS_SECRET_ACCESS_KEY", "any"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ];
    let nowhere = machine.account(&json!({}), &variables);
    assert!(nowhere.starts_with("unknown: AWS could not be reached"), "{nowhere}");
    let led = [&variables[..], &[("AWS_ENDPOINT_URL_STS", url)]].concat();
    assert_eq!(machine.account(&json!({}), &led), "111111111111");
}

#[test]
fn no_secret_shows_in_a_targets_debug_output() {
    let machine = Machine::new(json!({}));
    let target = machine.world.target(json!({}));
    assert!(!format!("{target:?}").contains("\"any\""), "{target:?}");
}
