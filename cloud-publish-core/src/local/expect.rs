//! What the survey shows of an image made to a spec. Pure.

use super::config::FormatChoice;
use super::layout::{Folder, file_name};
use super::site::Site;
use crate::disk::encode::{VHD_FOOTER, vhd_size};
use crate::error::Result;
use crate::names::Region;
use crate::publisher::{Expected, ImageSpec};

/// The attributes and pointers of an image; see [`crate::publisher::Publisher::expect`].
pub(super) fn expect(site: &Site, image: &ImageSpec, region: &Region) -> Result<Expected> {
    site.check_region(region)?;
    let (folder, file) = (Folder::of(&image.tags)?, file_name(image)?);
    // Of what is compressed nobody knows the size, and of what is made here nobody the checksum, before it is made.
    let (size, sha512) = match FormatChoice::of(&image.tags.rendition)? {
        FormatChoice::AsIs => (Some(image.given_size()), image.given_sha512().cloned()),
        FormatChoice::Raw => (Some(image.virtual_size), None),
        FormatChoice::Vhd => (Some(vhd_size(image.virtual_size).saturating_add(VHD_FOOTER)), None),
        FormatChoice::Qcow2 | FormatChoice::GceTarGz => (None, None),
    };
    let fields = [
        ("url", site.url(&folder, &file)),
        ("file", Some(file)),
        ("size", size.map(|size| size.to_string())),
        ("sha512", sha512),
    ];
    let attributes = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Ok(Expected { attributes, pointers: folder.pointer()?.into_iter().collect(), ..Expected::default() })
}
