//! Reads that fail in passing are asked again, twice at most, after a short pause.
//!
//! The SDKs of other clouds do the same, and for the same reason: a survey or a preflight is dozens of reads, and one
//! throttled page must not refuse a whole run. A write is sent once: whether and when it is repeated is decided with the
//! step that it belongs to, by the executor, whose loop stays the only one for steps. A step whose read fails three times
//! has failed once.

use std::future::Future;
use std::time::Duration;

use cloud_publish_core::error::Retry;
use cloud_publish_core::publisher::Context;

use crate::error::WireError;

/// The pauses, unless the service asks for longer ones.
const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(1500)];

/// A service that asks for more is not troubled in passing: whoever called is told, with the pause.
const LONGEST_ASKED: Duration = Duration::from_secs(30);

/// Asks until there is an answer, or a failure that does not pass or has come three times.
///
/// # Errors
/// The last failure; [`WireError::Own`] when the run is asked to stop during a pause.
pub(crate) async fn patiently<T, F>(context: &Context, mut read: impl FnMut() -> F) -> Result<T, WireError>
where
    F: Future<Output = Result<T, WireError>>,
{
    for pause in PAUSES {
        let error = match read().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Retry::After(asked) = error.passing() else { return Err(error) };
        let asked = asked.unwrap_or_default();
        if asked > LONGEST_ASKED {
            return Err(error);
        }
        tracing::debug!(%error, "asking again");
        context.sleep(pause.max(asked)).await?;
    }
    read().await
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use async_trait::async_trait;
    use cloud_publish_core::clock::Clock;
    use cloud_publish_core::error::Kind;
    use cloud_publish_core::publisher::Context;
    use jiff::Timestamp;
    use reqwest::StatusCode;

    use super::patiently;
    use crate::error::{WireError, classify};

    /// Notes the milliseconds that it is asked to sleep, and does not.
    #[derive(Debug, Default)]
    struct Sleeps(Mutex<Vec<u128>>);

    #[async_trait]
    impl Clock for Sleeps {
        fn now(&self) -> Timestamp {
            Timestamp::UNIX_EPOCH
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }

        async fn sleep(&self, time: Duration) {
            self.0.lock().unwrap().push(time.as_millis());
        }
    }

    fn status(status: u16, after: Option<u64>) -> WireError {
        let retry_after = after.map(Duration::from_secs);
        let status = StatusCode::from_u16(status).unwrap();
        WireError::Status { service: "Glance", status, message: String::new(), retry_after }
    }

    /// How often was asked, the pauses, and the status of the failure, if it was one.
    async fn asked(failures: Vec<WireError>) -> (usize, Vec<u128>, Option<u16>) {
        let clock = Arc::new(Sleeps::default());
        let context = Context::with_clock(clock.clone());
        let (mut failures, mut asked) = (failures.into_iter(), 0);
        let outcome = patiently(&context, || {
            asked += 1;
            let failure = failures.next();
            async move { failure.map_or(Ok(()), Err) }
        })
        .await;
        let pauses = clock.0.lock().unwrap().clone();
        (asked, pauses, outcome.err().and_then(|error| error.status()))
    }

    #[tokio::test]
    async fn what_fails_in_passing_is_asked_again_and_twice_at_most() {
        let failures = || vec![status(503, None), status(500, None), status(429, None)];
        assert_eq!(asked(Vec::new()).await, (1, vec![], None));
        assert_eq!(asked(failures().into_iter().take(2).collect()).await, (3, vec![500, 1500], None));
        assert_eq!(asked(failures()).await, (3, vec![500, 1500], Some(429)));
    }

    #[tokio::test]
    async fn what_does_not_pass_is_not_asked_again() {
        for refusal in [400, 401, 403, 404, 409, 413, 501] {
            assert_eq!(asked(vec![status(refusal, None)]).await, (1, vec![], Some(refusal)));
        }
    }

    #[tokio::test]
    async fn the_pause_that_a_cloud_asks_for_is_kept_or_left_to_the_caller() {
        assert_eq!(asked(vec![status(429, Some(7)), status(503, Some(1))]).await, (3, vec![7000, 1500], None));
        assert_eq!(asked(vec![status(429, Some(31))]).await, (1, vec![], Some(429)));
    }

    #[tokio::test]
    async fn a_run_that_is_stopped_asks_no_more() {
        let context = Context::detached();
        let mut asked = 0;
        let outcome = patiently(&context, || {
            asked += 1;
            context.cancellation().cancel();
            async { Err::<(), _>(status(503, None)) }
        })
        .await;
        assert_eq!((classify(outcome.unwrap_err(), "list").kind(), asked), (Kind::Cancelled, 1));
    }
}
