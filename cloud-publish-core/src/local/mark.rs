//! Marks, further tags and `latest`.

use super::entry::Tree;
use super::listing;
use super::site::Site;
use crate::error::{Error, Kind, Result};
use crate::publisher::{PointRequest, TagRequest};

/// Writes exactly these marks and further tags; see [`crate::publisher::Publisher::tag`].
///
/// They are kept in the work directory: a published directory is not rewritten for them.
pub(super) fn tag(site: &Site, request: &TagRequest) -> Result<()> {
    let _change = site.change()?;
    let found = site.own(&request.at)?;
    let mut record = site.record(&found, &request.at.tags)?;
    record.marks = request.marks.apply(&record.marks)?;
    if request.extra.is_some() {
        record.extra.clone_from(&request.extra);
    }
    record.deleted = None;
    record.write(&site.layout)
}

/// Makes `latest` lead to an image's version; see [`crate::publisher::Publisher::point`].
pub(super) fn point(site: &Site, request: &PointRequest) -> Result<()> {
    let _change = site.change()?;
    let found = site.own(&request.at)?;
    if found.folder.pointer()?.as_ref() != Some(&request.pointer) {
        return Err(Error::new(Kind::InvalidInput, "no such pointer leads to this version")
            .with("pointer", &request.pointer)
            .hint("the pointers are SUITE/latest for releases and SUITE/daily/latest for dailies"));
    }
    if found.tree != Tree::Public {
        return Err(Error::new(Kind::Refused, "`latest` leads to published versions only")
            .with("id", &request.at.id)
            .hint("publish or restore the image first"));
    }
    listing::point(&site.layout, &found.folder)
}
