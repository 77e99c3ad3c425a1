//! Completes a snapshot: AWS compares what it got with what was sent. And takes one that is complete already.

use aws_sdk_ebs::types::{ChecksumAggregationMethod, ChecksumAlgorithm};
use aws_sdk_ec2::types::Snapshot;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Staged;

use super::pending::Pending;
use super::send::Whole;
use super::start::gibibytes;
use super::{Upload, blocks};
use crate::ebs::{Blocks, Nature, Trouble, encode};
use crate::error::classify;
use crate::snapshot::{id_of, tags_of};
use crate::tags::SIZE;

impl Upload<'_> {
    /// Asks AWS to complete a snapshot that has all its blocks.
    pub(super) async fn complete(&mut self, pending: &Pending, whole: &Whole) -> Result<(), Trouble> {
        if let Err(changed) = blocks::unchanged(&self.request.disk).await {
            return Err(self.remove(pending, changed).await.into());
        }
        let count = i32::try_from(whole.count).unwrap_or(i32::MAX);
        let call = self.here.clients.ebs.complete_snapshot().snapshot_id(&pending.id).changed_blocks_count(count);
        let call = if whole.count == 0 {
            call
        } else {
            call.checksum(encode(whole.aggregate))
                .checksum_algorithm(ChecksumAlgorithm::ChecksumAlgorithmSha256)
                .checksum_aggregation_method(ChecksumAggregationMethod::ChecksumAggregationLinear)
        };
        let Err(error) = self.context.or_cancelled(call.send()).await? else { return Ok(()) };
        let trouble = Trouble::new(classify(&error, "CompleteSnapshot"), None);
        if trouble.nature == Nature::Refused && self.is_open(pending, whole).await? {
            let corrupt = Error::new(Kind::Corrupt, "what AWS got is not what was sent").during("CompleteSnapshot");
            let corrupt = corrupt.with("snapshot", &pending.id).caused_by(trouble.error);
            let corrupt = corrupt.hint("run the same command again: it sends everything anew");
            return Err(self.remove(pending, corrupt).await.into());
        }
        match trouble.nature {
            Nature::Slow | Nature::Passing => Err(Trouble { nature: Nature::Final, ..trouble }),
            _ => Err(trouble),
        }
    }

    /// Whether a snapshot still takes blocks: AWS refuses to complete one twice, and wrong checksums, with one code.
    async fn is_open(&self, pending: &Pending, whole: &Whole) -> Result<bool, Trouble> {
        let Some(last) = whole.last else { return Ok(false) };
        let Some(block) = blocks::read_one(self.request.disk.clone(), last).await? else { return Ok(false) };
        let blocks = Blocks::new(self.here, &pending.id, pending.missing_until);
        let once = || blocks.put(block.index, block.data.clone(), block.sha256);
        match blocks.persist(self.context, |_| {}, once).await {
            Ok(()) => Ok(true),
            Err(trouble) if matches!(trouble.nature, Nature::Refused | Nature::Missing) => Ok(false),
            Err(trouble) => Err(trouble),
        }
    }

    /// Takes a completed snapshot of ours.
    ///
    /// # Errors
    /// [`Kind::Conflict`] when it is of another size than its content, whatever its tags say.
    pub(super) fn adopt(&self, snapshot: &Snapshot, sent: u64) -> Result<Staged> {
        let id = id_of(snapshot).to_owned();
        let size = self.request.image.virtual_size;
        let (volume, wanted) = (snapshot.volume_size(), gibibytes(size)?);
        let tagged = tags_of(snapshot).remove(SIZE);
        if volume != Some(wanted) || tagged.as_ref().is_some_and(|tagged| *tagged != size.to_string()) {
            let found = format!("{} GiB, tagged {}", volume.unwrap_or_default(), tagged.unwrap_or_default());
            return Err(Error::new(Kind::Conflict, format!("{id} has our tags but another size"))
                .with("found", found)
                .with("wanted", format!("{wanted} GiB, tagged {size}"))
                .hint(format!("if no image uses it, `aws ec2 delete-snapshot --snapshot-id {id}`, and run again")));
        }
        Ok(Staged { region: self.here.region.clone(), id, sent })
    }
}
