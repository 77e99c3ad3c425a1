//! The one file that knows every provider by name: their keys in publish.toml, and how a target becomes a [`Publisher`].
//!
//! A further cloud is a crate, a feature and a few lines here. A provider whose verbs are not written yet is refused by
//! name when one of its targets is asked for; one that this build leaves out is an unknown word in publish.toml.

use std::path::absolute;
use std::sync::Arc;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::local::{Local, LocalConfig, LocalSettings};
use cloud_publish_core::manifest::{Config, ProviderSchema, Release, TargetConfig};
use cloud_publish_core::publisher::Publisher;

use crate::settings::Settings;

/// The keys of every provider that this build knows.
pub(crate) fn schemas() -> Vec<ProviderSchema> {
    vec![
        ProviderSchema::of::<LocalConfig>(),
        #[cfg(feature = "aws")]
        cloud_publish_aws::provider_schema(),
        #[cfg(feature = "azure")]
        cloud_publish_azure::provider_schema(),
        #[cfg(feature = "gce")]
        cloud_publish_gce::provider_schema(),
        #[cfg(feature = "openstack")]
        cloud_publish_openstack::provider_schema(),
    ]
}

/// Makes the publisher of a target; asks no server.
///
/// # Errors
/// [`Kind::Unsupported`] for a provider without verbs in this build; what the provider says of its settings.
#[cfg_attr(not(feature = "openstack"), expect(unused_variables, reason = "only OpenStack looks beyond publish.toml"))]
pub(crate) fn publisher(settings: &Settings, config: &Config, target: &TargetConfig) -> Result<Arc<dyn Publisher>> {
    match target.provider.as_str() {
        LOCAL => local(config, target),
        #[cfg(feature = "aws")]
        AWS => aws(config, target),
        #[cfg(feature = "openstack")]
        OPENSTACK => openstack(settings, config, target),
        provider => Err(unsupported(provider)),
    }
    .map_err(|error| error.with("target", &target.name))
}

const LOCAL: &str = "local";
#[cfg(feature = "aws")]
const AWS: &str = "aws";
#[cfg(feature = "openstack")]
const OPENSTACK: &str = "openstack";

/// A provider whose keys are known, and nothing else. One that this build leaves out is refused when publish.toml is read.
fn unsupported(provider: &str) -> Error {
    Error::new(Kind::Unsupported, format!("the provider {provider} is not implemented yet"))
        .hint("name other targets with --to")
}

/// Checks what a target's own keys mean for the artifacts of a release.
///
/// # Errors
/// [`Kind::InvalidInput`] when the target could not take one of them.
pub(crate) fn check_release(target: &TargetConfig, release: &Release) -> Result<()> {
    if target.provider.as_str() != LOCAL {
        return Ok(());
    }
    let own: LocalConfig = target.own()?;
    let mut taken = release.artifacts.iter().filter(|artifact| target.takes(release, artifact));
    taken.try_for_each(|artifact| own.check_artifact(artifact)).map_err(|error| error.with("target", &target.name))
}

fn local(config: &Config, target: &TargetConfig) -> Result<Arc<dyn Publisher>> {
    let LocalConfig { path, formats, base_url } = target.own()?;
    let path = absolute(&path).map_err(|error| {
        Error::new(Kind::InvalidInput, format!("`{}` is not a usable directory", path.display())).caused_by(error)
    })?;
    let settings = LocalSettings { target: target.name.clone(), owner: config.owner.clone(), path, formats, base_url };
    Ok(Arc::new(Local::new(settings)?))
}

#[cfg(feature = "aws")]
fn aws(config: &Config, target: &TargetConfig) -> Result<Arc<dyn Publisher>> {
    use cloud_publish_aws::{Aws, AwsSettings};

    let settings = AwsSettings {
        target: target.name.clone(),
        owner: config.owner.clone(),
        config: target.own()?,
        regions: target.regions.clone(),
        best_effort: target.best_effort.clone(),
        deny: target.deny.clone(),
        sdk: None,
    };
    Ok(Arc::new(Aws::new(settings)))
}

#[cfg(feature = "openstack")]
fn openstack(settings: &Settings, config: &Config, target: &TargetConfig) -> Result<Arc<dyn Publisher>> {
    use cloud_publish_openstack::{OpenStack, OpenStackConfig, OpenStackSettings};

    let own: OpenStackConfig = target.own()?;
    let cloud = settings.clouds.cloud(&own.cloud)?;
    let settings = OpenStackSettings {
        target: target.name.clone(),
        owner: config.owner.clone(),
        cloud,
        config: own,
        regions: target.regions.clone(),
        best_effort: target.best_effort.clone(),
        deny: target.deny.clone(),
    };
    Ok(Arc::new(OpenStack::new(settings)?))
}
