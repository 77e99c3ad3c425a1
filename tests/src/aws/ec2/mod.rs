//! EC2: images, snapshots, regions, and as much of instances as shows who can launch what.
//!
//! Nothing runs in the background: states follow from times that were noted when something was made, so that every
//! answer is right at the moment of its request and the clock can be moved.
//!
//! The codes of refusals are from <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>.
//! Where Amazon publishes a rule without its code, the rule is here with the most general code for its kind
//! (`InvalidParameterCombination`, `OperationNotPermitted`).

mod attributes;
mod block_public_access;
mod copy;
mod deprecation;
mod image;
mod images;
mod lagging;
mod launch;
mod lifecycle;
mod operations;
mod paging;
mod permissions;
mod regions;
mod register;
mod request;
mod seed;
mod snapshot;
mod snapshots;
mod state;
mod tags;
mod tokens;
mod usage;

use super::call::Call;
use super::reply::{Outcome, Refused};
use super::world::Shared;

pub(crate) use image::Tags;
pub(crate) use lagging::later;
pub use seed::{Seed, SeedImage};
pub(crate) use snapshot::{Progress, Snapshot};
pub(crate) use state::{NewSnapshot, State};
pub(crate) use tokens::{LONGEST, TokenKey, Tokens, Used};

use operations::OPERATIONS;
use request::Request;

/// Parameters that every call may have.
const EVERYWHERE: [&str; 3] = ["Action", "Version", "DryRun"];

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let operation = OPERATIONS
        .iter()
        .find(|operation| operation.name == call.operation)
        .ok_or_else(|| Refused::unknown_operation(call))?;
    let known = |name: &&str| {
        EVERYWHERE.contains(name) || operation.required.contains(name) || operation.optional.contains(name)
    };
    let top = |name: &'_ str| name.split_once('.').map_or(name, |(top, _)| top).to_owned();
    if let Some(unknown) = call.params.keys().map(|name| top(name)).find(|name| !known(&name.as_str())) {
        return Err(Refused::bad("UnknownParameter", format!("The parameter {unknown} is not recognized")));
    }
    for name in operation.required {
        if !call.params.keys().any(|sent| top(sent) == *name) {
            let message = format!("The request must contain the parameter {name}");
            return Err(Refused::bad("MissingParameter", message));
        }
    }
    let request = Request { shared, call, settings: shared.settings() };
    let state = &mut shared.state().ec2;
    deprecation::expire(state, &request);
    (operation.handle)(state, &request)
}
