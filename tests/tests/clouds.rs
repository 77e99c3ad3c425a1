//! Several OpenStack clouds by one command, a stable name that moves, and a cloud that only the environment describes.

use std::fs;

use cloud_publish_tests::foreign::{self, GlanceImage};
use cloud_publish_tests::servers::{CONSUMER, OpenStack, REGIONS, TLS, unique_owner};
use cloud_publish_tests::site::{Artifact, Site};
use serde_json::json;

/// Two clouds: their projects differ, and their regions have the same names.
const TWO_CLOUDS: &str = r#"schema = 1
owner = "OWNER"
releases = "releases"
state = "state"
[naming]
image = "{owner}-{variant}-{arch}{class_suffix}-{version}"
[target.first]
provider = "openstack"
cloud = "FIRST"
regions = ["RegionOne", "RegionTwo"]
visibility = "public"
upload = "import"
stores = "all"
stable_name = "{owner}-{suite_id}-{variant}"
protected = ["release"]
[target.second]
provider = "openstack"
cloud = "SECOND"
regions = ["RegionOne"]
visibility = { shared_with = ["PROJECT"] }
"#;

const ENVIRONMENT: &str = r#"schema = 1
owner = "OWNER"
releases = "releases"
state = "state"
[naming]
image = "{owner}-{variant}-{arch}{class_suffix}-{version}"
[target.openstack]
provider = "openstack"
cloud = "envvars"
visibility = "community"
"#;

/// A folder with the release `bookworm-20240101`, of one small disk.
fn site(folder: &tempfile::TempDir, config: &str) -> Site {
    let site = Site::new(folder.path(), config);
    fs::write(site.release_file("disk.raw"), vec![0xa5; 1 << 20]).unwrap();
    let file = "disk.raw";
    site.add(Artifact { variant: "genericcloud", file, format: "raw", boot: "bios", build_manifest: None });
    site
}

/// The same release a day later.
fn add_next_release(site: &Site) {
    let first = fs::read_to_string(site.release_file("bookworm-20240101.toml")).unwrap();
    let next = first.replace("20240101", "20240102").replace("2024-01-01", "2024-01-02");
    fs::write(site.release_file("bookworm-20240102.toml"), next).unwrap();
}

fn names(images: &[GlanceImage]) -> Vec<(&str, &str)> {
    images.iter().map(|image| (image.region.as_str(), image.name.as_deref().unwrap())).collect()
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn one_command_publishes_to_two_clouds_and_the_stable_name_moves_with_each_release() {
    let owner = unique_owner("two clouds");
    let project = OpenStack::from_env().publisher_project;
    let folder = tempfile::tempdir().unwrap();
    let config = TWO_CLOUDS.replace("OWNER", &owner).replace("FIRST", TLS).replace("SECOND", CONSUMER);
    let site = site(&folder, &config.replace("PROJECT", &project));
    add_next_release(&site);
    let (stable, old, new) = (
        format!("{owner}-12-genericcloud"),
        format!("{owner}-genericcloud-amd64-20240101-1614"),
        format!("{owner}-genericcloud-amd64-20240102-1614"),
    );
    for (release, wanted) in [("bookworm-20240101", vec![&stable]), ("bookworm-20240102", vec![&stable, &old])] {
        let line = format!("--release {release} --to first,second --json");
        let summary = site.run(&line).expect(0).summary();
        assert_eq!((&summary["outcome"], summary["images"].as_array().unwrap().len()), (&json!("complete"), 3));
        let images = foreign::glance_state(&owner);
        let both = REGIONS.iter().flat_map(|region| wanted.iter().map(|name| (*region, name.as_str())));
        assert_eq!(names(&images), both.collect::<Vec<_>>());
        assert!(images.iter().all(|image| image.visibility == "public" && image.protected), "{images:#?}");
        let mut of_name = images.iter().filter(|image| image.name.as_ref() == Some(&stable));
        assert!(of_name.all(|image| image.properties["cloud-publish-release"] == release), "{images:#?}");
        let again = site.run(&line).expect(0);
        assert!(again.lines().iter().all(|line| line["event"] != "step_started"), "{}", again.out);
        site.run(&format!("verify --release {release} --to first,second --prove=all")).expect(0);
    }
    // The older one is still what it should be: its name leads to something newer.
    site.run("verify --release bookworm-20240101 --to first,second").expect(0);
    let shared = foreign::glance_state_of(CONSUMER, &owner);
    assert_eq!(names(&shared), [(REGIONS[0], old.as_str()), (REGIONS[0], new.as_str())]);
    for image in shared {
        let members: Vec<&str> = image.members.iter().map(|member| member.project.as_str()).collect();
        assert_eq!((image.visibility.as_str(), members), ("shared", vec![project.as_str()]));
    }
    foreign::wipe(&owner);
    foreign::wipe_of(CONSUMER, &owner);
}

#[test]
#[ignore = "needs the servers that tests/run starts"]
fn a_cloud_of_the_environment_needs_no_file_and_its_password_is_never_shown() {
    let owner = unique_owner("environment");
    let folder = tempfile::tempdir().unwrap();
    let site = site(&folder, &ENVIRONMENT.replace("OWNER", &owner));
    let mut command = site.command("--release bookworm-20240101 --to openstack --json");
    command.env_remove("OS_CLIENT_CONFIG_FILE").env("OS_AUTH_URL", OpenStack::from_env().keystone);
    for (name, value) in [("USERNAME", "publisher"), ("PASSWORD", "test-user"), ("PROJECT_NAME", "publisher")] {
        command.env(format!("OS_{name}"), value);
    }
    command.env("OS_REGION_NAME", REGIONS[1]).env("RUST_LOG", "debug");
    let ran = cloud_publish_tests::site::Ran::of(&command.output().unwrap()).expect(0);
    assert!(!ran.out.contains("test-user") && !ran.err.contains("test-user"), "{}{}", ran.out, ran.err);
    let images = foreign::glance_state(&owner);
    let [image] = images.as_slice() else { panic!("one image: {images:#?}") };
    assert_eq!((image.region.as_str(), image.visibility.as_str()), (REGIONS[1], "community"));
    foreign::wipe(&owner);
}
