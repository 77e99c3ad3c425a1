//! A disk with holes to upload to the fake AWS, by steps whose notes outlive them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloud_publish_core::clock::FastClock;
use cloud_publish_core::conformance::Sample;
use cloud_publish_core::digest::{Digest, hex};
use cloud_publish_core::disk::{Disk, DiskSource, Format};
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Note, Notes, Progress, Publisher as _, Staged, UploadRequest};
use cloud_publish_core::survey::FoundStaged;
use cloud_publish_tests::aws::{Entry, REGION};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};
use tempfile::TempDir;

use crate::world::{World, image, region};

/// Bytes of a block.
pub(crate) const BLOCK: usize = 512 << 10;

/// The blocks of the disk that are not zero; it ends within the last one.
pub(crate) const DATA: [u32; 7] = [0, 1, 2, 5, 9, 10, 12];

/// Two minutes of patience are over in a second.
const FASTER: u32 = 120;

/// A disk, and the notes of the step that uploads it.
pub(crate) struct Uploads {
    pub(crate) sample: Sample,
    /// The bytes of the disk.
    content: Vec<u8>,
    notes: Arc<Kept>,
    folder: TempDir,
}

#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Note>>);

impl Notes for Kept {
    fn write<'a, 'b>(&'a self, note: Note) -> BoxFuture<'b, Result<()>>
    where
        'a: 'b,
        Self: 'b,
    {
        self.0.lock().unwrap().push(note);
        Box::pin(async { Ok(()) })
    }

    fn earlier(&self) -> Vec<Note> {
        self.0.lock().unwrap().clone()
    }
}

#[derive(Debug)]
struct Quiet;

impl Progress for Quiet {
    fn advanced(&self, done: u64, total: u64) {
        assert!(done <= total, "{done} of {total}");
    }

    fn says(&self, _message: &str) {}
}

impl Uploads {
    /// A disk whose blocks of data differ from each other, and by `seed` from those of other disks.
    pub(crate) fn new(seed: u8) -> Self {
        Self::of(&DATA, seed)
    }

    /// A disk of 30 blocks of data.
    pub(crate) fn long() -> Self {
        Self::of(&(0..30).map(|number| number * 2).collect::<Vec<u32>>(), 1)
    }

    /// It ends within the last of these blocks. Block 7 is data to the file system, and zeros all the same.
    fn of(data: &[u32], seed: u8) -> Self {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let path = folder.path().join("disk.raw");
        let mut content = vec![0; data[data.len() - 1] as usize * BLOCK + 512];
        let file = File::create(&path).unwrap();
        file.set_len(content.len() as u64).unwrap();
        for index in data {
            let bytes = part(*index, content.len());
            content[bytes.clone()].fill(seed.wrapping_add(u8::try_from(*index).unwrap() + 1));
            file.write_all_at(&content[bytes.clone()], bytes.start as u64).unwrap();
        }
        file.write_all_at(&[0; BLOCK], 7 * BLOCK as u64).unwrap();
        let disk = Arc::new(Disk::open(&DiskSource::new(path, Format::Raw)).unwrap());
        let digest = Digest::from_bytes(Sha256::digest(&content).into());
        let sample = Sample { disk, digest, sha512: hex(&Sha512::digest(&content)) };
        Self { sample, content, notes: Arc::default(), folder }
    }

    /// The file of the disk.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("disk.raw")
    }

    /// Forgets what earlier steps have noted.
    pub(crate) fn forget(&self) {
        self.notes.0.lock().unwrap().clear();
    }

    /// The notes so far.
    pub(crate) fn noted(&self) -> Vec<Note> {
        self.notes.earlier()
    }

    /// The blocks that the notes say are acknowledged.
    pub(crate) fn acknowledged(&self) -> BTreeSet<u32> {
        let runs = self.noted().into_iter().filter_map(|note| match note {
            Note::Acknowledged { value } => serde_json::from_value::<Vec<(u32, u32)>>(value["blocks"].clone()).ok(),
            Note::DeadGeneration { .. } => None,
        });
        runs.flatten().flat_map(|(start, end)| start..end).collect()
    }

    /// The context of a step of its own, with the notes of those before it and a fast clock.
    pub(crate) fn context(&self) -> Context {
        self.context_in(0)
    }

    /// The context of a step so many seconds from now.
    pub(crate) fn context_in(&self, seconds: i64) -> Context {
        let now = Timestamp::now() + SignedDuration::from_secs(seconds);
        let clock = Arc::new(FastClock::new(now, FASTER));
        let never = Context::detached().cancellation().clone();
        Context::new(never, clock, Arc::new(Quiet), self.notes.clone())
    }

    /// Asks for the disk in the home region.
    pub(crate) fn request(&self) -> UploadRequest {
        let image = Arc::new(image(&self.sample));
        UploadRequest { image, region: region(REGION), disk: self.sample.disk.clone() }
    }

    /// Uploads as a new process would.
    pub(crate) async fn run(&self, world: &World) -> Result<Staged> {
        world.target(json!({})).upload(&self.context(), &self.request()).await
    }

    /// The blocks that are not zero, and the sha256 of each as EBS has it.
    pub(crate) fn blocks(&self) -> BTreeMap<u32, String> {
        let sum = |index: &u32| {
            let mut block = self.content[part(*index, self.content.len())].to_vec();
            block.resize(BLOCK, 0);
            (*index, STANDARD.encode(Sha256::digest(&block)))
        };
        DATA.iter().map(sum).collect()
    }
}

/// The bytes of a block, as far as a disk of `length` bytes has them.
fn part(index: u32, length: usize) -> Range<usize> {
    let start = index as usize * BLOCK;
    start..length.min(start + BLOCK)
}

/// The snapshots of the world.
pub(crate) fn snapshots(world: &World) -> Vec<Value> {
    world.fake.world.dump()["ec2"]["snapshots"].as_array().unwrap().clone()
}

/// The one snapshot that there is.
pub(crate) fn only_snapshot(world: &World) -> Value {
    let [one] = snapshots(world).try_into().unwrap_or_else(|all| panic!("one snapshot, not {all:?}"));
    one
}

/// The requests of one operation.
pub(crate) fn requests(world: &World, operation: &str) -> Vec<Entry> {
    let mut all = world.fake.world.requests();
    all.retain(|entry| entry.operation == operation);
    all
}

/// The blocks that the server has taken, and the sha256 of each: the last counts.
pub(crate) fn taken(world: &World) -> BTreeMap<u32, String> {
    let puts = requests(world, "PutSnapshotBlock").into_iter().filter(|entry| entry.status == Some(201));
    puts.map(|entry| (index(&entry), entry.body_sha256.unwrap())).collect()
}

/// Which block a request is about.
pub(crate) fn index(entry: &Entry) -> u32 {
    entry.uri.split('?').next().unwrap().rsplit('/').next().unwrap().parse().unwrap()
}

/// What a survey would show of it.
pub(crate) fn found(uploads: &Uploads, staged: &Staged) -> FoundStaged {
    let tags = Some(uploads.request().image.tags.clone());
    FoundStaged { region: staged.region.clone(), id: staged.id.clone(), tags, created: None, busy: false }
}
