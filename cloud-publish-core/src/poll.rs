//! Waiting for a cloud: ask, back off, ask again, until it is there, the deadline passes or the run is cancelled.

use std::future::Future;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::publisher::Context;

/// How often to ask and how long to go on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause.
    pub first: Duration,
    /// The longest pause; each is half as long again as the one before.
    pub longest: Duration,
    /// How long to go on altogether.
    pub deadline: Duration,
}

impl Pace {
    /// Starts with `first`, never pauses longer than ten times that, gives up after `deadline`.
    pub fn new(first: Duration, deadline: Duration) -> Self {
        Self { first, longest: first.saturating_mul(10), deadline }
    }
}

/// Asks `question` until it answers `Some`.
///
/// # Errors
/// Whatever `question` fails with, at once; [`Kind::TimedOut`] naming `what` after the deadline, [`Kind::Cancelled`]
/// as soon as the context is.
pub async fn poll_until<T, F, Fut>(context: &Context, what: &str, pace: Pace, mut question: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let start = context.clock().elapsed();
    let mut pause = pace.first;
    loop {
        if let Some(answer) = question().await? {
            return Ok(answer);
        }
        let waited = context.clock().elapsed().saturating_sub(start);
        if waited >= pace.deadline {
            return Err(Error::new(Kind::TimedOut, format!("{what} took longer than {} s", pace.deadline.as_secs()))
                .permanent() // a deadline is meant for all attempts together
                .hint("run the same command again: it continues where this one stopped waiting"));
        }
        context.sleep(pause.min(pace.deadline.saturating_sub(waited))).await?;
        pause = pause.saturating_mul(3).checked_div(2).unwrap_or(pace.longest).min(pace.longest);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Pace, poll_until};
    use crate::error::Kind;
    use crate::publisher::Context;

    const FAST: Pace = Pace {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        deadline: Duration::from_millis(40),
    };

    #[tokio::test]
    async fn asks_until_there_is_an_answer() {
        let context = Context::detached();
        let asked = std::cell::Cell::new(0);
        let answer = poll_until(&context, "counting", FAST, || {
            asked.set(asked.get() + 1);
            let answer = (asked.get() == 3).then_some("three");
            async move { Ok(answer) }
        });
        assert_eq!(answer.await.unwrap(), "three");
    }

    #[tokio::test]
    async fn gives_up_after_the_deadline_and_when_cancelled() {
        let context = Context::detached();
        let late = poll_until(&context, "nothing", FAST, || async { Ok(None::<()>) }).await.unwrap_err();
        assert_eq!(late.kind(), Kind::TimedOut);
        context.cancellation().cancel();
        let stopped = poll_until(&context, "nothing", FAST, || async { Ok(None::<()>) }).await.unwrap_err();
        assert_eq!(stopped.kind(), Kind::Cancelled);
    }
}
