//! What S3 keeps. Content is held as the parts it came in: nothing is copied when an upload is completed.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::checksum::{Algorithm, Kind};
use super::refusals;
use super::route::Target;
use crate::aws::call::Call;
use crate::aws::reply::Refused;

/// Every bucket of every account: their names are one space.
#[derive(Debug, Default)]
pub(crate) struct State {
    buckets: BTreeMap<String, Bucket>,
    made: u64,
}

/// A bucket, which belongs to one account and one region.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) created: Timestamp,
    pub(crate) objects: BTreeMap<String, Object>,
    /// By key and upload id, which is the order of their listing.
    pub(crate) uploads: BTreeMap<(String, String), Upload>,
}

/// An object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) content: Vec<Bytes>,
    pub(crate) etag: String,
    pub(crate) modified: Timestamp,
    pub(crate) checksum: Checksum,
    pub(crate) about: About,
}

/// What comes along with an object, at the upload of it or at the start of its multipart upload.
#[derive(Debug, Clone, Default)]
pub(crate) struct About {
    pub(crate) content_type: Option<String>,
    /// The `x-amz-meta-` headers, by their full name.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
}

/// The checksum of an object as S3 tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: Kind,
    /// Base64, with `-PARTS` behind it if it was made of those of the parts.
    pub(crate) value: String,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) started: Timestamp,
    pub(crate) about: About,
    /// The algorithm that its parts must carry, if it was started with one.
    pub(crate) checksum: Option<(Algorithm, Kind)>,
    pub(crate) parts: BTreeMap<u32, Part>,
}

/// One part of an upload.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) content: Bytes,
    pub(crate) etag: String,
    /// Base64, in the algorithm of the upload.
    pub(crate) checksum: Option<String>,
    pub(crate) modified: Timestamp,
}

impl Object {
    /// Length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.content.iter().map(|piece| piece.len() as u64).sum()
    }

    /// Gives `length` bytes from `start`, copied only if they span two parts. Both must lie inside.
    pub(crate) fn slice(&self, start: u64, length: u64) -> Bytes {
        let mut skip = usize::try_from(start).expect("an offset in memory");
        let mut wanted = usize::try_from(length).expect("a length in memory");
        let mut pieces = Vec::new();
        for piece in &self.content {
            let from = skip.min(piece.len());
            let upto = (from + wanted).min(piece.len());
            skip -= from;
            wanted -= upto - from;
            if upto > from {
                pieces.push(piece.slice(from..upto));
            }
        }
        match pieces.len() {
            0 | 1 => pieces.pop().unwrap_or_default(),
            _ => pieces
                .iter()
                .fold(BytesMut::new(), |mut all, piece| {
                    all.extend_from_slice(piece);
                    all
                })
                .freeze(),
        }
    }
}

impl State {
    /// The bucket of a request: it must exist, be the caller's, and lie in the region that was asked.
    pub(crate) fn bucket(&mut self, call: &Call, target: &Target) -> Result<&mut Bucket, Refused> {
        let bucket = self.buckets.get_mut(&target.bucket).ok_or_else(|| refusals::no_such_bucket(&target.bucket))?;
        let expected = call.header("x-amz-expected-bucket-owner").unwrap_or(&call.caller.account);
        if bucket.account != call.caller.account || bucket.account != expected {
            return Err(refusals::access_denied());
        }
        if bucket.region != call.region {
            return Err(refusals::wrong_region(&bucket.region));
        }
        Ok(bucket)
    }

    /// A bucket by name, whoever asks.
    pub(crate) fn any_bucket(&self, name: &str) -> Option<&Bucket> {
        self.buckets.get(name)
    }

    /// All buckets, in the order of their names.
    pub(crate) fn buckets(&self) -> impl Iterator<Item = (&String, &Bucket)> {
        self.buckets.iter()
    }

    pub(crate) fn insert_bucket(&mut self, name: &str, bucket: Bucket) {
        self.buckets.insert(name.to_owned(), bucket);
    }

    pub(crate) fn remove_bucket(&mut self, name: &str) {
        self.buckets.remove(name);
    }

    /// To be read by tests and people.
    pub(crate) fn dump(&self, _now: Timestamp) -> Value {
        let objects = |bucket: &Bucket| -> Value {
            let about =
                |object: &Object| json!({"size": object.size(), "etag": object.etag, "tags": object.about.tags});
            bucket.objects.iter().map(|(key, object)| (key.clone(), about(object))).collect()
        };
        let uploads = |bucket: &Bucket| -> Vec<Value> {
            let about = |place: &(String, String), upload: &Upload| {
                let ((key, id), parts) = (place, upload.parts.len());
                json!({"key": key, "id": id, "parts": parts})
            };
            bucket.uploads.iter().map(|(place, upload)| about(place, upload)).collect()
        };
        let bucket = |bucket: &Bucket| {
            let (account, region) = (&bucket.account, &bucket.region);
            json!({"account": account, "region": region, "objects": objects(bucket), "uploads": uploads(bucket)})
        };
        self.buckets.iter().map(|(name, it)| (name.clone(), bucket(it))).collect()
    }

    /// An upload id that was never given before.
    pub(crate) fn next_upload_id(&mut self) -> String {
        self.made += 1;
        format!("fake{:08}.{:016x}", self.made, self.made.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

impl Bucket {
    /// An empty one.
    pub(crate) fn new(account: &str, region: &str, created: Timestamp) -> Self {
        let (account, region) = (account.to_owned(), region.to_owned());
        Self { account, region, created, objects: BTreeMap::new(), uploads: BTreeMap::new() }
    }

    /// An object of this bucket.
    pub(crate) fn object(&mut self, key: &str) -> Result<&mut Object, Refused> {
        self.objects.get_mut(key).ok_or_else(|| refusals::no_such_key(key))
    }

    /// An upload to this bucket.
    pub(crate) fn upload(&mut self, key: &str, id: &str) -> Result<&mut Upload, Refused> {
        self.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or_else(|| refusals::no_such_upload(id))
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use jiff::Timestamp;

    use super::{Algorithm, Checksum, Kind, Object};

    #[test]
    fn a_slice_crosses_the_borders_of_parts() {
        let checksum = Checksum { algorithm: Algorithm::Crc32, kind: Kind::FullObject, value: String::new() };
        let object = Object {
            content: vec![Bytes::from_static(b"abc"), Bytes::from_static(b"def"), Bytes::from_static(b"g")],
            etag: String::new(),
            modified: Timestamp::UNIX_EPOCH,
            checksum,
            about: super::About::default(),
        };
        assert_eq!(object.size(), 7);
        assert_eq!(object.slice(1, 5), "bcdef");
        assert_eq!(object.slice(3, 3), "def");
        assert_eq!(object.slice(6, 1), "g");
        assert_eq!(object.slice(7, 0), "");
    }
}
