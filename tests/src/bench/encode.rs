//! Converting: the tarball for Google beside what Google's documentation tells people to type.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cloud_publish_core::disk::encode::{Level, gce_tar_gz};
use cloud_publish_core::disk::{Disk, DiskSource, Format};
use futures::StreamExt as _;

use super::{LOCAL, Row, Runs, folder, site_of};
use crate::images;
use crate::measure::{Used, measure};

/// tar and pigz as they are used for <https://cloud.google.com/compute/docs/import/import-existing-image>, in two threads.
const TAR: &str = "tar --format=oldgnu -C \"$0\" -Sc disk.raw | pigz -6 -p2 > \"$1\"";

/// The tarball at the fast level into a file: what `bench tarball` does in a process of its own, to be measured.
///
/// # Panics
/// If the image cannot be read, or the file not be written.
pub fn tarball(image: &Path, into: &Path) {
    let disk = Disk::open(&DiskSource::new(image, Format::Raw)).expect("a good image");
    let mut file = File::create(into).expect("a file");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut chunks = gce_tar_gz(Arc::new(disk), Level::FAST);
        while let Some(chunk) = chunks.next().await {
            file.write_all(&chunk.expect("a part of the tarball")).expect("a written part");
        }
    });
}

/// The length of the only file that has this ending below a folder, in bytes.
fn length_of(folder: &Path, ending: &str) -> f64 {
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder").map(|entry| entry.expect("an entry")) {
            let path = entry.path();
            match entry.file_type().expect("its type") {
                kind if kind.is_dir() => folders.push(path),
                kind if kind.is_file() && path.to_string_lossy().ends_with(ending) => {
                    return entry.metadata().expect("its length").len() as f64;
                }
                _ => {}
            }
        }
    }
    panic!("nothing below {} ends with {ending}", folder.display())
}

pub(super) fn rows(runs: &Runs) -> Vec<Row> {
    let (big, scratch) = (images::big().raw, folder());
    let config = format!("{LOCAL}formats = [\"gce-tar-gz\"]\n");
    let (site, _folder) = site_of(&big, "raw", &config);
    let tarball = scratch.path().join("theirs.tar.gz");
    let publish = || -> Used {
        for left in ["public", "public.work", "state"] {
            let _ = fs::remove_dir_all(site.path(left));
        }
        measure(&site.command("--release bookworm-20240101 --to local --no-progress"))
    };
    let releases = site.release_file("");
    let tar = || measure(Command::new("sh").args(["-c", TAR]).arg(&releases).arg(&tarball));
    let (bench, fast_tarball) = (std::env::current_exe().expect("its own path"), site.path("fast"));
    let fast = || measure(Command::new(&bench).arg("tarball").arg(&big.path).arg(&fast_tarball));
    let [ours, check, fast, theirs] = runs.medians([&publish, &|| measure(&site.command("check")), &fast, &tar]);
    let sizes = [length_of(&site.path("public"), ".tar.gz"), length_of(scratch.path(), ".tar.gz")];
    vec![
        Row::beside(
            ("tarball of a raw disk of 3 GiB", "CPU s"),
            ours.without(check).cpu().as_secs_f64(),
            ("tar -S, pigz -6", theirs.cpu().as_secs_f64()),
            0.5,
        ),
        Row::beside(
            ("tarball at the fast level", "CPU s"),
            fast.cpu().as_secs_f64(),
            ("tar -S, pigz -6", theirs.cpu().as_secs_f64()),
            0.2,
        ),
        Row::alone(("memory for a tarball of 3 GiB", "MiB"), ours.memory() as f64 / 1024.0, 64.0),
        Row::beside(("size of the tarball", "MB"), sizes[0] / 1e6, ("tar -S, pigz -6", sizes[1] / 1e6), 1.03),
    ]
}
