//! The variables by which OpenStack's tools are told of a cloud, read as an entry of `clouds.yaml`.
//!
//! `OS_` and a key in capitals: <https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html>.

use cloud_publish_core::error::Result;
use serde_yaml_ng::{Mapping, Value};

use super::{Cloud, entry};

/// What OpenStack's tools call this cloud.
const NAME: &str = "envvars";

/// The keys that stand beside `auth`; every other one is part of it.
const BESIDE_AUTH: [&str; 11] = [
    "auth_type",
    "region_name",
    "interface",
    "endpoint_type",
    "image_endpoint_override",
    "cacert",
    "cert",
    "key",
    "verify",
    "insecure",
    "profile",
];

pub(super) fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Cloud> {
    let (mut beside, mut auth) = (Mapping::new(), Mapping::new());
    for (name, value) in variables {
        let Some(key) = name.strip_prefix("OS_").map(str::to_ascii_lowercase) else { continue };
        let part = if BESIDE_AUTH.contains(&key.as_str()) { &mut beside } else { &mut auth };
        if !value.is_empty() {
            part.insert(Value::String(key), Value::String(value));
        }
    }
    beside.insert(Value::String("auth".to_owned()), Value::Mapping(auth));
    entry::read(NAME, &Value::Mapping(beside))
        .map_err(|error| error.hint("keys are variables in capitals: `auth.auth_url` is OS_AUTH_URL"))
}
