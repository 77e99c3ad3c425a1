//! How an image boots, as far as a folder can tell.

use crate::disk::BootStructure;
use crate::manifest::Boot;
use crate::names::Arch;

/// Architectures on which firmware is UEFI.
const UEFI_ONLY: [&str; 4] = ["arm64", "armhf", "loong64", "riscv64"];

/// What the disk has to start from; where it was not opened or has neither, what the architecture's images have.
pub(super) fn boot(found: Option<BootStructure>, arch: &Arch) -> Boot {
    match found.map(|found| (found.esp, found.bios_boot)) {
        Some((true, true)) => Boot::UefiPreferred,
        Some((true, false)) => Boot::Uefi,
        Some((false, true)) => Boot::Bios,
        Some((false, false)) | None if arch.as_str() == "amd64" => Boot::UefiPreferred,
        Some((false, false)) | None if UEFI_ONLY.contains(&arch.as_str()) => Boot::Uefi,
        Some((false, false)) | None => Boot::Bios,
    }
}

#[cfg(test)]
mod tests {
    use super::boot;
    use crate::disk::BootStructure;
    use crate::manifest::Boot;

    #[test]
    fn the_disk_decides_and_the_architecture_only_where_it_is_silent() {
        let arch = |word: &str| word.parse().unwrap();
        let has = |esp, bios_boot| Some(BootStructure { esp, bios_boot, ..BootStructure::default() });
        assert_eq!(boot(has(true, false), &arch("amd64")), Boot::Uefi);
        assert_eq!(boot(has(false, true), &arch("amd64")), Boot::Bios);
        assert_eq!(boot(has(true, true), &arch("arm64")), Boot::UefiPreferred);
        assert_eq!(boot(has(false, false), &arch("arm64")), Boot::Uefi);
        assert_eq!(boot(None, &arch("amd64")), Boot::UefiPreferred);
        assert_eq!(boot(None, &arch("ppc64el")), Boot::Bios);
    }
}
