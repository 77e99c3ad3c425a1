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

/// Compares size and hash; [`Kind::Corrupt`] when they differ.
pub(crate) async fn compare(context: &Context, image: &Image, spec: &ImageSpec, disk: &Arc<Disk>) -> Result<()> {
    if image.size != Some(disk.file_size()) {
        let size = image.size.map_or_else(|| "no".to_owned(), |size| size.to_string());
        return Err(corrupt(format!("the image has {size} bytes, the file {}", disk.file_size())));
    }
    for Shown { algorithm, value } in shown(image) {
        let Some(expected) = expected(context, &algorithm, spec, disk).await? else { continue };
        if expected == value {
            return Ok(());
        }
        return Err(corrupt(format!("the image's {algorithm} is {value}, the file's {expected}")));
    }
    Err(Error::new(Kind::Unexpected, "the cloud shows no checksum that can be compared").permanent())
}

fn corrupt(message: String) -> Error {
    Error::new(Kind::Corrupt, message).hint("run the same command again: it uploads the image anew")
}

/// The file's hash; `None` for an algorithm that we do not have.
async fn expected(context: &Context, algorithm: &str, spec: &ImageSpec, disk: &Arc<Disk>) -> Result<Option<String>> {
    if let ("sha512", Some(known)) = (algorithm, &spec.file_sha512) {
        return Ok(Some(known.to_ascii_lowercase()));
    }
    let Some(hasher) = hasher(algorithm) else { return Ok(None) };
    context.progress().says(&format!("computing the file's {algorithm}, because this cloud shows that"));
    let (disk, token) = (disk.clone(), context.cancellation().clone());
    let work = tokio::task::spawn_blocking(move || hash(&disk, hasher, &|| token.is_cancelled()));
    let lost = |error: tokio::task::JoinError| Error::new(Kind::Unexpected, "hashing was interrupted").caused_by(error);
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
    Ok(hex(&hasher.finalize()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloud_publish_core::disk::{Disk, DiskSource, Format};
    use cloud_publish_core::error::Kind;
    use cloud_publish_core::publisher::Context;
    use serde_json::json;

    use super::compare;
    use crate::glance::Image;
    use crate::testing::spec;

    fn image(more: serde_json::Value) -> Image {
        let mut image = json!({"id": "i", "status": "active", "visibility": "private", "size": 1_049_088});
        image.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(image).unwrap()
    }

    /// 1 MiB and 512 bytes of zeros: more than one block.
    async fn compared(more: serde_json::Value) -> Result<(), Kind> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.raw");
        std::fs::write(&path, vec![0; 1_049_088]).unwrap();
        let disk = Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap());
        let mut spec = spec();
        spec.file_sha512 = None;
        compare(&Context::detached(), &image(more), &spec, &disk).await.map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn any_algorithm_that_a_cloud_may_choose_is_compared() {
        for (algorithm, value) in [
            ("md5", "b88c8724a828bc49a72fa6cd60aa0013"),
            ("sha256", "6f6bbab5d998f7fac0ad1d18ab4dcdf227c4b7f3e44d41d31637ef676c90f749"),
        ] {
            let more = json!({"os_hash_algo": algorithm, "os_hash_value": value});
            assert_eq!(compared(more).await, Ok(()), "{algorithm}");
            let other = json!({"os_hash_algo": algorithm, "os_hash_value": "00"});
            assert_eq!(compared(other).await, Err(Kind::Corrupt), "{algorithm}");
        }
    }

    #[tokio::test]
    async fn old_clouds_are_compared_by_md5_and_no_hash_at_all_is_an_error() {
        let unknown =
            json!({"os_hash_algo": "whirlpool", "os_hash_value": "00", "checksum": "b88c8724a828bc49a72fa6cd60aa0013"});
        assert_eq!(compared(unknown).await, Ok(()));
        assert_eq!(compared(json!({})).await, Err(Kind::Unexpected));
    }

    #[tokio::test]
    async fn another_size_is_corrupt_whatever_the_hash() {
        let short = json!({"size": 1_048_576, "checksum": "b88c8724a828bc49a72fa6cd60aa0013"});
        assert_eq!(compared(short).await, Err(Kind::Corrupt));
    }
}
