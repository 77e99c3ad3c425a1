//! The checksums of S3: which there are, how they are computed, and how that of a whole follows from its parts.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::{CrcAlgorithm, Digest};
use sha2::{Digest as _, Sha256};

/// An algorithm that a client may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha256,
}

/// Whether the checksum of a multipart object is one of all bytes, or one of the checksums of the parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    FullObject,
    Composite,
}

impl Kind {
    /// As in `x-amz-checksum-type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }
}

impl Algorithm {
    pub(crate) const ALL: [Self; 4] = [Self::Crc32, Self::Crc32c, Self::Crc64nvme, Self::Sha256];

    /// As in `x-amz-checksum-algorithm`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header, or the trailer, that carries one.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The element of answers that carries one.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64nvme => "ChecksumCRC64NVME",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// What a multipart upload gets that names no type.
    pub(crate) fn default_kind(self) -> Kind {
        if self == Self::Crc64nvme { Kind::FullObject } else { Kind::Composite }
    }

    /// Only these pairs exist: CRC64NVME has no composite form, SHA-256 no other.
    pub(crate) fn allows(self, kind: Kind) -> bool {
        match self {
            Self::Crc64nvme => kind == Kind::FullObject,
            Self::Sha256 => kind == Kind::Composite,
            Self::Crc32 | Self::Crc32c => true,
        }
    }

    /// The raw checksum of the pieces one after the other.
    pub(crate) fn digest<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        match self {
            Self::Sha256 => {
                let mut hash = Sha256::new();
                pieces.into_iter().for_each(|piece| hash.update(piece));
                hash.finalize().to_vec()
            }
            Self::Crc64nvme => crc(CrcAlgorithm::Crc64Nvme, pieces).to_be_bytes().to_vec(),
            Self::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc, pieces).to_be_bytes()[4..].to_vec(),
            Self::Crc32c => crc(CrcAlgorithm::Crc32Iscsi, pieces).to_be_bytes()[4..].to_vec(),
        }
    }

    /// The same in base64.
    pub(crate) fn base64<'a>(self, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
        STANDARD.encode(self.digest(pieces))
    }

    /// The checksum of the raw checksums of the parts, with their number behind it.
    pub(crate) fn composite<'a>(self, parts: impl IntoIterator<Item = &'a str>) -> String {
        let raw: Vec<Vec<u8>> = parts.into_iter().map(|part| STANDARD.decode(part).unwrap_or_default()).collect();
        format!("{}-{}", self.base64(raw.iter().map(Vec::as_slice)), raw.len())
    }
}

fn crc<'a>(algorithm: CrcAlgorithm, pieces: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let mut digest = Digest::new(algorithm);
    pieces.into_iter().for_each(|piece| digest.update(piece));
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, STANDARD};
    use base64::Engine;

    #[test]
    fn checksums_are_those_of_the_catalogue_of_crcs() {
        // The "check" values: https://reveng.sourceforge.io/crc-catalogue/all.htm
        let hex = |algorithm: Algorithm| -> String {
            algorithm.digest([b"12345".as_slice(), b"6789"]).iter().map(|byte| format!("{byte:02x}")).collect()
        };
        assert_eq!(hex(Algorithm::Crc32), "cbf43926");
        assert_eq!(hex(Algorithm::Crc32c), "e3069283");
        assert_eq!(hex(Algorithm::Crc64nvme), "ae8b14860a799888");
    }

    #[test]
    fn a_composite_is_the_checksum_of_raw_checksums() {
        let parts = [Algorithm::Sha256.base64([b"a".as_slice()]), Algorithm::Sha256.base64([b"b".as_slice()])];
        let raw: Vec<u8> = parts.iter().flat_map(|part| STANDARD.decode(part).unwrap()).collect();
        let expected = format!("{}-2", Algorithm::Sha256.base64([raw.as_slice()]));
        assert_eq!(Algorithm::Sha256.composite(parts.iter().map(String::as_str)), expected);
    }
}
