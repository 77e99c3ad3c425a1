//! Verification: the digests that a manifest promises, against those that the file has.

use super::digests::{Digests, Wanted, Watch};
use super::image::Disk;
use crate::digest::hex;
use crate::error::{Error, Kind, Result};

/// What is promised about the file as given; what is absent is not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// sha256 of the file.
    pub sha256: Option<[u8; 32]>,
    /// sha512 of the file.
    pub sha512: Option<[u8; 64]>,
    /// Size of the file, in bytes.
    pub size: Option<u64>,
}

impl Disk {
    /// Computes the digests that are wanted or expected, and compares.
    ///
    /// # Behaviour
    /// A wrong size is refused before anything is read. Succeeds only if the file was not changed meanwhile.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when the file is not the expected one or was changed; else as [`Disk::digests`].
    pub fn verify(&self, expected: &Expected, wanted: Wanted, watch: &dyn Watch) -> Result<Digests> {
        if let Some(size) = expected.size
            && size != self.given_size()
        {
            let error = Error::new(Kind::InvalidInput, "the disk image does not have the size given in the manifest");
            return Err(self.refused(error.with("expected", size).with("found", self.given_size())));
        }
        let wanted = Wanted {
            given_sha256: wanted.given_sha256 || expected.sha256.is_some(),
            given_sha512: wanted.given_sha512 || expected.sha512.is_some(),
            ..wanted
        };
        let digests = self.digests(wanted, watch)?;
        self.check_unchanged()?;
        self.compare("sha256", slice(&expected.sha256), slice(&digests.given_sha256))?;
        self.compare("sha512", slice(&expected.sha512), slice(&digests.given_sha512))?;
        Ok(digests)
    }

    fn compare(&self, algorithm: &str, expected: Option<&[u8]>, found: Option<&[u8]>) -> Result<()> {
        if expected.is_none() || expected == found {
            return Ok(());
        }
        let (expected, found) = (shortened(expected), shortened(found));
        let message = format!("the {algorithm} of the disk image is {found}, the manifest says {expected}");
        Err(self.refused(Error::new(Kind::InvalidInput, message)))
    }

    fn refused(&self, error: Error) -> Error {
        self.named(error.hint("copy the file again, or correct the manifest if the file is the right one"))
    }
}

fn slice<const N: usize>(digest: &Option<[u8; N]>) -> Option<&[u8]> {
    digest.as_ref().map(|bytes| bytes.as_slice())
}

fn shortened(digest: Option<&[u8]>) -> String {
    let digits: String = hex(digest.unwrap_or_default()).chars().take(16).collect();
    format!("{digits}…")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use sha2::{Digest as _, Sha256, Sha512};

    use super::Expected;
    use crate::disk::digests::{Wanted, Watch};
    use crate::disk::format::Format;
    use crate::disk::testing::{Scratch, noise};
    use crate::error::Kind;

    fn promises(bytes: &[u8]) -> Expected {
        Expected {
            sha256: Some(Sha256::digest(bytes).into()),
            sha512: Some(Sha512::digest(bytes).into()),
            size: Some(bytes.len() as u64),
        }
    }

    #[test]
    fn the_promised_file_passes_with_all_its_digests() {
        let bytes = noise(8192);
        let file = Scratch::new(&bytes);
        let disk = file.open(Format::Raw).unwrap();
        let found = disk.verify(&promises(&bytes), Wanted::default(), &()).unwrap();
        assert_eq!((found.given_sha256, found.given_sha512), (promises(&bytes).sha256, promises(&bytes).sha512));
        let bare = disk.verify(&Expected::default(), Wanted::default(), &()).unwrap();
        assert_eq!((bare.content, bare.given_sha512), (found.content, None));
    }

    #[test]
    fn other_bytes_are_refused_naming_both_digests() {
        let file = Scratch::new(&noise(8192));
        let disk = file.open(Format::Raw).unwrap();
        let right = promises(&noise(8192));
        for (wrong, algorithm) in [
            (Expected { sha256: Some([0xab; 32]), ..right.clone() }, "sha256"),
            (Expected { sha512: Some([0xab; 64]), ..right }, "sha512"),
        ] {
            let error = disk.verify(&wrong, Wanted::default(), &()).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput);
            assert!(error.message().contains(algorithm) && error.message().contains("abababababababab…"), "{error}");
        }
    }

    #[test]
    fn another_size_is_refused_before_reading() {
        struct Unread;
        impl Watch for Unread {
            fn advanced(&self, _bytes: u64) {
                panic!("the disk was read");
            }
            fn cancelled(&self) -> bool {
                false
            }
        }
        let disk = Scratch::new(&noise(8192)).open(Format::Raw).unwrap();
        let error = disk.verify(&promises(&noise(4096)), Wanted::default(), &Unread).unwrap_err();
        assert_eq!((error.context("expected"), error.context("found")), (Some("4096"), Some("8192")));
    }

    #[test]
    fn a_file_that_was_written_to_since_opening_is_noticed() {
        let (file, bytes) = (Scratch::new(&noise(8192)), noise(8192));
        let handle = fs::File::options().write(true).open(file.path()).unwrap();
        handle.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000)).unwrap();
        let disk = file.open(Format::Raw).unwrap();
        disk.verify(&promises(&bytes), Wanted::default(), &()).unwrap();
        fs::write(file.path(), &bytes).unwrap();
        let error = disk.verify(&promises(&bytes), Wanted::default(), &()).unwrap_err();
        assert!(error.message().contains("changed while"), "{error}");
    }
}
