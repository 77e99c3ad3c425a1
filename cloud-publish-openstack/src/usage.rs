//! What the cloud knows of an image's use: Glance does not say.

use cloud_publish_core::publisher::{ImageAt, Usage};

pub(crate) fn usage(images: &[ImageAt]) -> Vec<Usage> {
    let unknown = |at: &ImageAt| Usage { id: at.id.clone(), region: at.region.clone(), in_use: None, last_used: None };
    images.iter().map(unknown).collect()
}
