//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::config::AwsConfig;
use crate::publisher::Here;
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Deletion, ImageAt};
pub(crate) async fn hide(here: &Here, context: &Context, at: &ImageAt) -> Result<()> {
    todo!()
}
pub(crate) async fn retire(here: &Here, context: &Context, at: &ImageAt) -> Result<()> {
    todo!()
}
pub(crate) async fn restore(here: &Here, with: (&Context, &AwsConfig), at: &ImageAt) -> Result<()> {
    todo!()
}
pub(crate) async fn delete(here: &Here, context: &Context, at: &ImageAt) -> Result<Deletion> {
    todo!()
}
