//! Where the ledger lives: the `state` key of publish.toml. Opening it is the command line's work.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;

use super::paths::{config_path, resolve};
use super::words::{did_you_mean, quote};
use crate::error::{Error, Kind, Result};

/// The schemes of object stores that several machines can share.
const SCHEMES: [&str; 3] = ["s3", "gs", "az"];

/// Where the ledger, the leases and the catalogue are kept.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum State {
    /// A folder of this machine, resolved against the folder of publish.toml.
    Folder(PathBuf),
    /// An object store: `s3://bucket/prefix`, `gs://...` or `az://...`, as written.
    Url(String),
}

impl State {
    pub(crate) fn resolved(self, folder: &Path) -> Self {
        match self {
            Self::Folder(path) => Self::Folder(resolve(folder, path)),
            url @ Self::Url(_) => url,
        }
    }
}

impl Display for State {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
        }
    }
}

impl FromStr for State {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        config_path(text)?;
        let Some((scheme, rest)) = text.split_once("://") else { return Ok(Self::Folder(text.into())) };
        let bucket = rest.split('/').next().unwrap_or_default();
        if !SCHEMES.contains(&scheme) {
            let hint = did_you_mean(scheme, SCHEMES);
            return Err(Error::new(Kind::InvalidInput, format!("{} is not a known kind of state", quote(text)))
                .hint(hint.unwrap_or_else(|| "a state is a folder, or an s3://, gs:// or az:// address".to_owned())));
        }
        if bucket.is_empty() || bucket.contains('@') {
            return Err(Error::new(Kind::InvalidInput, format!("{} names no bucket", quote(text)))
                .hint(format!("write {scheme}://BUCKET/PREFIX, without credentials")));
        }
        Ok(Self::Url(text.to_owned()))
    }
}

impl TryFrom<String> for State {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::State;

    #[test]
    fn a_state_is_a_folder_or_a_known_address() {
        let folder = "state".parse::<State>().unwrap().resolved(Path::new("etc"));
        assert_eq!(folder, State::Folder("etc/state".into()));
        let url = "s3://bucket/prefix".parse::<State>().unwrap().resolved(Path::new("etc"));
        assert_eq!(url.to_string(), "s3://bucket/prefix");
        for bad in ["", "gcs://bucket", "s3://", "s3://key:secret@bucket"] {
            assert!(bad.parse::<State>().is_err(), "{bad}");
        }
    }
}
