//! A gate on real regions: the image is downloaded from each Glance while it is private, booted, and then published; one
//! that does not boot stays private everywhere.

use std::fs;
use std::path::Path;

use cloud_publish_tests::servers::{PUBLISHER_ADMIN, REGIONS, unique_owner};
use cloud_publish_tests::site::{Artifact, RELEASE, Ran, Site};
use cloud_publish_tests::{foreign, images};

const MARKER: &str = "CLOUD-PUBLISH-BOOT-OK variant=tiny";

struct Gated {
    site: Site,
    owner: String,
}

impl Gated {
    /// The tiny image, to be booted with these words of the gate.
    fn new(name: &str, words: &str) -> Self {
        let owner = unique_owner(name);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gate-{owner}"));
        let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("images/gate.sh");
        let config = format!(
            "schema = 1\nowner = \"{owner}\"\nreleases = \"releases\"\nstate = \"state\"\n[target.openstack]\n\
             provider = \"openstack\"\ncloud = \"{PUBLISHER_ADMIN}\"\nregions = {REGIONS:?}\nvisibility = \"public\"\n\
             [target.openstack.gate]\ncommand = [{gate:?}, \"{PUBLISHER_ADMIN}\"{words}]\ntimeout = \"30m\"\n"
        );
        let site = Site::new(&folder, &config);
        fs::copy(&images::tiny().qcow2.path, site.release_file("tiny.qcow2")).unwrap();
        let file = "tiny.qcow2";
        site.add(Artifact { variant: "genericcloud", file, format: "qcow2", boot: "uefi", build_manifest: None });
        Self { site, owner }
    }

    fn publish(&self) -> Ran {
        self.site.run(&format!("--release {RELEASE} --to openstack --json --quiet"))
    }

    /// What the gate has printed, by the event that names it.
    fn printed(&self, ran: &Ran) -> String {
        let answered = ran.lines().into_iter().find(|line| line["event"] == "gate_answered").expect("the gate answers");
        fs::read_to_string(self.site.path("state").join(answered["output"].as_str().unwrap())).unwrap()
    }

    /// Region, id and visibility of each image, as Glance has them.
    fn in_glance(&self) -> Vec<(String, String, String)> {
        let images = foreign::glance_state(&self.owner);
        images.into_iter().map(|image| (image.region, image.id, image.visibility)).collect()
    }
}

impl Drop for Gated {
    fn drop(&mut self) {
        foreign::wipe(&self.owner);
        let _ = fs::remove_dir_all(self.site.path("."));
    }
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_release_becomes_public_in_both_regions_after_its_private_images_booted() {
    let gated = Gated::new("gate boots", "");
    let ran = gated.publish().expect(0);
    let printed = gated.printed(&ran);
    assert_eq!(printed.matches(MARKER).count(), 2, "{printed}");
    let images = gated.in_glance();
    assert_eq!(images.iter().map(|(region, _, _)| region.as_str()).collect::<Vec<_>>(), REGIONS);
    for (region, id, visibility) in images {
        assert!(printed.contains(&format!("{region} {id} is private")), "{printed}");
        assert_eq!(visibility, "public", "{region}");
    }
    let again = gated.publish().expect(0);
    assert!(again.lines().iter().all(|line| line["event"] != "gate_answered"), "{}", again.out);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn an_image_that_does_not_boot_stays_private_in_both_regions() {
    let gated = Gated::new("gate fails", ", \"bios\", \"15\"");
    let ran = gated.publish().expect(1);
    assert!(gated.printed(&ran).contains("did not boot by bios"), "{}", gated.printed(&ran));
    let failure = ran.summary()["failures"][0].clone();
    assert!(failure["error"].as_str().unwrap().contains("did not boot by bios"), "{failure}");
    let images = gated.in_glance();
    assert!(images.len() == 2 && images.iter().all(|(_, _, visibility)| visibility == "private"), "{images:?}");
}
