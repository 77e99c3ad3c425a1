//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, ImageAt, Usage};
pub(crate) async fn usage(target: &Aws, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>> {
    todo!()
}
