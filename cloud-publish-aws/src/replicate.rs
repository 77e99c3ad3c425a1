//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Registered, ReplicateRequest};
pub(crate) async fn replicate(
    target: &Aws,
    context: &Context,
    request: &ReplicateRequest,
) -> Result<Vec<(Region, Result<Registered>)>> {
    todo!()
}
