//! Who may see an image: the word of one image, and the policy of a target.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::names::Class;

/// Who may see and use an image.
///
/// Ordered from nobody to everybody. Not every cloud has all: AWS and GCE refuse `community`, Azure refuses `public`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Only the account that owns it.
    #[default]
    Private,
    /// The accounts or projects named, in the cloud's own words.
    SharedWith(#[schemars(length(min = 1))] Vec<String>),
    /// Everybody, but listed only for who asks for community images.
    Community,
    /// Everybody.
    Public,
}

impl Visibility {
    /// Whether somebody may see an image with `other` who may not with this.
    pub fn is_widened_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::SharedWith(now), Self::SharedWith(then)) => then.iter().any(|party| !now.contains(party)),
            _ => other > self,
        }
    }
}

impl Display for Visibility {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str("private"),
            Self::SharedWith(parties) => write!(f, "shared with {}", parties.join(", ")),
            Self::Community => f.write_str("community"),
            Self::Public => f.write_str("public"),
        }
    }
}

/// What a target makes of its images: the same for all, or by class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum VisibilityPolicy {
    /// The same for every class.
    Same(Visibility),
    /// A table per class; a class that it does not name stays private.
    PerClass(ClassVisibility),
}

/// The visibility of each class; an absent one is private.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClassVisibility {
    /// Of releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Visibility>,
    /// Of dailies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<Visibility>,
    /// Of somebody's tries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<Visibility>,
}

impl VisibilityPolicy {
    /// Who shall see the images of a class; named parties come sorted, each once.
    pub fn of(&self, class: Class) -> Visibility {
        let chosen = match (self, class) {
            (Self::Same(visibility), _) => Some(visibility),
            (Self::PerClass(table), Class::Release) => table.release.as_ref(),
            (Self::PerClass(table), Class::Daily) => table.daily.as_ref(),
            (Self::PerClass(table), Class::Dev) => table.dev.as_ref(),
        };
        match chosen.cloned().unwrap_or_default() {
            Visibility::SharedWith(mut parties) => {
                parties.sort();
                parties.dedup();
                Visibility::SharedWith(parties)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Visibility, VisibilityPolicy};
    use crate::names::Class;

    fn policy(value: serde_json::Value) -> VisibilityPolicy {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn one_word_counts_for_every_class() {
        assert_eq!(policy(json!("public")).of(Class::Dev), Visibility::Public);
    }

    #[test]
    fn a_class_that_the_table_leaves_out_is_private() {
        let table = policy(json!({"release": "public", "daily": {"shared_with": ["b", "a", "b"]}}));
        assert_eq!(table.of(Class::Release), Visibility::Public);
        assert_eq!(table.of(Class::Daily), Visibility::SharedWith(vec!["a".into(), "b".into()]));
        assert_eq!(table.of(Class::Dev), Visibility::Private);
    }
}
