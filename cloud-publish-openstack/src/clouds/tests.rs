use std::fs;

use cloud_publish_core::error::Kind;

use super::super::{CloudsFile, Domain, Named};
use crate::config::Interface;

const PASSWORD: &str = "hunter2-canary";

fn file(clouds: &str, secure: Option<&str>) -> Result<CloudsFile, cloud_publish_core::error::Error> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("clouds.yaml"), clouds).unwrap();
    if let Some(secure) = secure {
        fs::write(folder.path().join("secure.yaml"), secure).unwrap();
    }
    CloudsFile::read(&folder.path().join("clouds.yaml"))
}

fn entry(auth: &str, rest: &str) -> String {
    format!(
        "clouds:\n  one:\n    auth:\n      auth_url: https://keystone.example.org/v3\n      password: {PASSWORD}\n{auth}\
         {rest}"
    )
}

const NAMES: &str = "      username: joe\n      project_name: images\n";

#[test]
fn an_entry_with_names_is_read_and_defaults_to_the_default_domain() {
    let cloud = file(&entry(NAMES, ""), None).unwrap().cloud("one").unwrap();
    let domain = Domain::Id("default".to_owned());
    assert_eq!(cloud.user, Named::Name { name: "joe".to_owned(), domain: domain.clone() });
    assert_eq!(cloud.project, Named::Name { name: "images".to_owned(), domain });
    assert_eq!((cloud.interface, cloud.verify, cloud.regions.len()), (Interface::Public, true, 0));
    assert_eq!(cloud.password.reveal(), PASSWORD);
}

#[test]
fn ids_domains_regions_and_connection_settings_are_read() {
    let auth = "      user_id: u1\n      project_name: images\n      project_domain_name: Sales\n";
    let rest = "    regions: [RegionOne, {name: RegionTwo}]\n    interface: internalURL\n    verify: false\n    \
                cacert: /etc/ca.pem\n    image_endpoint_override: http://glance.example.org:9292\n";
    let cloud = file(&entry(auth, rest), None).unwrap().cloud("one").unwrap();
    assert_eq!(cloud.user, Named::Id("u1".to_owned()));
    assert_eq!(cloud.project, Named::Name { name: "images".to_owned(), domain: Domain::Name("Sales".to_owned()) });
    assert_eq!(cloud.regions, ["RegionOne", "RegionTwo"]);
    assert_eq!((cloud.interface, cloud.verify), (Interface::Internal, false));
    assert_eq!(cloud.image_endpoint.unwrap().as_str(), "http://glance.example.org:9292/");
}

#[test]
fn the_secure_file_beside_it_adds_and_replaces() {
    let clouds = "clouds:\n  one:\n    auth:\n      auth_url: https://k.example.org\n      username: joe\n      \
                  project_id: p1\n";
    let secure = format!("clouds:\n  one:\n    auth:\n      password: {PASSWORD}\n");
    let cloud = file(clouds, Some(&secure)).unwrap().cloud("one").unwrap();
    assert_eq!(cloud.password.reveal(), PASSWORD);
}

#[test]
fn other_ways_to_authenticate_are_refused_by_name() {
    for kind in ["v3applicationcredential", "v3token", "v3oidcpassword"] {
        let error = file(&entry(NAMES, &format!("    auth_type: {kind}\n")), None).unwrap().cloud("one").unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains(kind), "{error}");
    }
}

#[test]
fn a_missing_cloud_is_answered_with_the_names_that_exist() {
    let error = file(&entry(NAMES, ""), None).unwrap().cloud("two").unwrap_err();
    assert_eq!(error.advice(), Some("its clouds are: one"));
}

#[test]
fn what_is_missing_is_named() {
    for (line, missing) in [("      username: joe\n", "auth.project_name"), ("      project_id: p\n", "auth.username")]
    {
        let error = file(&entry(line, ""), None).unwrap().cloud("one").unwrap_err();
        assert!(error.to_string().contains(missing), "{error}");
    }
    let error = file("clouds: {one: {auth: {}, profile: citycloud}}", None).unwrap().cloud("one").unwrap_err();
    assert!(error.advice().unwrap().contains("profiles"));
}

#[test]
fn no_error_and_no_debug_output_repeats_a_secret() {
    let number = "clouds:\n  one:\n    auth: {auth_url: 'https://k.example.org', username: joe, project_id: p, password: 424242}\n";
    let shown = [
        format!("{:?}", file(number, None).unwrap().cloud("one").unwrap_err()),
        format!("{:?}", file(&format!("clouds: [{PASSWORD}: }}"), None).unwrap_err()),
        format!("{:?}", file(&entry(NAMES, ""), None).unwrap()),
        format!("{:?}", file(&entry(NAMES, ""), None).unwrap().cloud("one").unwrap()),
        format!("{:?}", file(&entry(NAMES, "    interface: x\n"), None).unwrap().cloud("one").unwrap_err()),
    ];
    for text in shown {
        assert!(!text.contains(PASSWORD) && !text.contains("424242"), "{text}");
    }
}

#[test]
fn a_url_with_a_user_inside_is_refused_without_repeating_it() {
    let text = entry(NAMES, "").replace("https://", &format!("https://joe:{PASSWORD}@"));
    let error = file(&text, None).unwrap().cloud("one").unwrap_err();
    assert!(error.to_string().contains("has a user in it") && !format!("{error:?}").contains(PASSWORD));
}

#[test]
fn a_file_that_is_long_or_deep_beyond_reason_is_refused_before_it_is_parsed() {
    let (long, deep) = ("# nothing\n".repeat(200_000), format!("clouds: {}", "[".repeat(500_000)));
    for (text, why) in [(long, "larger than 1 MiB"), (deep, "nested more than 64 levels deep")] {
        let error = file(&text, None).unwrap_err();
        assert!(error.chain().join(": ").contains(why), "{error:?}");
    }
    let brackets = entry(NAMES, &format!("    note: '{}'\n", "[]".repeat(100)));
    file(&brackets, None).unwrap().cloud("one").unwrap();
}
