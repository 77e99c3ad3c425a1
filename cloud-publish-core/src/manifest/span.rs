//! How long something may take, as publish.toml writes it: whole seconds, or a text such as `"30m"`.

use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::formats::Checked;
use super::words::quote;
use crate::error::{Error, Kind, Result};

/// The seconds of each unit.
const UNITS: [(char, u64); 4] = [('s', 1), ('m', 60), ('h', 3600), ('d', 86400)];

/// A time of at least a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SpanFile")]
pub(crate) struct Span(pub(crate) Duration);

/// A time as it is written.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum SpanFile {
    /// Whole seconds.
    Seconds(#[schemars(range(min = 1))] u32),
    /// A number with its unit: s, m, h or d.
    Text(#[schemars(with = "Checked<Span>")] String),
}

impl FromStr for Span {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let seconds = UNITS.iter().find_map(|(unit, seconds)| {
            let number = text.strip_suffix(*unit)?.trim_end();
            let plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| number.parse::<u32>().ok())?.map(|number| u64::from(number) * seconds)
        });
        seconds.filter(|seconds| *seconds > 0).map(|seconds| Self(Duration::from_secs(seconds))).ok_or_else(|| {
            Error::new(Kind::InvalidInput, format!("{} is not a length of time", quote(text)))
                .hint("write a whole number with its unit: \"90s\", \"30m\", \"2h\", \"1d\"")
        })
    }
}

impl TryFrom<SpanFile> for Span {
    type Error = Error;

    fn try_from(file: SpanFile) -> Result<Self> {
        match file {
            SpanFile::Seconds(0) => Err(Error::new(Kind::InvalidInput, "a length of time is at least a second")),
            SpanFile::Seconds(seconds) => Ok(Self(Duration::from_secs(seconds.into()))),
            SpanFile::Text(text) => text.parse(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn a_length_of_time_has_a_number_and_a_unit() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("2 h", 7200), ("1d", 86400)] {
            assert_eq!(text.parse::<Span>().unwrap().0.as_secs(), seconds, "{text}");
        }
        for bad in ["", "m", "30", "-1m", "+1m", "1.5h", "0s", "1w", "99999999999s", "1m30s"] {
            assert!(bad.parse::<Span>().is_err(), "{bad:?}");
        }
    }
}
