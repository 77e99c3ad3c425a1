//! Digests of files as the manifest gives them; what an image contains has [`crate::digest::Digest`].

use std::fmt::{self, Debug, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::quote;
use crate::digest::{hex, unhex};
use crate::error::{Error, Kind, Result};

/// The digest of a file, `N` bytes, written as `2 * N` hex digits.
///
/// It is of the file as it lies there, compressed or not, in whatever format: what SHA512SUMS would list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileDigest<const N: usize>([u8; N]);

/// The sha256 of a file.
pub type Sha256 = FileDigest<32>;
/// The sha512 of a file.
pub type Sha512 = FileDigest<64>;

impl<const N: usize> FileDigest<N> {
    /// Wraps computed bytes.
    pub fn from_bytes(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> Display for FileDigest<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl<const N: usize> Debug for FileDigest<N> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl<const N: usize> FromStr for FileDigest<N> {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        unhex(text).map(Self).ok_or_else(|| {
            Error::new(Kind::InvalidInput, format!("{} is not a sha{} digest", quote(text), N * 8)).hint(format!(
                "a sha{} digest has {} hex digits, here are {} characters",
                N * 8,
                N * 2,
                text.chars().count()
            ))
        })
    }
}

impl<const N: usize> TryFrom<String> for FileDigest<N> {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl<const N: usize> From<FileDigest<N>> for String {
    fn from(digest: FileDigest<N>) -> Self {
        digest.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{Sha256, Sha512};

    #[test]
    fn a_digest_of_the_wrong_length_is_refused_with_the_right_one() {
        let error = "ab".repeat(32).parse::<Sha512>().unwrap_err();
        assert_eq!(error.advice(), Some("a sha512 digest has 128 hex digits, here are 64 characters"));
        assert_eq!("AB".repeat(32).parse::<Sha256>().unwrap().to_string(), "ab".repeat(32));
    }
}
