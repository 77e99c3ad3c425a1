//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, SurveyRequest};
use cloud_publish_core::survey::Survey;
pub(crate) async fn survey(target: &Aws, context: &Context, request: &SurveyRequest) -> Result<Survey> {
    todo!()
}
