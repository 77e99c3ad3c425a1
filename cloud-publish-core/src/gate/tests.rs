//! Commands that pass, wait, fail, hang, flood, and those that do not begin.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::runner::run;
use crate::clock::Clock;
use crate::error::{Kind, Result};
use crate::event::GateAnswer;
use crate::execute::{Answered, AskedImage, Question};
use crate::manifest::{GateConfig, GateRegions};
use crate::names::Class;
use crate::publisher::Context;

/// How long anything may take before a test counts as hanging.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn question(images: &[(&str, &str)]) -> Question {
    let asked = |(region, id): &(&str, &str)| AskedImage { region: region.parse().unwrap(), id: id.parse().unwrap() };
    Question {
        schema: 1,
        owner: "debian".parse().unwrap(),
        release: "bookworm-20240101".parse().unwrap(),
        target: "cloud".parse().unwrap(),
        provider: "memory".parse().unwrap(),
        account: "acc".parse().unwrap(),
        variant: "genericcloud".parse().unwrap(),
        arch: "amd64".parse().unwrap(),
        rendition: "as-is".parse().unwrap(),
        suite: "bookworm".parse().unwrap(),
        suite_id: "12".into(),
        version: "20240101-1614".parse().unwrap(),
        class: Class::Release,
        date: "2024-01-01T00:00:00Z".parse().unwrap(),
        name: "debian-12".parse().unwrap(),
        digest: crate::digest::Digest::from_bytes([1; 32]),
        images: images.iter().map(asked).collect(),
    }
}

/// A time limit that no test reaches by itself.
const LIMIT: Duration = Duration::from_secs(100_000);

fn shell(script: &str) -> GateConfig {
    let command: Vec<String> = ["sh", "-c", script].map(ToOwned::to_owned).into();
    GateConfig { program: "sh".into(), command, timeout: LIMIT, regions: GateRegions::All, concurrency: 1 }
}

struct Room(TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Asks a script.
    async fn ask(&self, script: &str) -> Result<Answered> {
        self.ask_in(&Context::detached(), script).await
    }

    async fn ask_in(&self, context: &Context, script: &str) -> Result<Answered> {
        let (gate, asked) = (shell(script), question(&[("one", "i-1"), ("two", "i-2")]));
        let run = run(context, (&gate, self.path()), &asked);
        tokio::time::timeout(PATIENCE, run).await.expect("the command hangs")
    }

    /// Asks a script whose time is over once it has written down so many processes.
    async fn ask_until(&self, (count, is_patient): (usize, bool), script: &str) -> (Answered, Vec<i32>) {
        let (context, late) = Held::context(is_patient);
        let (answered, numbers) = tokio::join!(self.ask_in(&context, script), async {
            let numbers = self.children(count).await;
            late.cancel();
            numbers
        });
        (answered.unwrap(), numbers)
    }

    /// The numbers of the processes that a script has written into the file `children`.
    async fn children(&self, count: usize) -> Vec<i32> {
        let numbers = async {
            loop {
                let text = std::fs::read_to_string(self.path().join("children")).unwrap_or_default();
                if text.ends_with('\n') && text.lines().count() == count {
                    return text.lines().map(|line| line.trim().parse().unwrap()).collect();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, numbers).await.expect("the command does not begin")
    }

    /// Waits until none of these processes runs any more.
    async fn assert_gone(&self, numbers: &[i32]) {
        let runs = |number: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
            stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
        };
        let gone = async {
            while numbers.iter().any(runs) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("a child of the gate runs on");
    }
}

/// A clock by which the time limit is over when a test says so, and the time between SIGTERM and SIGKILL at once or never.
#[derive(Debug)]
struct Held {
    late: CancellationToken,
    is_patient: bool,
}

impl Held {
    fn context(is_patient: bool) -> (Context, CancellationToken) {
        let late = CancellationToken::new();
        (Context::with_clock(Arc::new(Self { late: late.clone(), is_patient })), late)
    }
}

#[async_trait::async_trait]
impl Clock for Held {
    fn now(&self) -> jiff::Timestamp {
        "2024-01-02T00:00:00Z".parse().unwrap()
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn sleep(&self, time: Duration) {
        match (time == LIMIT, self.is_patient) {
            (true, _) => self.late.cancelled().await,
            (false, true) => std::future::pending().await,
            (false, false) => {}
        }
    }
}

/// Ignores SIGTERM, as its child and grandchild do; all of them hold the output open.
const STUBBORN: &str = "trap '' TERM
echo $$ >> children
sh -c 'trap \"\" TERM; echo $$ >> children; sh -c \"trap \\\"\\\" TERM; echo \\$\\$ >> children; sleep 100000\"; exit 0' &
sleep 100000; sleep 100000";

fn failed(answered: &Answered) -> &str {
    match &answered.answer {
        GateAnswer::Failed { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn exit_codes_are_answers() {
    let room = Room::new();
    let answer = async |script: &str| room.ask(script).await.unwrap().answer;
    assert_eq!(answer("exit 0").await, GateAnswer::Passed);
    assert!(matches!(answer("exit 75").await, GateAnswer::NotYet { .. }));
    assert_eq!(answer("exit 3").await, GateAnswer::Failed { reason: "it ended with exit code 3".into() });
    assert_eq!(answer("kill -9 $$").await, GateAnswer::Failed { reason: "it was ended by signal 9".into() });
}

#[tokio::test]
async fn a_command_reads_the_question_and_its_variables_in_the_folder_of_the_configuration() {
    let room = Room::new();
    let script =
        "cat > asked.json; echo $CLOUD_PUBLISH_RELEASE $CLOUD_PUBLISH_IMAGE_ID_TWO; echo problem >&2; echo end";
    let answered = room.ask(script).await.unwrap();
    assert_eq!(&answered.output[..], b"bookworm-20240101 i-2\nproblem\nend\n", "both streams, in their order");
    let asked: Value = serde_json::from_slice(&std::fs::read(room.path().join("asked.json")).unwrap()).unwrap();
    assert_eq!((&asked["schema"], &asked["variant"]), (&Value::from(1), &Value::from("genericcloud")));
    assert_eq!(asked["images"], serde_json::json!([{"region": "one", "id": "i-1"}, {"region": "two", "id": "i-2"}]));
}

#[tokio::test]
async fn a_command_need_not_read_a_question_longer_than_a_pipe() {
    let room = Room::new();
    let asked = Question { suite_id: "x".repeat(1_000_000), ..question(&[("one", "i-1")]) };
    for script in ["exit 0", "exec <&-; exit 0"] {
        let gate = shell(script);
        let context = Context::detached();
        let run = run(&context, (&gate, room.path()), &asked);
        let answered = tokio::time::timeout(PATIENCE, run).await.unwrap().unwrap();
        assert_eq!(answered.answer, GateAnswer::Passed, "{script}");
    }
}

#[tokio::test]
async fn an_output_that_never_ends_is_cut_and_the_time_limit_ends_it() {
    let room = Room::new();
    let script = "yes nein | head -c 5000000; echo $$ >> children; exec yes ja";
    let (answered, numbers) = room.ask_until((1, false), script).await;
    assert_eq!(failed(&answered), "it took longer than 100000 s and was stopped");
    assert!(answered.output.starts_with(b"[the first ") && answered.output.len() < (1 << 20) + 100);
    room.assert_gone(&numbers).await;
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_its_children_and_theirs() {
    let room = Room::new();
    let (answered, numbers) = room.ask_until((3, false), STUBBORN).await;
    assert_eq!(failed(&answered), "it took longer than 100000 s and was stopped");
    room.assert_gone(&numbers).await;
}

#[tokio::test]
async fn who_ends_when_told_to_is_not_killed_and_counts_as_too_late() {
    let room = Room::new();
    let script = "trap 'echo tidied up; exit 0' TERM; echo $$ >> children; while :; do sleep 0.01; done";
    let (answered, _) = room.ask_until((1, true), script).await;
    assert!(failed(&answered).contains("it took longer"));
    assert!(answered.output.ends_with(b"tidied up\n"), "{:?}", answered.output);
}

#[tokio::test]
async fn a_run_that_is_to_stop_ends_the_command_and_its_children() {
    let room = Room::new();
    let stop = CancellationToken::new();
    let clock = Held { late: CancellationToken::new(), is_patient: false };
    let context = Context::detached_from(stop.clone(), Arc::new(clock));
    let (answered, numbers) = tokio::join!(room.ask_in(&context, STUBBORN), async {
        let numbers = room.children(3).await;
        stop.cancel();
        numbers
    });
    assert_eq!(answered.unwrap_err().kind(), Kind::Cancelled);
    room.assert_gone(&numbers).await;
}

#[tokio::test]
async fn a_question_that_nobody_waits_for_any_more_leaves_nothing_running() {
    let room = Room::new();
    let script = "echo $$ >> children; sleep 100000 & echo $! >> children; wait";
    let numbers = tokio::select! {
        answered = room.ask(script) => panic!("{answered:?}"),
        numbers = room.children(2) => numbers,
    };
    room.assert_gone(&numbers).await;
}

#[tokio::test]
async fn what_a_command_leaves_in_the_background_is_ended_and_not_waited_for() {
    let room = Room::new();
    let answered = room.ask("sleep 100000 & echo $! >> children; echo done").await.unwrap();
    assert_eq!((answered.answer, &answered.output[..]), (GateAnswer::Passed, &b"done\n"[..]));
    let numbers = room.children(1).await;
    room.assert_gone(&numbers).await;
}

#[tokio::test]
async fn a_command_that_cannot_be_started_says_which() {
    let room = Room::new();
    for program in ["./absent", "no-such-program-of-anybody"] {
        let gate = GateConfig { program: room.path().join(program), command: vec![program.into()], ..shell("") };
        let gate = if gate.names_a_file() { gate } else { GateConfig { program: program.into(), ..gate } };
        let asked = question(&[("one", "i-1")]);
        let error = run(&Context::detached(), (&gate, room.path()), &asked).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound);
        assert!(error.to_string().contains("could not be started (program"), "{error}");
    }
}
