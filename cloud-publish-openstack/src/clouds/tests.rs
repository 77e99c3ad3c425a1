use std::fs;
use std::path::Path;

use cloud_publish_core::error::{Error, Kind};
use cloud_publish_core::secret::Secret;

use super::super::{Auth, ClientCertificate, Cloud, CloudsFile, Credential, Domain, Named};
use crate::config::Interface;

const PASSWORD: &str = "hunter2-canary";

fn file(clouds: &str, secure: Option<&str>) -> Result<CloudsFile, Error> {
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
    let user = Named::Name { name: "joe".to_owned(), domain: domain.clone() };
    let project = Named::Name { name: "images".to_owned(), domain };
    assert_eq!(cloud.auth, Auth::Password { user, password: Secret::new(PASSWORD), project });
    assert_eq!((cloud.interface, cloud.verify, cloud.regions.len()), (Interface::Public, true, 0));
}

#[test]
fn ids_domains_regions_and_connection_settings_are_read() {
    let auth = "      user_id: u1\n      project_name: images\n      project_domain_name: Sales\n";
    let rest = "    regions:\n    - RegionOne\n    - name: RegionTwo\n      values:\n        \
                image_endpoint_override: https://two.example.org\n    interface: internalURL\n    insecure: true\n    \
                cacert: ~/ca.pem\n    cert: ~/me.pem\n    key: /etc/me.key\n    \
                image_endpoint_override: http://glance.example.org:9292\n";
    let cloud = file(&entry(auth, rest), None).unwrap().cloud("one").unwrap();
    let project = Named::Name { name: "images".to_owned(), domain: Domain::Name("Sales".to_owned()) };
    let password = Secret::new(PASSWORD);
    assert_eq!(cloud.auth, Auth::Password { user: Named::Id("u1".to_owned()), password, project });
    assert_eq!(cloud.regions, ["RegionOne", "RegionTwo"]);
    assert_eq!((cloud.interface, cloud.verify), (Interface::Internal, false));
    let endpoint = |region: &str| cloud.image_endpoint_in(&region.parse().unwrap()).unwrap().as_str();
    assert_eq!(endpoint("RegionOne"), "http://glance.example.org:9292/");
    assert_eq!(endpoint("RegionTwo"), "https://two.example.org/");
    let cloud = cloud.clone().with_home(Path::new("/home/joe"));
    assert_eq!(cloud.cacert.unwrap(), Path::new("/home/joe/ca.pem"));
    let client = ClientCertificate { certificate: "/home/joe/me.pem".into(), key: Some("/etc/me.key".into()) };
    assert_eq!(cloud.client, Some(client));
}

#[test]
fn a_region_with_an_identity_of_its_own_is_refused() {
    let rest = "    regions: [{name: One, values: {auth: {username: other}}}]\n";
    let error = file(&entry(NAMES, rest), None).unwrap().cloud("one").unwrap_err();
    assert!(error.message().contains("`One`") && error.advice().is_some(), "{error}");
}

#[test]
fn the_secure_file_beside_it_adds_and_replaces() {
    let clouds = "clouds:\n  one:\n    auth:\n      auth_url: https://k.example.org\n      username: joe\n      \
                  project_id: p1\n";
    let secure = format!("clouds:\n  one:\n    auth:\n      password: {PASSWORD}\n");
    let cloud = file(clouds, Some(&secure)).unwrap().cloud("one").unwrap();
    assert_eq!(cloud.auth.secret().reveal(), PASSWORD);
}

/// One entry with this `auth`, and what follows it.
fn auth(auth: &str, rest: &str) -> Result<Cloud, Error> {
    let text = format!("clouds: {{one: {{auth: {{auth_url: 'https://k.example.org', {auth}}}{rest}}}}}");
    file(&text, None).unwrap().cloud("one")
}

#[test]
fn an_application_credential_has_an_id_or_a_name_and_its_user_and_no_project() {
    let secret = Secret::new(PASSWORD);
    let by = |credential: Credential| Auth::ApplicationCredential { credential, secret: secret.clone() };
    let given = format!("application_credential_secret: {PASSWORD}");
    for (keys, rest, wanted) in [
        ("application_credential_id: c1", ", auth_type: v3applicationcredential", Credential::Id("c1".to_owned())),
        ("application_credential_id: c1", "", Credential::Id("c1".to_owned())),
        (
            "application_credential_name: ci, username: joe, user_domain_name: Sales",
            "",
            Credential::Name {
                name: "ci".to_owned(),
                user: Named::Name { name: "joe".to_owned(), domain: Domain::Name("Sales".to_owned()) },
            },
        ),
        (
            "application_credential_name: ci, user_id: u1",
            "",
            Credential::Name { name: "ci".to_owned(), user: Named::Id("u1".to_owned()) },
        ),
    ] {
        assert_eq!(auth(&format!("{keys}, {given}"), rest).unwrap().auth, by(wanted), "{keys}");
    }
    let error = auth(&format!("application_credential_name: ci, {given}"), "").unwrap_err();
    assert!(error.message().contains("auth.username"), "{error}");
}

#[test]
fn a_token_signs_in_to_a_project() {
    let wanted = Auth::Token { token: Secret::new(PASSWORD), project: Named::Id("p1".to_owned()) };
    for (project, rest) in
        [("project_id", ""), ("tenant_id", ", auth_type: token"), ("project_id", ", auth_type: v3token")]
    {
        let cloud = auth(&format!("token: {PASSWORD}, {project}: p1"), rest).unwrap();
        assert_eq!(cloud.auth, wanted);
    }
    assert!(auth(&format!("token: {PASSWORD}"), "").unwrap_err().message().contains("auth.project_name"));
}

#[test]
fn other_ways_to_authenticate_are_refused_by_name_with_those_that_there_are() {
    for kind in ["v2password", "v3oidcpassword", "v3totp", "none"] {
        let error = file(&entry(NAMES, &format!("    auth_type: {kind}\n")), None).unwrap().cloud("one").unwrap_err();
        assert_eq!(error.kind(), Kind::InvalidInput);
        assert!(error.to_string().contains(kind), "{error}");
        let advice = error.advice().unwrap();
        assert!(advice.contains("v3applicationcredential"), "{advice}");
        assert_eq!(advice.starts_with("did you mean `v3password`? "), kind.ends_with("password"), "{advice}");
    }
    let error = auth("username: joe, password: x, system_scope: all", "").unwrap_err();
    assert!(error.message().contains("system_scope"), "{error}");
}

#[test]
fn variables_are_an_entry_called_envvars() {
    let set = |pairs: &[(&str, &str)]| {
        Cloud::from_variables(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    };
    let cloud = set(&[
        ("OS_AUTH_URL", "https://k.example.org/v3"),
        ("OS_USERNAME", "joe"),
        ("OS_PASSWORD", PASSWORD),
        ("OS_TENANT_NAME", "images"),
        ("OS_DEFAULT_DOMAIN_NAME", "Sales"),
        ("OS_REGION_NAME", "One"),
        ("OS_INSECURE", "true"),
        ("OS_CACERT", ""),
        ("HOME", "/home/joe"),
    ])
    .unwrap();
    let domain = Domain::Name("Sales".to_owned());
    let user = Named::Name { name: "joe".to_owned(), domain: domain.clone() };
    let project = Named::Name { name: "images".to_owned(), domain };
    assert_eq!(cloud.auth, Auth::Password { user, password: Secret::new(PASSWORD), project });
    assert_eq!(
        (cloud.name.as_str(), cloud.regions, cloud.verify, cloud.cacert),
        ("envvars", vec!["One".to_owned()], false, None)
    );
    let error = set(&[("OS_USERNAME", "joe"), ("OS_PASSWORD", PASSWORD)]).unwrap_err();
    assert!(error.advice().unwrap().contains("OS_AUTH_URL") && !format!("{error:?}").contains(PASSWORD), "{error:?}");
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
