//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Proof, ProveRequest};
pub(crate) async fn prove(here: &Here, context: &Context, request: &ProveRequest) -> Result<Proof> {
    todo!()
}
