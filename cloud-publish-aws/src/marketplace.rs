//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Listing, ListingRequest};
pub(crate) async fn list(target: &Aws, context: &Context, request: &ListingRequest) -> Result<Listing> {
    todo!()
}
