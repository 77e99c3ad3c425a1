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

/// Surveys a target; looks again while it fails, or leaves something out, for what may pass.
///
/// # Errors
/// As [`Publisher::survey`]; [`crate::error::Kind::Cancelled`].
pub(super) async fn survey(publisher: &dyn Publisher, context: &Context, request: &SurveyRequest) -> Result<Survey> {
    for pause in PAUSES {
        match publisher.survey(context, request).await {
            Ok(survey) if survey.incomplete.iter().any(|gap| gap.passing) => context.sleep(pause).await?,
            Err(error) if error.retry() != Retry::Never => context.sleep(pause).await?,
            answer => return answer,
        }
    }
    publisher.survey(context, request).await
}
