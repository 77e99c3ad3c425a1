//! A disk of its own for a test, which can be full or read-only, for root too: a tmpfs in a mount namespace.
//!
//! Only commands that are wrapped see it ([`Disk::wrap`]); what is on it is read through [`Disk::path`]. It needs a
//! kernel that lets users make namespaces (`unshare -rm`), and ends with its value.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The disk.
#[derive(Debug)]
pub struct Disk {
    /// Holds the namespace open, until its standard input ends.
    keeper: Child,
    folder: PathBuf,
}

impl Disk {
    /// Mounts a disk over a folder, with tmpfs's options: `size=64k`, `nr_inodes=10`, `ro`.
    ///
    /// # Panics
    /// If this machine lets nobody do that.
    pub fn over(folder: &Path, options: &str) -> Self {
        let script = "mount -t tmpfs -o \"$1\" disk \"$0\" && echo mounted && exec cat";
        let mut keeper = Command::new("unshare");
        keeper.args(["--map-root-user", "--mount", "sh", "-c", script]).arg(folder).arg(options);
        let mut keeper = keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare, of util-linux");
        let mut said = String::new();
        let out = keeper.stdout.take().expect("its standard output");
        BufReader::new(out).read_line(&mut said).expect("a line of it");
        let disk = Self { keeper, folder: folder.to_owned() };
        assert_eq!(said, "mounted\n", "this machine lets no user mount a tmpfs (`unshare --map-root-user --mount`)");
        disk
    }

    /// Changes its options; those that are not named fall back to what tmpfs takes by default.
    ///
    /// # Panics
    /// If the kernel refuses.
    pub fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("remount,{options}"), "disk"]).arg(&self.folder);
        let done = self.wrap(&mount).output().expect("nsenter, of util-linux");
        assert!(done.status.success(), "{options}: {}", String::from_utf8_lossy(&done.stderr));
    }

    /// A path on it, as this test sees it.
    pub fn path(&self, name: &str) -> PathBuf {
        let folder = self.folder.strip_prefix("/").expect("an absolute folder");
        Path::new("/proc").join(self.keeper.id().to_string()).join("root").join(folder).join(name)
    }

    /// The command, run where the disk is seen.
    pub fn wrap(&self, command: &Command) -> Command {
        let mut wrapped = Command::new("nsenter");
        wrapped.args(["--target", &self.keeper.id().to_string(), "--user", "--mount", "--preserve-credentials"]);
        let folder = command.get_current_dir().unwrap_or(Path::new("/"));
        wrapped.args(["sh", "-c", "cd \"$0\" && exec \"$@\""]).arg(folder);
        wrapped.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        wrapped
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.keeper.kill());
        drop(self.keeper.wait());
    }
}
