//! An AMI: what it has, what state it is in, and who sees it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::lagging::Lagging;
use super::permissions::Grant;

/// Keys and values that a user attached.
pub(crate) type Tags = BTreeMap<String, String>;

/// One volume that an instance of the image gets.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Device {
    /// The device name, as `/dev/xvda`.
    pub(crate) name: String,
    /// The snapshot behind it; none for an empty volume.
    pub(crate) snapshot: Option<String>,
    /// GiB.
    pub(crate) size: u64,
    /// `gp3` and so on.
    pub(crate) volume_type: String,
    /// I/O operations per second, for the types that have them.
    pub(crate) iops: Option<u64>,
    /// MiB/s, for gp3.
    pub(crate) throughput: Option<u64>,
    /// Whether the volume goes with its instance.
    pub(crate) delete_on_termination: bool,
    /// Whether the volume is encrypted.
    pub(crate) encrypted: bool,
}

/// What RegisterImage sets and CopyImage carries over.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Attributes {
    /// The description.
    pub(crate) description: Option<String>,
    /// `x86_64`, `arm64` or `i386`.
    pub(crate) architecture: String,
    /// The device that is booted.
    pub(crate) root_device: String,
    /// All volumes.
    pub(crate) devices: Vec<Device>,
    /// The disks of the machine itself: device names and `ephemeral0` and so on.
    pub(crate) virtual_devices: Vec<(String, String)>,
    /// `uefi`, `uefi-preferred` or `legacy-bios`.
    pub(crate) boot_mode: Option<String>,
    /// `v2.0`.
    pub(crate) tpm: Option<String>,
    /// `v2.0`.
    pub(crate) imds: Option<String>,
    /// The UEFI variable store in base64.
    pub(crate) uefi_data: Option<String>,
    /// Enhanced networking with ENA.
    pub(crate) ena: bool,
    /// `simple`.
    pub(crate) sriov: Option<String>,
    /// Billing product codes.
    pub(crate) billing_products: Vec<String>,
}

/// Whether DeregisterImage is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// It is not.
    Off,
    /// It is.
    On {
        /// Whether it stays so for 24 hours after it was taken away.
        cooldown: bool,
    },
    /// Taken away, but still refused until then.
    Until(Timestamp),
}

impl Protection {
    /// Whether the image must stay at `now`.
    pub(crate) fn holds(self, now: Timestamp) -> bool {
        match self {
            Self::Off => false,
            Self::On { .. } => true,
            Self::Until(end) => now < end,
        }
    }

    /// As DescribeImages says it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Off | Self::Until(_) => "disabled",
            Self::On { cooldown: true } => "enabled-with-cooldown",
            Self::On { cooldown: false } => "enabled-without-cooldown",
        }
    }
}

/// One AMI in one region.
#[derive(Debug, Clone)]
pub(crate) struct Image {
    /// `ami-` and 17 hex digits.
    pub(crate) id: String,
    /// The account it belongs to.
    pub(crate) owner: String,
    /// The region it is in.
    pub(crate) region: String,
    /// Its name; unique only among registered, not among copied ones.
    pub(crate) name: String,
    /// What was registered.
    pub(crate) attributes: Attributes,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// Until then every call says that it does not exist.
    pub(crate) visible_at: Timestamp,
    /// Until then it is pending.
    pub(crate) available_at: Timestamp,
    /// Why it will never be available.
    pub(crate) failed: Option<String>,
    /// Whether it was disabled.
    pub(crate) disabled: bool,
    /// Who may launch it.
    pub(crate) launch: BTreeSet<Grant>,
    /// When it is, or was, deprecated.
    pub(crate) deprecate_at: Option<Timestamp>,
    /// Whether it may be deregistered.
    pub(crate) protection: Protection,
    /// Its tags.
    pub(crate) tags: Lagging<Tags>,
    /// The image and region that it was copied from.
    pub(crate) source: Option<(String, String)>,
    /// When somebody last launched it.
    pub(crate) last_launched: Option<Timestamp>,
}

impl Image {
    /// `pending`, `available`, `disabled` or `failed`.
    pub(crate) fn state(&self, now: Timestamp) -> &'static str {
        if self.failed.is_some() {
            "failed"
        } else if self.disabled {
            "disabled"
        } else if now < self.available_at {
            "pending"
        } else {
            "available"
        }
    }

    /// Whether all accounts may launch it.
    pub(crate) fn is_public(&self) -> bool {
        self.launch.contains(&Grant::All)
    }

    /// Whether its deprecation date has come.
    pub(crate) fn is_deprecated(&self, now: Timestamp) -> bool {
        self.deprecate_at.is_some_and(|date| date <= now)
    }

    /// Whether an account may look at it and launch it: its owner, and whom it is shared with while it is available.
    pub(crate) fn is_open_to(&self, account: &str, organizations: &BTreeSet<String>, now: Timestamp) -> bool {
        if now < self.visible_at {
            return false;
        }
        self.owner == account
            || (self.state(now) == "available" && self.launch.iter().any(|grant| grant.covers(account, organizations)))
    }

    /// The snapshots behind its devices.
    pub(crate) fn snapshots(&self) -> impl Iterator<Item = &str> {
        self.attributes.devices.iter().filter_map(|device| device.snapshot.as_deref())
    }
}
