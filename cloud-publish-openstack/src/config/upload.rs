//! The keys that say how the bytes get to Glance.

use cloud_publish_core::error::{Error, Kind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OpenStackConfig;

/// How the bytes get to Glance. Where the cloud does not have the way, they are sent by `PUT`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum UploadWay {
    /// Straight into the image.
    #[default]
    Put,
    /// Into the cloud's staging area, from which it imports them: `glance-direct`. Reaches several stores.
    Import,
    /// The cloud fetches the file itself from `web_download_url`.
    WebDownload,
}

/// Which of the cloud's stores get an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "StoresFile", into = "StoresFile")]
#[schemars(with = "StoresFile")]
pub enum Stores {
    /// All that the cloud has; written "all".
    All,
    /// These; at least one.
    These(Vec<String>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
enum StoresFile {
    /// Every store that the cloud has.
    Word(All),
    /// These stores, by their ids.
    These(#[schemars(length(min = 1))] Vec<String>),
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum All {
    All,
}

impl From<StoresFile> for Stores {
    fn from(file: StoresFile) -> Self {
        match file {
            StoresFile::Word(All::All) => Self::All,
            StoresFile::These(stores) => Self::These(stores),
        }
    }
}

impl From<Stores> for StoresFile {
    fn from(stores: Stores) -> Self {
        match stores {
            Stores::All => Self::Word(All::All),
            Stores::These(stores) => Self::These(stores),
        }
    }
}

/// Checks what only several keys together say.
///
/// # Errors
/// [`Kind::InvalidInput`] naming the key.
pub(super) fn check(config: &OpenStackConfig) -> Result<()> {
    let wrong = |key: &'static str, message: &str| Error::new(Kind::InvalidInput, message.to_owned()).with("key", key);
    let downloads = config.upload == UploadWay::WebDownload;
    if downloads && config.web_download_url.is_none() {
        return Err(wrong("upload", "`web-download` needs `web_download_url`")
            .hint("say where the cloud finds the file, such as \"https://images.example.org/{version}.qcow2\""));
    }
    if !downloads && config.web_download_url.is_some() {
        return Err(
            wrong("web_download_url", "nothing is downloaded with this `upload`").hint("add upload = \"web-download\"")
        );
    }
    let several = match &config.stores {
        Some(Stores::All) => true,
        Some(Stores::These(stores)) => stores.len() > 1,
        None => false,
    };
    if several && config.upload == UploadWay::Put {
        return Err(wrong("stores", "`PUT` reaches one store").hint("add upload = \"import\""));
    }
    Ok(())
}
