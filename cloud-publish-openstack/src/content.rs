//! Is what arrived what was sent? Compares the cloud's own hash of an image with the file's.

use std::sync::Arc;

use cloud_publish_core::digest::hex;
use cloud_publish_core::disk::Disk;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, ImageSpec};
use md5::Md5;
use sha2::digest::DynDigest;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::glance::Image;

const BLOCK: usize = 1 << 20;

/// A hash that the cloud shows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) algorithm: String,
    /// Lower-case hex digits.
    pub(crate) value: String,
}

/// Every hash that an image shows, the strongest first: `os_hash_value`, then the md5 of old clouds.
pub(crate) fn shown(image: &Image) -> Vec<Shown> {
    let strong = image.os_hash_algo.clone().zip(image.os_hash_value.clone());
    let weak = image.checksum.clone().map(|value| ("md5".to_owned(), value));
    let both = strong.into_iter().chain(weak).filter(|(_, value)| !value.is_empty());
    both.map(|(algorithm, value)| Shown { algorithm, value: value.to_ascii_lowercase() }).collect()
}

/// How an image's size and hash differ from the file's, as a sentence; `None` when they are the same.
///
/// # Errors
/// [`Kind::Unexpected`] when the cloud shows no hash that we know, [`Kind::InvalidInput`] when the file had to be read
/// and is not any more what it was when it was opened.
pub(crate) async fn difference(
    context: &Context,
    image: &Image,
    spec: &ImageSpec,
    disk: &Arc<Disk>,
) -> Result<Option<String>> {
    let mut differences = Vec::new();
    if image.size != Some(disk.file_size()) {
        let size = image.size.map_or_else(|| "no".to_owned(), |size| size.to_string());
        differences.push(format!("the image has {size} bytes, the file {}", disk.file_size()));
    }
    let mut compared = false;
    for Shown { algorithm, value } in shown(image) {
        let Some(expected) = expected(context, &algorithm, spec, disk).await? else { continue };
        if expected != value {
            differences.push(format!("the image's {algorithm} is {value}, the file's {expected}"));
        }
        compared = true;
        break;
    }
    match differences.as_slice() {
        [] if compared => Ok(None),
        [] => Err(Error::new(Kind::Unexpected, "the cloud shows no checksum that can be compared").permanent()),
        some => Ok(Some(some.join("; "))),
    }
}

/// Refuses when the file is not any more what it was when it was opened and verified.
pub(crate) async fn unchanged(disk: &Arc<Disk>) -> Result<()> {
    let disk = disk.clone();
    tokio::task::spawn_blocking(move || disk.check_unchanged()).await.map_err(lost)?
}

fn lost(error: tokio::task::JoinError) -> Error {
    Error::new(Kind::Unexpected, "reading the file was interrupted").caused_by(error)
}

/// The file's hash, of what was verified or not at all; `None` for an algorithm that we do not have.
async fn expected(context: &Context, algorithm: &str, spec: &ImageSpec, disk: &Arc<Disk>) -> Result<Option<String>> {
    if let ("sha512", Some(known)) = (algorithm, &spec.file_sha512) {
        return Ok(Some(known.to_ascii_lowercase()));
    }
    let Some(hasher) = hasher(algorithm) else { return Ok(None) };
    context.progress().says(&format!("computing the file's {algorithm}, because this cloud shows that"));
    let (disk, token) = (disk.clone(), context.cancellation().clone());
    let work = tokio::task::spawn_blocking(move || hash(&disk, hasher, &|| token.is_cancelled()));
    context.or_cancelled(work).await?.map_err(lost)?.map(Some)
}

fn hasher(algorithm: &str) -> Option<Box<dyn DynDigest + Send>> {
    match algorithm {
        "sha512" => Some(Box::new(Sha512::default())),
        "sha384" => Some(Box::new(Sha384::default())),
        "sha256" => Some(Box::new(Sha256::default())),
        "sha224" => Some(Box::new(Sha224::default())),
        "md5" => Some(Box::new(Md5::default())),
        _ => None,
    }
}

fn hash(disk: &Disk, mut hasher: Box<dyn DynDigest + Send>, cancelled: &dyn Fn() -> bool) -> Result<String> {
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    while offset < disk.file_size() {
        if cancelled() {
            return Err(Error::new(Kind::Cancelled, "stopped on request"));
        }
        let left = usize::try_from(disk.file_size().saturating_sub(offset)).unwrap_or(BLOCK);
        block.truncate(left.min(BLOCK));
        disk.read_file_at(offset, &mut block)?;
        hasher.update(&block);
        offset = offset.saturating_add(u64::try_from(block.len()).unwrap_or_default());
    }
    disk.check_unchanged()?;
    Ok(hex(&hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloud_publish_core::disk::{Disk, DiskSource, Format};
    use cloud_publish_core::error::Kind;
    use cloud_publish_core::publisher::Context;
    use serde_json::json;

    use super::difference;
    use crate::glance::Image;
    use crate::testing::spec;

    fn image(more: serde_json::Value) -> Image {
        let mut image = json!({"id": "i", "status": "active", "visibility": "private", "size": 1_049_088});
        image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(image).unwrap()
    }

    /// 1 MiB and 512 bytes of zeros: more than one block.
    async fn same(more: serde_json::Value) -> Result<bool, Kind> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        std::fs::write(&path, vec![0; 1_049_088]).unwrap();
        let disk = Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap());
        let mut spec = spec();
        spec.file_sha512 = None;
        let found = difference(&Context::detached(), &image(more), &spec, &disk).await;
        found.map(|difference| difference.is_none()).map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn any_algorithm_that_a_cloud_may_choose_is_same() {
        for (algorithm, value) in [
            ("md5", "b88c8724a828bc49a72fa6cd60aa0013"),
            ("sha256", "6f6bbab5d998f7fac0ad1d18ab4dcdf227c4b7f3e44d41d31637ef676c90f749"),
        ] {
            let more = json!({"os_hash_algo": algorithm, "os_hash_value": value});
            assert_eq!(same(more).await, Ok(true), "{algorithm}");
            let other = json!({"os_hash_algo": algorithm, "os_hash_value": "00"});
            assert_eq!(same(other).await, Ok(false), "{algorithm}");
        }
    }

    #[tokio::test]
    async fn old_clouds_are_compared_by_md5_and_no_hash_at_all_is_an_error() {
        let unknown =
            json!({"os_hash_algo": "whirlpool", "os_hash_value": "00", "checksum": "b88c8724a828bc49a72fa6cd60aa0013"});
        assert_eq!(same(unknown).await, Ok(true));
        assert_eq!(same(json!({})).await, Err(Kind::Unexpected));
    }

    #[tokio::test]
    async fn a_file_that_changed_since_it_was_verified_has_no_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        std::fs::write(&path, vec![0; 1_049_088]).unwrap();
        let disk = Arc::new(Disk::open(&DiskSource::new(path.clone(), Format::Raw)).unwrap());
        std::fs::write(&path, vec![1; 1_049_088]).unwrap();
        let of_now = image(json!({"checksum": "a0702860ae31bee5223b7fde4b530762"}));
        let error = difference(&Context::detached(), &of_now, &spec(), &disk).await.unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
    }

    #[tokio::test]
    async fn another_size_is_another_file_whatever_the_hash() {
        let short = json!({"size": 1_048_576, "checksum": "b88c8724a828bc49a72fa6cd60aa0013"});
        assert_eq!(same(short).await, Ok(false));
    }
}
