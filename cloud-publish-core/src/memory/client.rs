//! The one way from a publisher to the cloud: a request, with everything that can happen to it on the way.

use crate::error::{Error, Kind, Result};
use crate::memory::cloud::MemoryCloud;
use crate::memory::fault::What;
use crate::memory::log::{Request, Verb};
use crate::memory::state::State;
use crate::names::Region;
use crate::publisher::Context;

/// What a request asks.
#[derive(Clone, Debug)]
pub(super) struct Call {
    verb: Verb,
    name: &'static str,
    region: Option<Region>,
    changes: bool,
}

impl Call {
    /// A request that changes nothing.
    pub(super) fn look(verb: Verb, name: &'static str, region: &Region) -> Self {
        Self { verb, name, region: Some(region.clone()), changes: false }
    }

    /// A request that changes something.
    pub(super) fn change(verb: Verb, name: &'static str, region: &Region) -> Self {
        Self { changes: true, ..Self::look(verb, name, region) }
    }

    /// The same, of the account as a whole.
    pub(super) fn anywhere(self) -> Self {
        Self { region: None, ..self }
    }
}

/// One program's connection to the cloud.
#[derive(Debug)]
pub(super) struct Client {
    cloud: MemoryCloud,
    number: u64,
}

impl Client {
    pub(super) fn new(cloud: MemoryCloud) -> Self {
        let number = {
            let mut state = cloud.state();
            state.clients += 1;
            state.clients
        };
        Self { cloud, number }
    }

    pub(super) fn cloud(&self) -> &MemoryCloud {
        &self.cloud
    }

    /// Sends a request; `effect` happens in the cloud, all of it or nothing.
    pub(super) async fn send<T>(
        &self,
        context: &Context,
        call: Call,
        effect: impl FnOnce(&mut State) -> Result<T> + Send,
    ) -> Result<T> {
        context.check()?;
        let (index, fault, delay) = {
            let mut state = self.cloud.state();
            self.alive(&state)?;
            let met = state.faults.iter_mut().filter_map(|fault| {
                // Every rule counts the request, the first that is met decides.
                fault.meets(call.verb, call.region.as_ref(), call.changes)
            });
            let fault = met.collect::<Vec<_>>().into_iter().next();
            let index = write_down(&mut state, self.number, &call);
            self.boundary(&mut state, index)?;
            let delay = call
                .region
                .as_ref()
                .map_or(state.usual.delay_of(call.verb), |region| state.rules_of(region).delay_of(call.verb));
            (index, fault, delay)
        };
        if delay.is_zero() {
            context.or_cancelled(tokio::task::yield_now()).await?;
        } else {
            context.sleep(delay).await?;
        }
        match fault {
            Some(What::Hang) => context.or_cancelled(std::future::pending::<()>()).await?,
            Some(What::Kill) => {
                let mut state = self.cloud.state();
                state.dead.insert(self.number);
            }
            Some(What::LostReply) | None => {}
            Some(what) => return self.told(index, &call, Err(refusal(what))),
        }
        let done = {
            let mut state = self.cloud.state();
            self.alive(&state)?;
            state.serving = index as u64 + 1;
            let done = permitted(&state, &call).and_then(|()| effect(&mut state));
            if let (true, Some(entry)) = (done.is_ok(), state.log.get_mut(index)) {
                entry.took_effect = true;
            }
            if call.changes {
                self.boundary(&mut state, index)?;
            }
            done
        };
        if fault == Some(What::LostReply) && done.is_ok() {
            return self.told(
                index,
                &call,
                Err(Error::new(Kind::Unavailable, "the connection broke before the reply")),
            );
        }
        self.told(index, &call, done)
    }

    fn alive(&self, state: &State) -> Result<()> {
        if state.dead.contains(&self.number) { Err(killed()) } else { Ok(()) }
    }

    /// Passes a boundary; at the kill point everybody who is connected dies.
    fn boundary(&self, state: &mut State, index: usize) -> Result<()> {
        state.boundaries += 1;
        if state.kill_at == Some(state.boundaries) {
            state.dead = (1..=state.clients).collect();
            if let Some(entry) = state.log.get_mut(index) {
                entry.failed = Some(Kind::Cancelled);
            }
        }
        self.alive(state)
    }

    /// Writes down what the caller is told, and names the verb in a failure.
    fn told<T>(&self, index: usize, call: &Call, told: Result<T>) -> Result<T> {
        told.map_err(|error| {
            if let Some(entry) = self.cloud.state().log.get_mut(index) {
                entry.failed = Some(error.kind());
            }
            let error = error.during(call.verb.as_str());
            match &call.region {
                Some(region) => error.with("region", region),
                None => error,
            }
        })
    }
}

fn write_down(state: &mut State, client: u64, call: &Call) -> usize {
    let index = state.log.len();
    let at = state.clock.now();
    state.log.push(Request {
        number: index as u64 + 1,
        at,
        client,
        verb: call.verb,
        call: call.name,
        region: call.region.clone(),
        changes: call.changes,
        took_effect: false,
        failed: None,
    });
    index
}

/// What the rules say to a request; one without a region asks for each region on its own.
fn permitted(state: &State, call: &Call) -> Result<()> {
    call.region.as_ref().map_or(Ok(()), |region| permitted_in(state, call.verb, region))
}

/// What a region's rules say to a verb.
pub(super) fn permitted_in(state: &State, verb: Verb, region: &Region) -> Result<()> {
    let rules = state.rules_of(region);
    if rules.disabled {
        return Err(Error::new(Kind::PermissionDenied, "the region is not enabled for this account")
            .hint("enable it, or list it under `best_effort`, then run the same command again"));
    }
    if rules.denied.contains(&verb) {
        return Err(refusal(What::Denied));
    }
    Ok(())
}

fn refusal(what: What) -> Error {
    match what {
        What::Throttle => Error::new(Kind::Throttled, "too many requests"),
        What::Denied => Error::new(Kind::PermissionDenied, "the credentials do not allow this")
            .hint("grant the permission, then run the same command again"),
        What::Kill => killed(),
        What::Unavailable | What::LostReply | What::Hang => Error::new(Kind::Unavailable, "the service is unavailable"),
    }
}

fn killed() -> Error {
    Error::new(Kind::Cancelled, "killed")
}
