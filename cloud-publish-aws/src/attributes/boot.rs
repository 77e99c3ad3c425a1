//! Architecture and firmware: which go together.
//!
//! Rules: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-boot.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/enable-nitrotpm-prerequisites.html>.

use aws_sdk_ec2::types::{ArchitectureValues, BootModeValues};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Boot;

/// EC2's word for a distribution's.
pub(super) fn architecture(arch: &str) -> Result<ArchitectureValues> {
    match arch {
        "amd64" | "x86_64" => Ok(ArchitectureValues::X8664),
        "arm64" | "aarch64" => Ok(ArchitectureValues::Arm64),
        "i386" => Ok(ArchitectureValues::I386),
        other => Err(Error::new(Kind::InvalidInput, format!("AWS has no machines of the architecture `{other}`"))
            .hint("it has amd64, arm64 and i386: leave the others out with the target's `archs`")),
    }
}

/// The mode that is asked for, or the one that the artifact boots with on such machines.
pub(super) fn boot_mode(wish: Option<&str>, boot: Boot, architecture: &ArchitectureValues) -> Result<BootModeValues> {
    let mode = match (wish, boot, architecture) {
        (Some(word), _, _) => BootModeValues::try_parse(word).map_err(|error| {
            Error::new(Kind::InvalidInput, format!("`{word}` is not a boot mode"))
                .hint("`boot_mode` is legacy-bios, uefi or uefi-preferred")
                .caused_by(error)
        })?,
        // They have only one kind of firmware; the artifact starts with either.
        (None, Boot::UefiPreferred, ArchitectureValues::Arm64) => BootModeValues::Uefi,
        (None, Boot::UefiPreferred, ArchitectureValues::I386) => BootModeValues::LegacyBios,
        (None, Boot::UefiPreferred, _) => BootModeValues::UefiPreferred,
        (None, Boot::Uefi, _) => BootModeValues::Uefi,
        (None, Boot::Bios, _) => BootModeValues::LegacyBios,
    };
    let needed = match architecture {
        ArchitectureValues::Arm64 => BootModeValues::Uefi,
        ArchitectureValues::I386 => BootModeValues::LegacyBios,
        _ => return Ok(mode),
    };
    if mode == needed {
        return Ok(mode);
    }
    let hint = match wish {
        Some(_) => "leave `boot_mode` out: then it is what the artifact boots with",
        None => "say in the manifest with what the artifact boots, or leave it out of this target",
    };
    Err(Error::new(Kind::InvalidInput, format!("machines of {architecture} boot with `{needed}`, not `{mode}`"))
        .hint(hint))
}

/// What else depends on the firmware.
pub(super) fn check(mode: &BootModeValues, tpm: bool, uefi_data: bool) -> Result<()> {
    if tpm && *mode != BootModeValues::Uefi {
        return Err(Error::new(
            Kind::InvalidInput,
            format!("a TPM needs the boot mode `uefi`, this image has `{mode}`"),
        )
        .hint("set `boot_mode = \"uefi\"`, or `tpm = false`"));
    }
    if uefi_data && *mode == BootModeValues::LegacyBios {
        return Err(Error::new(Kind::InvalidInput, "an image that boots with a BIOS has no UEFI variables")
            .hint("set `uefi_data = \"\"` in `[artifact.properties.aws]` of this artifact"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::Result;
    use cloud_publish_core::manifest::Boot;

    use super::{architecture, boot_mode, check};

    fn mode(wish: Option<&str>, boot: Boot, arch: &str) -> Result<String> {
        boot_mode(wish, boot, &architecture(arch)?).map(|mode| mode.to_string())
    }

    #[test]
    fn an_artifact_boots_as_it_can_on_machines_of_its_architecture() {
        for (boot, arch, expected) in [
            (Boot::Bios, "amd64", Some("legacy-bios")),
            (Boot::Uefi, "amd64", Some("uefi")),
            (Boot::UefiPreferred, "amd64", Some("uefi-preferred")),
            (Boot::Bios, "arm64", None),
            (Boot::Uefi, "arm64", Some("uefi")),
            (Boot::UefiPreferred, "arm64", Some("uefi")),
            (Boot::Bios, "i386", Some("legacy-bios")),
            (Boot::Uefi, "i386", None),
            (Boot::UefiPreferred, "i386", Some("legacy-bios")),
            (Boot::Uefi, "riscv64", None),
        ] {
            assert_eq!(mode(None, boot, arch).ok().as_deref(), expected, "{boot:?} {arch}");
        }
    }

    #[test]
    fn a_wish_wins_where_the_machines_allow_it() {
        assert_eq!(mode(Some("uefi"), Boot::Bios, "amd64").unwrap(), "uefi");
        assert!(mode(Some("uefi-preferred"), Boot::Uefi, "arm64").unwrap_err().advice().is_some());
        mode(Some("bios"), Boot::Bios, "amd64").unwrap_err();
    }

    #[test]
    fn a_tpm_needs_uefi_and_uefi_variables_need_some_uefi() {
        let parsed = |word: &str| boot_mode(Some(word), Boot::Uefi, &architecture("amd64").unwrap()).unwrap();
        for (word, tpm, data, good) in [
            ("uefi", true, true, true),
            ("uefi-preferred", true, false, false),
            ("uefi-preferred", false, true, true),
            ("legacy-bios", true, false, false),
            ("legacy-bios", false, true, false),
            ("legacy-bios", false, false, true),
        ] {
            assert_eq!(check(&parsed(word), tpm, data).is_ok(), good, "{word} {tpm} {data}");
        }
    }
}
