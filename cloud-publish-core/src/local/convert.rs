//! What is made of a disk: encoded from its content, hashed while it is written, with holes where there are zeros.
//!
//! A qcow2 image is hashed behind its writing, because its tables come first and are written last.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::StreamExt as _;
use sha2::{Digest as _, Sha512};
use tokio_util::sync::CancellationToken;

use super::config::FormatChoice;
use super::files::{self, failed};
use super::site::{Site, blocking};
use super::upload::Written;
use crate::disk::encode::{Encoded, Level, gce_tar_gz, raw, vhd, write_qcow2};
use crate::error::{Error, Kind, Result};
use crate::publisher::{Context, UploadRequest};

/// Bytes of zeros that become a hole.
const HOLE: usize = 1 << 16;

/// Writes the disk in a format that is not its file's own.
pub(super) async fn convert(
    site: &Arc<Site>,
    context: &Context,
    (request, format): (&UploadRequest, FormatChoice),
    to: PathBuf,
) -> Result<Written> {
    let disk = Arc::clone(&request.disk);
    let encoded = match format {
        FormatChoice::AsIs | FormatChoice::Raw => raw(disk),
        FormatChoice::Vhd => vhd(disk, &request.image.tags.digest),
        FormatChoice::GceTarGz => gce_tar_gz(disk, Level::DEFAULT),
        FormatChoice::Qcow2 => return qcow2(site, context, request, to).await,
    };
    stream(site, context, encoded, to).await
}

async fn stream(site: &Arc<Site>, context: &Context, mut encoded: Encoded, to: PathBuf) -> Result<Written> {
    let mut sink = blocking(site, context, move |_| Sink::create(to)).await?;
    while let Some(chunk) = context.or_cancelled(encoded.next()).await? {
        let chunk = chunk?;
        sink = blocking(site, context, move |_| sink.put(&chunk)).await?;
        let (done, all) = encoded.progress();
        context.progress().advanced(done, all);
    }
    blocking(site, context, move |_| sink.finish()).await
}

/// A file that receives bytes in their order.
struct Sink {
    path: PathBuf,
    file: File,
    sum: Sha512,
    at: u64,
    sent: u64,
}

impl Sink {
    fn create(path: PathBuf) -> Result<Self> {
        Ok(Self { file: create(&path)?, path, sum: Sha512::new(), at: 0, sent: 0 })
    }

    fn put(mut self, chunk: &Bytes) -> Result<Self> {
        self.sum.update(chunk);
        for part in chunk.chunks(HOLE) {
            if part.iter().any(|byte| *byte != 0) {
                self.file.write_all_at(part, self.at).map_err(failed("could not write", &self.path))?;
                self.sent += part.len() as u64;
            }
            self.at += part.len() as u64;
        }
        Ok(self)
    }

    fn finish(self) -> Result<Written> {
        self.file.set_len(self.at).map_err(failed("could not size", &self.path))?;
        self.file.sync_all().map_err(failed("could not sync", &self.path))?;
        Ok(Written { sha512: self.sum.finalize().into(), size: self.at, sent: self.sent })
    }
}

fn create(path: &Path) -> Result<File> {
    files::remove(path)?;
    File::options().read(true).write(true).create_new(true).open(path).map_err(failed("could not create", path))
}

async fn qcow2(site: &Arc<Site>, context: &Context, request: &UploadRequest, to: PathBuf) -> Result<Written> {
    let path = to.clone();
    let file = blocking(site, context, move |_| create(&path)).await?;
    let shared = file.try_clone().map_err(failed("could not write", &to))?;
    let (size, progress) = (request.disk.virtual_size(), Arc::clone(context.progress()));
    let written = write_qcow2(Arc::clone(&request.disk), shared, move |done| progress.advanced(done, size));
    let sent = context.or_cancelled(written).await?.map_err(|error| error.with("path", to.display()))?;
    let stop = context.cancellation().child_token();
    // When this future is dropped the thread must not go on reading.
    let _guard = stop.clone().drop_guard();
    blocking(site, context, move |_| {
        file.sync_all().map_err(failed("could not sync", &to))?;
        Ok(Written { sha512: sum(&to, &stop)?, size: sent, sent })
    })
    .await
}

fn sum(path: &Path, stop: &CancellationToken) -> Result<[u8; 64]> {
    let mut file = File::open(path).map_err(failed("could not open", path))?;
    let (mut sum, mut buffer) = (Sha512::new(), vec![0; 1 << 20]);
    loop {
        if stop.is_cancelled() {
            return Err(Error::new(Kind::Cancelled, "stopped on request"));
        }
        match file.read(&mut buffer).map_err(failed("could not read", path))? {
            0 => return Ok(sum.finalize().into()),
            length => sum.update(buffer.get(..length).unwrap_or_default()),
        }
    }
}
