//! What is in a fake AWS, told by boto3 and not by the code under test. One Python process answers all tests of a
//! binary: it takes a second to load.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{aws_clients, paths};

/// What the keys end with that it signs with, so that its requests can be told from those under test.
pub const KEY: &str = "JUDGE";

static JUDGE: LazyLock<Mutex<Judge>> = LazyLock::new(|| Mutex::new(Judge::start()));

struct Judge {
    _child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer<T> {
    Answer(T),
    Failed(String),
}

/// What an account has in one region.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holdings {
    /// In any state, sorted by name.
    pub images: Vec<Image>,
    /// In any state, sorted by the variant that their tags name.
    pub snapshots: Vec<Snapshot>,
    /// Sorted by name.
    pub parameters: Vec<Parameter>,
    /// `unblocked` or how new public sharing of snapshots is blocked.
    pub public_snapshots_blocked: String,
    /// `unblocked` or `block-new-sharing`.
    pub public_images_blocked: String,
}

/// An image.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "EC2's own words: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Image.html"
)]
pub struct Image {
    pub id: String,
    pub name: String,
    pub description: Option<String>,
    pub state: String,
    pub public: bool,
    /// `all`, account numbers, ARNs.
    pub launch: Vec<String>,
    pub tags: BTreeMap<String, String>,
    /// Counted from its making.
    pub deprecated_after_days: Option<u32>,
    pub protection: Option<String>,
    pub boot_mode: Option<String>,
    pub tpm: Option<String>,
    pub imds: Option<String>,
    pub uefi_data: Option<String>,
    pub architecture: String,
    pub ena: Option<bool>,
    pub sriov: Option<String>,
    pub root: Option<String>,
    pub devices: Value,
    /// Id and region of the image that it is a copy of.
    pub source: Vec<String>,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(
    missing_docs,
    reason = "EC2's own words: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html"
)]
pub struct Snapshot {
    pub id: String,
    pub description: Option<String>,
    pub state: String,
    /// GiB.
    pub size: u64,
    /// `all`, account numbers.
    pub create_volume: Vec<String>,
    pub tags: BTreeMap<String, String>,
    /// A digest over indexes and bytes of its blocks, once it is complete.
    pub content: Option<String>,
}

/// A parameter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// With its path.
    pub name: String,
    /// The id of an image.
    pub value: String,
    /// `aws:ec2:image`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What is staged in a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bucket {
    /// Names of objects.
    pub objects: Vec<String>,
    /// Names of objects that are uploaded in parts just now.
    pub uploads: Vec<String>,
}

/// What an account has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// By name of the region.
    pub regions: BTreeMap<String, Holdings>,
    /// Of the first of the regions asked for, by name.
    pub buckets: BTreeMap<String, Bucket>,
}

/// Lists everything that these accounts have in these regions.
///
/// # Panics
/// If boto3 is not there, or does not like an answer of the fake.
pub fn holdings(url: &str, accounts: &[&str], regions: &[&str]) -> BTreeMap<String, Account> {
    dump("dump", url, (accounts, regions))
}

/// The same with words instead of what differs from run to run: ids, and the times of publication.
///
/// # Panics
/// Like [`holdings`].
pub fn comparable(url: &str, accounts: &[&str], regions: &[&str]) -> BTreeMap<String, Account> {
    dump("comparable", url, (accounts, regions))
}

/// Says what is wrong with the requests that this fake was ever sent, by AWS's own service models.
///
/// # Panics
/// Like [`holdings`].
pub fn violations(url: &str) -> Vec<String> {
    ask(&json!({"ask": "contract", "url": url}))
}

fn dump(what: &str, url: &str, (accounts, regions): (&[&str], &[&str])) -> BTreeMap<String, Account> {
    let accounts: BTreeMap<&str, &[&str]> = accounts.iter().map(|account| (*account, regions)).collect();
    ask(&json!({"ask": what, "url": url, "accounts": accounts}))
}

fn ask<T: DeserializeOwned>(question: &Value) -> T {
    let line = JUDGE.lock().unwrap_or_else(PoisonError::into_inner).ask(question);
    match serde_json::from_str(&line) {
        Ok(Answer::Answer(answer)) => answer,
        Ok(Answer::Failed(why)) => panic!("{question}: {why}"),
        Err(error) => panic!("the judge says something else: {error}\n{line}"),
    }
}

impl Judge {
    fn start() -> Self {
        let python = aws_clients::python();
        let mut command = aws_clients::command(&python, &[]);
        command.arg(paths::of_tests("servers/aws/judge.py")).env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: start the tests with tests/run", python.display()));
        let questions = child.stdin.take().expect("a pipe");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        // It ends with the pipe, that is with the tests.
        Self { _child: child, questions, answers }
    }

    fn ask(&mut self, question: &Value) -> String {
        let mut answer = String::new();
        writeln!(self.questions, "{question}").expect("the judge lives: what it died of is on standard error");
        self.answers.read_line(&mut answer).expect("UTF-8");
        assert!(!answer.is_empty(), "the judge died of {question}: see standard error");
        answer
    }
}
