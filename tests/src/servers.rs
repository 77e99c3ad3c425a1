//! The servers that `tests/run` started, as it describes them in the environment. Starts none.

use std::env;
use std::path::PathBuf;

/// The regions of the test cloud. Each is a Glance of its own; they share a Keystone.
pub const REGIONS: [&str; 2] = ["RegionOne", "RegionTwo"];

/// The entry of clouds.yaml that may do everything in project publisher, public images too.
pub const PUBLISHER_ADMIN: &str = "publisher-admin";
/// The entry of a plain member of project publisher, who may not make images public.
pub const MEMBER: &str = "member";
/// The entry of a member of another project, who uses what is published.
pub const CONSUMER: &str = "consumer";
/// The entry of a project that may keep 8 MiB and 3 images in each region.
pub const SMALL_QUOTA: &str = "smallquota";
/// The entry of the same user as [`PUBLISHER_ADMIN`] that goes through TLS with an authority of its own.
pub const TLS: &str = "tls";
/// The entry with a wrong password.
pub const DENIED: &str = "denied";

/// One Keystone and two Glance regions on loopback.
#[derive(Debug, Clone)]
pub struct OpenStack {
    /// The clouds.yaml with the entries named by this module's constants; each spans both [`REGIONS`].
    pub clouds_file: PathBuf,
    /// The program `openstack` of python-openstackclient.
    pub client: PathBuf,
    /// A Python that has openstacksdk.
    pub python: PathBuf,
    /// The URL of Keystone, with `/v3`.
    pub keystone: String,
    /// The URLs of Glance, in the order of [`REGIONS`], without a version.
    pub glance: [String; 2],
    /// The id of the project that [`PUBLISHER_ADMIN`] and [`MEMBER`] belong to.
    pub publisher_project: String,
    /// The id of the project of [`CONSUMER`].
    pub consumer_project: String,
    /// The id of the project of [`SMALL_QUOTA`].
    pub small_quota_project: String,
}

impl OpenStack {
    /// Finds the servers of this test run.
    ///
    /// # Panics
    /// If the environment does not name them, saying how to start them.
    pub fn from_env() -> Self {
        Self {
            clouds_file: variable("OS_CLIENT_CONFIG_FILE").into(),
            client: variable("OPENSTACK_TEST_CLI").into(),
            python: variable("OPENSTACK_TEST_PYTHON").into(),
            keystone: variable("OPENSTACK_TEST_KEYSTONE"),
            glance: [variable("OPENSTACK_TEST_GLANCE_ONE"), variable("OPENSTACK_TEST_GLANCE_TWO")],
            publisher_project: variable("OPENSTACK_TEST_PUBLISHER_PROJECT"),
            consumer_project: variable("OPENSTACK_TEST_CONSUMER_PROJECT"),
            small_quota_project: variable("OPENSTACK_TEST_SMALLQUOTA_PROJECT"),
        }
    }
}

/// Makes up an owner that no other test has, so that tests which share the servers do not see each other's images.
///
/// A lower-case word of at most 40 characters, beginning with `test`: good as `owner` in publish.toml.
pub fn unique_owner(test: &str) -> String {
    let id = uuid::Uuid::new_v4().simple().to_string();
    let (id, _) = id.split_at(12);
    let word: String = test.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    format!("test-{}-{id}", word.to_ascii_lowercase())
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| {
        panic!(
            "the environment has no {name}: start the tests with tests/run (`tests/run --only NAME` for one of them), \
             or source what `tests/run --serve` prints"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::unique_owner;

    #[test]
    fn owners_differ_and_are_short_plain_words() {
        let owner = unique_owner("A rerun of a Finished release, written out");
        assert_ne!(owner, unique_owner("A rerun of a Finished release, written out"));
        assert!(owner.starts_with("test-arerunofafinishedrel-"), "{owner}");
        assert!(owner.len() <= 40, "{owner}");
    }
}
