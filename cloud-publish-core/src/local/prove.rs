//! Proof: the file is opened as what its name says and its content is hashed again.

use super::layout::format_of;
use super::site::Site;
use crate::disk::{Disk, DiskSource, Expected, Format, Wanted};
use crate::error::Result;
use crate::publisher::{Proof, ProveRequest};

/// Reads the whole file; see [`crate::publisher::Publisher::prove`].
pub(super) fn prove(site: &Site, request: &ProveRequest) -> Result<Proof> {
    let found = site.own(&request.at)?;
    let format = format_of(&found.file).unwrap_or(Format::Raw);
    let disk = Disk::open(&DiskSource::new(found.path(), format))?;
    let digests = disk.verify(&Expected::default(), Wanted::default(), &())?;
    Ok(Proof::Content { digest: digests.content })
}
