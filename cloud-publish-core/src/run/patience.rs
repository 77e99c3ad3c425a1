//! Looking again where a cloud fails in passing, before there are steps that the executor repeats.

use std::future::Future;
use std::time::Duration;

use crate::error::{Result, Retry};
use crate::publisher::Context;

const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Asks a few times, while what it fails with may pass.
///
/// # Errors
/// The last failure, or one that will not pass.
pub(super) async fn patiently<T, Fut: Future<Output = Result<T>>>(
    context: &Context,
    mut ask: impl FnMut() -> Fut,
) -> Result<T> {
    for pause in PAUSES {
        match ask().await {
            Err(error) if error.retry() != Retry::Never => context.sleep(pause).await?,
            answer => return answer,
        }
    }
    ask().await
}
