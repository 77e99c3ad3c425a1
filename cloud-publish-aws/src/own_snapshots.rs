//! The snapshots that an image is made of, as far as they are ours.

use aws_sdk_ec2::types::{Image, Snapshot};
use cloud_publish_core::error::Result;
use cloud_publish_core::identity::ImageTags;
use cloud_publish_core::publisher::Context;

use crate::publisher::Here;
use crate::snapshot;

/// The ids of an image's snapshots, in the order of its devices.
pub(crate) fn ids(image: &Image) -> Vec<&str> {
    image.block_device_mappings().iter().filter_map(|mapping| mapping.ebs()?.snapshot_id()).collect()
}

/// The snapshots of an image, each of which must be ours with these tags before it is changed.
///
/// # Errors
/// [`cloud_publish_core::error::Kind::NotFound`], [`cloud_publish_core::error::Kind::Refused`].
pub(crate) async fn of(here: &Here, context: &Context, (image, tags): (&Image, &ImageTags)) -> Result<Vec<Snapshot>> {
    let mut found = Vec::new();
    for id in ids(image) {
        let own = snapshot::ours(here, context, (id, tags)).await;
        found.push(own.map_err(|error| error.with("snapshot", id))?);
    }
    Ok(found)
}
