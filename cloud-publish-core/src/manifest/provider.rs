//! How a provider tells which keys its targets have; the core knows no provider by name, except its own `local`.

use schemars::{JsonSchema, Schema};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::decode::{self, Failure};
use super::document::Way;
use super::schema::schema_of;
use super::visibility::Visibility;
use crate::error::Result;

/// The keys of one provider's `[target.NAME]`, besides those that every target has.
///
/// The type should `#[serde(deny_unknown_fields)]` and describe its fields: descriptions, defaults and words go into
/// the JSON Schema that editors use. A text with `#[schemars(extend("format" = "path"))]` arrives resolved against the
/// folder of publish.toml.
pub trait ProviderConfig: DeserializeOwned + JsonSchema {
    /// The word after `provider =`.
    const PROVIDER: &'static str;
    /// Who may see images of a target that does not say.
    const VISIBILITY: Visibility;

    /// Whether its targets have regions; if not, `regions`, `best_effort` and `deny` are unknown keys there.
    const REGIONS: bool;

    /// Names the account, project or folder as far as the configuration tells: two targets of a provider with one
    /// place are refused, because they would hold each other's images for their own.
    fn place(&self) -> String;

    /// Checks what the types cannot say. A failure is shown at the line of the key that [`Error::with`]`("key", ...)`
    /// names, else at the target's.
    ///
    /// [`Error::with`]: crate::error::Error::with
    ///
    /// # Errors
    /// [`InvalidInput`](crate::error::Kind::InvalidInput) with a hint.
    fn check(&self) -> Result<()>;
}

/// A [`ProviderConfig`] as a value, so that the configuration can be read for providers that the core does not know.
#[derive(Clone, Debug)]
pub struct ProviderSchema {
    /// The word after `provider =`.
    pub provider: &'static str,
    /// The JSON Schema of the provider's own keys.
    pub(crate) schema: fn() -> Schema,
    /// Decodes and checks the own keys; returns the place.
    pub(crate) place: fn(&Value) -> Result<String, Failure>,
    /// Who may see images of a target that does not say.
    pub(crate) visibility: Visibility,
    /// Whether its targets have regions.
    pub(crate) regions: bool,
}

impl ProviderSchema {
    /// The description of a provider's keys.
    pub fn of<T: ProviderConfig>() -> Self {
        Self {
            provider: T::PROVIDER,
            schema: schema_of::<T>,
            place: place::<T>,
            visibility: T::VISIBILITY,
            regions: T::REGIONS,
        }
    }
}

fn place<T: ProviderConfig>(table: &Value) -> Result<String, Failure> {
    let config: T = decode::value(table)?;
    config.check().map_err(|error| Failure {
        way: Way::keys(error.context("key").as_slice()),
        message: error.message().to_owned(),
        hint: error.advice().map(ToOwned::to_owned),
    })?;
    Ok(config.place())
}
