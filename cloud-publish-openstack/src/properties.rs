//! What an image is besides its bytes: the hardware it wants, what it is for, what users may count on.
//!
//! Owns the defaults and who wins: an artifact's own property, then the target's, then the default. An empty value
//! leaves a default out. Nova's names: <https://docs.openstack.org/glance/latest/admin/useful-image-properties.html>,
//! the promises to users: <https://docs.scs.community/standards/scs-0102-v1-image-metadata>.

use std::collections::BTreeMap;

use cloud_publish_core::disk::Format;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Boot;
use cloud_publish_core::names::Class;
use cloud_publish_core::publisher::ImageSpec;

use crate::config::OpenStackConfig;
use crate::glance::GLANCE_OWN;
use crate::tags::is_tag;

const GIB: u64 = 1 << 30;

/// The longest name of an image or a property: <https://docs.openstack.org/api-ref/image/v2/>.
pub(crate) const LONGEST_NAME: usize = 255;

/// Attributes that have a meaning of their own or that only Glance sets.
const RESERVED: [&str; 24] = [
    "checksum",
    "container_format",
    "created_at",
    "deleted",
    "deleted_at",
    "direct_url",
    "disk_format",
    "file",
    "id",
    "location",
    "locations",
    "name",
    "os_hash_algo",
    "os_hash_value",
    "os_hidden",
    "owner",
    "protected",
    "schema",
    "self",
    "size",
    "status",
    "stores",
    "tags",
    "visibility",
];

/// Everything about an image that is neither its identity nor its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) disk_format: &'static str,
    /// GiB.
    pub(crate) min_disk: u64,
    /// MiB.
    pub(crate) min_ram: u64,
    pub(crate) custom: BTreeMap<String, String>,
}

impl Properties {
    /// What an image made to this spec has.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a name or property that Glance would not take as it is meant.
    pub(crate) fn of(image: &ImageSpec, config: &OpenStackConfig) -> Result<Self> {
        if image.name.as_str().chars().count() > LONGEST_NAME {
            return Err(Error::new(Kind::InvalidInput, format!("`{}` is too long for Glance", image.name))
                .hint("an image's name may have 255 characters: shorten `naming.image`"));
        }
        let mut custom = hardware(image);
        custom.extend(origin(image));
        custom.extend(promises(image, config));
        custom.extend(config.properties.clone());
        custom.extend(image.properties.clone());
        let min_disk = number(&mut custom, "min_disk")?.unwrap_or_else(|| image.virtual_size.div_ceil(GIB));
        let min_ram = number(&mut custom, "min_ram")?.unwrap_or(0);
        if let Some(name) = custom.keys().find(|name| !is_free(name)) {
            return Err(Error::new(Kind::InvalidInput, format!("the image property `{name}` cannot be set"))
                .hint("it belongs to Glance or to cloud-publish: leave it out of `properties`"));
        }
        custom.retain(|_, value| !value.is_empty());
        let disk_format = match image.format {
            Format::Raw => "raw",
            Format::Qcow2 => "qcow2",
            Format::Vhd => "vhd",
        };
        Ok(Self { disk_format, min_disk, min_ram, custom })
    }
}

fn is_free(name: &str) -> bool {
    !RESERVED.contains(&name)
        && !is_tag(name)
        && !name.starts_with(GLANCE_OWN)
        && !name.is_empty()
        && name.len() <= LONGEST_NAME
}

fn number(properties: &mut BTreeMap<String, String>, name: &str) -> Result<Option<u64>> {
    let Some(text) = properties.remove(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let number = text.parse().map_err(|error| {
        Error::new(Kind::InvalidInput, format!("the image property `{name}` is no number: `{text}`")).caused_by(error)
    });
    number.map(Some)
}

type Pairs = BTreeMap<String, String>;

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Pairs {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What Nova gives the machine. virtio-scsi knows discard and takes more disks than virtio-blk.
fn hardware(image: &ImageSpec) -> Pairs {
    let firmware = match image.boot {
        Boot::Uefi | Boot::UefiPreferred => "uefi",
        Boot::Bios => "bios",
    };
    pairs([
        ("architecture", architecture(image.tags.arch.as_str())),
        ("hw_disk_bus", "scsi"),
        ("hw_scsi_model", "virtio-scsi"),
        ("hw_rng_model", "virtio"),
        ("hw_firmware_type", firmware),
    ])
}

/// Nova's word for a distribution's: the part of GNU's triplet, not Debian's.
fn architecture(arch: &str) -> &str {
    match arch {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "armhf" => "armv7l",
        "i386" => "i686",
        "ppc64el" => "ppc64le",
        "loong64" => "loongarch64",
        other => other,
    }
}

/// Where it comes from. A distribution publishes under its own name, so the owner is also the `os_distro` and the name
/// of the first user.
fn origin(image: &ImageSpec) -> Pairs {
    let owner = image.tags.owner.as_str();
    pairs([
        ("os_type", "linux"),
        ("os_distro", owner),
        ("os_version", &image.suite_id),
        ("os_admin_user", owner),
        ("image_original_user", owner),
        ("image_description", &image.description),
        ("image_build_date", &image.tags.date.strftime("%Y-%m-%d").to_string()),
    ])
}

/// What users may count on.
fn promises(image: &ImageSpec, config: &OpenStackConfig) -> Pairs {
    let (replaced, valid) = match image.tags.class {
        Class::Release => ("quarterly", "notice"),
        Class::Daily => ("daily", "none"),
        Class::Dev => ("never", "none"),
    };
    let source = config.image_source.as_deref().or(image.build_job.as_deref());
    pairs([
        ("os_purpose", "generic"),
        ("replace_frequency", config.replace_frequency.as_deref().unwrap_or(replaced)),
        ("uuid_validity", config.uuid_validity.as_deref().unwrap_or(valid)),
        ("provided_until", config.provided_until.as_deref().unwrap_or("none")),
        ("image_source", source.unwrap_or("private")),
    ])
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::Kind;
    use cloud_publish_core::manifest::Boot;

    use super::{OpenStackConfig, Properties};
    use crate::testing::spec;

    fn config() -> OpenStackConfig {
        serde_json::from_str(r#"{"cloud": "c"}"#).unwrap()
    }

    #[test]
    fn an_image_gets_hardware_origin_and_promises() {
        let properties = Properties::of(&spec(), &config()).unwrap();
        assert_eq!((properties.disk_format, properties.min_disk, properties.min_ram), ("qcow2", 3, 0));
        for (name, value) in [
            ("architecture", "x86_64"),
            ("hw_disk_bus", "scsi"),
            ("hw_scsi_model", "virtio-scsi"),
            ("hw_firmware_type", "uefi"),
            ("os_distro", "debian"),
            ("os_version", "12"),
            ("os_purpose", "generic"),
            ("uuid_validity", "notice"),
            ("image_build_date", "2024-01-01"),
            ("image_source", "https://ci.example.org/jobs/1"),
        ] {
            assert_eq!(properties.custom.get(name).map(String::as_str), Some(value), "{name}");
        }
    }

    #[test]
    fn the_artifact_wins_over_the_target_and_the_target_over_the_default() {
        let mut config = config();
        config.properties.extend([("hw_disk_bus".into(), "virtio".into()), ("os_distro".into(), "target".into())]);
        config.properties.insert("hw_scsi_model".into(), String::new());
        config.uuid_validity = Some("forever".into());
        let mut image = spec();
        image.boot = Boot::Bios;
        image.properties.extend([("os_distro".into(), "artifact".into()), ("min_disk".into(), "9".into())]);
        let properties = Properties::of(&image, &config).unwrap();
        assert_eq!(properties.custom["hw_disk_bus"], "virtio");
        assert_eq!(properties.custom["os_distro"], "artifact");
        assert_eq!(properties.custom["uuid_validity"], "forever");
        assert_eq!(properties.custom["hw_firmware_type"], "bios");
        assert_eq!(properties.min_disk, 9);
        assert!(!properties.custom.contains_key("hw_scsi_model") && !properties.custom.contains_key("min_disk"));
    }

    #[test]
    fn properties_that_are_not_the_user_s_are_refused_by_name() {
        for name in ["visibility", "owner", "os_glance_x", "cloud-publish-owner", "id", "os_hidden"] {
            let mut image = spec();
            image.properties.insert(name.to_owned(), "x".to_owned());
            let error = Properties::of(&image, &config()).unwrap_err();
            assert_eq!(error.kind(), Kind::InvalidInput);
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_name_longer_than_glance_takes_is_refused() {
        let mut image = spec();
        image.name = "x".repeat(256).parse().unwrap();
        assert!(Properties::of(&image, &config()).is_err());
    }
}
