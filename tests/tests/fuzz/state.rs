//! The state, read back: receipts, tombstones, leases, the catalogue and what is recorded of files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use cloud_publish_core::catalogue;
use cloud_publish_core::ledger::Ledger;
use cloud_publish_core::run::RunOutcome;
use futures::TryStreamExt as _;
use object_store::memory::InMemory;
use object_store::path::Path as Place;
use object_store::{ObjectStore, ObjectStoreExt as _};

use crate::gpt;
use crate::harness::{Target, Verdict, folder_with_canaries, judge, judged};
use crate::input::Input;
use crate::memory::MOST;
use crate::rig::{FILES, RELEASE, Rig};
use crate::text::words;

/// Every object, with its path in the first line.
async fn objects(state: &InMemory) -> Vec<(Place, Vec<u8>)> {
    let mut found = Vec::new();
    for object in state.list(None).try_collect::<Vec<_>>().await.unwrap() {
        let bytes = state.get(&object.location).await.unwrap().bytes().await.unwrap();
        found.push((object.location, bytes.to_vec()));
    }
    found
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn every_object_of_the_state_may_say_anything() {
    let folder = folder_with_canaries();
    let releases = folder.path();
    fs::write(releases.join("disk"), gpt::disk(512).bytes).unwrap();
    let (rig, state) = (Rig::new(releases), Arc::new(InMemory::new()));
    rig.write_manifest("raw");
    assert_eq!(rig.publish(state.clone()).unwrap().outcome, RunOutcome::Complete);
    let good = rig.wait(objects(&state));
    let mut seeds: Vec<Input> =
        good.iter().map(|(path, bytes)| Input::new([path.as_ref().as_bytes(), b"\n", bytes].concat())).collect();
    let receipt = seeds.iter().find(|seed| seed.bytes.starts_with(b"ledger/")).expect("a receipt").clone();
    seeds.push(Input::new(receipt.bytes.strip_prefix(b"ledger").map(|rest| [b"tombstone", rest].concat()).unwrap()));
    let release = RELEASE.parse().unwrap();
    let read = |path: &Path| {
        let input = fs::read(path).unwrap();
        let (name, content) = input.split_at(input.iter().position(|byte| *byte == b'\n').unwrap_or(0));
        let Some(place) = std::str::from_utf8(name).ok().and_then(|name| Place::parse(name).ok()) else {
            return Ok(Verdict::Refused);
        };
        let state = Arc::new(InMemory::new());
        rig.wait(async {
            for (path, bytes) in &good {
                state.put(path, bytes.clone().into()).await.unwrap();
            }
            state.put(&place, content.get(1..).unwrap_or_default().to_vec().into()).await.unwrap();
            let ledger = Ledger::new(state.clone());
            let refused = [
                ledger.history(&release).await.err(),
                ledger.tombstones().await.err(),
                catalogue::read(state.as_ref()).await.err(),
            ];
            refused.into_iter().flatten().try_for_each(|error| judge(&error).map(drop))
        })?;
        judged(rig.look(state))
    };
    let files = ["object", FILES[0], FILES[1], FILES[2]];
    Target { name: "state", files: &files, grammar: words(&seeds, &[]), memory: MOST, seeds, read: &read }
        .run(releases);
}
