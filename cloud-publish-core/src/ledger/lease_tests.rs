use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::TryStreamExt;
use futures::future::join_all;
use jiff::Timestamp;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio_util::sync::CancellationToken;

use super::record::Record;
use super::testing::{Bent, acquire, both, claim, fast, memory, place, receipt, release, run};
use super::{Claim, Holder, Leases, Ledger, WhenHeld, paths};
use crate::clock::{Clock, FastClock, SystemClock};
use crate::error::{Kind, Result};
use crate::execute::Journal;
use crate::publisher::{Context, Note, Notes, Progress};

/// A holder that is alive as far as anybody can tell: it runs on a machine of which nothing is known.
fn elsewhere(accounts: &[&str]) -> Claim {
    let own = claim(accounts);
    let holder = Holder { host: "elsewhere".into(), boot_id: None, pid: 4711, ..own.holder.clone() };
    Claim { holder, ..own }
}

/// A holder that never beats within a test.
fn silent(accounts: &[&str]) -> Claim {
    Claim { heartbeat: Duration::from_secs(1_000_000), ..elsewhere(accounts) }
}

/// The terms that lie in the store.
async fn files(store: &Arc<dyn ObjectStore>, account: &str) -> Vec<u64> {
    let folder = paths::leases(&place(account)).unwrap();
    let found: Vec<ObjectMeta> = store.list(Some(&folder)).try_collect().await.unwrap();
    let mut terms: Vec<u64> = found.iter().filter_map(|object| paths::parse_term(&object.location)).collect();
    terms.sort_unstable();
    terms
}

#[tokio::test]
async fn of_fifty_runs_one_wins_a_term() {
    let (_directory, stores) = both();
    for store in stores {
        let ledger = Ledger::new(Arc::clone(&store));
        let tries = (0..50).map(|_| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let own = elsewhere(&["a"]).when_held(WhenHeld::Fail);
                acquire(&ledger, &own, &Context::detached()).await
            })
        });
        let (won, lost): (Vec<_>, Vec<_>) =
            join_all(tries).await.into_iter().map(Result::unwrap).partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 49));
        assert!(lost.into_iter().all(|error| error.unwrap_err().kind() == Kind::LeaseHeld));
        assert_eq!(files(&store, "a").await, [1]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_waiting_runs_hold_the_lease_one_after_the_other() {
    let store = memory();
    let ledger = Ledger::new(Arc::clone(&store));
    let terms = Arc::new(Mutex::new(Vec::new()));
    let inside = Arc::new(Mutex::new(()));
    let runs = (0..50).map(|_| {
        let (ledger, terms, inside) = (ledger.clone(), Arc::clone(&terms), Arc::clone(&inside));
        tokio::spawn(async move {
            let own = Claim { look_every: Duration::from_millis(1), ..elsewhere(&["a"]) };
            let leases = acquire(&ledger, &own, &Context::detached()).await.unwrap();
            {
                let _alone = inside.try_lock().expect("only one holds the lease");
                terms.lock().unwrap().push(leases.term(&place("a")).unwrap());
            }
            leases.release().await.unwrap();
        })
    });
    for done in join_all(runs).await {
        done.unwrap();
    }
    assert_eq!(*terms.lock().unwrap(), (1..=50).collect::<Vec<u64>>());
    assert_eq!(files(&store, "a").await, [48, 49, 50]);
}

#[tokio::test]
async fn a_run_that_died_on_this_machine_is_taken_over_at_once() {
    let ledger = Ledger::new(memory());
    let mut child = Command::new("sleep").arg("600").spawn().unwrap();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let start_time = stat.rsplit(')').next().unwrap().split_whitespace().nth(19).unwrap().parse().ok();
    let own = claim(&["a"]);
    let crashed = Claim { holder: Holder { pid: child.id(), start_time, ..own.holder.clone() }, ..own.clone() };
    let leases = acquire(&ledger, &crashed, &Context::detached()).await.unwrap();
    drop(leases);
    let impatient = own.when_held(WhenHeld::Fail);
    let error = acquire(&ledger, &impatient, &Context::detached()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::LeaseHeld);
    child.kill().unwrap();
    child.wait().unwrap();
    let leases = acquire(&ledger, &impatient, &Context::detached()).await.unwrap();
    assert_eq!(leases.term(&place("a")), Some(2));
}

#[tokio::test]
async fn who_does_not_wait_is_told_for_whom_it_would() {
    let (_directory, stores) = both();
    for store in stores {
        let ledger = Ledger::new(store);
        let holder = elsewhere(&["a"]);
        let _held = acquire(&ledger, &holder, &Context::detached()).await.unwrap();
        let own = claim(&["a"]).when_held(WhenHeld::Fail);
        let error = acquire(&ledger, &own, &Context::detached()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::LeaseHeld);
        let text = error.to_string();
        for part in ["memory:a", "process 4711 on elsewhere", &holder.holder.run.to_string()] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(error.advice().is_some_and(|hint| hint.contains("--no-wait")));
    }
}

#[tokio::test]
async fn a_silent_holder_is_taken_over_when_patience_ends_and_finds_out() {
    let (_directory, stores) = both();
    for store in stores {
        let ledger = Ledger::new(store);
        let context = fast(200);
        let old = ledger.begin(release(), run(), acquire(&ledger, &silent(&["a"]), &context).await.unwrap());
        old.keep(receipt(&place("a"), 1)).await.unwrap();
        old.confirm(&place("a")).await.unwrap();

        let start = context.clock().elapsed();
        let waits = Mutex::new(Vec::new());
        let on_wait = |at: &_, who: &str| waits.lock().unwrap().push((format!("{at}"), who.to_owned()));
        let leases = ledger.acquire(&claim(&["a"]), &context, &on_wait).await.unwrap();
        assert!(context.clock().elapsed() - start >= Duration::from_secs(120));
        let waits = waits.into_inner().unwrap();
        assert_eq!(waits.len(), 1);
        assert!(waits[0].0 == "memory:a" && waits[0].1.contains("4711 on elsewhere"), "{waits:?}");

        let new = ledger.begin(release(), run(), leases);
        new.keep(receipt(&place("a"), 2)).await.unwrap();
        let error = old.confirm(&place("a")).await.unwrap_err();
        assert_eq!(error.kind(), Kind::LeaseHeld);
        assert!(error.to_string().contains("has taken over memory:a: process"), "{error}");
        new.confirm(&place("a")).await.unwrap();

        // What the old run still has to say is kept, before the new run's receipts.
        old.keep(receipt(&place("a"), 3)).await.unwrap();
        let history = ledger.history(&release()).await.unwrap();
        let order: Vec<_> = history.receipts.iter().map(|it| (it.run, it.term, it.seq)).collect();
        assert_eq!(order, [(old.run(), 1, 1), (old.run(), 1, 2), (new.run(), 2, 1)]);

        // Giving back a lost lease does not give back the new one.
        old.release().await.unwrap();
        new.confirm(&place("a")).await.unwrap();
        let error = acquire(&ledger, &claim(&["a"]).when_held(WhenHeld::Fail), &context).await.unwrap_err();
        assert_eq!(error.kind(), Kind::LeaseHeld);
    }
}

/// Remembers what was said, and keeps no notes.
#[derive(Debug, Default)]
struct Said(Mutex<Vec<String>>);

impl Progress for Said {
    fn advanced(&self, _done: u64, _total: u64) {}

    fn says(&self, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }
}

#[async_trait]
impl Notes for Said {
    async fn write(&self, _note: Note) -> Result<()> {
        Ok(())
    }

    fn earlier(&self) -> Vec<Note> {
        Vec::new()
    }
}

#[tokio::test]
async fn a_takeover_is_said() {
    let said = Arc::new(Said::default());
    let clock = Arc::new(FastClock::new(Timestamp::UNIX_EPOCH, 1000));
    let context =
        Context::new(CancellationToken::new(), clock, Arc::clone(&said) as Arc<dyn Progress>, Arc::clone(&said) as _);
    let ledger = Ledger::new(memory());
    let _silent = acquire(&ledger, &silent(&["a"]), &context).await.unwrap();
    let _new = acquire(&ledger, &claim(&["a"]), &context).await.unwrap();
    let said = said.0.lock().unwrap();
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("taking over memory:a from process 4711 on elsewhere"), "{said:?}");
    assert!(said[0].ends_with("it has shown no sign of life for 120 s"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_that_beats_is_waited_for_beyond_patience() {
    let ledger = Ledger::new(memory());
    let context = fast(100);
    let leases = acquire(&ledger, &elsewhere(&["a"]), &context).await.unwrap();
    let waiting = {
        let (ledger, context) = (ledger.clone(), context.clone());
        tokio::spawn(async move { acquire(&ledger, &claim(&["a"]), &context).await.unwrap() })
    };
    // Three times the patience.
    context.sleep(Duration::from_secs(360)).await.unwrap();
    assert!(!waiting.is_finished());
    leases.confirm(&place("a")).await.unwrap();
    leases.release().await.unwrap();
    assert_eq!(waiting.await.unwrap().term(&place("a")), Some(2));
}

#[tokio::test]
async fn a_lease_that_was_given_back_can_be_had_at_once_and_is_no_longer_ours() {
    let (_directory, stores) = both();
    for store in stores {
        let ledger = Ledger::new(store);
        let first = acquire(&ledger, &elsewhere(&["a"]), &Context::detached()).await.unwrap();
        first.confirm(&place("a")).await.unwrap();
        first.release().await.unwrap();
        first.release().await.unwrap();
        assert_eq!(first.confirm(&place("a")).await.unwrap_err().kind(), Kind::LeaseHeld);
        let own = claim(&["a"]).when_held(WhenHeld::Fail);
        let second = acquire(&ledger, &own, &Context::detached()).await.unwrap();
        assert_eq!(second.term(&place("a")), Some(2));
    }
}

#[tokio::test]
async fn who_waits_holds_nothing() {
    let ledger = Ledger::new(memory());
    let context = fast(1);
    let blocker = acquire(&ledger, &elsewhere(&["b"]), &context).await.unwrap();
    let (told, waits) = tokio::sync::oneshot::channel();
    let told = Mutex::new(Some(told));
    let waiting = {
        let (ledger, context) = (ledger.clone(), context.clone());
        let own = Claim { look_every: Duration::from_millis(1), ..claim(&["a", "b"]) };
        tokio::spawn(async move {
            let on_wait = |_: &_, _: &str| told.lock().unwrap().take().unwrap().send(()).unwrap();
            ledger.acquire(&own, &context, &on_wait).await
        })
    };
    waits.await.unwrap();
    let other = acquire(&ledger, &elsewhere(&["a"]).when_held(WhenHeld::Fail), &context).await.unwrap();
    blocker.release().await.unwrap();
    other.release().await.unwrap();
    let leases = waiting.await.unwrap().unwrap();
    assert_eq!(leases.places().cloned().collect::<Vec<_>>(), [place("a"), place("b")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn runs_that_want_the_same_places_in_any_order_all_come_through() {
    let ledger = Ledger::new(memory());
    let wishes = [["a", "b"], ["b", "a"], ["b", "c"], ["c", "a"]];
    let runs = wishes.iter().cycle().take(24).map(|wish| {
        let (ledger, wish) = (ledger.clone(), *wish);
        tokio::spawn(async move {
            let own = Claim { look_every: Duration::from_millis(1), ..elsewhere(&wish) };
            let leases = acquire(&ledger, &own, &Context::detached()).await.unwrap();
            for account in wish {
                leases.confirm(&place(account)).await.unwrap();
            }
            leases.release().await.unwrap();
        })
    });
    let all = tokio::time::timeout(Duration::from_secs(60), join_all(runs)).await.expect("nobody waits for ever");
    for done in all {
        done.unwrap();
    }
}

#[tokio::test]
async fn a_cancelled_wait_gives_back_what_it_has() {
    let ledger = Ledger::new(memory());
    let _blocker = acquire(&ledger, &elsewhere(&["b"]), &Context::detached()).await.unwrap();
    let context = Context::detached();
    let cancelled = context.cancellation().clone();
    let on_wait = move |_: &_, _: &str| cancelled.cancel();
    let error = ledger.acquire(&claim(&["a", "b"]), &context, &on_wait).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    let own = claim(&["a"]).when_held(WhenHeld::Fail);
    assert_eq!(acquire(&ledger, &own, &Context::detached()).await.unwrap().term(&place("a")), Some(2));
}

#[tokio::test]
async fn a_lease_that_cannot_be_read_is_waited_for_and_then_taken_over() {
    let store = memory();
    let path: Path = paths::lease(&place("a"), 7).unwrap();
    store.put(&path, "{\"schema\":1,\"pla".into()).await.unwrap();
    let ledger = Ledger::new(store);
    let error = acquire(&ledger, &claim(&["a"]).when_held(WhenHeld::Fail), &fast(1)).await.unwrap_err();
    assert_eq!(error.kind(), Kind::LeaseHeld);
    let leases = acquire(&ledger, &claim(&["a"]), &fast(1000)).await.unwrap();
    assert_eq!(leases.term(&place("a")), Some(8));
}

#[tokio::test]
async fn the_winner_whose_reply_was_lost_holds_the_lease() {
    let store: Arc<dyn ObjectStore> = Bent::loses_replies(1);
    let own = claim(&["a"]).when_held(WhenHeld::Fail);
    let leases = acquire(&Ledger::new(store), &own, &Context::detached()).await.unwrap();
    assert_eq!(leases.term(&place("a")), Some(1));
    leases.confirm(&place("a")).await.unwrap();
}

#[tokio::test]
async fn a_slow_run_that_creates_a_term_of_the_past_does_not_hold_it() {
    let (inner, term) = (InMemory::new(), |term| paths::lease(&place("a"), term).unwrap());
    let mut old = Record::new(&place("a"), 5, &elsewhere(&[]).holder);
    old.released = true;
    inner.put(&term(5), old.encode().unwrap().into()).await.unwrap();
    // While it was about to create term 6, terms 6 to 8 came and were cleared away.
    let alive = Record::new(&place("a"), 9, &elsewhere(&[]).holder);
    let store = Bent::meanwhile(inner, term(5), (term(9), alive.encode().unwrap().into()));
    let own = claim(&["a"]).when_held(WhenHeld::Fail);
    let error = acquire(&Ledger::new(Arc::clone(&store)), &own, &Context::detached()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::LeaseHeld);
    assert_eq!(files(&store, "a").await, [9]);
}

#[tokio::test]
async fn a_run_without_places_needs_no_lease() {
    let leases = acquire(&Ledger::new(memory()), &claim(&[]), &Context::detached()).await.unwrap();
    assert_eq!(leases.places().count(), 0);
    leases.release().await.unwrap();
    assert_eq!(Leases::default().term(&place("a")), None);
}

#[tokio::test]
async fn the_holder_names_this_process() {
    let holder = Holder::this_process(run(), SystemClock::new().now());
    assert_eq!(holder.pid, std::process::id());
    assert!(holder.boot_id.is_some() && holder.start_time.is_some() && holder.pid_namespace.is_some());
}
