//! Hashes pieces of a disk that come in their order, and the zeros between them, on threads that may block.

use bytes::Bytes;
use cloud_publish_core::digest::Digest;
use cloud_publish_core::error::{Error, Kind, Result};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

/// sha256 of a disk of a known size.
#[derive(Debug)]
pub(super) struct Hasher {
    sha256: Sha256,
    /// Bytes hashed.
    at: u64,
    size: u64,
}

impl Hasher {
    /// Nothing yet, of a disk of `size` bytes.
    pub(super) fn new(size: u64) -> Self {
        Self { sha256: Sha256::new(), at: 0, size }
    }

    /// Takes a piece; what lies between it and the one before is zeros.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] when it is more than zeros past the disk's end.
    pub(super) async fn take(&mut self, offset: u64, data: Bytes) -> Result<()> {
        let (at, size, end) = (self.at, self.size, offset.saturating_add(data.len() as u64));
        let mut sha256 = std::mem::take(&mut self.sha256);
        self.sha256 = off_thread(move || {
            let inside = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX).min(data.len());
            let (disk, rest) = data.split_at(inside);
            if rest.iter().any(|byte| *byte != 0) {
                return Err(Error::new(Kind::Corrupt, "the snapshot has data past the end of the disk")
                    .with("disk", size)
                    .with("offset", offset));
            }
            zeros(&mut sha256, offset.min(size).saturating_sub(at));
            sha256.update(disk);
            Ok(sha256)
        })
        .await?;
        self.at = end.min(size);
        Ok(())
    }

    /// The digest, when the rest is zeros.
    pub(super) async fn finish(self) -> Result<Digest> {
        let mut sha256 = self.sha256;
        let left = self.size.saturating_sub(self.at);
        off_thread(move || {
            zeros(&mut sha256, left);
            Ok(Digest::from_bytes(sha256.finalize().into()))
        })
        .await
    }
}

fn zeros(sha256: &mut Sha256, mut length: u64) {
    while length > 0 {
        let run = length.min(ZEROS.len() as u64);
        sha256.update(ZEROS.get(..usize::try_from(run).unwrap_or(0)).unwrap_or_default());
        length -= run;
    }
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = spawn_blocking(work).await;
    done.map_err(|error| Error::new(Kind::Unexpected, "hashing was abandoned").caused_by(error))?
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use cloud_publish_core::digest::Digest;
    use cloud_publish_core::error::{Error, Kind};
    use sha2::{Digest as _, Sha256};

    use super::Hasher;

    async fn digest(size: usize, pieces: &[(usize, &[u8])]) -> Result<Digest, Error> {
        let mut hasher = Hasher::new(size as u64);
        for (at, piece) in pieces {
            hasher.take(*at as u64, Bytes::copy_from_slice(piece)).await?;
        }
        hasher.finish().await
    }

    fn sha256(bytes: &[u8]) -> Digest {
        Digest::from_bytes(Sha256::digest(bytes).into())
    }

    #[tokio::test]
    async fn what_is_between_and_after_the_pieces_is_zeros() {
        let mut disk = vec![0; 200_000];
        disk[100_000..100_004].fill(7);
        disk[199_998..].fill(8);
        let pieces: [(usize, &[u8]); 2] = [(100_000, &[7; 4]), (199_998, &[8, 8, 0, 0])];
        assert_eq!(digest(disk.len(), &pieces).await.unwrap(), sha256(&disk));
        assert_eq!(digest(100_000, &[]).await.unwrap(), sha256(&disk[..100_000]));
    }

    #[tokio::test]
    async fn zeros_past_the_end_are_nothing_and_data_there_is_a_fault() {
        assert_eq!(digest(4, &[(0, &[1; 4]), (8, &[0; 4])]).await.unwrap(), sha256(&[1; 4]));
        for pieces in [(0, [1_u8; 5].as_slice()), (8, &[1])] {
            assert_eq!(digest(4, &[pieces]).await.unwrap_err().kind(), Kind::Corrupt);
        }
    }
}
