//! The end of a multipart upload, where everything that was claimed must add up.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>

use md5::{Digest, Md5};

use super::checksum::{Algorithm, Kind};
use super::payload::{hex, quoted};
use super::route::Target;
use super::state::{Checksum, Object, Part, Upload};
use super::xml::{Element, document};
use super::{objects, refusals};
use crate::aws::call::Call;
use crate::aws::reply::{Outcome, Refused};
use crate::aws::world::Shared;

/// Every part but the last holds at least this many bytes.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const SMALLEST_PART: usize = 5 << 20;

/// CompleteMultipartUpload.
pub(super) fn complete(shared: &Shared, call: &Call, target: &Target) -> Outcome {
    let id = call.query("uploadId").unwrap_or_default();
    let root = Element::parse(&call.body)?;
    let listed: Vec<&Element> = root.all("Part").collect();
    // The bytes are hashed without the lock; an upload that changes in between is a client's fault.
    let (parts, checksum) = {
        let mut world = shared.state();
        let upload = world.s3.bucket(call, target)?.upload(&target.key, id)?;
        (chosen(upload, &listed)?, upload.checksum)
    };
    let checksum = whole(&parts, checksum);
    check_claims(call, &parts, &checksum)?;
    let etags: Vec<u8> = parts.iter().flat_map(|part| unhex(&part.etag)).collect();
    let etag = quoted(&format!("{}-{}", hex(&Md5::digest(&etags)), parts.len()));

    let mut world = shared.state();
    let bucket = world.s3.bucket(call, target)?;
    objects::check_preconditions(call, bucket, &target.key)?;
    let upload =
        bucket.uploads.remove(&(target.key.clone(), id.to_owned())).ok_or_else(|| refusals::no_such_upload(id))?;
    let content = parts.into_iter().map(|part| part.content).collect();
    let reply = document("CompleteMultipartUploadResult", |xml| {
        xml.text("Location", format!("/{}/{}", target.bucket, target.key));
        xml.text("Bucket", &target.bucket).text("Key", &target.key).text("ETag", &etag);
        xml.text(checksum.algorithm.element(), &checksum.value).text("ChecksumType", checksum.kind.name());
    });
    let object = Object { content, etag, modified: call.now, checksum, about: upload.about };
    bucket.objects.insert(target.key.clone(), object);
    Ok(reply)
}

/// The parts that the list names, if it names them in order and as they are.
fn chosen(upload: &Upload, listed: &[&Element]) -> Result<Vec<Part>, Refused> {
    let malformed = || Refused::bad("MalformedXML", "You must specify at least one part");
    if listed.is_empty() {
        return Err(malformed());
    }
    let mut parts = Vec::with_capacity(listed.len());
    let mut last = 0;
    for entry in listed {
        let number: u32 = entry.value("PartNumber").and_then(|text| text.parse().ok()).ok_or_else(malformed)?;
        if number <= last {
            let message = "The list of parts was not in ascending order. Parts must be ordered by part number.";
            return Err(Refused::bad("InvalidPartOrder", message));
        }
        last = number;
        let part = upload.parts.get(&number).filter(|part| {
            entry.value("ETag").is_some_and(|etag| etag.trim_matches('"') == part.etag.trim_matches('"'))
        });
        let part = part.ok_or_else(|| invalid_part(number))?;
        check_entry(upload, part, entry, number)?;
        parts.push(part.clone());
    }
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|part| part.content.len() < SMALLEST_PART) {
        return Err(Refused::bad("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"));
    }
    Ok(parts)
}

fn invalid_part(number: u32) -> Refused {
    let why = "The part may not have been uploaded, or the specified entity tag may not match the part's entity tag";
    Refused::bad("InvalidPart", format!("One or more of the specified parts could not be found. {why}: {number}"))
}

/// An upload for a composite checksum must repeat the checksum of every part; what is repeated must be right.
fn check_entry(upload: &Upload, part: &Part, entry: &Element, number: u32) -> Result<(), Refused> {
    let Some((algorithm, kind)) = upload.checksum else { return Ok(()) };
    match entry.value(algorithm.element()) {
        None if kind == Kind::Composite => {
            let name = algorithm.name().to_lowercase();
            let message = format!(
                "The upload was created using a {name} checksum. The complete request must include the checksum for \
                 each part. It was missing for part {number} in the request."
            );
            Err(refusals::invalid_request(message))
        }
        Some(claimed) if part.checksum.as_deref().is_some_and(|own| own != claimed) => Err(invalid_part(number)),
        _ => Ok(()),
    }
}

/// The checksum of the whole. An upload that named none gets CRC-64/NVME of all bytes.
fn whole(parts: &[Part], wanted: Option<(Algorithm, Kind)>) -> Checksum {
    let (algorithm, kind) = wanted.unwrap_or((Algorithm::Crc64nvme, Kind::FullObject));
    let value = match kind {
        Kind::FullObject => algorithm.base64(parts.iter().map(|part| part.content.as_ref())),
        Kind::Composite => algorithm.composite(parts.iter().filter_map(|part| part.checksum.as_deref())),
    };
    Checksum { algorithm, kind, value }
}

/// What the request claims of the whole object: its checksum, the type of that, its size.
fn check_claims(call: &Call, parts: &[Part], checksum: &Checksum) -> Result<(), Refused> {
    let number = format!("-{}", parts.len());
    if let Some(claimed) = call.header(checksum.algorithm.header())
        && claimed.trim_end_matches(&number) != checksum.value.trim_end_matches(&number)
    {
        return Err(refusals::bad_digest(&checksum.algorithm.name().to_lowercase()));
    }
    if call.header("x-amz-checksum-type").is_some_and(|kind| kind != checksum.kind.name()) {
        let message = "The upload was created using another checksum type than the complete request names.";
        return Err(refusals::invalid_request(message));
    }
    let size: usize = parts.iter().map(|part| part.content.len()).sum();
    if call.header("x-amz-mp-object-size").is_some_and(|claimed| claimed.parse() != Ok(size)) {
        let message = "The provided 'x-amz-mp-object-size' header does not match what was computed.";
        return Err(refusals::invalid_request(message));
    }
    Ok(())
}

fn unhex(etag: &str) -> Vec<u8> {
    let digits = etag.trim_matches('"').as_bytes();
    digits.chunks(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
