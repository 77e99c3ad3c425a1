//! Lists, in pages: objects, uploads, and the parts of one upload. No page is longer than the settings allow.

use std::collections::BTreeSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::checksum::{Algorithm, Kind};
use super::refusals;
use super::route::Target;
use super::state::{Bucket, Object};
use super::xml::{document, time};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused};
use crate::aws::world::Shared;
use crate::aws::xml::Xml;

/// What stays as it is in keys that are listed with `encoding-type=url`.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/').remove(b'~').remove(b'*');

/// A parameter of the query; an empty one counts as missing.
fn param<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.query(name).filter(|value| !value.is_empty())
}

/// How many entries this page may have.
fn page(shared: &Shared, call: &Call, name: &str) -> Result<usize, Refused> {
    let wanted = param(call, name)
        .map_or(Ok(1000), str::parse)
        .map_err(|_| refusals::invalid_argument(format!("Provided {name} not an integer or within integer range")))?;
    Ok(1000.min(wanted).min(shared.settings().page_size))
}

fn key_writer(call: &Call) -> impl Fn(&str) -> String {
    let encode = param(call, "encoding-type") == Some("url");
    move |key: &str| if encode { utf8_percent_encode(key, KEPT).to_string() } else { key.to_owned() }
}

fn write_checksum(xml: &mut Xml, (algorithm, kind): (Algorithm, Kind)) {
    xml.text("ChecksumAlgorithm", algorithm.name()).text("ChecksumType", kind.name());
}

/// ListObjectsV2. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
pub(super) fn objects(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let limit = page(shared, call, "max-keys")?;
    let token = param(call, "continuation-token");
    let wanted = Wanted {
        prefix: param(call, "prefix").unwrap_or_default(),
        delimiter: param(call, "delimiter"),
        after: match token {
            None => param(call, "start-after").unwrap_or_default(),
            Some(token) => token
                .strip_prefix("after:")
                .ok_or_else(|| refusals::invalid_argument("The continuation token provided is incorrect"))?,
        },
    };
    let mut world = shared.state();
    let found = wanted.find(world.s3.bucket(call, target)?, limit);
    let written = key_writer(call);
    Ok(document("ListBucketResult", |xml| {
        xml.text("Name", &target.bucket).text("Prefix", written(wanted.prefix)).text("MaxKeys", limit);
        xml.text("KeyCount", found.objects.len() + found.folders.len()).text("IsTruncated", found.next.is_some());
        xml.optional("Delimiter", wanted.delimiter.map(&written));
        xml.optional("EncodingType", param(call, "encoding-type")).optional("ContinuationToken", token);
        xml.optional("NextContinuationToken", found.next.map(|last| format!("after:{last}")));
        for (key, object) in found.objects {
            xml.node("Contents", |xml| {
                xml.text("Key", written(key)).text("LastModified", time(object.modified));
                xml.text("ETag", &object.etag).text("Size", object.size()).text("StorageClass", "STANDARD");
                write_checksum(xml, (object.checksum.algorithm, object.checksum.kind));
            });
        }
        for folder in &found.folders {
            xml.node("CommonPrefixes", |xml| {
                xml.text("Prefix", written(folder));
            });
        }
    }))
}

struct Wanted<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
    after: &'a str,
}

struct Found<'a> {
    objects: Vec<(&'a String, &'a Object)>,
    folders: BTreeSet<String>,
    /// The last entry of this page, if there are more.
    next: Option<String>,
}

impl Wanted<'_> {
    fn find<'b>(&self, bucket: &'b Bucket, limit: usize) -> Found<'b> {
        let mut found = Found { objects: Vec::new(), folders: BTreeSet::new(), next: None };
        let mut last = String::new();
        for (key, object) in bucket.objects.iter().filter(|(key, _)| key.starts_with(self.prefix)) {
            let folder = self.folder(key);
            let place = folder.as_ref().unwrap_or(key);
            if place.as_str() <= self.after || found.folders.contains(place) {
                continue;
            }
            if found.objects.len() + found.folders.len() == limit {
                found.next = Some(last);
                break;
            }
            last.clone_from(place);
            match folder {
                Some(folder) => drop(found.folders.insert(folder)),
                None => found.objects.push((key, object)),
            }
        }
        found
    }

    /// The common prefix that stands for a key, if the delimiter cuts it.
    fn folder(&self, key: &str) -> Option<String> {
        let mark = self.delimiter?;
        let at = key[self.prefix.len()..].find(mark)?;
        Some(key[..self.prefix.len() + at + mark.len()].to_owned())
    }
}

/// ListMultipartUploads. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
pub(super) fn uploads(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let limit = page(shared, call, "max-uploads")?;
    let prefix = param(call, "prefix").unwrap_or_default();
    let written = key_writer(call);
    let marker = (param(call, "key-marker").unwrap_or_default(), param(call, "upload-id-marker"));
    // A key marker alone leaves the key itself out; with an id it starts behind that upload of the key.
    let after = |key: &str, id: &str| match marker {
        (from, None) => key > from,
        (from, Some(upload)) => (key, id) > (from, upload),
    };
    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    let left = bucket.uploads.iter().filter(|((key, id), _)| key.starts_with(prefix) && after(key, id));
    let mut page: Vec<_> = left.take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    Ok(document("ListMultipartUploadsResult", |xml| {
        xml.text("Bucket", &target.bucket).text("KeyMarker", written(marker.0)).text("Prefix", written(prefix));
        xml.text("MaxUploads", limit).text("IsTruncated", more);
        xml.optional("EncodingType", param(call, "encoding-type"));
        if let Some(((key, id), _)) = page.last().filter(|_| more) {
            xml.text("NextKeyMarker", written(key)).text("NextUploadIdMarker", id);
        }
        for ((key, id), upload) in page {
            xml.node("Upload", |xml| {
                xml.text("Key", written(key)).text("UploadId", id).text("Initiated", time(upload.started));
                xml.text("StorageClass", "STANDARD");
                upload.checksum.into_iter().for_each(|checksum| write_checksum(xml, checksum));
            });
        }
    }))
}

/// ListParts. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
pub(super) fn parts(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let limit = page(shared, call, "max-parts")?;
    let id = param(call, "uploadId").unwrap_or_default();
    let marker: u32 = param(call, "part-number-marker").unwrap_or("0").parse().map_err(|_| {
        refusals::invalid_argument("Argument part-number-marker must be an integer between 0 and 2147483647")
    })?;
    let mut world = shared.state();
    let upload = world.s3.bucket(call, target)?.upload(&target.key, id)?;
    let mut page: Vec<_> = upload.parts.range(marker.saturating_add(1)..).take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    Ok(document("ListPartsResult", |xml| {
        xml.text("Bucket", &target.bucket).text("Key", &target.key).text("UploadId", id);
        xml.text("PartNumberMarker", marker).text("MaxParts", limit).text("IsTruncated", more);
        xml.optional("NextPartNumberMarker", page.last().filter(|_| more).map(|(number, _)| number));
        xml.text("StorageClass", "STANDARD");
        upload.checksum.into_iter().for_each(|checksum| write_checksum(xml, checksum));
        for (number, part) in page {
            xml.node("Part", |xml| {
                xml.text("PartNumber", number).text("LastModified", time(part.modified));
                xml.text("ETag", &part.etag).text("Size", part.content.len());
                if let (Some((algorithm, _)), Some(value)) = (upload.checksum, &part.checksum) {
                    xml.text(algorithm.element(), value);
                }
            });
        }
    }))
}
