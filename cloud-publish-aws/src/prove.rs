//! Reads an image's content back, block by block, and hashes it: the blocks of its root snapshot, zeros between them.
//!
//! EBS knows only whole blocks of a volume of whole GiB; how long the disk is, is said by the tag [`tags::SIZE`].

mod content;
mod hasher;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, Proof, ProveRequest};

use self::content::Content;
use crate::publisher::Here;
use crate::snapshot::{root, wait_completed};
use crate::{guard, tags};

pub(crate) async fn prove(here: &Here, context: &Context, request: &ProveRequest) -> Result<Proof> {
    let image = guard::ours(here, context, &request.at).await?;
    let Some(size) = tags::size(&guard::tags_of(&image)) else {
        let reason = format!("the image has no tag `{}` that says how long its disk is", tags::SIZE);
        return Ok(Proof::Unreadable { reason });
    };
    let id = root(&image).ok_or_else(|| Error::new(Kind::Unexpected, "the image has no root snapshot"))?;
    let snapshot = wait_completed(here, context, id).await.map_err(|error| error.with("snapshot", id))?;
    let volume = u64::try_from(snapshot.volume_size().unwrap_or_default()).unwrap_or_default() << 30;
    if size > volume {
        return Err(Error::new(Kind::Corrupt, "the image's snapshot is smaller than its disk")
            .with("snapshot", id)
            .with("disk", size)
            .with("volume", volume));
    }
    let digest = Content::new(here, context, (id, size)).digest().await.map_err(|error| error.with("snapshot", id));
    match digest {
        Ok(Some(digest)) => Ok(Proof::Content { digest }),
        Ok(None) => Ok(Proof::Unreadable { reason: format!("EBS does not list the blocks of snapshot {id}") }),
        Err(error) => Err(error),
    }
}
