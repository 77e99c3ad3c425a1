//! Looking again where a cloud fails in passing, before there are steps that the executor repeats.

use std::future::Future;
use std::time::Duration;

use crate::error::{Result, Retry};
use crate::publisher::{Context, Publisher, SurveyRequest};
use crate::survey::Survey;

const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// Asks a few times, while what it fails with may pass.
///
/// # Errors
/// The last failure, or one that will not pass.
pub(super) async fn patiently<T, Fut: Future<Output = Result<T>>>(
    context: &Context,
    ask: impl FnMut() -> Fut,
) -> Result<T> {
    until_whole(context, ask, |_| true).await
}

/// Surveys a target; looks again while it fails, or leaves something out, for what may pass.
///
/// # Errors
/// As [`Publisher::survey`]; [`crate::error::Kind::Cancelled`].
pub(super) async fn survey(publisher: &dyn Publisher, context: &Context, request: &SurveyRequest) -> Result<Survey> {
    let is_whole = |survey: &Survey| survey.incomplete.iter().all(|gap| !gap.passing);
    until_whole(context, || publisher.survey(context, request), is_whole).await
}

async fn until_whole<T, Fut: Future<Output = Result<T>>>(
    context: &Context,
    mut ask: impl FnMut() -> Fut,
    is_whole: impl Fn(&T) -> bool,
) -> Result<T> {
    for pause in PAUSES {
        match ask().await {
            Ok(answer) if !is_whole(&answer) => context.sleep(pause).await?,
            Err(error) if error.retry() != Retry::Never => context.sleep(pause).await?,
            answer => return answer,
        }
    }
    ask().await
}
