//! What the survey shows of an image made to a spec. Pure.

use super::layout::{Folder, file_name};
use super::site::Site;
use crate::error::Result;
use crate::names::Region;
use crate::publisher::{Expected, ImageSpec};

/// The attributes and pointers of an image; see [`crate::publisher::Publisher::expect`].
pub(super) fn expect(site: &Site, image: &ImageSpec, region: &Region) -> Result<Expected> {
    site.check_region(region)?;
    let (folder, file) = (Folder::of(&image.tags)?, file_name(image)?);
    let fields = [
        ("url", site.url(&folder, &file)),
        ("file", Some(file)),
        ("size", Some(image.given_size().to_string())),
        ("sha512", image.given_sha512().cloned()),
    ];
    let attributes = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Ok(Expected { attributes, pointers: folder.pointer()?.into_iter().collect(), ..Expected::default() })
}
