//! The disk's own file as a stream of chunks, for uploads.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use tokio::task::spawn_blocking;

use super::image::Disk;
use crate::error::{Error, Kind, Result};

/// Chunks being read or waiting to be taken.
const AHEAD: usize = 2;

/// Streams the disk's own file, in order, in chunks of `chunk` bytes (at least 1); the last one may be shorter.
///
/// # Behaviour
/// Reads on tokio's blocking threads, at most two chunks ahead and nothing before it is polled; holes are not read.
/// Verifies nothing: call [`Disk::verify`] before and [`Disk::check_unchanged`] after. Ends after the first error.
/// Needs a tokio runtime.
///
/// # Errors
/// Items fail as [`Disk::read_file_at`] does.
pub fn stream_file(disk: Arc<Disk>, chunk: usize) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let (size, chunk) = (disk.file_size(), chunk.max(1));
    let chunks = stream::iter((0..size).step_by(chunk)).map(move |offset| {
        let disk = Arc::clone(&disk);
        async move {
            let length = usize::try_from(size - offset).map_or(chunk, |left| left.min(chunk));
            let read = spawn_blocking(move || {
                let mut buffer = vec![0; length];
                disk.read_file_at(offset, &mut buffer).map(|()| Bytes::from(buffer))
            });
            read.await.map_err(|e| Error::new(Kind::Unexpected, "reading the disk image was abandoned").caused_by(e))?
        }
    });
    chunks.buffered(AHEAD).scan(false, |failed, item| {
        let item = (!*failed).then_some(item);
        *failed = matches!(item, Some(Err(_)));
        ready(item)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;

    use bytes::Bytes;
    use futures::stream::{StreamExt, TryStreamExt};

    use super::stream_file;
    use crate::disk::format::Format;
    use crate::disk::testing::{Scratch, noise};

    #[tokio::test]
    async fn chunks_come_in_order_and_make_up_the_file() {
        let data = noise(100_000);
        let file = Scratch::sparse(1 << 20, &[(300_000, &data)]);
        let disk = Arc::new(file.open(Format::Raw).unwrap());
        let chunks: Vec<Bytes> = stream_file(Arc::clone(&disk), 65_000).try_collect().await.unwrap();
        assert!(chunks.iter().rev().skip(1).all(|chunk| chunk.len() == 65_000));
        assert_eq!(chunks.concat(), fs::read(file.path()).unwrap());
    }

    #[tokio::test]
    async fn it_ends_after_the_first_error() {
        let file = Scratch::new(&noise(8192));
        let disk = Arc::new(file.open(Format::Raw).unwrap());
        fs::File::options().write(true).open(file.path()).unwrap().set_len(2048).unwrap();
        let items: Vec<_> = stream_file(disk, 1024).collect().await;
        assert!(items.last().unwrap().is_err());
        assert_eq!(items.iter().filter(|item| item.is_err()).count(), 1);
    }
}
