//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::Context;
use cloud_publish_core::survey::FoundStaged;
pub(crate) async fn discard(here: &Here, context: &Context, staged: &FoundStaged) -> Result<()> {
    todo!()
}
