//! Sends a disk in parts: goes on with an upload that was begun, or begins one.
//!
//! Two publishers at once may begin two; both then go on with the older one, and send the same parts with the same
//! bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use cloud_publish_core::disk::Disk;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{ImageSpec, Note};
use futures::stream::{StreamExt, iter};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::object::Bucket;
use super::parts::{self, Part, Sum};
use crate::error::{classify, code, is_missing};
use crate::publisher::Here;

/// An upload that is not complete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pending {
    /// Seconds since 1970.
    pub(super) begun: i64,
    pub(super) id: String,
    pub(super) key: String,
}

/// A part that S3 has.
#[derive(Clone, Debug)]
pub(super) struct Arrived {
    etag: String,
    size: u64,
    sum: Option<String>,
    /// Seconds since 1970.
    pub(super) at: i64,
}

/// What became of one part.
struct Done {
    part: CompletedPart,
    sum: Sum,
    sent: u64,
}

impl Bucket<'_> {
    /// Sends what is missing of the disk and completes the object; see [`Bucket::stage`].
    pub(super) async fn send(&self, disk: &Arc<Disk>, (key, of): (&str, (&ImageSpec, &Here))) -> Result<Option<u64>> {
        let id = match self.oldest(key).await? {
            Some(id) => id,
            None => {
                let begun = self.begin(key, of).await?;
                let oldest = self.oldest(key).await?.unwrap_or_else(|| begun.clone());
                if oldest != begun {
                    self.abort(key, &begun).await?;
                }
                oldest
            }
        };
        let Some(arrived) = self.arrived(key, &id).await? else { return Ok(None) };
        let Some(done) = self.send_parts(disk, (key, &id), &arrived).await? else { return Ok(None) };
        unchanged(disk).await?;
        let sums: Vec<Sum> = done.iter().map(|done| done.sum).collect();
        let sent = done.iter().map(|done| done.sent).sum();
        if !self.complete((key, &id), done).await? {
            return Ok(None);
        }
        let Some(head) = self.head(key).await? else { return Ok(None) };
        if self.is_whole(&head, disk, &sums) {
            return Ok(Some(sent));
        }
        self.remove(key).await?;
        Err(Error::new(Kind::Corrupt, "what arrived in the bucket is not what was sent")
            .with("object", format!("s3://{}/{key}", self.name()))
            .hint("run the same command again: it sends the disk anew"))
    }

    /// The upload to go on with. Who may not list uploads goes on with the one that the notes name.
    async fn oldest(&self, key: &str) -> Result<Option<String>> {
        match self.uploads(key).await {
            Ok(found) => Ok(found.into_iter().filter(|pending| pending.key == key).min().map(|pending| pending.id)),
            Err(error) if error.kind() == Kind::PermissionDenied => Ok(self.noted(key)),
            Err(error) => Err(error),
        }
    }

    fn noted(&self, key: &str) -> Option<String> {
        let id = |note: Note| match note {
            Note::Acknowledged { value } if value.get("upload_of").and_then(Value::as_str) == Some(key) => {
                value.get("upload_id").and_then(Value::as_str).map(str::to_owned)
            }
            _ => None,
        };
        self.context.earlier_notes().into_iter().rev().find_map(id)
    }

    /// Every upload below a prefix that is not complete.
    pub(super) async fn uploads(&self, prefix: &str) -> Result<Vec<Pending>> {
        let mut all = Vec::new();
        let (mut key, mut id) = (None, None);
        loop {
            let call = self.client.list_multipart_uploads().bucket(self.name()).prefix(prefix);
            let call = call.expected_bucket_owner(self.account).set_key_marker(key).set_upload_id_marker(id);
            let page = self.context.or_cancelled(call.send()).await?;
            let page = page.map_err(|error| self.named(classify(&error, "ListMultipartUploads")))?;
            all.extend(page.uploads().iter().map(|found| Pending {
                begun: found.initiated().map_or(0, |time| time.secs()),
                id: found.upload_id().unwrap_or_default().to_owned(),
                key: found.key().unwrap_or_default().to_owned(),
            }));
            if page.is_truncated() != Some(true) {
                return Ok(all);
            }
            (key, id) = (page.next_key_marker, page.next_upload_id_marker);
        }
    }

    async fn begin(&self, key: &str, (image, here): (&ImageSpec, &Here)) -> Result<String> {
        let about = image.tags.to_map(&here.place, &here.region);
        let call = self.client.create_multipart_upload().bucket(self.name()).key(key);
        let call = call.expected_bucket_owner(self.account).set_metadata(Some(about.into_iter().collect()));
        let call = call.checksum_algorithm(ChecksumAlgorithm::Sha256).checksum_type(ChecksumType::Composite);
        let answer = self.context.or_cancelled(call.send()).await?;
        let answer = answer.map_err(|error| self.named(classify(&error, "CreateMultipartUpload")))?;
        let id = answer.upload_id.ok_or_else(|| Error::new(Kind::Unexpected, "the upload has no id"))?;
        self.context.note(Note::Acknowledged { value: json!({"upload_of": key, "upload_id": id}) }).await?;
        Ok(id)
    }

    /// Gives an upload up, with its parts; gone already is success.
    pub(super) async fn abort(&self, key: &str, id: &str) -> Result<()> {
        let call = self.client.abort_multipart_upload().bucket(self.name()).key(key).upload_id(id);
        match self.context.or_cancelled(call.expected_bucket_owner(self.account).send()).await? {
            Ok(_) => Ok(()),
            Err(error) if code(&error).is_some_and(is_missing) => Ok(()),
            Err(error) => Err(self.named(classify(&error, "AbortMultipartUpload"))),
        }
    }

    /// The parts that are there, by number; `None` when the upload itself is gone.
    pub(super) async fn arrived(&self, key: &str, id: &str) -> Result<Option<BTreeMap<i32, Arrived>>> {
        let call = self.client.list_parts().bucket(self.name()).key(key).upload_id(id);
        let mut pages = call.expected_bucket_owner(self.account).into_paginator().items().send();
        let mut all = BTreeMap::new();
        while let Some(part) = self.context.or_cancelled(pages.next()).await? {
            let part = match part {
                Ok(part) => part,
                Err(error) if code(&error).is_some_and(is_missing) => return Ok(None),
                Err(error) => return Err(self.named(classify(&error, "ListParts"))),
            };
            let arrived = Arrived {
                etag: part.e_tag().unwrap_or_default().to_owned(),
                size: part.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default(),
                sum: part.checksum_sha256().map(str::to_owned),
                at: part.last_modified().map_or(0, |time| time.secs()),
            };
            all.insert(part.part_number().unwrap_or_default(), arrived);
        }
        Ok(Some(all))
    }

    /// Sends the parts that are not there as they should be; `None` when the upload is gone.
    async fn send_parts(
        &self,
        disk: &Arc<Disk>,
        upload: (&str, &str),
        arrived: &BTreeMap<i32, Arrived>,
    ) -> Result<Option<Vec<Done>>> {
        let size = disk.virtual_size();
        let mut sends = Vec::new();
        for part in parts::split(size) {
            sends.push(self.send_part(disk, upload, (part, arrived.get(&part.number))));
        }
        let mut sends = iter(sends).buffered(parts::at_once(size));
        let (mut all, mut through) = (Vec::new(), 0_u64);
        while let Some(done) = sends.next().await {
            let Some((done, length)) = done? else { return Ok(None) };
            through = through.saturating_add(length);
            self.context.progress().advanced(through, size);
            all.push(done);
        }
        Ok(Some(all))
    }

    async fn send_part(
        &self,
        disk: &Arc<Disk>,
        (key, id): (&str, &str),
        (part, arrived): (Part, Option<&Arrived>),
    ) -> Result<Option<(Done, u64)>> {
        self.context.check()?;
        let (data, sum) = parts::read(disk, part).await?;
        let encoded = parts::encode(&sum);
        let completed = CompletedPart::builder().part_number(part.number).checksum_sha256(&encoded);
        let same = |arrived: &&Arrived| arrived.size == part.length && arrived.sum.as_ref() == Some(&encoded);
        if let Some(arrived) = arrived.filter(same) {
            return Ok(Some((Done { part: completed.e_tag(&arrived.etag).build(), sum, sent: 0 }, part.length)));
        }
        let call = self.client.upload_part().bucket(self.name()).key(key).upload_id(id).part_number(part.number);
        let call = call.expected_bucket_owner(self.account).checksum_algorithm(ChecksumAlgorithm::Sha256);
        let call = call.checksum_sha256(encoded).body(ByteStream::from(data));
        match self.context.or_cancelled(call.send()).await? {
            Ok(answer) => {
                let completed = completed.e_tag(answer.e_tag().unwrap_or_default()).build();
                Ok(Some((Done { part: completed, sum, sent: part.length }, part.length)))
            }
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(None),
            Err(error) => Err(self.named(classify(&error, "UploadPart"))),
        }
    }

    /// Makes the object of its parts; says whether the upload was still there.
    async fn complete(&self, (key, id): (&str, &str), done: Vec<Done>) -> Result<bool> {
        let sums: Vec<Sum> = done.iter().map(|done| done.sum).collect();
        let listed = CompletedMultipartUpload::builder();
        let listed = listed.set_parts(Some(done.into_iter().map(|done| done.part).collect())).build();
        let call = self.client.complete_multipart_upload().bucket(self.name()).key(key).upload_id(id);
        let call = call.expected_bucket_owner(self.account).checksum_type(ChecksumType::Composite);
        let call = call.checksum_sha256(parts::composite(&sums)).multipart_upload(listed);
        match self.context.or_cancelled(call.send()).await? {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("NoSuchUpload") => Ok(false),
            Err(error) => Err(self.named(classify(&error, "CompleteMultipartUpload"))),
        }
    }
}

/// Refuses a disk that was written to while it was sent.
async fn unchanged(disk: &Arc<Disk>) -> Result<()> {
    let disk = Arc::clone(disk);
    let checked = spawn_blocking(move || disk.check_unchanged()).await;
    checked.map_err(|error| Error::new(Kind::Unexpected, "checking the disk image was abandoned").caused_by(error))?
}
