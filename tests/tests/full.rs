//! What takes too long for every change: only `tests/run --full` runs these.

use cloud_publish_tests::{boot, foreign, images, is_full_run};

const MARKER: &str = "CLOUD-PUBLISH-BOOT-OK variant=debian";

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_has_the_digests_that_its_build_wrote_down() {
    assert!(is_full_run());
    let big = images::big();
    assert_eq!(foreign::sha512(&big.raw.path), big.raw.sha512);
    assert_eq!(foreign::sha512(&big.qcow2.path), big.qcow2.sha512);
}

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_boots_by_uefi_from_qcow2_without_a_failed_unit() {
    let line = boot::boots(&images::big().qcow2.path).expect("a booted image");
    assert!(line.starts_with(MARKER) && line.contains("firmware=uefi") && line.ends_with("failed_units=0"), "{line}");
}

#[test]
#[ignore = "needs the image that tests/run --full builds"]
fn big_image_boots_by_bios_from_raw() {
    let line = boot::Machine::with(&images::big().raw.path).by_bios().boot().expect("a booted image");
    assert!(line.starts_with(MARKER) && line.contains("firmware=bios"), "{line}");
}
