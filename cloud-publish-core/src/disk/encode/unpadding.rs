//! Recognises a disk's digest in content that has become longer by zeros.
//!
//! A VHD is padded to whole MiB, Google's `disk.raw` and a volume to whole GiB; how long the disk was before is said
//! nowhere. But its digest is known, and the digest of too little or too much is another one.

use sha2::{Digest as _, Sha256};

use super::ZEROS;
use super::blocks::is_zero;
use crate::digest::Digest;

const SECTOR: usize = 512;

/// Hashes content that may end in zeros that do not belong to it.
#[derive(Clone, Default)]
pub struct Unpadding {
    hasher: Sha256,
    /// Bytes hashed.
    hashed: u64,
    /// Zeros behind them.
    zeros: u64,
}

impl Unpadding {
    /// Takes more of the content: whole sectors of 512 bytes.
    pub fn update(&mut self, content: &[u8]) {
        let data = content.len() - trailing_zeros(content);
        let (data, zeros) = content.split_at(data);
        if !data.is_empty() {
            self.settle(self.zeros);
            self.hasher.update(data);
            self.hashed += data.len() as u64;
        }
        self.zeros += zeros.len() as u64;
    }

    fn settle(&mut self, count: u64) {
        let mut left = count.min(self.zeros);
        self.zeros -= left;
        self.hashed += left;
        while left > 0 {
            let part = usize::try_from(left).ok().and_then(|left| ZEROS.get(..left)).unwrap_or(&ZEROS);
            self.hasher.update(part);
            left -= part.len() as u64;
        }
    }

    /// The digest of the content without padding, if it is `wanted`; else that of all.
    ///
    /// The padding is less than `unit` bytes, all zero, and whole sectors.
    pub fn finish(mut self, unit: u64, wanted: &Digest) -> Digest {
        let end = self.hashed + self.zeros;
        let shortest = (end + 1).saturating_sub(unit).next_multiple_of(SECTOR as u64);
        self.settle(shortest.saturating_sub(self.hashed));
        loop {
            let digest = Digest::from_bytes(self.hasher.clone().finalize().into());
            if digest == *wanted || self.zeros == 0 {
                return digest;
            }
            self.settle(SECTOR as u64);
        }
    }
}

/// How many bytes at the end are zeros, in whole sectors.
fn trailing_zeros(content: &[u8]) -> usize {
    content.rchunks(SECTOR).take_while(|sector| is_zero(sector)).map(<[u8]>::len).sum()
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};

    use super::Unpadding;
    use crate::digest::Digest;
    use crate::disk::testing::noise;

    fn digest(bytes: &[u8]) -> Digest {
        Digest::from_bytes(Sha256::digest(bytes).into())
    }

    fn finish(content: &[u8], unit: u64, wanted: &Digest) -> Digest {
        let mut unpadding = Unpadding::default();
        content.chunks(1536).for_each(|part| unpadding.update(part));
        unpadding.finish(unit, wanted)
    }

    #[test]
    fn content_is_recognised_whatever_was_added() {
        let inner = [noise(5120), vec![0; 2048], noise(512), vec![0; 1024]].concat();
        for added in [0, 512, 4096, 8192 - 512] {
            let padded = [inner.clone(), vec![0; added]].concat();
            assert_eq!(finish(&padded, 8192, &digest(&inner)), digest(&inner), "{added}");
        }
    }

    #[test]
    fn padding_of_a_unit_or_more_and_other_content_are_not_recognised() {
        let inner = noise(1024);
        let padded = [inner.clone(), vec![0; 4096]].concat();
        assert_eq!(finish(&padded, 4096, &digest(&inner)), digest(&padded));
        let dirty = [inner.clone(), noise(512)].concat();
        assert_eq!(finish(&dirty, 4096, &digest(&inner)), digest(&dirty));
    }

    #[test]
    fn a_disk_of_zeros_is_recognised_too() {
        assert_eq!(finish(&[0; 4096], 4096, &digest(&[0; 512])), digest(&[0; 512]));
    }
}
