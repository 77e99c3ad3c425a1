//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Expected, ImageSpec};
pub(crate) fn expect(target: &Aws, image: &ImageSpec, region: &Region) -> Result<Expected> {
    todo!()
}
