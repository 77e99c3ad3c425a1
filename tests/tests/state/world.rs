//! A release of one small image for the target `local`, whose state or directory is on a disk of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cloud_publish_tests::disk::Disk;
use cloud_publish_tests::running::Running;
use cloud_publish_tests::site::{Artifact, RELEASE, Ran, Site};
use tempfile::TempDir;

/// Bytes of the image.
pub(crate) const IMAGE: usize = 256 << 10;

/// The folder, with a disk in its folder `disk` if a test wants one.
pub(crate) struct World {
    folder: TempDir,
    site: Site,
    disk: Option<Disk>,
}

impl World {
    /// A site with its state and its directory here, each a path from the site's folder or an address.
    pub(crate) fn new(state: &str, public: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "schema = 1\nowner = \"debian\"\nreleases = \"releases\"\nstate = \"{state}\"\n\
             [target.local]\nprovider = \"local\"\npath = \"{public}\"\n"
        );
        let site = Site::new(&folder.path().join("site"), &config);
        fs::create_dir(site.path("disk")).unwrap();
        fs::write(site.release_file("disk.raw"), [7; IMAGE]).unwrap();
        let boot = "uefi";
        site.add(Artifact { variant: "generic", file: "disk.raw", format: "raw", boot, build_manifest: None });
        Self { folder, site, disk: None }
    }

    /// Mounts the disk; an earlier one is gone with all that was on it.
    pub(crate) fn mount(&mut self, options: &str) -> &Disk {
        self.disk = None;
        self.disk.insert(Disk::over(&fs::canonicalize(self.site.path("disk")).unwrap(), options))
    }

    pub(crate) fn disk(&self) -> &Disk {
        self.disk.as_ref().unwrap()
    }

    /// A path of the site, on the disk or not.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match (&self.disk, name.strip_prefix("disk/")) {
            (Some(disk), Some(inner)) => disk.path(inner),
            _ => self.site.path(name),
        }
    }

    /// Runs the command, with these variables.
    pub(crate) fn run(&self, line: &str, variables: &[(&str, &str)]) -> Ran {
        let command = self.site.command(line);
        let mut command = match &self.disk {
            Some(disk) => disk.wrap(&command),
            None => command,
        };
        command.envs(variables.iter().copied());
        Running::start(command, self.folder.path(), "ran").wait()
    }

    /// Files of the state whose names are not those of finished objects.
    pub(crate) fn drafts(&self, state: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.path(state), Path::new(""), &mut found);
        found.retain(|name| !name.ends_with(".json"));
        found
    }

    /// Publishes.
    pub(crate) fn publish(&self) -> Ran {
        self.run(&format!("--release {RELEASE} --to local --no-progress"), &[])
    }

    /// Publishes, which must succeed, and a further run finds nothing to do.
    pub(crate) fn finish(&self, public: &str) {
        self.publish().expect(0);
        assert!(is_whole(&self.path(public)), "published and not there");
        assert!(self.publish().expect(0).err.contains("nothing to do"));
        self.run("find", &[]).expect(0);
    }
}

/// Whether the release is in the directory, with what belongs to it and nothing else.
///
/// # Panics
/// If half of it is.
pub(crate) fn is_whole(public: &Path) -> bool {
    let mut found = Vec::new();
    walk(public, Path::new(""), &mut found);
    found.sort();
    let image = "debian-12-generic-amd64-20240101-1614";
    let version = "bookworm/20240101-1614";
    if !found.iter().any(|name| name.starts_with(version)) {
        return false;
    }
    let whole = ["SHA512SUMS", &format!("{image}.json"), &format!("{image}.raw"), "index.html"];
    let in_version: Vec<&str> = found.iter().filter_map(|name| name.strip_prefix(&format!("{version}/"))).collect();
    assert_eq!(in_version, whole, "in {found:?}");
    let stray =
        |name: &&String| !name.starts_with(version) && !["index.html", "latest"].iter().any(|end| name.ends_with(end));
    assert_eq!(found.iter().find(stray), None);
    let mut sums = Command::new("sha512sum");
    sums.args(["--check", "--strict", "--quiet", "SHA512SUMS"]).current_dir(public.join(version));
    let sums = sums.output().unwrap();
    assert!(sums.status.success(), "{}", String::from_utf8_lossy(&sums.stdout));
    true
}

fn walk(folder: &Path, name: &Path, found: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let entry = entry.unwrap();
        let name = name.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => walk(&entry.path(), &name, found),
            false => found.push(name.to_str().unwrap().to_owned()),
        }
    }
}
