//! The release that was named.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::{Config, Release};
use cloud_publish_core::names::ReleaseName;

/// Reads the manifest of a release by the name that was typed.
///
/// # Errors
/// [`Kind::InvalidInput`] when there is no name, with those that there are; what [`Release::find`] says.
pub(crate) fn find_release(config: &Config, name: Option<&str>) -> Result<Release> {
    let Some(name) = name else {
        let error = Error::new(Kind::InvalidInput, "no release is named");
        let known = Release::list(&config.releases)?;
        return Err(match known.as_slice() {
            [] => error.hint(format!("`{}` has no manifests yet: write NAME.toml", config.releases.display())),
            names => error.hint(format!("name one with --release: {}", names.join(", "))),
        });
    };
    Release::find(&config.releases, &ReleaseName::new(name)?)
}
