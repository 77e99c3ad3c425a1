//! The artifacts' files: opened, verified, and what is known of them remembered by their digest.
//!
//! What a verified file contains never changes for the digest in the manifest. So it is recorded in the state, and a run
//! that has nothing to send need not read gigabytes to learn that; a run that sends verifies first.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::Environment;
use crate::digest::hex;
use crate::disk::{Disk, DiskSource, Expected, GivenFile, Wanted, Watch};
use crate::error::{Error, Kind, Result};
use crate::event::{Event, Reporter};
use crate::ledger::failure;
use crate::manifest::{Artifact, Release};
use crate::plan::{ArtifactRef, InputFacts};

/// What is known of one artifact's file, and the file itself once it was verified in this run.
#[derive(Clone, Debug)]
pub struct Input {
    /// What it contains.
    pub facts: InputFacts,
    /// The verified disk; `None` while only the record of an earlier run vouches for it.
    pub disk: Option<Arc<Disk>>,
}

/// Verifies the files of a release against its manifest.
///
/// # Behaviour
/// Reads every file once; looks at all of them, whatever is wrong with one.
///
/// # Errors
/// [`Kind::InvalidInput`] naming every bad file and what is wrong with it.
pub async fn check_inputs(environment: &Environment, release: &Release) -> Result<BTreeMap<ArtifactRef, Input>> {
    let mut inputs = BTreeMap::new();
    let mut bad = Vec::new();
    for artifact in &release.artifacts {
        match verify(environment, (release, artifact), false).await {
            Ok(input) => {
                inputs.insert(ArtifactRef::of(artifact), input);
            }
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            Err(error) => bad.push(error),
        }
    }
    all_or_none(inputs, bad)
}

fn all_or_none<T>(good: T, mut bad: Vec<Error>) -> Result<T> {
    match (bad.pop(), bad.is_empty()) {
        (None, _) => Ok(good),
        (Some(only), true) => Err(only),
        (Some(last), false) => {
            bad.push(last);
            let lines: Vec<String> = bad.iter().map(|error| format!("  {}", error.chain().join(": "))).collect();
            let named = Error::new(Kind::InvalidInput, format!("{} files are bad:\n{}", bad.len(), lines.join("\n")));
            Err(named.hint("nothing was published; mend the files or the manifest"))
        }
    }
}

/// What is known of the artifacts: from an earlier look in the same run, from the record where there is one, else from
/// the files.
pub(super) async fn gather(
    environment: &Environment,
    (release, artifacts): (&Release, &[&Artifact]),
    wants_sha512: bool,
    mut earlier: BTreeMap<ArtifactRef, Input>,
) -> Result<BTreeMap<ArtifactRef, Input>> {
    let mut inputs = BTreeMap::new();
    let mut bad = Vec::new();
    for artifact in artifacts {
        let key = ArtifactRef::of(artifact);
        if let Some(input) = earlier.remove(&key).filter(|input| still_serves(input, wants_sha512)) {
            inputs.insert(key, input);
            continue;
        }
        let recorded = recorded(environment.state.as_ref(), artifact).await?;
        if let Some(facts) = recorded.filter(|facts| !wants_sha512 || facts.has_sha512()) {
            inputs.insert(key, Input { facts, disk: None });
            continue;
        }
        match verify(environment, (release, artifact), wants_sha512).await {
            Ok(input) => {
                inputs.insert(key, input);
            }
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            Err(error) => bad.push(error),
        }
    }
    all_or_none(inputs, bad)
}

/// Whether a file that was verified earlier in this run need not be read again.
fn still_serves(input: &Input, wants_sha512: bool) -> bool {
    let unchanged = input.disk.as_ref().is_some_and(|disk| disk.check_unchanged().is_ok());
    unchanged && (!wants_sha512 || input.facts.has_sha512())
}

/// Opens and verifies one file.
pub(super) async fn verify(
    environment: &Environment,
    (release, artifact): (&Release, &Artifact),
    wants_sha512: bool,
) -> Result<Input> {
    release.check_paths(artifact)?;
    let source = source(environment, artifact);
    let expected = Expected {
        sha256: artifact.sha256.map(|digest| *digest.as_bytes()),
        sha512: artifact.sha512.map(|digest| *digest.as_bytes()),
        size: artifact.size,
    };
    // Of a packed file the manifest's digest is not that of the disk's own file, which then is only for the targets.
    let is_packed = artifact.packed.is_some();
    let wanted = Wanted {
        file_sha512: wants_sha512 || (!is_packed && expected.sha512.is_some()),
        given_sha256: expected.sha256.is_some(),
        given_sha512: wants_sha512 || expected.sha512.is_some(),
    };
    let watcher = Watcher {
        file: artifact.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        reporter: environment.reporter.clone(),
        stop: environment.stop.clone(),
        progress: std::sync::Mutex::new((0, 0)),
    };
    let file = watcher.file.clone();
    let work = move || -> Result<Input> {
        if source.packed.is_some() {
            watcher.begin(source.path.metadata().map_or(0, |found| found.len()));
        }
        let disk = Disk::open_watched(&source, wanted, &watcher)?;
        if disk.work(wanted) > 0 {
            watcher.begin(disk.work(wanted));
        }
        let digests = disk.verify(&expected, wanted, &watcher)?;
        let given_sha512 = digests.given_sha512.map(|bytes| hex(&bytes));
        let given = |packing| GivenFile { packing, size: disk.given_size(), sha512: given_sha512 };
        let facts = InputFacts {
            content: digests.content,
            file_sha512: digests.file_sha512.map(|bytes| hex(&bytes)),
            file_size: disk.file_size(),
            given: disk.packing().map(given),
            virtual_size: disk.virtual_size(),
        };
        Ok(Input { facts, disk: Some(Arc::new(disk)) })
    };
    let joined = tokio::task::spawn_blocking(work).await;
    let result =
        joined.map_err(|error| Error::new(Kind::Unexpected, "reading the file broke down").caused_by(error))?;
    result.map_err(|error| error.with("file", file))
}

fn source(environment: &Environment, artifact: &Artifact) -> DiskSource {
    let source = DiskSource::new(artifact.file.clone(), artifact.format);
    match artifact.packed {
        Some(packing) => source.packed(packing, environment.config.work_dir.clone()),
        None => source,
    }
}

/// Tells the reporter how far the verifying pass is, not more often than every 16 MiB.
#[derive(Debug)]
struct Watcher {
    file: String,
    reporter: Arc<dyn Reporter>,
    stop: CancellationToken,
    /// Bytes in all, bytes done.
    progress: std::sync::Mutex<(u64, u64)>,
}

const REPORT_EVERY: u64 = 16 << 20;

impl Watcher {
    fn begin(&self, total: u64) {
        *self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = (total, 0);
        self.reporter.report(&Event::Verifying { file: self.file.clone(), done: 0, total });
    }
}

impl Watch for Watcher {
    fn advanced(&self, bytes: u64) {
        let mut progress = self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (total, before) = *progress;
        let done = before + bytes;
        progress.1 = done;
        drop(progress);
        if done / REPORT_EVERY != before / REPORT_EVERY || done >= total {
            self.reporter.report(&Event::Verifying { file: self.file.clone(), done, total });
        }
    }

    fn cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}

#[derive(Serialize, Deserialize)]
struct Record {
    schema: u32,
    facts: InputFacts,
}

/// Where a file's facts are recorded: by the digest, format and packing that the manifest gives it.
fn record_path(artifact: &Artifact) -> Option<Path> {
    let digest = match (artifact.sha512, artifact.sha256) {
        (Some(digest), _) => format!("sha512-{}", hex(digest.as_bytes())),
        (None, Some(digest)) => format!("sha256-{}", hex(digest.as_bytes())),
        (None, None) => return None,
    };
    let packing = artifact.packed.map(|packing| format!(".{packing}")).unwrap_or_default();
    Some(Path::from(format!("inputs/{digest}.{}{packing}.json", artifact.format)))
}

/// The recorded facts of a file; a record that cannot be read counts as none.
async fn recorded(state: &dyn ObjectStore, artifact: &Artifact) -> Result<Option<InputFacts>> {
    let Some(path) = record_path(artifact) else { return Ok(None) };
    let found = match state.get(&path).await {
        Ok(found) => found.bytes().await,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => Err(error),
    };
    let bytes = found.map_err(|error| failure("could not read the state".to_owned(), &path, error))?;
    let record: Option<Record> = serde_json::from_slice(&bytes).ok();
    let fits = |facts: &InputFacts| {
        let given = facts.given.as_ref().map_or(facts.file_size, |given| given.size);
        artifact.size.is_none_or(|size| size == given) && artifact.packed == facts.given.as_ref().map(|g| g.packing)
    };
    Ok(record.filter(|record| record.schema == 1).map(|record| record.facts).filter(fits))
}

/// Records the facts of a verified file.
pub(super) async fn record(state: &dyn ObjectStore, artifact: &Artifact, facts: &InputFacts) -> Result<()> {
    let Some(path) = record_path(artifact) else { return Ok(()) };
    let record = Record { schema: 1, facts: facts.clone() };
    let text = serde_json::to_vec_pretty(&record)
        .map_err(|error| Error::new(Kind::Unexpected, "could not write an input's facts").caused_by(error))?;
    state
        .put(&path, text.into())
        .await
        .map(|_| ())
        .map_err(|error| failure("could not write the state".to_owned(), &path, error))
}
