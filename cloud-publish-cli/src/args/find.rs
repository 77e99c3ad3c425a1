//! The options of `publish find`.

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use cloud_publish_core::digest::Digest;
use cloud_publish_core::names::{
    Arch, Class, ImageId, Provider, Region, ReleaseName, Suite, TargetName, Variant, Version,
};
use cloud_publish_core::survey::Life;

/// `publish find`: every filter may name several, separated by commas.
#[derive(Args, Clone, Debug)]
pub(crate) struct FindArgs {
    /// Only these releases
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) release: Vec<ReleaseName>,
    /// Only these suites
    #[arg(long, value_name = "SUITES", value_delimiter = ',')]
    pub(crate) suite: Vec<Suite>,
    /// Only these versions
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',')]
    pub(crate) version: Vec<Version>,
    /// Only these classes
    #[arg(long, value_name = "CLASSES", value_delimiter = ',', value_parser = classes())]
    pub(crate) class: Vec<Class>,
    /// Only these kinds of cloud
    #[arg(long, value_name = "PROVIDERS", value_delimiter = ',')]
    pub(crate) provider: Vec<Provider>,
    /// Only these targets
    #[arg(long, value_name = "TARGETS", value_delimiter = ',')]
    pub(crate) target: Vec<TargetName>,
    /// Only these regions
    #[arg(long, value_name = "REGIONS", value_delimiter = ',')]
    pub(crate) region: Vec<Region>,
    /// Only these variants
    #[arg(long, value_name = "VARIANTS", value_delimiter = ',')]
    pub(crate) variant: Vec<Variant>,
    /// Only these architectures
    #[arg(long, value_name = "ARCHS", value_delimiter = ',')]
    pub(crate) arch: Vec<Arch>,
    /// Only images with these ids
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    pub(crate) id: Vec<ImageId>,
    /// Only images with these contents: `sha256:` and 64 hexadecimal digits, or at least 8 of them from the first on
    #[arg(long, value_name = "DIGESTS", value_delimiter = ',')]
    pub(crate) digest: Vec<DigestStart>,
    /// Only images in these states
    #[arg(long, value_name = "STATES", value_delimiter = ',', value_enum, default_value = "published")]
    pub(crate) state: Vec<StateWord>,
    /// Of what fits, only the newest release of each line
    #[arg(long)]
    pub(crate) latest: bool,
    /// Print CSV with a header row (RFC 4180)
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

/// The classes by their words in manifests.
fn classes() -> impl TypedValueParser<Value = Class> {
    let words = [Class::Release, Class::Daily, Class::Dev].map(Class::as_str);
    PossibleValuesParser::new(words).try_map(|word| word.parse::<Class>())
}

/// How a content digest begins, in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DigestStart(String);

impl DigestStart {
    /// Fewer digits may be those of another image by chance.
    const FEWEST: usize = 8;

    /// Whether a digest begins like this.
    pub(crate) fn begins(&self, digest: &Digest) -> bool {
        digest.to_string().trim_start_matches("sha256:").starts_with(&self.0)
    }
}

impl FromStr for DigestStart {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text).to_lowercase();
        let is_hex = digits.chars().all(|c| c.is_ascii_hexdigit());
        match (Self::FEWEST..=64).contains(&digits.len()) && is_hex {
            true => Ok(Self(digits)),
            false => {
                Err(format!("not a sha256 of 64 hexadecimal digits, nor at least the first {} of one", Self::FEWEST))
            }
        }
    }
}

/// A state in the life of an image that the catalogue can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StateWord {
    /// The bytes are at the cloud
    Staged,
    /// A private image
    Registered,
    /// A private image in every wanted region
    Replicated,
    /// Usable by those it is for
    Published,
    /// Usable by id, found by nobody
    Hidden,
    /// Not usable for new machines; restorable
    Retired,
    /// Gone
    Deleted,
    /// Whatever the state
    Any,
}

impl StateWord {
    /// Whether an image in this state is meant.
    pub(crate) fn means(self, life: Life) -> bool {
        match self {
            Self::Staged => life == Life::Staged,
            Self::Registered => life == Life::Registered,
            Self::Replicated => life == Life::Replicated,
            Self::Published => life == Life::Published,
            Self::Hidden => life == Life::Hidden,
            Self::Retired => life == Life::Retired,
            Self::Deleted => life == Life::Deleted,
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::digest::Digest;

    use super::DigestStart;

    #[test]
    fn a_digest_is_found_by_its_first_digits() {
        let digest: Digest = format!("sha256:{}", "0123456789abcdef".repeat(4)).parse().unwrap();
        for start in ["01234567", "sha256:0123456789ABCDEF", &digest.to_string()] {
            assert!(start.parse::<DigestStart>().unwrap().begins(&digest), "{start}");
        }
        assert!(!"11234567".parse::<DigestStart>().unwrap().begins(&digest));
        for bad in ["0123", "0123456x", "sha512:01234567"] {
            assert!(bad.parse::<DigestStart>().is_err(), "{bad}");
        }
    }
}
