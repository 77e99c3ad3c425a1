//! The root volume: type, size, speed.
//!
//! Limits: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html>,
//! <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>.

use std::ops::RangeInclusive;

use aws_sdk_ec2::types::VolumeType;
use cloud_publish_core::error::{Error, Kind, Result};

use crate::config::ImageDefaults;

/// What EC2 counts volumes and snapshots in.
pub(crate) const GIB: u64 = 1 << 30;

/// gp3: operations per second for each GiB, and for each MiB/s.
const IOPS_PER_GIB: u32 = 500;
const IOPS_PER_THROUGHPUT: u32 = 4;

/// What a gp3 volume has without asking.
const BASELINE_IOPS: u32 = 3000;

/// How a machine's root volume is made of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Volume {
    pub(crate) kind: VolumeType,
    /// GiB.
    pub(crate) size: u32,
    pub(crate) iops: Option<u32>,
    /// MiB/s.
    pub(crate) throughput: Option<u32>,
}

/// What one type allows.
struct Limits {
    size: RangeInclusive<u32>,
    iops: Option<RangeInclusive<u32>>,
    needs_iops: bool,
    throughput: Option<RangeInclusive<u32>>,
}

fn limits(kind: &VolumeType) -> Option<Limits> {
    let plain = |size| Limits { size, iops: None, needs_iops: false, throughput: None };
    match kind {
        VolumeType::Gp3 => {
            Some(Limits { iops: Some(3000..=80_000), throughput: Some(125..=2000), ..plain(1..=65_536) })
        }
        VolumeType::Gp2 => Some(plain(1..=16_384)),
        VolumeType::Io1 => Some(Limits { iops: Some(100..=64_000), needs_iops: true, ..plain(4..=16_384) }),
        VolumeType::Io2 => Some(Limits { iops: Some(100..=256_000), needs_iops: true, ..plain(4..=65_536) }),
        VolumeType::Standard => Some(plain(1..=1024)),
        // st1 and sc1 cannot be root volumes.
        _ => None,
    }
}

/// Whole GiB that hold so many bytes.
pub(super) fn gib(bytes: u64) -> Result<u32> {
    u32::try_from(bytes.div_ceil(GIB).max(1)).map_err(|error| {
        Error::new(Kind::InvalidInput, "the disk is larger than any volume at AWS")
            .hint("a volume has 64 TiB at most")
            .caused_by(error)
    })
}

impl Volume {
    /// The root volume of an image whose snapshot has so many GiB.
    pub(super) fn of(own: &ImageDefaults, snapshot: u32) -> Result<Self> {
        let kind = VolumeType::from(own.volume_type.as_str());
        let limits = limits(&kind).ok_or_else(|| {
            wrong(format!("`{}` cannot be a root volume", own.volume_type))
                .hint("`volume_type` is gp3, gp2, io2, io1 or standard")
        })?;
        let size = own.volume_size.unwrap_or_else(|| snapshot.max(*limits.size.start()));
        if size < snapshot {
            return Err(wrong(format!("a volume of {size} GiB cannot hold the disk, which needs {snapshot} GiB"))
                .hint("raise `volume_size`, or leave it out: it is then as large as the disk"));
        }
        within("volume_size", &kind, (Some(size), Some(&limits.size)))?;
        within("iops", &kind, (own.iops, limits.iops.as_ref()))?;
        within("throughput", &kind, (own.throughput, limits.throughput.as_ref()))?;
        if limits.needs_iops && own.iops.is_none() {
            return Err(wrong(format!("a volume of type {kind} needs `iops`")).hint("set `iops`, or take gp3"));
        }
        let volume = Self { kind, size, iops: own.iops, throughput: own.throughput };
        volume.in_proportion()?;
        Ok(volume)
    }

    fn in_proportion(&self) -> Result<()> {
        if self.kind != VolumeType::Gp3 {
            return Ok(());
        }
        let iops = self.iops.unwrap_or(BASELINE_IOPS);
        if iops > BASELINE_IOPS && iops > self.size.saturating_mul(IOPS_PER_GIB) {
            return Err(wrong(format!("{} GiB of gp3 are too small for {iops} operations per second", self.size))
                .hint("gp3 has 500 for each GiB: raise `volume_size` or lower `iops`"));
        }
        match self.throughput {
            Some(rate) if rate.saturating_mul(IOPS_PER_THROUGHPUT) > iops => {
                Err(wrong(format!("{iops} operations per second are too few for {rate} MiB/s of gp3"))
                    .hint("gp3 has 0.25 MiB/s for each: raise `iops` to four times `throughput`"))
            }
            _ => Ok(()),
        }
    }
}

fn wrong(message: String) -> Error {
    Error::new(Kind::InvalidInput, message)
}

fn within(key: &str, kind: &VolumeType, asked: (Option<u32>, Option<&RangeInclusive<u32>>)) -> Result<()> {
    match asked {
        (None, _) => Ok(()),
        (Some(_), None) => Err(wrong(format!("`{key}` cannot be set for volumes of type {kind}"))
            .hint(format!("leave `{key}` out, or take gp3"))),
        (Some(value), Some(range)) if range.contains(&value) => Ok(()),
        (Some(value), Some(range)) => Err(wrong(format!(
            "`{key}` = {value} is out of bounds for volumes of type {kind}"
        ))
        .hint(format!("it may be {} to {}", range.start(), range.end()))),
    }
}

#[cfg(test)]
mod tests {
    use super::{GIB, Volume, gib};
    use crate::config::ImageDefaults;

    fn made(kind: &str, asked: (Option<u32>, Option<u32>, Option<u32>), snapshot: u32) -> Option<(u32, bool)> {
        let (volume_size, iops, throughput) = asked;
        let own = ImageDefaults { volume_type: kind.to_owned(), volume_size, iops, throughput, ..Default::default() };
        let made = Volume::of(&own, snapshot);
        assert!(made.as_ref().map_or_else(|error| error.advice().is_some(), |_| true));
        made.ok().map(|volume| (volume.size, volume.iops.is_some()))
    }

    #[test]
    fn a_volume_is_as_large_as_the_disk_or_larger() {
        assert_eq!(made("gp3", (None, None, None), 3), Some((3, false)));
        assert_eq!(made("gp3", (Some(8), None, None), 3), Some((8, false)));
        assert_eq!(made("gp3", (Some(2), None, None), 3), None);
        assert_eq!(made("io2", (None, Some(200), None), 1), Some((4, true)));
    }

    #[test]
    fn limits_are_those_of_the_type() {
        for (kind, asked, good) in [
            ("gp3", (Some(160), Some(80_000), Some(2000)), true),
            ("gp3", (Some(160), Some(80_001), None), false),
            ("gp3", (Some(8), Some(2999), None), false),
            ("gp3", (Some(8), Some(4001), None), false),
            ("gp3", (Some(1), Some(3000), None), true),
            ("gp3", (Some(8), None, Some(124)), false),
            ("gp3", (Some(8), None, Some(750)), true),
            ("gp3", (Some(8), None, Some(751)), false),
            ("gp3", (Some(65_537), None, None), false),
            ("gp2", (Some(16_384), None, None), true),
            ("gp2", (Some(8), Some(3000), None), false),
            ("gp2", (Some(8), None, Some(125)), false),
            ("io1", (Some(8), None, None), false),
            ("io1", (Some(3), Some(100), None), false),
            ("standard", (Some(1025), None, None), false),
            ("st1", (Some(200), None, None), false),
            ("fast", (None, None, None), false),
        ] {
            assert_eq!(made(kind, asked, 1).is_some(), good, "{kind} {asked:?}");
        }
    }

    #[test]
    fn disks_are_counted_in_whole_gib() {
        for (bytes, expected) in [(1, 1), (GIB, 1), (GIB + 1, 2), (0, 1)] {
            assert_eq!(gib(bytes).unwrap(), expected, "{bytes}");
        }
        gib(u64::MAX).unwrap_err();
    }
}
