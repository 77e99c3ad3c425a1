use std::fs;
use std::path::Path as FilePath;
use std::sync::Arc;

use futures::future::join_all;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tempfile::TempDir;

use super::testing::{Bent, acquire, both, claim, fast, memory, place, receipt, release, run, step};
use super::{History, Leases, Ledger, RunJournal, WhenHeld, local_store};
use crate::clock::{Clock, FastClock};
use crate::digest::Digest;
use crate::error::Kind;
use crate::event::Trouble;
use crate::execute::{Fact, Journal, Made, Receipt};
use crate::identity::ImageTags;
use crate::names::{Class, Region};
use crate::publisher::{Context, Listing, Note, Registered, Staged};

/// A run with a lease of the place `a`.
async fn begin(store: &Arc<dyn ObjectStore>) -> (Ledger, RunJournal) {
    let ledger = Ledger::new(Arc::clone(store));
    let leases = acquire(&ledger, &claim(&["a"]), &Context::detached()).await.unwrap();
    let journal = ledger.begin(release(), run(), leases);
    (ledger, journal)
}

fn numbers(history: &History) -> Vec<u32> {
    let number = |note: Note| match note {
        Note::DeadGeneration { generation, .. } => generation,
        Note::Acknowledged { .. } => panic!("no such note was written"),
    };
    history.notes(&place("a"), &step("upload")).into_iter().map(number).collect()
}

fn tags() -> ImageTags {
    ImageTags {
        owner: "debian".parse().unwrap(),
        release: release(),
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

fn region() -> Region {
    "RegionOne".parse().unwrap()
}

fn deleted(reason: &str) -> Receipt {
    let fact =
        Fact::Deleted { tags: tags(), region: region(), id: "image-1".parse().unwrap(), reason: reason.to_owned() };
    Receipt { step: None, fact, ..receipt(&place("a"), 0) }
}

/// A clock whose pauses are short.
fn quick() -> Arc<dyn Clock> {
    Arc::new(FastClock::new(Timestamp::UNIX_EPOCH, 1000))
}

fn other(fact: Fact) -> Receipt {
    Receipt { fact, ..receipt(&place("a"), 0) }
}

#[tokio::test]
async fn every_kind_of_receipt_is_read_again_as_it_was_written() {
    let (_directory, stores) = both();
    for store in stores {
        let (ledger, journal) = begin(&store).await;
        let staged = Staged { region: region(), id: "s".into(), sent: 5 };
        let image = Registered::new(region(), "i".parse().unwrap());
        let trouble = Trouble { kind: Kind::Throttled, error: vec!["slow down".into()], hint: None };
        let value = serde_json::json!({"parts": [1, 2], "size": 18_446_744_073_709_551_615_u64});
        let written = vec![
            other(Fact::RunStarted { program: "1.0".into() }),
            other(Fact::StepStarted { attempt: 1 }),
            other(Fact::Noted { note: Note::Acknowledged { value } }),
            receipt(&place("a"), 3),
            other(Fact::StepFailed { trouble }),
            other(Fact::StepDone { result: Made::Change }),
            other(Fact::StepDone { result: Made::Staged { staged } }),
            other(Fact::StepDone { result: Made::Images { images: vec![image], failed: Vec::new() } }),
            other(Fact::StepDone { result: Made::Listing { listing: Listing::Pending } }),
            deleted("aged"),
            other(Fact::RunEnded { outcome: "complete".into() }),
        ];
        for receipt in &written {
            journal.keep(receipt.clone()).await.unwrap();
        }
        let history = ledger.history(&release()).await.unwrap();
        assert_eq!(history.problems, Vec::<String>::new());
        assert_eq!(history.receipts.iter().map(|r| r.receipt.clone()).collect::<Vec<_>>(), written);
        assert_eq!(history.receipts.iter().map(|r| r.seq).collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
        let last = history.last_run(&place("a")).unwrap();
        assert_eq!((last.run, last.outcome.as_deref()), (journal.run(), Some("complete")));
        assert_eq!(last.program.as_deref(), Some("1.0"));
    }
}

#[tokio::test]
async fn a_ledger_that_is_not_there_is_empty_and_reading_it_leaves_no_trace() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("state");
    let ledger = Ledger::new(local_store(&path).unwrap());
    assert_eq!(ledger.history(&release()).await.unwrap(), History::default());
    assert_eq!(ledger.tombstones().await.unwrap(), []);
    assert!(!path.exists());
}

#[tokio::test]
async fn two_runs_and_many_tasks_never_overwrite_each_other() {
    let (_directory, stores) = both();
    for store in stores {
        let ledger = Ledger::new(Arc::clone(&store));
        let (_, one) = begin(&store).await;
        let leases = acquire(&ledger, &claim(&["b"]), &Context::detached()).await.unwrap();
        let two = ledger.begin(release(), run(), leases);
        let (a, b) = (place("a"), place("b"));
        let writes = (0..25).flat_map(|n| [one.keep(receipt(&a, n)), two.keep(receipt(&b, n))]);
        for done in join_all(writes).await {
            done.unwrap();
        }
        let history = ledger.history(&release()).await.unwrap();
        assert_eq!(history.problems, Vec::<String>::new());
        for (place, run) in [(&a, one.run()), (&b, two.run())] {
            let own = || history.receipts.iter().filter(|r| r.receipt.place == *place);
            assert!(own().all(|r| r.run == run));
            assert_eq!(own().map(|r| r.seq).collect::<Vec<_>>(), (1..=25).collect::<Vec<_>>());
        }
    }
}

#[tokio::test]
async fn another_writer_of_the_same_run_is_refused_and_what_it_met_stays() {
    let store = memory();
    let (ledger, journal) = begin(&store).await;
    journal.keep(receipt(&place("a"), 1)).await.unwrap();
    let leases = Leases::default();
    let without = ledger.begin(release(), journal.run(), leases);
    assert_eq!(without.keep(receipt(&place("a"), 2)).await.unwrap_err().kind(), Kind::Storage);
    let leases = acquire(&ledger, &claim(&["b"]), &Context::detached()).await.unwrap();
    let twin = ledger.begin(release(), journal.run(), leases);
    assert_eq!(twin.keep(receipt(&place("b"), 2)).await.unwrap_err().kind(), Kind::Storage);
    assert_eq!(numbers(&ledger.history(&release()).await.unwrap()), [1]);
}

#[tokio::test]
async fn lost_replies_make_neither_failures_nor_duplicates() {
    let store: Arc<dyn ObjectStore> = Bent::loses_replies(2);
    let ledger = Ledger::with_clock(Arc::clone(&store), quick());
    let leases = acquire(&ledger, &claim(&["a"]).when_held(WhenHeld::Fail), &Context::detached()).await.unwrap();
    assert_eq!(leases.term(&place("a")), Some(1));
    let journal = ledger.begin(release(), run(), leases);
    for number in 0..7 {
        journal.keep(receipt(&place("a"), number)).await.unwrap();
    }
    let history = ledger.history(&release()).await.unwrap();
    assert_eq!(numbers(&history), (0..7).collect::<Vec<_>>());
    assert_eq!(history.problems, Vec::<String>::new());
}

#[tokio::test]
async fn a_store_that_goes_on_failing_is_reported() {
    let leases = acquire(&Ledger::new(memory()), &claim(&["a"]), &Context::detached()).await.unwrap();
    let failing = Ledger::with_clock(Bent::loses_replies(u32::MAX - 1), quick());
    let journal = failing.begin(release(), run(), leases);
    let error = journal.keep(receipt(&place("a"), 1)).await.unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Storage, "could not write the state"));
    assert!(error.chain().join(": ").contains("connection reset"), "{:?}", error.chain());
}

#[tokio::test]
async fn torn_foreign_and_newer_entries_are_reported_and_passed_over() {
    let (_directory, stores) = both();
    for store in stores {
        let (ledger, journal) = begin(&store).await;
        for number in 1..=3 {
            journal.keep(receipt(&place("a"), number)).await.unwrap();
        }
        let folder = format!("ledger/v1/{}/{}", release(), journal.run());
        let path = |name: &str| Path::parse(format!("{folder}/{name}")).unwrap();
        let whole = store.get(&path("0000000002.json")).await.unwrap().bytes().await.unwrap();
        let text = String::from_utf8(whole.to_vec()).unwrap();
        let unknown = text.replace("\"noted\"", "\"dreamt\"").replace("\"seq\":2", "\"seq\":8");
        let objects = [
            ("0000000002.json", text[..text.len() / 2].to_owned(), "is torn"),
            ("0000000004.json", String::new(), "is empty"),
            (
                "0000000005.json",
                text.replace("\"schema\":1", "\"schema\":2"),
                "newer version of the program (schema 2)",
            ),
            ("0000000006.json", "hello".into(), "is not an entry of this ledger"),
            ("0000000007.json", text.clone(), "is a copy of entry 2"),
            ("0000000008.json", unknown, "cannot be understood"),
            ("README.txt", "hello".into(), "does not belong to the ledger"),
        ];
        for (name, bytes, _) in &objects {
            store.put(&path(name), bytes.clone().into()).await.unwrap();
        }
        let history = ledger.history(&release()).await.unwrap();
        assert_eq!(numbers(&history), [1, 3]);
        assert_eq!(history.problems.len(), objects.len(), "{:?}", history.problems);
        for ((name, _, why), problem) in objects.iter().zip(&history.problems) {
            assert!(problem.contains(name) && problem.contains(why), "{problem}");
        }
    }
}

#[tokio::test]
async fn fields_of_a_later_program_are_left_aside() {
    let store = memory();
    let (ledger, journal) = begin(&store).await;
    journal.keep(receipt(&place("a"), 1)).await.unwrap();
    let path = Path::parse(format!("ledger/v1/{}/{}/0000000001.json", release(), journal.run())).unwrap();
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    let text = text.replace("\"schema\":1", "\"schema\":1,\"mood\":\"good\"").replace("\"at\":", "\"why\":[1],\"at\":");
    assert!(text.contains("mood") && text.contains("why"));
    store.put(&path, text.into()).await.unwrap();
    let history = ledger.history(&release()).await.unwrap();
    assert_eq!((numbers(&history), history.problems), (vec![1], vec![]));
}

#[tokio::test]
async fn tombstones_are_found_by_key_and_across_releases() {
    let store = memory();
    let (ledger, journal) = begin(&store).await;
    journal.keep(receipt(&place("a"), 1)).await.unwrap();
    journal.keep(deleted("aged")).await.unwrap();
    journal.keep(deleted("aged again")).await.unwrap();
    let history = ledger.history(&release()).await.unwrap();
    let key = tags().key(&place("a"), &region());
    let tombstone = history.tombstone(&place("a"), &key).unwrap();
    assert_eq!((tombstone.reason.as_str(), tombstone.run), ("aged again", journal.run()));
    assert_eq!(history.tombstone(&place("b"), &key), None);
    let elsewhere: Region = "RegionTwo".parse().unwrap();
    assert_eq!(history.tombstone(&place("a"), &tags().key(&place("a"), &elsewhere)), None);
    assert_eq!(ledger.tombstones().await.unwrap(), history.tombstones());
    assert_eq!(history.tombstones().len(), 2);
}

#[tokio::test]
async fn releases_whose_names_begin_alike_are_kept_apart() {
    let store = memory();
    let (ledger, journal) = begin(&store).await;
    journal.keep(receipt(&place("a"), 1)).await.unwrap();
    let shorter = "bookworm-2024".parse().unwrap();
    assert_eq!(ledger.history(&shorter).await.unwrap(), History::default());
}

#[tokio::test]
async fn receipts_under_a_later_term_come_later_whatever_the_clocks_say() {
    let ledger = Ledger::new(memory());
    let (early, late) = (run(), "7ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap());
    for (run, number) in [(late, 1), (early, 2)] {
        let leases = acquire(&ledger, &claim(&["a"]), &fast(1)).await.unwrap();
        let journal = ledger.begin(release(), run, leases);
        journal.keep(receipt(&place("a"), number)).await.unwrap();
        journal.release().await.unwrap();
    }
    let history = ledger.history(&release()).await.unwrap();
    assert_eq!(numbers(&history), [1, 2]);
    assert_eq!(history.last_run(&place("a")).unwrap().run, early);
    assert_eq!(history.last_run(&place("a")).unwrap().outcome, None);
}

async fn first_write(path: &FilePath) -> crate::error::Error {
    let ledger = Ledger::new(local_store(path).unwrap());
    acquire(&ledger, &claim(&["a"]), &Context::detached()).await.unwrap_err()
}

#[tokio::test]
async fn a_state_directory_that_cannot_be_written_is_named_with_a_hint() {
    // Nobody may make directories there, not even root.
    let error = first_write(FilePath::new("/sys/kernel/cloud-publish-state")).await;
    assert_eq!(error.kind(), Kind::Storage);
    let chain = error.chain().join(": ");
    assert!(chain.contains("sys/kernel/cloud-publish-state"), "{chain}");
    assert!(
        error.advice().is_some_and(|hint| hint.contains("let this user write there")),
        "{:?} {chain}",
        error.advice()
    );
}

#[tokio::test]
async fn a_file_in_the_way_of_the_state_directory_is_named() {
    let directory = TempDir::new().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = local_store(&file).unwrap_err();
    assert_eq!((error.kind(), error.context("path")), (Kind::Storage, file.to_str()));
    assert_eq!(local_store(&file.join("below")).unwrap_err().kind(), Kind::Storage);
}

#[tokio::test]
async fn nothing_is_recorded_at_a_place_without_its_lease() {
    let (ledger, journal) = begin(&memory()).await;
    let error = journal.keep(receipt(&place("b"), 1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Storage);
    assert_eq!(journal.confirm(&place("b")).await.unwrap_err().kind(), Kind::LeaseHeld);
    assert_eq!(ledger.history(&release()).await.unwrap(), History::default());
}
