//! Nothing becomes public before its gate let it pass; what a gate holds back is asked about again, and nothing else is.

use std::sync::Arc;
use std::time::Duration;

use cloud_publish_core::event::{Event, GateAnswer};
use cloud_publish_core::ledger::Ledger;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::memory::{Fault, Verb, What};
use cloud_publish_core::publisher::Replication;
use cloud_publish_core::run::{RunOutcome, Summary};
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;

use crate::judge::{Asked, Judge, no, not_yet};
use crate::world::{ALL, World, region, store};

/// A world with a judge that lets everything pass.
fn judged(mut world: World) -> (World, Arc<Judge>) {
    let judge = Judge::new(&world.cloud, "boot");
    world.gate = Some(judge.clone());
    (world, judge)
}

/// A world whose gate is this script; its clock is fast.
fn scripted(world: World, script: &str, timeout: &str) -> World {
    let gate = format!("[target.TARGET.gate]\ncommand = [\"sh\", \"-c\", {script:?}]\ntimeout = \"{timeout}\"\n");
    world.with_keys(&gate)
}

/// A time limit that nothing reaches.
const NEVER: &str = "9000d";

fn published(world: &World) -> usize {
    world.seen().iter().filter(|image| image.published).count()
}

fn assert_private(world: &World) {
    assert!(world.cloud.exposures().is_empty(), "{:?}", world.cloud.exposures());
    assert!(world.seen().iter().all(|image| image.visibility == Visibility::Private && !image.published));
}

fn reasons(summary: &Summary) -> String {
    let line = |failure: &cloud_publish_core::run::Failure| {
        format!("{} {} | {}\n", failure.step, failure.error, failure.hint.clone().unwrap_or_default())
    };
    summary.failures.iter().map(line).collect()
}

#[tokio::test]
async fn a_gate_is_asked_once_when_all_is_there_and_nothing_is_public() {
    for replication in ALL {
        let (world, judge) = judged(World::new(replication));
        let state = store();
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {}", reasons(&summary));
        let regions: Vec<String> = world.regions().iter().map(|name| (*name).to_owned()).collect();
        let images = regions.len();
        let variant = "genericcloud".to_owned();
        assert_eq!(judge.asked(), [Asked { variant, regions, public: 0, images }], "{replication:?}");
        world.assert_nothing_public_early();
        world.publish(&state).await.unwrap();
        world.publish(&store()).await.unwrap();
        assert_eq!(judge.asked(), [], "{replication:?}: what is published needs no gate, with or without the ledger");
    }
}

#[tokio::test]
async fn where_replicas_are_visible_none_is_made_before_the_gate_let_pass() {
    for replication in [Replication::Batch, Replication::PerRegion] {
        let (mut world, judge) = judged(World::new(replication));
        world.replicas_are_visible = true;
        judge.say("genericcloud", no());
        let state = store();
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Incomplete, "{replication:?}");
        assert_private(&world);
        assert_eq!(world.images().len(), 1, "{replication:?}: the home region's alone");
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {}", reasons(&summary));
        let asked = judge.asked();
        assert!(asked.iter().all(|asked| (asked.public, asked.images) == (0, 1) && asked.regions == ["one"]));
        assert_eq!((asked.len(), published(&world)), (2, 3), "{replication:?}");
    }
}

#[tokio::test]
async fn not_yet_ends_the_run_waiting_and_the_next_one_asks_again() {
    let (world, judge) = judged(World::new(Replication::PerRegion));
    let state = store();
    (0..2).for_each(|_| judge.say("genericcloud", not_yet()));
    for _ in 0..2 {
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Waiting, "{}", reasons(&summary));
        assert!(summary.failures.iter().all(|failure| failure.waits), "{summary:?}");
        assert!(reasons(&summary).contains("gate the gate says not yet: in review"), "{}", reasons(&summary));
        assert_private(&world);
    }
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
    assert_eq!((judge.asked().len(), published(&world)), (3, 3));
    let waits = world.events.all().iter().filter(|event| matches!(event, Event::StepWaits { .. })).count();
    let answers: Vec<bool> = world
        .events
        .all()
        .iter()
        .filter_map(|event| match event {
            Event::GateAnswered { answer, .. } => Some(*answer == GateAnswer::Passed),
            _ => None,
        })
        .collect();
    assert_eq!((waits, answers), (2, vec![false, false, true]));
    let runs = Ledger::new(state).history(&"bookworm-20240101".parse().unwrap()).await.unwrap();
    let place = runs.places().into_iter().next().unwrap().clone();
    assert_eq!(runs.last_run(&place).unwrap().outcome.as_deref(), Some("complete"));
}

#[tokio::test]
async fn what_a_gate_rejects_stays_private_and_the_other_artifact_goes_on() {
    let (world, judge) = judged(World::new(Replication::None).with_two_artifacts("artifact"));
    judge.say("nocloud", no());
    let state = store();
    let summary = world.publish(&state).await.unwrap();
    assert_eq!((summary.outcome, summary.guarded), (RunOutcome::Incomplete, false));
    assert!(reasons(&summary).contains("did not let it pass: it does not boot"), "{}", reasons(&summary));
    let public: Vec<String> = world.cloud.exposures().into_iter().map(|exposure| exposure.name).collect();
    assert!(public.len() == 1 && public[0].contains("genericcloud"), "{public:?}");
    judge.asked();
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
    let again: Vec<String> = judge.asked().into_iter().map(|asked| asked.variant).collect();
    assert_eq!(again, ["nocloud"], "what passed is not asked about again");
}

#[tokio::test]
async fn a_failure_weighs_more_than_waiting() {
    let (world, judge) = judged(World::new(Replication::None).with_two_artifacts("artifact"));
    judge.say("genericcloud", not_yet());
    judge.say("nocloud", no());
    assert_eq!(world.publish(&store()).await.unwrap().outcome, RunOutcome::Incomplete);
    assert_private(&world);
}

#[tokio::test]
async fn published_together_one_gate_holds_all_back() {
    for answer in [no(), not_yet()] {
        let (world, judge) = judged(World::new(Replication::None).with_two_artifacts("target"));
        judge.say("nocloud", answer);
        let state = store();
        let summary = world.publish(&state).await.unwrap();
        assert_ne!(summary.outcome, RunOutcome::Complete);
        assert_private(&world);
        judge.asked();
        assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
        assert_eq!(judge.asked().len(), 1, "the other has its receipt");
        assert_eq!(published(&world), 2);
    }
}

#[tokio::test]
async fn a_best_effort_region_that_failed_does_not_hold_the_gate() {
    for replication in [Replication::Independent, Replication::PerRegion, Replication::Batch] {
        let (world, judge) = judged(World::new(replication));
        let verb = if replication == Replication::Independent { Verb::Register } else { Verb::Replicate };
        world.cloud.inject(Fault::new(What::Denied).on(verb).in_region(region("far")).always());
        let state = store();
        let summary = world.publish(&state).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {}", reasons(&summary));
        assert_eq!(judge.asked()[0].regions, ["one", "two"], "{replication:?}");
        world.cloud.behave();
        assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
        assert_eq!((judge.asked().len(), published(&world)), (0, 3), "its content has passed already");
    }
}

#[tokio::test]
async fn a_required_region_that_failed_leaves_the_gate_unasked() {
    let (world, judge) = judged(World::new(Replication::PerRegion));
    world.cloud.inject(Fault::new(What::Denied).on(Verb::Replicate).in_region(region("two")).always());
    assert_eq!(world.publish(&store()).await.unwrap().outcome, RunOutcome::Incomplete);
    assert_eq!(judge.asked(), []);
}

#[tokio::test]
async fn a_pass_counts_for_its_gate_alone_and_with_the_ledger_lost_only_the_unpublished_is_asked_about() {
    let (mut world, first) = judged(World::new(Replication::None).with_two_artifacts("artifact"));
    // Passed both, then nothing could be published of one.
    world.cloud.inject(Fault::new(What::Denied).on(Verb::SetVisibility).times(1));
    let state = store();
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Incomplete);
    assert_eq!((first.asked().len(), published(&world)), (2, 1));

    let second = Judge::new(&world.cloud, "another gate");
    second.say("genericcloud", not_yet());
    second.say("nocloud", not_yet());
    world.gate = Some(second.clone());
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Waiting);
    assert_eq!(second.asked().len(), 1, "the unpublished one alone");

    world.gate = Some(first.clone());
    first.say("genericcloud", not_yet());
    first.say("nocloud", not_yet());
    assert_eq!(world.publish(&store()).await.unwrap().outcome, RunOutcome::Waiting);
    assert_eq!(first.asked().len(), 1, "with the ledger lost it is asked about again");
    assert_eq!(world.publish(&state).await.unwrap().outcome, RunOutcome::Complete);
    assert_eq!(first.asked(), [], "with the ledger it is not");
}

#[tokio::test]
async fn a_configuration_with_a_gate_is_refused_by_a_program_that_asks_none() {
    let mut world = scripted(World::new(Replication::None), "exit 0", NEVER);
    world.gate = Some(Arc::new(cloud_publish_core::execute::NoGate));
    let error = world.publish(&store()).await.unwrap_err();
    assert!(error.to_string().contains("this program asks none"), "{error}");
    assert_eq!(world.cloud.writes(), vec![]);
}

#[tokio::test]
async fn a_command_is_told_the_ids_and_its_output_is_kept_beside_the_receipts() {
    let script = "echo $CLOUD_PUBLISH_VARIANT at $CLOUD_PUBLISH_REGIONS; echo $CLOUD_PUBLISH_IMAGE_ID_TWO >&2; exit 3";
    let world = scripted(World::new(Replication::PerRegion), script, NEVER);
    let state = store();
    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Incomplete);
    let id = world.images().into_iter().find(|(_, image)| image.region == region("two")).unwrap().1.id;
    let outputs: Vec<_> = state.list(Some(&"gate".into())).try_collect().await.unwrap();
    let [kept] = outputs.as_slice() else { panic!("{outputs:?}") };
    let text = state.get(&kept.location).await.unwrap().bytes().await.unwrap();
    assert_eq!(text, format!("genericcloud at one two far\n{id}\n"));
    let told = reasons(&summary);
    assert!(told.contains(kept.location.as_ref()), "{told} does not name {}", kept.location);
    assert!(told.contains("exit code 3") && told.contains(id.as_str()), "{told}");
    let summary = world.publish(&state).await.unwrap();
    assert!(!world.events.all().iter().any(|event| matches!(event, Event::Warning { .. })), "{}", reasons(&summary));
}

#[tokio::test]
async fn a_program_that_is_not_there_refuses_the_run_before_anything_is_made() {
    let world = World::new(Replication::None).with_keys("[target.TARGET.gate]\ncommand = [\"./absent\"]\n");
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Refused);
    assert!(reasons(&summary).contains("the gate's command cannot be found"), "{}", reasons(&summary));
    assert_eq!(world.cloud.writes(), vec![]);
}

#[tokio::test]
async fn a_gate_that_takes_too_long_is_a_failure_of_its_artifact() {
    let world = scripted(World::new(Replication::None), "sleep 100000", "10m");
    let summary = world.publish(&store()).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Incomplete);
    assert!(reasons(&summary).contains("it took longer than 600 s and was stopped"), "{}", reasons(&summary));
    assert_private(&world);
}

#[tokio::test]
async fn while_a_gate_is_asked_the_disks_that_were_sent_are_open_no_more() {
    let script = "ls -l /proc/$PPID/fd >open && grep -F $PWD/witness open && ! grep -F $PWD/genericcloud open";
    for replication in ALL {
        let world = scripted(World::new(replication), script, NEVER);
        let _witness = std::fs::File::create(world.path().join("witness")).unwrap();
        let summary = world.publish(&store()).await.unwrap();
        assert_eq!(summary.outcome, RunOutcome::Complete, "{replication:?}: {}", reasons(&summary));
    }
}

/// Waits for a file that a gate writes.
async fn begun(world: &World) {
    let appears = async {
        while !world.path().join("begun").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(300), appears).await.expect("the gate begins");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_dies_while_its_gate_runs_is_finished_by_the_next() {
    let script = "test -e begun && exit 0; touch begun; sleep 100000";
    let world = scripted(World::new(Replication::PerRegion), script, NEVER);
    let state = store();
    tokio::select! {
        summary = world.publish(&state) => panic!("{summary:?}"),
        () = begun(&world) => {}
    }
    assert_private(&world);
    let summary = world.publish(&state).await.unwrap();
    assert_eq!(summary.outcome, RunOutcome::Complete, "{}", reasons(&summary));
    assert_eq!(published(&world), 3);
    world.assert_nothing_public_early();
}
