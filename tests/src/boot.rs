//! Booting an image in an emulated machine: QEMU without KVM and without a network.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::paths;

/// A machine to boot an image in, which it does not change. By default it has UEFI and 400 seconds.
#[derive(Debug, Clone)]
pub struct Machine {
    image: PathBuf,
    firmware: &'static str,
    limit: Duration,
}

impl Machine {
    /// Puts an image into a machine; the end of its name says the format: `.qcow2`, `.vhd`, anything else is raw.
    pub fn with(image: &Path) -> Self {
        Self { image: image.to_owned(), firmware: "uefi", limit: Duration::from_secs(400) }
    }

    /// Boots by BIOS instead of UEFI.
    #[must_use]
    pub fn by_bios(mut self) -> Self {
        self.firmware = "bios";
        self
    }

    /// Gives it less or more time, in whole seconds.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Boots; returns the marker line that the image printed before it powered off.
    ///
    /// # Errors
    /// The end of its console, if it printed none or did not power off in time.
    ///
    /// # Panics
    /// If the emulator cannot be started.
    pub fn boot(&self) -> Result<String, String> {
        let mut command = Command::new(paths::of_tests("images/boot.sh"));
        command.arg(&self.image).arg(self.firmware).arg(self.limit.as_secs().to_string());
        let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

/// Boots an image by UEFI; returns the marker line that it printed before it powered off. The tiny image takes 7 s.
///
/// # Errors
/// Like [`Machine::boot`].
pub fn boots(image: &Path) -> Result<String, String> {
    Machine::with(image).boot()
}
