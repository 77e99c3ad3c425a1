//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Detail, Listing, ListingRequest};
use cloud_publish_core::survey::FoundListing;
pub(crate) async fn list(target: &Aws, context: &Context, request: &ListingRequest) -> Result<Listing> {
    todo!()
}
pub(crate) async fn survey(target: &Aws, context: &Context, detail: &Detail) -> Result<Vec<FoundListing>> {
    todo!()
}
