//! What an image is like besides its bytes: firmware, devices, root volume, billing.
//!
//! Owns who wins (an artifact's own property, then the target's `image`, then the default) and which combinations EC2
//! refuses, so that preflight can say it before the first byte. Pure: it reads no file and asks no server.
//!
//! `[artifact.properties.aws]` of a manifest has the keys of the target's table `image`, in the same words with
//! underscores: `boot_mode = "uefi"`, `imdsv2 = "false"`, `volume_size = "20"`, `billing_products = "bp-1 bp-2"`. An empty
//! value leaves out what the target says. `uefi_data` can only be left out that way: a file belongs to the target.

mod boot;
mod own;
mod shown;
mod volume;

use std::path::PathBuf;

use aws_sdk_ec2::types::{ArchitectureValues, BootModeValues};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::ImageSpec;
use jiff::Timestamp;

pub(crate) use self::shown::{COPIED, SAME_TAGS, THERE, expected, root, shown};
pub(crate) use self::volume::Volume;
use crate::config::AwsConfig;
use crate::{deprecation, tags};

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>
const NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=128;

/// Of a description, in characters of ASCII: EC2 refuses others, at the last call of all
/// (<https://github.com/metadist/synaplan/pull/1546>).
const DESCRIPTION: usize = 255;

/// Of UEFI variables, in bytes: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>.
const UEFI_DATA: usize = 64 << 10;

/// Everything about an image that is neither its identity nor its state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attributes {
    pub(crate) architecture: ArchitectureValues,
    pub(crate) boot_mode: BootModeValues,
    pub(crate) imdsv2: bool,
    pub(crate) tpm: bool,
    pub(crate) ena: bool,
    pub(crate) sriov: bool,
    pub(crate) root_device: String,
    pub(crate) volume: Volume,
    /// GiB of the snapshot: the disk, rounded up.
    pub(crate) snapshot_size: u32,
    /// A file with UEFI variables: [`read_uefi_data`].
    pub(crate) uefi_data: Option<PathBuf>,
    pub(crate) billing_products: Vec<String>,
    /// It cannot be deregistered before the protection is taken off.
    pub(crate) protected: bool,
    /// When nobody shall be led to it any more, to the minute.
    pub(crate) deprecate_at: Option<Timestamp>,
}

impl Attributes {
    /// What an image made to this spec has.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for what EC2 would refuse, or take in another sense than it is meant.
    pub(crate) fn of(image: &ImageSpec, config: &AwsConfig) -> Result<Self> {
        check_name(image.name.as_str())?;
        check_description(&image.description)?;
        tags::check(&image.extra_tags)?;
        let own = own::merged(&config.image, &image.properties)?;
        let architecture = boot::architecture(image.tags.arch.as_str())?;
        let boot_mode = boot::boot_mode(own.boot_mode.as_deref(), image.boot, &architecture)?;
        boot::check(&boot_mode, own.tpm, own.uefi_data.is_some())?;
        if !own.root_device.starts_with("/dev/") {
            return Err(Error::new(Kind::InvalidInput, format!("`{}` is no root device", own.root_device))
                .hint("`root_device` is like `/dev/xvda` or `/dev/sda1`"));
        }
        let snapshot_size = volume::gib(image.virtual_size)?;
        Ok(Self {
            architecture,
            boot_mode,
            imdsv2: own.imdsv2,
            tpm: own.tpm,
            ena: own.ena,
            sriov: own.sriov,
            volume: Volume::of(&own, snapshot_size)?,
            root_device: own.root_device,
            snapshot_size,
            uefi_data: own.uefi_data,
            billing_products: own.billing_products,
            protected: config.deregistration_protection.contains(&image.tags.class),
            deprecate_at: deprecation::checked(config, image)?,
        })
    }
}

fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "()[] ./-'@_".contains(c);
    if name.chars().all(allowed) && NAME_LENGTH.contains(&name.chars().count()) {
        return Ok(());
    }
    Err(Error::new(Kind::InvalidInput, format!("`{name}` cannot be an image's name at AWS"))
        .hint("a name has 3 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _: change `naming.image`"))
}

fn check_description(description: &str) -> Result<()> {
    let allowed = |c: char| c == ' ' || c.is_ascii_graphic();
    if description.len() <= DESCRIPTION && description.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new(Kind::InvalidInput, "AWS does not take the description")
        .with("description", description)
        .hint("it may have 255 characters, in ASCII only: change the manifest's `description`"))
}

/// Reads a file with UEFI variables in AWS's format, one line of base64:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/aws-ec2-uefi-secure-boot.html>.
///
/// # Errors
/// [`Kind::InvalidInput`] when it cannot be read or is something else.
pub(crate) async fn read_uefi_data(path: &std::path::Path) -> Result<String> {
    let wrong = |message: &'static str| {
        Error::new(Kind::InvalidInput, message)
            .with("file", path.display())
            .hint("make it with `uefivars -i none -o aws`; set `image.uefi_data` to it")
    };
    let read = tokio::fs::read_to_string(path).await;
    let text: String = read.map_err(|error| wrong("the UEFI data cannot be read").caused_by(error))?;
    let text: String = text.split_whitespace().collect();
    let data = STANDARD.decode(&text).map_err(|error| wrong("the UEFI data is not base64").caused_by(error))?;
    if data.is_empty() || data.len() > UEFI_DATA {
        return Err(wrong("the UEFI data does not have 1 byte to 64 KiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::Kind;

    use super::{Attributes, read_uefi_data};
    use crate::testing::{config, spec};

    fn refused(change: impl Fn(&mut cloud_publish_core::publisher::ImageSpec)) -> String {
        let mut spec = spec();
        change(&mut spec);
        let error = Attributes::of(&spec, &config()).unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.advice().is_some(), "{error}");
        error.message().to_owned()
    }

    #[test]
    fn the_defaults_are_those_of_a_modern_image() {
        let made = Attributes::of(&spec(), &config()).unwrap();
        assert_eq!(made.architecture.as_str(), "x86_64");
        assert_eq!(made.boot_mode.as_str(), "uefi-preferred");
        assert!(made.imdsv2 && made.ena && made.sriov && made.protected && !made.tpm);
        assert_eq!((made.volume.kind.as_str(), made.volume.size, made.snapshot_size), ("gp3", 2, 2));
    }

    #[test]
    fn names_and_descriptions_that_aws_does_not_take_are_refused() {
        for name in ["ab", "a+b", "näme", &"n".repeat(129)] {
            assert!(refused(|spec| spec.name = name.parse().unwrap()).contains("cannot be an image's name"), "{name}");
        }
        let mut longest = spec();
        longest.name = "n".repeat(128).parse().unwrap();
        longest.description = "d".repeat(255);
        Attributes::of(&longest, &config()).unwrap();
        for description in ["d".repeat(256), "Debian \u{2014} for clouds".to_owned(), "two\nlines".to_owned()] {
            refused(|spec| spec.description.clone_from(&description));
        }
    }

    #[test]
    fn a_tag_that_cannot_be_set_is_refused_with_the_image() {
        refused(|spec| drop(spec.extra_tags.insert("two words".to_owned(), String::new())));
    }

    #[tokio::test]
    async fn uefi_data_is_one_text_in_base64() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        std::fs::write(&path, "QU1aTlVF\nRkk=\n").unwrap();
        assert_eq!(read_uefi_data(&path).await.unwrap(), "QU1aTlVFRkk=");
        for wrong in [String::new(), "-----BEGIN CERTIFICATE-----".to_owned(), "AAAA".repeat(22_000)] {
            std::fs::write(&path, wrong).unwrap();
            assert_eq!(read_uefi_data(&path).await.unwrap_err().kind(), Kind::InvalidInput);
        }
        assert!(read_uefi_data(&folder.path().join("none")).await.unwrap_err().advice().is_some());
    }
}
