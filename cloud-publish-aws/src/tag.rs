//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, TagRequest};
pub(crate) async fn tag(here: &Here, context: &Context, request: &TagRequest) -> Result<()> {
    todo!()
}
