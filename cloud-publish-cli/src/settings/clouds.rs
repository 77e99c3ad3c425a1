//! Where OpenStack's clouds.yaml is, and what the environment says of a cloud.

use std::env;
use std::ffi::OsString;
use std::fmt::{self, Debug, Formatter};
use std::path::PathBuf;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_openstack::{Cloud, CloudsFile};

/// The cloud that the variables OS_AUTH_URL, OS_USERNAME, ... describe, as all OpenStack tools call it.
const ENVIRONMENT: &str = "envvars";

/// Where clouds are described. Its `Debug` shows no variable's value: one of them is a password.
#[derive(Clone)]
pub(crate) struct Clouds {
    search: CloudsSearch,
    variables: Vec<(String, String)>,
    home: Option<PathBuf>,
}

impl Debug for Clouds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clouds").field("search", &self.search).finish_non_exhaustive()
    }
}

impl Clouds {
    /// Looks at the environment; opens nothing.
    pub(crate) fn from_environment() -> Self {
        Self {
            search: CloudsSearch::from_environment(),
            variables: variables(),
            home: variable("HOME").map(PathBuf::from),
        }
    }

    /// The cloud of this name: an entry of clouds.yaml, or `envvars`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] without a clouds.yaml; what the entry lacks.
    pub(crate) fn cloud(&self, name: &str) -> Result<Cloud> {
        let cloud = match name {
            ENVIRONMENT => Cloud::from_variables(self.variables.iter().cloned())?,
            name => CloudsFile::read(&self.search.find()?)?.cloud(name)?,
        };
        Ok(match &self.home {
            Some(home) => cloud.with_home(home),
            None => cloud,
        })
    }
}

/// Where OpenStack's clouds.yaml may lie, as all OpenStack tools look for it.
/// <https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CloudsSearch {
    /// `OS_CLIENT_CONFIG_FILE` names it: no other file will do, for it could lead to another cloud.
    Named(PathBuf),
    /// The first of these that is there.
    FirstOf(Vec<PathBuf>),
}

impl CloudsSearch {
    /// Looks at the environment; opens nothing.
    pub(crate) fn from_environment() -> Self {
        Self::new(
            variable("OS_CLIENT_CONFIG_FILE"),
            variable("XDG_CONFIG_HOME").map(PathBuf::from),
            variable("HOME").map(PathBuf::from),
        )
    }

    fn new(named: Option<OsString>, config_home: Option<PathBuf>, home: Option<PathBuf>) -> Self {
        if let Some(file) = named {
            return Self::Named(file.into());
        }
        let own = config_home.or_else(|| home.map(|home| home.join(".config"))).map(|folder| folder.join("openstack"));
        let folders = [Some(PathBuf::new()), own, Some("/etc/openstack".into())];
        let names = ["clouds.yaml", "clouds.yml"];
        Self::FirstOf(folders.into_iter().flatten().flat_map(|folder| names.map(|name| folder.join(name))).collect())
    }

    /// The file to read.
    ///
    /// # Errors
    /// [`Kind::NotFound`] naming where it was looked for.
    pub(crate) fn find(&self) -> Result<PathBuf> {
        match self {
            Self::Named(file) if file.is_file() => Ok(file.clone()),
            Self::Named(file) => {
                let message = format!("OS_CLIENT_CONFIG_FILE names `{}`, which is not a file", file.display());
                Err(Error::new(Kind::NotFound, message).hint("correct it, or unset it to use the usual places"))
            }
            Self::FirstOf(files) => files.iter().find(|file| file.is_file()).cloned().ok_or_else(|| {
                let places: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                Error::new(Kind::NotFound, "there is no clouds.yaml")
                    .hint(format!("set OS_CLIENT_CONFIG_FILE, or write one of {}", places.join(", ")))
            }),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the edge at which the environment is read")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The environment's part that OpenStack's tools read.
fn variables() -> Vec<(String, String)> {
    let all = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    all.filter(|(name, _)| name.starts_with("OS_")).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Clouds, CloudsSearch};

    #[test]
    fn the_cloud_envvars_is_made_of_variables_and_nothing_shows_them() {
        let set = [
            ("OS_AUTH_URL", "https://keystone.example.org"),
            ("OS_USERNAME", "joe"),
            ("OS_PASSWORD", "hunter2-canary"),
            ("OS_PROJECT_ID", "p1"),
            ("OS_CACERT", "~/ca.pem"),
        ];
        let clouds = Clouds {
            search: CloudsSearch::FirstOf(Vec::new()),
            variables: set.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
            home: Some("/home/joe".into()),
        };
        let cloud = clouds.cloud("envvars").unwrap();
        assert_eq!(cloud.cacert.as_deref(), Some(Path::new("/home/joe/ca.pem")));
        let shown = format!("{clouds:?} {cloud:?} {:?}", clouds.cloud("other").unwrap_err());
        assert!(!shown.contains("hunter2-canary"), "{shown}");
    }

    #[test]
    fn a_named_clouds_yaml_is_the_only_one_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("clouds.yaml");
        let search = CloudsSearch::new(Some(absent.clone().into()), None, Some(folder.path().into()));
        assert!(search.find().unwrap_err().to_string().contains("OS_CLIENT_CONFIG_FILE"));
        std::fs::write(&absent, "clouds: {}").unwrap();
        assert_eq!(search.find().unwrap(), absent);
    }

    #[test]
    fn the_usual_places_are_looked_at_in_the_order_of_other_tools() {
        let CloudsSearch::FirstOf(files) = CloudsSearch::new(None, None, Some("/home/me".into())) else {
            panic!("nothing is named")
        };
        let first: Vec<&Path> = files.iter().step_by(2).map(AsRef::as_ref).collect();
        let wanted = ["clouds.yaml", "/home/me/.config/openstack/clouds.yaml", "/etc/openstack/clouds.yaml"];
        assert_eq!(first, wanted.map(Path::new));
    }
}
