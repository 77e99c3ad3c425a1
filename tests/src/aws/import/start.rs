//! ImportSnapshot. <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportSnapshot.html>

use std::sync::Arc;

use super::disk::{self, Disk};
use super::source::Source;
use super::task::{Fate, Place, Task};
use crate::aws::call::Call;
use crate::aws::ec2::{LONGEST, NewSnapshot, Progress, TokenKey, Used, later};
use crate::aws::query;
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::world::{Shared, World};
use crate::aws::xml::Xml;

/// The one resource that can be tagged here: the snapshot cannot.
const TAGGED: &str = "import-snapshot-task";

/// The same token with the same parameters is the same task.
pub(super) fn import_snapshot(shared: &Shared, call: &Call) -> Outcome {
    let source = Source::of(call)?;
    let tags = query::tags_for(&call.params, TAGGED)?;
    for specification in query::items(&call.params, "TagSpecification") {
        let kind = query::required(&specification, "ResourceType")?;
        if kind != TAGGED {
            let message = format!("'{kind}' is not a valid taggable resource type for this operation.");
            return Err(Refused::bad("InvalidParameterValue", message));
        }
    }
    let place = (call.caller.account.clone(), call.region.clone());
    let before = known(&shared.state(), call)?;
    if let Some(id) = before {
        return answer(&shared.state(), call, &place, &id);
    }
    let object = source.find(shared, call)?;
    // Hashing is done before the world is locked.
    let disk = disk::convert(&object, &source.format, call.now);
    let delays = shared.settings().delays;
    let ends = later(call.now, delays.import);
    let mut world = shared.state();
    if let Some(id) = known(&world, call)? {
        return answer(&world, call, &place, &id);
    }
    world.import.made += 1;
    let id = format!("import-snap-{:017x}", 0xfa4e_0000_0000_u64 + world.import.made);
    let fate = match disk {
        Err(reason) => Fate::Fails(reason),
        Ok(Disk { size, blocks }) => {
            let snapshot = world.ec2.add_snapshot(NewSnapshot {
                owner: &place.0,
                region: &place.1,
                description: &format!("Created by AWS-VMImport service for {id}"),
                size,
                tags: query::Tags::new(),
                started: call.now,
                visible_at: ends,
                progress: Progress::Completing(later(ends, delays.snapshot_completion)),
                blocks: Arc::new(blocks),
            });
            if let Some(snapshot) = world.ec2.snapshots.get_mut(&snapshot) {
                snapshot.encrypted |= source.encrypted;
            }
            Fate::Snapshot(snapshot)
        }
    };
    let description = call.param("Description").unwrap_or_default().to_owned();
    let task = Task { description, source, tags, size: object.size(), started: call.now, ends, fate };
    world.import.tasks.insert((place.clone(), id.clone()), task);
    if let Some(token) = token(call)? {
        world.import.tokens.keep(token, fingerprint(call), id.clone());
    }
    answer(&world, call, &place, &id)
}

fn token(call: &Call) -> Result<Option<TokenKey>, Refused> {
    let Some(token) = call.param("ClientToken").map(str::to_owned) else { return Ok(None) };
    if token.len() > LONGEST {
        return Err(Refused::bad("InvalidParameterValue", "The client token is too long"));
    }
    let (account, region) = (call.caller.account.clone(), call.region.clone());
    Ok(Some(TokenKey { account, region, operation: call.operation.clone(), token }))
}

/// The task that the token of this very request made before.
fn known(world: &World, call: &Call) -> Result<Option<String>, Refused> {
    let Some(key) = token(call)? else { return Ok(None) };
    match world.import.tokens.look(&key, &fingerprint(call)) {
        Used::Never => Ok(None),
        Used::Same(id) => Ok(Some(id.to_owned())),
        Used::Otherwise => {
            let message = "The parameters of the request differ from those that the client token was used with";
            Err(Refused::bad("IdempotentParameterMismatch", message))
        }
    }
}

fn fingerprint(call: &Call) -> String {
    let params = call.params.iter().filter(|(name, _)| *name != "ClientToken");
    params.map(|(name, value)| format!("{name}={value}\n")).collect()
}

fn answer(world: &World, call: &Call, place: &Place, id: &str) -> Outcome {
    let mut xml = Xml::new();
    if let Some(task) = world.import.tasks.get(&(place.clone(), id.to_owned())) {
        task.write(&mut xml, id, call.now);
    }
    Ok(Reply::ec2(call, &xml))
}
