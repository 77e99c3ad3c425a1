//! The `format`s of our JSON Schemas: which texts a key takes, checked by the type that carries the value later.
//!
//! A schema generated from a type says only "string" for a checked name. [`Checked`] puts a `format` word there, and
//! [`check`] is what the validator asks, so that a bad name is found together with all other problems of a file.

use std::borrow::Cow;
use std::marker::PhantomData;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::digests::{Sha256, Sha512};
use super::paths::RelativePath;
use super::span::Span;
use super::state::State;
use super::template::Template;
use crate::error::{Error, Kind, Result};
use crate::names::{Arch, Owner, Provider, Region, ReleaseName, Suite, TargetName, Variant, Version};

/// The `format` of a path that is resolved against the folder of publish.toml.
pub(crate) const CONFIG_PATH: &str = "path";
/// The `format` of moments in time, which TOML writes without quotes.
pub(crate) const DATE_TIME: &str = "date-time";
/// The `format` of a word of a command line.
pub(crate) const ARGUMENT: &str = "argument";

/// A type whose texts have a `format` in our schemas.
pub(crate) trait Word {
    const FORMAT: &'static str;
}

/// Stands in a schema (`#[schemars(with = "Checked<Suite>")]`) for a text that `T` checks.
pub(crate) struct Checked<T>(PhantomData<T>);

impl<T: Word> JsonSchema for Checked<T> {
    fn schema_name() -> Cow<'static, str> {
        T::FORMAT.into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": T::FORMAT})
    }
}

/// Stands in a schema for names and texts that become tags or properties of images.
pub(crate) struct Tags;

impl JsonSchema for Tags {
    fn schema_name() -> Cow<'static, str> {
        "Tags".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": {"type": "string"},
            "propertyNames": {"format": "tag-name"},
        })
    }
}

macro_rules! formats {
    ($($type:ident $format:literal,)+) => {
        $(impl Word for $type { const FORMAT: &'static str = $format; })+

        /// Checks a text against a format; formats that are not ours accept everything.
        ///
        /// # Errors
        /// [`Kind::InvalidInput`] as the type of that format words it.
        pub(crate) fn check(format: &str, text: &str) -> Result<()> {
            match format {
                $($format => text.parse::<$type>().map(drop),)+
                "suite-id" => text.parse::<Suite>().map(drop).map_err(|e| {
                    Error::new(Kind::InvalidInput, format!("{} is not a usable suite id", super::words::quote(text)))
                        .hint(e.advice().unwrap_or_default().replace("a suite ", "a suite id "))
                }),
                "tag-name" => tag_name(text),
                CONFIG_PATH => super::paths::config_path(text),
                DATE_TIME => moment(text),
                ARGUMENT => argument(text),
                _ => Ok(()),
            }
        }
    };
}

formats! {
    Arch "architecture",
    Owner "owner",
    Provider "provider",
    Region "region",
    RelativePath "relative-path",
    ReleaseName "release-name",
    Sha256 "sha256",
    Sha512 "sha512",
    Span "time-span",
    State "state",
    Suite "suite",
    TargetName "target-name",
    Template "template",
    Variant "variant",
    Version "version",
}

fn moment(text: &str) -> Result<()> {
    text.parse::<Timestamp>().map(drop).map_err(|_| {
        Error::new(Kind::InvalidInput, format!("{} is not a moment in time", super::words::quote(text)))
            .hint("write date, time and zone: 2024-01-01T00:00:00Z")
    })
}

fn argument(text: &str) -> Result<()> {
    if text.contains('\0') {
        return Err(Error::new(Kind::InvalidInput, "an argument of a command cannot hold the character NUL"));
    }
    Ok(())
}

fn tag_name(text: &str) -> Result<()> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(Error::new(Kind::InvalidInput, format!("{} is not a usable tag name", super::words::quote(text))));
    }
    if text.to_lowercase().replace('_', "-").starts_with("cloud-publish") {
        let message = format!("the tag {} is set by this program itself", super::words::quote(text));
        return Err(
            Error::new(Kind::InvalidInput, message).hint("choose a name that does not start with cloud-publish")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn tags_of_our_own_cannot_be_overwritten() {
        assert!(check("tag-name", "team").is_ok());
        for bad in ["", "cloud-publish-owner", "Cloud_Publish_key", "a\nb"] {
            assert!(check("tag-name", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_moment_needs_its_zone() {
        assert!(check("date-time", "2024-01-01T00:00:00Z").is_ok());
        let error = check("date-time", "2024-01-01").unwrap_err();
        assert_eq!(error.message(), "`2024-01-01` is not a moment in time");
        assert!(error.advice().unwrap().contains("2024-01-01T00:00:00Z"));
    }

    #[test]
    fn a_suite_id_is_called_by_its_name_and_foreign_formats_accept_everything() {
        let error = check("suite-id", "a/b").unwrap_err();
        assert!(error.advice().unwrap().starts_with("a suite id starts with"));
        assert!(check("uri", "whatever").is_ok());
    }
}
