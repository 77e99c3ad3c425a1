//! Imports of snapshots from S3: EC2's operations on import tasks.
//! <https://docs.aws.amazon.com/vm-import/latest/userguide/vmimport-import-snapshot.html>
//!
//! | module | owns |
//! |---|---|
//! | [`task`] | a task and how far it is |
//! | [`source`] | the object that is imported, and who may read it |
//! | [`disk`] | the object's bytes as blocks |
//! | [`vmdk`] | the one format of disks that is not raw |
//! | [`start`], [`follow`] | the operations |

mod disk;
mod follow;
mod source;
mod start;
mod task;
mod vmdk;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::call::Call;
use super::ec2::Tokens;
use super::reply::{Outcome, Refused};
use super::world::Shared;
use task::{Place, Task};

/// What is remembered.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// By account, region and id; ids grow.
    tasks: BTreeMap<(Place, String), Task>,
    tokens: Tokens,
    made: u64,
}

impl State {
    /// To be read by tests and people.
    pub(crate) fn dump(&self, now: Timestamp) -> Value {
        let about = |((place, id), task): (&(Place, String), &Task)| {
            let (account, region) = place;
            json!({
                "id": id, "account": account, "region": region, "status": task.status(now),
                "snapshot": task.snapshot(now), "message": task.message(now), "tags": task.tags,
            })
        };
        self.tasks.iter().map(about).collect()
    }
}

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    match call.operation.as_str() {
        "ImportSnapshot" => start::import_snapshot(shared, call),
        "DescribeImportSnapshotTasks" => follow::describe(shared, call),
        "CancelImportTask" => follow::cancel(shared, call),
        _ => Err(Refused::unknown_operation(call)),
    }
}
