//! The same attributes in the words of a survey: as EC2 shows them, and as they should be.
//!
//! The words are those of the configuration wherever it has one for it. What only a snapshot or a detail call shows
//! (`snapshot_size`, `snapshot_tags`, `snapshot_visibility`, `uefi_data`) the survey adds.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{EbsBlockDevice, Image, ImdsSupportValues, TpmSupportValues};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::ImageSpec;

use super::Attributes;
use crate::config::{AwsConfig, SnapshotVisibility};
use crate::deprecation::{AS_CONFIGURED, DEPRECATION};
use crate::tags;

/// The tags of the snapshot are those of the image.
pub(crate) const SAME_TAGS: &str = "as the image's";

/// The image carries UEFI variables.
pub(crate) const THERE: &str = "yes";

/// Protection without the day's delay after it is taken off, which would keep a cleanup from its work.
pub(crate) const PROTECTED: &str = "enabled-without-cooldown";

/// What a copy has from its source.
pub(crate) const COPIED: [&str; 9] =
    ["architecture", "boot_mode", "imdsv2", "tpm", "ena", "sriov", "root_device", "volume_type", "volume_size"];

type Words = BTreeMap<String, String>;

fn words<const N: usize>(pairs: [(&str, Option<String>); N]) -> Words {
    pairs.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The root volume of an image.
pub(crate) fn root(image: &Image) -> Option<&EbsBlockDevice> {
    let root = image.root_device_name()?;
    image.block_device_mappings().iter().find(|mapping| mapping.device_name() == Some(root))?.ebs()
}

/// What a listing shows of an image.
pub(crate) fn shown(image: &Image) -> Words {
    let root = root(image);
    let size = tags::size(&tags::map(image.tags()));
    words([
        ("architecture", image.architecture().map(ToString::to_string)),
        ("boot_mode", image.boot_mode().map(ToString::to_string)),
        ("imdsv2", Some((image.imds_support() == Some(&ImdsSupportValues::V20)).to_string())),
        ("tpm", Some((image.tpm_support() == Some(&TpmSupportValues::V20)).to_string())),
        ("ena", Some(image.ena_support().unwrap_or_default().to_string())),
        ("sriov", Some((image.sriov_net_support() == Some("simple")).to_string())),
        ("root_device", image.root_device_name().map(str::to_owned)),
        ("volume_type", root.and_then(|root| root.volume_type()).map(ToString::to_string)),
        ("volume_size", root.and_then(EbsBlockDevice::volume_size).map(|size| size.to_string())),
        ("iops", root.and_then(EbsBlockDevice::iops).map(|rate| rate.to_string())),
        ("throughput", root.and_then(EbsBlockDevice::throughput).map(|rate| rate.to_string())),
        ("snapshot", root.and_then(EbsBlockDevice::snapshot_id).map(str::to_owned)),
        ("description", image.description().map(str::to_owned)),
        ("deregistration_protection", image.deregistration_protection().map(str::to_owned)),
        ("deprecation_time", image.deprecation_time().map(str::to_owned)),
        ("virtual_size", size.map(|size| size.to_string())),
    ])
}

/// What a survey shows of an image made to this spec.
///
/// A protection that the configuration does not ask for, and rates of a volume that are EC2's own choice, are not
/// expected to be absent.
pub(crate) fn expected(made: &Attributes, image: &ImageSpec, config: &AwsConfig) -> Words {
    words([
        ("architecture", Some(made.architecture.to_string())),
        ("boot_mode", Some(made.boot_mode.to_string())),
        ("imdsv2", Some(made.imdsv2.to_string())),
        ("tpm", Some(made.tpm.to_string())),
        ("ena", Some(made.ena.to_string())),
        ("sriov", Some(made.sriov.to_string())),
        ("root_device", Some(made.root_device.clone())),
        ("volume_type", Some(made.volume.kind.to_string())),
        ("volume_size", Some(made.volume.size.to_string())),
        ("iops", made.volume.iops.map(|rate| rate.to_string())),
        ("throughput", made.volume.throughput.map(|rate| rate.to_string())),
        ("description", Some(image.description.clone()).filter(|text| !text.is_empty())),
        ("deregistration_protection", made.protected.then(|| PROTECTED.to_owned())),
        (DEPRECATION, made.deprecate_at.map(|_| AS_CONFIGURED.to_owned())),
        ("virtual_size", Some(image.virtual_size.to_string())),
        ("snapshot_size", Some(made.snapshot_size.to_string())),
        ("snapshot_tags", Some(SAME_TAGS.to_owned())),
        ("snapshot_visibility", Some(of_snapshot(&image.visibility, config.snapshots).to_string())),
        ("uefi_data", made.uefi_data.as_ref().map(|_| THERE.to_owned())),
    ])
}

/// Who may use the snapshot of an image that these may use: not organisations, whose names are no account numbers.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html>
fn of_snapshot(image: &Visibility, snapshots: SnapshotVisibility) -> Visibility {
    match (snapshots, image) {
        (SnapshotVisibility::Private, _) => Visibility::Private,
        (SnapshotVisibility::AsImage, Visibility::SharedWith(parties)) => {
            let is_account = |party: &&String| party.len() == 12 && party.chars().all(|c| c.is_ascii_digit());
            let accounts: Vec<String> = parties.iter().filter(is_account).cloned().collect();
            if accounts.is_empty() { Visibility::Private } else { Visibility::SharedWith(accounts) }
        }
        (SnapshotVisibility::AsImage, other) => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{BlockDeviceMapping, EbsBlockDevice, Image, VolumeType};
    use cloud_publish_core::manifest::Visibility;

    use super::{COPIED, expected, of_snapshot, root, shown};
    use crate::attributes::Attributes;
    use crate::config::SnapshotVisibility;
    use crate::testing::{config, spec};

    #[test]
    fn a_copy_is_compared_in_words_that_are_always_expected() {
        let made = Attributes::of(&spec(), &config()).unwrap();
        let words = expected(&made, &spec(), &config());
        assert!(COPIED.iter().all(|word| words.contains_key(*word)));
    }

    #[test]
    fn the_root_volume_is_the_one_of_the_root_device() {
        let disk = |name: &str, size| {
            let ebs = EbsBlockDevice::builder().volume_size(size).volume_type(VolumeType::Gp3).build();
            BlockDeviceMapping::builder().device_name(name).ebs(ebs).build()
        };
        let image = Image::builder()
            .root_device_name("/dev/xvda")
            .block_device_mappings(disk("/dev/sdb", 9))
            .block_device_mappings(disk("/dev/xvda", 8))
            .build();
        assert_eq!(root(&image).unwrap().volume_size(), Some(8));
        assert_eq!(shown(&image)["volume_size"], "8");
        assert_eq!(shown(&image)["tpm"], "false");
    }

    #[test]
    fn a_snapshot_is_shared_as_its_image_as_far_as_aws_can() {
        let parties = |names: &[&str]| Visibility::SharedWith(names.iter().map(|name| (*name).to_owned()).collect());
        let organisation = "arn:aws:organizations::111111111111:organization/o-1";
        let shared = parties(&["222222222222", organisation]);
        for (image, snapshots, wanted) in [
            (&shared, SnapshotVisibility::Private, Visibility::Private),
            (&shared, SnapshotVisibility::AsImage, parties(&["222222222222"])),
            (&parties(&[organisation]), SnapshotVisibility::AsImage, Visibility::Private),
            (&Visibility::Public, SnapshotVisibility::AsImage, Visibility::Public),
        ] {
            assert_eq!(of_snapshot(image, snapshots), wanted);
        }
    }
}
