//! One release from manifest to catalogue: the data flow as three calls.
//!
//! [`prepare`] looks (inputs, targets, surveys) and plans; [`Prepared::preflight`] asks each target whether the plan can
//! succeed; [`carry_out`] executes it under the targets' leases and writes ledger, receipts and catalogue. A dry run is
//! the first two. Owns the order of these stages and nothing of what they do.

mod applied;
mod approve;
mod books;
mod carry_out;
mod inputs;
mod outlook;
mod patience;
mod preflight;
mod prepare;
mod summary;
mod verify;

use std::sync::Arc;

use object_store::ObjectStore;
use tokio_util::sync::CancellationToken;

pub use self::approve::{Approvable, approvable, approve};
pub use self::carry_out::carry_out;
pub use self::inputs::{Input, check_inputs};
pub use self::preflight::{Preflight, TargetFinding};
pub use self::prepare::{Observed, Prepared, prepare};
pub use self::summary::{Failure, ImageState, RunOutcome, Summary};
pub use self::verify::{Checked, ProofScope, Verdict, prove, verify};
use crate::clock::Clock;
use crate::event::Reporter;
use crate::execute::{Gate, RetryPolicy};
use crate::ledger::Ledger;
use crate::manifest::{Config, Release, TargetConfig};
use crate::plan::Permissions;
use crate::publisher::{Context, Publisher};

/// A target of a run.
#[derive(Clone, Debug)]
pub struct Target {
    /// What the configuration says of it.
    pub config: TargetConfig,
    /// Does its work.
    pub publisher: Arc<dyn Publisher>,
}

/// What surrounds a run.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The configuration.
    pub config: Arc<Config>,
    /// Where ledger, receipts and catalogue are kept.
    pub state: Arc<dyn ObjectStore>,
    /// Judges images before they are published: [`CommandGate`](crate::gate::CommandGate) for the gates of publish.toml,
    /// [`NoGate`](crate::execute::NoGate) where there are none, or a gate of one's own.
    pub gate: Arc<dyn Gate>,
    /// Who hears of what happens.
    pub reporter: Arc<dyn Reporter>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Cancelled to stop.
    pub stop: CancellationToken,
}

impl Environment {
    fn context(&self) -> Context {
        Context::detached_from(self.stop.clone(), self.clock.clone())
    }

    fn ledger(&self) -> Ledger {
        Ledger::with_clock(self.state.clone(), self.clock.clone())
    }
}

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub struct Request {
    /// The release.
    pub release: Release,
    /// Where to.
    pub targets: Vec<Target>,
    /// What it may do.
    pub options: Options,
}

/// What a run may do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// A target that cannot be used does not stop the others.
    pub keep_going: bool,
    /// What the plan may do beyond adding what is missing.
    pub permissions: Permissions,
    /// Do not wait for another run's lease.
    pub no_wait: bool,
    /// How often a step is tried.
    pub retry: RetryPolicy,
}
