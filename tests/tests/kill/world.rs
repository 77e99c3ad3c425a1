//! A small release of two artifacts, an owner of its own, and what Glance has of it, told by openstacksdk.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use cloud_publish_tests::foreign::{self, GlanceImage};
use cloud_publish_tests::running::Running;
use cloud_publish_tests::servers::{PUBLISHER_ADMIN, REGIONS, unique_owner};
use cloud_publish_tests::site::{Artifact, Ran, Site};
use tempfile::TempDir;

/// What every run is told.
pub(crate) const LINE: &str = "--release bookworm-20240101 --to openstack --json";

const VARIANTS: [&str; 2] = ["genericcloud", "nocloud"];

/// Names carry the owner: all tests share one project, where a name may be taken.
const CONFIG: &str = r#"schema = 1
owner = "OWNER"
releases = "releases"
state = "state"
[naming]
image = "{owner}-{variant}-{arch}{class_suffix}-{version}"
[target.openstack]
provider = "openstack"
cloud = "CLOUD"
regions = ["RegionOne", "RegionTwo"]
visibility = "public"
"#;

const DISK: usize = 3 << 20;

/// One publisher's machine.
pub(crate) struct World {
    folder: TempDir,
    pub(crate) site: Site,
    pub(crate) owner: String,
    /// The clouds.yaml, if it is not the one that all tests share.
    pub(crate) clouds: Option<PathBuf>,
}

impl World {
    pub(crate) fn new(test: &str) -> Self {
        Self::of(unique_owner(test), &[], DISK)
    }

    /// With texts of publish.toml replaced.
    pub(crate) fn with(test: &str, changes: &[(&str, &str)]) -> Self {
        Self::of(unique_owner(test), changes, DISK)
    }

    /// With texts replaced, and disks of another size in bytes.
    pub(crate) fn with_disks(test: &str, changes: &[(&str, &str)], size: usize) -> Self {
        Self::of(unique_owner(test), changes, size)
    }

    /// Another machine of the same owner with a state of its own.
    pub(crate) fn beside(other: &Self) -> Self {
        Self::of(other.owner.clone(), &[], DISK)
    }

    fn of(owner: String, changes: &[(&str, &str)], size: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = CONFIG.to_owned();
        for (from, to) in changes {
            assert!(config.contains(from), "publish.toml has no {from}");
            config = config.replace(from, to);
        }
        let config = config.replace("OWNER", &owner).replace("CLOUD", PUBLISHER_ADMIN);
        let site = Site::new(folder.path(), &config);
        for (variant, seed) in VARIANTS.into_iter().zip(1..) {
            let file = format!("{variant}.raw");
            fs::write(site.release_file(&file), disk(seed, size)).unwrap();
            site.add(Artifact { variant, file: &file, format: "raw", boot: "bios", build_manifest: None });
        }
        Self { folder, site, owner, clouds: None }
    }

    /// Starts a run that writes what it prints into files of this name.
    pub(crate) fn start(&self, name: &str) -> Running {
        let mut command = self.site.command(LINE);
        if let Some(clouds) = &self.clouds {
            command.env("OS_CLIENT_CONFIG_FILE", clouds);
        }
        Running::start(command, self.folder.path(), name)
    }

    pub(crate) fn publish(&self) -> Ran {
        self.start("run").wait()
    }

    /// Runs again until it is done, which may take a second time.
    pub(crate) fn finish(&self) {
        let first = self.publish();
        if first.code != Some(0) {
            let second = self.publish();
            assert_eq!(second.code, Some(0), "first:\n{}\nthen:\n{}\n{}", first.out, second.out, second.err);
        }
    }

    /// Starts a run and kills it right after its n-th line about a step; tells whether it was still running.
    pub(crate) fn kill_after_line(&self, number: usize) -> bool {
        let mut run = self.site.command(LINE).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(run.stdout.take().unwrap()).lines().map(Result::unwrap);
        let reached = lines.filter(|line| is_about_a_step(line)).nth(number - 1).is_some();
        run.kill().unwrap();
        run.wait().unwrap().code().is_none() && reached
    }

    /// Starts a run and kills it after a time; tells whether it was still running.
    pub(crate) fn kill_after(&self, time: Duration) -> bool {
        let run = self.start("killed");
        thread::sleep(time);
        run.kill()
    }

    pub(crate) fn lose_state(&self) {
        let _ = fs::remove_dir_all(self.site.path("state"));
    }

    /// What Glance has of this owner in any state, without what differs between owners and runs.
    pub(crate) fn seen(&self) -> Vec<GlanceImage> {
        foreign::glance_state(&self.owner).into_iter().map(|image| self.comparable(image)).collect()
    }

    fn comparable(&self, image: GlanceImage) -> GlanceImage {
        let plain = |text: &str| text.replace(&self.owner, "OWNER");
        let property = |(name, value): (String, String)| match name.as_str() {
            // A time, and a digest over the owner.
            "cloud-publish-published" | "cloud-publish-key" => (name, "set".to_owned()),
            _ => (name, plain(&value)),
        };
        GlanceImage {
            id: String::new(),
            updated_at: String::new(),
            name: image.name.as_deref().map(plain),
            properties: image.properties.into_iter().map(property).collect(),
            ..image
        }
    }

    /// Asserts that an artifact with a public image has a finished image in every region.
    pub(crate) fn assert_nothing_public_early(&self, at: &str) {
        let images = foreign::glance_state(&self.owner);
        let mut finished: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for image in images.iter().filter(|image| image.status == "active") {
            finished.entry(image.name.as_deref().unwrap()).or_default().push(&image.region);
        }
        // The probe of the permission to publish is public, empty and hidden: nobody finds or uses it.
        for image in images.iter().filter(|image| image.visibility == "public" && !image.os_hidden) {
            let name = image.name.as_deref().unwrap();
            assert_eq!(
                finished.get(name).map(Vec::as_slice),
                Some(&REGIONS[..]),
                "{at}: {name} is public: {images:#?}"
            );
        }
    }

    /// Removes what it published; what a failed test leaves may be looked at.
    pub(crate) fn wipe(self) {
        foreign::wipe(&self.owner);
    }
}

/// Whether a line of `--json` is about a step: these are the places to kill at.
pub(crate) fn is_about_a_step(line: &str) -> bool {
    line.starts_with(r#"{"event":"step_"#)
}

/// Every artifact has its own bytes, and zeros at the end.
fn disk(seed: u8, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    for (at, byte) in bytes[..size * 3 / 4].iter_mut().enumerate() {
        *byte = (at % 251) as u8 ^ (at >> 16) as u8 ^ seed;
    }
    bytes
}
