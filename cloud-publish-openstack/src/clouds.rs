//! Reads `clouds.yaml`, the file in which every OpenStack tool looks for its clouds.
//!
//! Owns the shape of an entry and which of its keys are understood. Where the file lies
//! (`OS_CLIENT_CONFIG_FILE`, `./clouds.yaml`, `~/.config/openstack`, `/etc/openstack`) is the caller's matter.
//! <https://docs.openstack.org/openstacksdk/latest/user/config/configuration.html>

mod auth;
mod entry;
mod variables;
mod yaml;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::Region;
use cloud_publish_core::secret::Secret;
use reqwest::Url;
use serde_yaml_ng::Value;

use crate::config::Interface;

/// A `clouds.yaml` with the `secure.yaml` beside it.
///
/// Its `Debug` shows only where it lies: the file holds passwords.
pub struct CloudsFile {
    path: PathBuf,
    clouds: Value,
}

impl std::fmt::Debug for CloudsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CloudsFile").field("path", &self.path).finish_non_exhaustive()
    }
}

/// One entry of `clouds.yaml`: where a cloud is and as whom to go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cloud {
    /// The entry's name.
    pub name: String,
    /// Keystone's URL, with or without `/v3`.
    pub auth_url: Url,
    /// As whom, and for which project.
    pub auth: Auth,
    /// The regions that the entry names; empty when it names none.
    pub regions: Vec<String>,
    /// Which of a service's endpoints to use.
    pub interface: Interface,
    /// Where Glance is, if the catalogue is not to be asked.
    pub image_endpoint: Option<Url>,
    /// Where single regions' Glance is: `values` of an entry of `regions`.
    pub image_endpoints: BTreeMap<String, Url>,
    /// A PEM file with the certificate authorities to trust besides the system's.
    pub cacert: Option<PathBuf>,
    /// The PEM files of our own certificate and its key, for servers that ask for one.
    pub client: Option<ClientCertificate>,
    /// Whether the servers' certificates are checked.
    pub verify: bool,
}

/// The PEM files of `cert` and `key`; without a key it is in the certificate's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, with its chain.
    pub certificate: PathBuf,
    /// The key, not encrypted.
    pub key: Option<PathBuf>,
}

/// How to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// `password`, `v3password`.
    Password {
        /// Who.
        user: Named,
        /// The password.
        password: Secret,
        /// The project whose images these are.
        project: Named,
    },
    /// `token`, `v3token`: a token that somebody else has got. It cannot be renewed when it ends.
    Token {
        /// The token.
        token: Secret,
        /// The project whose images these are.
        project: Named,
    },
    /// `v3applicationcredential`: made for one project, which it therefore does not name.
    ApplicationCredential {
        /// Which.
        credential: Credential,
        /// Its secret.
        secret: Secret,
    },
}

impl Auth {
    /// What is sent and must never be seen.
    pub(crate) fn secret(&self) -> &Secret {
        match self {
            Self::Password { password, .. } => password,
            Self::Token { token, .. } => token,
            Self::ApplicationCredential { secret, .. } => secret,
        }
    }
}

/// An application credential as `clouds.yaml` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// By its own id.
    Id(String),
    /// By a name among those of its user.
    Name {
        /// The name.
        name: String,
        /// Whose it is.
        user: Named,
    },
}

/// A user or project as `clouds.yaml` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its own id.
    Id(String),
    /// By a name within a domain.
    Name {
        /// The name.
        name: String,
        /// The domain it is unique in.
        domain: Domain,
    },
}

/// A Keystone domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Domain {
    /// By its id; `default` where the file names none.
    Id(String),
    /// By its name.
    Name(String),
}

impl Cloud {
    /// The entry that the variables `OS_AUTH_URL`, `OS_USERNAME`, ... describe, which OpenStack's tools call `envvars`;
    /// other variables are left alone.
    ///
    /// ```
    /// use cloud_publish_openstack::Cloud;
    /// let variables = [
    ///     ("OS_AUTH_URL", "https://keystone.example.org/v3"),
    ///     ("OS_APPLICATION_CREDENTIAL_ID", "b7c1"),
    ///     ("OS_APPLICATION_CREDENTIAL_SECRET", "not-a-real-one"),
    /// ];
    /// let cloud = Cloud::from_variables(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))?;
    /// assert_eq!(cloud.name, "envvars");
    /// # Ok::<(), cloud_publish_core::error::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`CloudsFile::cloud`].
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        variables::read(variables)
    }

    /// Where a region's Glance is, if the catalogue is not to be asked.
    pub(crate) fn image_endpoint_in(&self, region: &Region) -> Option<&Url> {
        self.image_endpoints.get(region.as_str()).or(self.image_endpoint.as_ref())
    }

    /// Reads `~/` at the beginning of its files' names as this folder, as OpenStack's tools do.
    #[must_use]
    pub fn with_home(mut self, home: &Path) -> Self {
        let client = self.client.iter_mut().flat_map(|client| [Some(&mut client.certificate), client.key.as_mut()]);
        for file in client.flatten().chain(self.cacert.as_mut()) {
            if let Ok(inside) = file.strip_prefix("~") {
                *file = home.join(inside);
            }
        }
        self
    }
}

impl CloudsFile {
    /// Reads a `clouds.yaml`, and the `secure.yaml` (or `secure.yml`) in the same folder on top of it.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] naming the file and the line; no value of the file is ever repeated.
    pub fn read(path: &Path) -> Result<Self> {
        let mut file = yaml::read(path)?;
        for name in ["secure.yaml", "secure.yml"] {
            let secure = path.with_file_name(name);
            if secure.is_file() {
                yaml::merge(&mut file, yaml::read(&secure)?);
                break;
            }
        }
        let clouds =
            file.get("clouds").filter(|clouds| clouds.is_mapping()).cloned().ok_or_else(|| {
                Error::new(Kind::InvalidInput, "the file has no `clouds`").with("file", path.display())
            })?;
        Ok(Self { path: path.to_owned(), clouds })
    }

    /// The names of its entries, sorted.
    pub fn names(&self) -> Vec<String> {
        let keys = self.clouds.as_mapping().into_iter().flat_map(|entries| entries.keys());
        let mut names: Vec<String> = keys.filter_map(|key| key.as_str().map(ToOwned::to_owned)).collect();
        names.sort();
        names
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] when it is missing, incomplete, misspelt, or has an `auth_type` other than those of [`Auth`].
    pub fn cloud(&self, name: &str) -> Result<Cloud> {
        let entry = self.clouds.get(name).ok_or_else(|| {
            Error::new(Kind::InvalidInput, format!("there is no cloud `{name}` in clouds.yaml"))
                .hint(format!("its clouds are: {}", self.names().join(", ")))
        });
        entry.and_then(|entry| entry::read(name, entry)).map_err(|error| error.with("file", self.path.display()))
    }
}
