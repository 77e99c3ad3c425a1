//! What is promised of speed and memory, measured beside the tools that others use, in one run.
//!
//! Each figure is the median of several runs, ours and theirs by turns. Processor time is what a busy machine does not
//! change; where only a transfer is compared, what `publish check` takes of the same input is taken off, for the other
//! tool verifies nothing. Owns the rows and their table; `src/bin/bench.rs` is the command.

mod disks;
mod encode;
mod glance;
mod plan;
mod row;

use tempfile::TempDir;

pub use disks::map;
pub use encode::tarball;
pub use row::{Bound, Row, table};

use crate::images::ImageFile;
use crate::measure::Used;
use crate::paths;
use crate::site::{Artifact, Site};

/// A group of rows that are measured together.
#[derive(Clone, Copy)]
pub struct Group {
    /// The word by which it is asked for.
    pub name: &'static str,
    /// Whether it needs the servers that `tests/run --serve` starts.
    pub servers: bool,
    /// Measures.
    pub measure: fn(&Runs) -> Vec<Row>,
}

/// All groups, in the order of the table.
pub const GROUPS: [Group; 6] = [
    Group { name: "digest", servers: false, measure: disks::digest },
    Group { name: "qcow2", servers: false, measure: disks::qcow2 },
    Group { name: "memory", servers: false, measure: disks::memory },
    Group { name: "encode", servers: false, measure: encode::rows },
    Group { name: "plan", servers: false, measure: plan::rows },
    Group { name: "glance", servers: true, measure: glance::rows },
];

/// How often everything is run.
#[derive(Debug, Clone, Copy)]
pub struct Runs(
    /// An odd number.
    pub usize,
);

impl Runs {
    /// The medians of several programs, each run as often, by turns.
    fn medians<const N: usize>(self, programs: [&dyn Fn() -> Used; N]) -> [Used; N] {
        let mut all: [Vec<Used>; N] = std::array::from_fn(|_| Vec::new());
        for _ in 0..self.0 {
            for (runs, program) in all.iter_mut().zip(programs) {
                runs.push(program());
            }
        }
        all.map(|runs| Used::median(&runs))
    }
}

const LOCAL: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.local]
provider = "local"
path = "public"
"#;

/// A folder on the disk of the images, so that they can be linked into it.
fn folder() -> TempDir {
    tempfile::tempdir_in(paths::cache()).expect("a folder beside the images")
}

/// A site with one image, of which the manifest says only the sha256: what openssl computes, too.
fn site_of(image: &ImageFile, format: &str, config: &str) -> (Site, TempDir) {
    let folder = folder();
    let site = Site::new(folder.path(), config);
    let file = format!("disk.{format}");
    link(image, &site, &file);
    let artifact = Artifact { variant: "generic", file: &file, format, boot: "uefi-preferred", build_manifest: None };
    site.add_by_sha256(artifact, &image.sha256);
    (site, folder)
}

fn link(image: &ImageFile, site: &Site, file: &str) {
    let place = site.release_file(file);
    let linked = std::fs::hard_link(&image.path, &place);
    linked.or_else(|_| std::fs::copy(&image.path, &place).map(drop)).expect("the image in the site");
}
