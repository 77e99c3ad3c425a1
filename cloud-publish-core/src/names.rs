//! The words at the seams: a type for each kind of name, so that a region is never taken for an account.
//!
//! All of them are checked where they enter (manifest, configuration, a cloud's answer) and only carried after that.

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};

/// Where a name's characters come from: our own files (narrow), or a cloud's answer (whatever it says).
fn plain(what: &'static str, text: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '~');
    let starts = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
    if starts && text.len() <= 128 && text.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::new(Kind::InvalidInput, format!("`{text}` is not a usable {what}")).hint(format!(
        "a {what} starts with a letter or digit and has only letters, digits and - _ . + ~, at most 128"
    )))
}

fn any(what: &'static str, text: &str) -> Result<()> {
    if text.is_empty() || text.chars().any(|c| c.is_control()) {
        return Err(Error::new(Kind::InvalidInput, format!("`{}` is not a usable {what}", text.escape_debug())));
    }
    Ok(())
}

macro_rules! name {
    ($(#[doc = $doc:literal])+ $name:ident, $what:literal, $check:ident) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks and wraps a text.
            ///
            /// # Errors
            /// [`Kind::InvalidInput`] when it has characters that this kind of name may not have.
            pub fn new(text: impl Into<String>) -> Result<Self> {
                let text = text.into();
                $check($what, &text)?;
                Ok(Self(text))
            }

            /// The text itself.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = Error;
            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;
            fn try_from(text: String) -> Result<Self> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name! {
    /// Who publishes: `debian`. In every tag we set; objects of another owner are foreign.
    Owner, "owner", plain
}
name! {
    /// A set of images built together: `bookworm-20240101`.
    ReleaseName, "release name", plain
}
name! {
    /// The distribution's series: `bookworm`.
    Suite, "suite", plain
}
name! {
    /// The version of a release's images: `20240101-1614`.
    Version, "version", plain
}
name! {
    /// What sort of image: `genericcloud`.
    Variant, "variant", plain
}
name! {
    /// The processor architecture in the distribution's words: `amd64`, `arm64`.
    Arch, "architecture", plain
}
name! {
    /// The name of a `[target.NAME]` in publish.toml.
    TargetName, "target name", plain
}
name! {
    /// What kind of cloud: `local`, `openstack`, `aws`, `azure`, `gce`, `memory`.
    Provider, "provider", plain
}
name! {
    /// Whose place at the cloud: account, project or subscription id; for `local` the directory.
    Account, "account", any
}
name! {
    /// One region of a cloud in that cloud's words; `global` for GCE, `local` for a directory.
    Region, "region", any
}
name! {
    /// The cloud's own identifier of an image.
    ImageId, "image id", any
}
name! {
    /// The name under which an image is registered, made by `naming.image`.
    ImageName, "image name", any
}
name! {
    /// What was made from the artifact for one target: `as-is`, `vhd`, `gce-tar-gz`.
    Rendition, "rendition", plain
}
name! {
    /// A name that resolves to the newest image of a line, in its cloud's words.
    PointerName, "pointer name", any
}

/// Decides retention and visibility defaults of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Stays until its suite's end of life.
    Release,
    /// Ephemeral: superseded every day.
    Daily,
    /// Somebody's try.
    Dev,
}

impl Class {
    /// The word in manifests and tags.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Daily => "daily",
            Self::Dev => "dev",
        }
    }

    /// What the templates' `{class_suffix}` becomes: `""`, `"-daily"` or `"-dev"`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Release => "",
            Self::Daily => "-daily",
            Self::Dev => "-dev",
        }
    }
}

impl Display for Class {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Class {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "release" => Ok(Self::Release),
            "daily" => Ok(Self::Daily),
            "dev" => Ok(Self::Dev),
            other => Err(Error::new(Kind::InvalidInput, format!("`{other}` is not a class"))
                .hint("a class is release, daily or dev")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, ReleaseName};

    #[test]
    fn names_from_our_files_cannot_leave_a_folder() {
        for bad in ["", "../etc", "a/b", ".hidden", "a b", "a\0"] {
            assert!(ReleaseName::new(bad).is_err(), "{bad:?}");
        }
        assert_eq!(ReleaseName::new("bookworm-20240101").unwrap().as_str(), "bookworm-20240101");
    }

    #[test]
    fn classes_round_trip() {
        for class in [Class::Release, Class::Daily, Class::Dev] {
            assert_eq!(class.as_str().parse::<Class>().unwrap(), class);
        }
    }
}
