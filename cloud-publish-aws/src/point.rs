//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, PointRequest};
pub(crate) async fn point(here: &Here, context: &Context, request: &PointRequest) -> Result<()> {
    todo!()
}
