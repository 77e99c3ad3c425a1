//! Every way to sign in, and TLS with an authority of one's own.

use cloud_publish_core::error::{Error, Kind, Retry};
use cloud_publish_core::publisher::Context;
use cloud_publish_openstack::Cloud;
use serde_json::json;

use crate::foreign::{Foreign, variable};
use crate::world::{World, one, owner, target, target_at, two};

const SECRETS: [&str; 2] = ["test-user", "test-application-secret"];

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn application_credentials_and_tls_reach_the_same_project_and_regions() {
    let project = variable("OPENSTACK_TEST_PUBLISHER_PROJECT");
    for cloud in ["appcred", "appcred-name", "tls", "tls-unverified", "tls-client"] {
        let info = target(cloud, &owner()).info(&Context::detached()).await.unwrap();
        let regions: Vec<_> = info.regions.into_iter().map(|wanted| wanted.region).collect();
        assert_eq!((info.place.account.as_str(), regions), (project.as_str(), vec![one(), two()]), "{cloud}");
    }
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn an_image_is_published_through_tls_to_endpoints_beside_the_catalogue() {
    let world = World::of("tls", 4 << 20).await;
    let spec = world.spec("1");
    let staged = world.upload(&spec).await.unwrap();
    assert_eq!(staged.sent, 4 << 20);
    assert_eq!(world.survey().await.images.len(), 1);
    world.wipe().await;
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_server_that_is_not_trusted_is_refused_for_good_with_the_remedy() {
    let error = target("tls-untrusted", &owner()).info(&Context::detached()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (Kind::InvalidInput, Retry::Never), "{error:?}");
    assert!(
        error.chain().join(": ").contains("certificate") && error.advice().unwrap().contains("cacert"),
        "{error:?}"
    );
    assert!(hides_secrets(&error), "{error:?}");
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_server_that_asks_for_a_certificate_lets_nobody_in_without() {
    let error = target("tls-no-client", &owner()).info(&Context::detached()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    assert!(hides_secrets(&error), "{error:?}");
}

fn hides_secrets(error: &Error) -> bool {
    let shown = format!("{error:?} {:?}", error.chain());
    SECRETS.iter().all(|secret| !shown.contains(secret))
}

/// A target that signs in with this token.
fn by_token(token: &str) -> crate::steady::Steady {
    let project = variable("OPENSTACK_TEST_PUBLISHER_PROJECT");
    let variables = [
        ("OS_AUTH_URL", variable("OPENSTACK_TEST_KEYSTONE")),
        ("OS_TOKEN", token.to_owned()),
        ("OS_PROJECT_ID", project),
    ];
    let cloud = Cloud::from_variables(variables.map(|(name, value)| (name.to_owned(), value))).unwrap();
    target_at(cloud, serde_json::from_value(json!({"cloud": "envvars"})).unwrap(), &owner())
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn a_token_in_the_environment_signs_in_and_a_wrong_one_is_said_without_repeating_it() {
    let token = Foreign::sign_in("publisher", "publisher").await.token().to_owned();
    let info = by_token(&token).info(&Context::detached()).await.unwrap();
    assert_eq!(info.place.account.as_str(), variable("OPENSTACK_TEST_PUBLISHER_PROJECT"));
    let wrong = "gAAAAAcanarytoken";
    let error = by_token(wrong).info(&Context::detached()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unauthenticated);
    assert!(error.advice().unwrap().contains("token"));
    assert!(!format!("{error:?} {:?}", error.chain()).contains(wrong));
}

#[tokio::test]
#[ignore = "needs the servers that tests/run starts"]
async fn an_application_credential_that_is_unknown_or_has_another_secret_is_a_failed_sign_in() {
    let publisher = [("OS_USERNAME", "publisher"), ("OS_USER_DOMAIN_ID", "default")];
    let nobody = [("OS_USERNAME", "nobody"), ("OS_USER_DOMAIN_ID", "default")];
    // Keystone says 404 to an unknown id or user, and 401 to the rest.
    for (key, value, user, status) in [
        ("OS_APPLICATION_CREDENTIAL_ID", "0123456789", None, "404"),
        ("OS_APPLICATION_CREDENTIAL_NAME", "unknown", Some(nobody), "404"),
        ("OS_APPLICATION_CREDENTIAL_NAME", "unknown", Some(publisher), "401"),
        ("OS_APPLICATION_CREDENTIAL_NAME", "ci", Some(publisher), "401"),
    ] {
        let keystone = variable("OPENSTACK_TEST_KEYSTONE");
        let given = [("OS_AUTH_URL", &*keystone), ("OS_APPLICATION_CREDENTIAL_SECRET", "canary-secret"), (key, value)];
        let variables = given.into_iter().chain(user.into_iter().flatten());
        let cloud = Cloud::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap();
        let target = target_at(cloud, serde_json::from_value(json!({"cloud": "envvars"})).unwrap(), &owner());
        let error = target.info(&Context::detached()).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (Kind::Unauthenticated, Retry::Never), "{value}: {error:?}");
        let shown = format!("{error:?} {:?}", error.chain());
        assert!(shown.contains(status) && !shown.contains("canary-secret"), "{value}: {shown}");
        assert!(error.advice().unwrap().contains("credential"), "{error:?}");
    }
}
