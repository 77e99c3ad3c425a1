//! Not written yet.
#![expect(warnings, reason = "replaced")]
use crate::publisher::Aws;
use cloud_publish_core::error::Result;
use cloud_publish_core::identity::Place;
use cloud_publish_core::publisher::{Context, TargetInfo};

/// Who and where we are, once asked.
#[derive(Clone, Debug)]
pub(crate) struct Whereabouts {
    pub(crate) place: Place,
    /// `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`.
    pub(crate) partition: String,
}

impl Aws {
    pub(crate) async fn whereabouts(&self, context: &Context) -> Result<&Whereabouts> {
        todo!()
    }
}
pub(crate) async fn info(target: &Aws, context: &Context) -> Result<TargetInfo> {
    todo!()
}
