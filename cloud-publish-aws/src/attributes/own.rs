//! An artifact's own properties over those of the target.

use std::collections::BTreeMap;
use std::str::FromStr;

use cloud_publish_core::error::{Error, Kind, Result};

use crate::config::ImageDefaults;

/// The keys of both, in the order of the configuration's documentation.
const WORDS: &str = "boot_mode, imdsv2, tpm, ena, sriov, volume_type, volume_size, iops, throughput, root_device, \
                     uefi_data and billing_products";

/// The target's image with what the artifact says differently.
pub(super) fn merged(target: &ImageDefaults, properties: &BTreeMap<String, String>) -> Result<ImageDefaults> {
    let mut own = target.clone();
    for (name, value) in properties {
        let value = value.trim();
        match name.as_str() {
            "boot_mode" => own.boot_mode = text(value),
            "imdsv2" => own.imdsv2 = parsed(name, value)?.unwrap_or_else(|| ImageDefaults::default().imdsv2),
            "tpm" => own.tpm = parsed(name, value)?.unwrap_or_else(|| ImageDefaults::default().tpm),
            "ena" => own.ena = parsed(name, value)?.unwrap_or_else(|| ImageDefaults::default().ena),
            "sriov" => own.sriov = parsed(name, value)?.unwrap_or_else(|| ImageDefaults::default().sriov),
            "volume_type" => own.volume_type = text(value).unwrap_or_else(|| ImageDefaults::default().volume_type),
            "volume_size" => own.volume_size = parsed(name, value)?,
            "iops" => own.iops = parsed(name, value)?,
            "throughput" => own.throughput = parsed(name, value)?,
            "root_device" => own.root_device = text(value).unwrap_or_else(|| ImageDefaults::default().root_device),
            "uefi_data" if value.is_empty() => own.uefi_data = None,
            "uefi_data" => {
                return Err(wrong(format!("`uefi_data` = `{value}` cannot be set for one artifact"))
                    .hint("set it in the target's `image`, and `uefi_data = \"\"` for artifacts without it"));
            }
            "billing_products" => {
                own.billing_products =
                    value.split([',', ' ']).filter(|code| !code.is_empty()).map(str::to_owned).collect();
            }
            _ => {
                return Err(wrong(format!("an image at AWS has no property `{name}`"))
                    .hint(format!("`[artifact.properties.aws]` may have {WORDS}")));
            }
        }
    }
    Ok(own)
}

fn wrong(message: String) -> Error {
    Error::new(Kind::InvalidInput, message)
}

fn text(value: &str) -> Option<String> {
    (!value.is_empty()).then(|| value.to_owned())
}

/// `None` for an empty value.
fn parsed<T>(name: &str, value: &str) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    if value.is_empty() {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|error| {
        wrong(format!("the property `{name}` cannot be `{value}`"))
            .hint("switches are `true` or `false`, sizes and rates whole numbers")
            .caused_by(error)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use cloud_publish_core::error::Result;

    use super::{WORDS, merged};
    use crate::config::ImageDefaults;

    fn over(target: &ImageDefaults, pairs: &[(&str, &str)]) -> Result<ImageDefaults> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        merged(target, &pairs.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn an_artifact_wins_over_its_target() {
        let target = ImageDefaults { volume_size: Some(8), boot_mode: Some("uefi".to_owned()), ..Default::default() };
        let own = over(
            &target,
            &[("imdsv2", "false"), ("volume_size", "20"), ("billing_products", "bp-1, bp-2"), ("tpm", "true")],
        );
        let expected = ImageDefaults {
            imdsv2: false,
            tpm: true,
            volume_size: Some(20),
            billing_products: vec!["bp-1".to_owned(), "bp-2".to_owned()],
            ..target
        };
        assert_eq!(own.unwrap(), expected);
    }

    #[test]
    fn an_empty_value_leaves_out_what_the_target_says() {
        let target = ImageDefaults {
            boot_mode: Some("uefi".to_owned()),
            imdsv2: false,
            iops: Some(4000),
            uefi_data: Some(PathBuf::from("keys")),
            ..Default::default()
        };
        let own = over(&target, &[("boot_mode", ""), ("imdsv2", ""), ("iops", ""), ("uefi_data", "")]).unwrap();
        assert_eq!(own, ImageDefaults::default());
    }

    #[test]
    fn words_and_values_that_we_do_not_know_are_refused() {
        for pair in [("boot-mode", "uefi"), ("imdsv2", "v2.0"), ("volume_size", "8 GiB"), ("uefi_data", "keys")] {
            over(&ImageDefaults::default(), &[pair]).unwrap_err();
        }
    }

    #[test]
    fn every_key_of_the_configuration_is_a_property_and_named_as_such() {
        let keys = serde_json::to_value(ImageDefaults::default()).unwrap();
        for key in keys.as_object().unwrap().keys() {
            over(&ImageDefaults::default(), &[(key.as_str(), "")]).unwrap();
            assert!(WORDS.contains(key.as_str()), "{key}");
        }
    }
}
