//! Naming templates: `debian-{suite_id}-{variant}`. Which values the placeholders get is said in `naming`.

use std::fmt::{self, Debug, Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::words::{did_you_mean, list, quote};
use crate::error::{Error, Kind, Result};

macro_rules! placeholders {
    ($($name:ident $word:literal $doc:literal,)+) => {
        /// What a template may contain between braces.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Placeholder {
            $(#[doc = $doc] $name,)+
        }

        impl Placeholder {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word between the braces.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

placeholders! {
    Owner "owner" "The owner of publish.toml: `debian`.",
    Release "release" "The release's name: `bookworm-20240101`.",
    Suite "suite" "The suite: `bookworm`.",
    SuiteId "suite_id" "The suite's number: `12`.",
    Variant "variant" "The artifact's variant: `genericcloud`.",
    Arch "arch" "The artifact's architecture: `amd64`.",
    Class "class" "The class: `release`, `daily` or `dev`.",
    ClassSuffix "class_suffix" "Nothing for releases, else `-daily` or `-dev`.",
    Version "version" "The release's version: `20240101-1614`.",
    Date "date" "The release's day in UTC: `20240101`.",
    Target "target" "The target's name: `aws`.",
}

#[derive(Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value(Placeholder),
}

/// A text with placeholders in braces; `{{` and `}}` stand for single braces.
///
/// ```
/// use cloud_publish_core::manifest::{Placeholder, Template};
/// let template: Template = "debian-{suite_id}-{{x}}".parse()?;
/// assert_eq!(template.fill(|_: Placeholder| "12"), "debian-12-{x}");
/// # Ok::<(), cloud_publish_core::error::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template(Vec<Part>);

impl Template {
    /// The text with every placeholder replaced by what `value` says.
    pub fn fill<V: AsRef<str>>(&self, value: impl Fn(Placeholder) -> V) -> String {
        let mut filled = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Value(placeholder) => filled.push_str(value(*placeholder).as_ref()),
            }
        }
        filled
    }

    /// Whether a placeholder occurs in it.
    pub fn mentions(&self, placeholder: Placeholder) -> bool {
        self.0.contains(&Part::Value(placeholder))
    }
}

impl FromStr for Template {
    type Err = Error;

    /// # Errors
    /// [`Kind::InvalidInput`] for an unknown placeholder, a single brace, a control character or an empty text.
    fn from_str(text: &str) -> Result<Self> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(Error::new(Kind::InvalidInput, format!("{} is not a usable template", quote(text))));
        }
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.find(['{', '}']).and_then(|at| rest.split_at_checked(at)) {
            plain.push_str(before);
            if let Some(doubled) = after.strip_prefix("{{").or_else(|| after.strip_prefix("}}")) {
                plain.extend(after.chars().next());
                rest = doubled;
            } else if let Some((word, behind)) = after.strip_prefix('{').and_then(|inside| inside.split_once('}')) {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Value(placeholder(word)?));
                rest = behind;
            } else {
                return Err(Error::new(Kind::InvalidInput, format!("single brace in the template {}", quote(text)))
                    .hint("write `{{` and `}}` for braces that stay"));
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Self(parts))
    }
}

fn placeholder(word: &str) -> Result<Placeholder> {
    let known = || Placeholder::ALL.iter().map(|placeholder| placeholder.as_str());
    Placeholder::ALL.iter().find(|placeholder| placeholder.as_str() == word).copied().ok_or_else(|| {
        Error::new(Kind::InvalidInput, format!("unknown placeholder {}", quote(&format!("{{{word}}}"))))
            .hint(did_you_mean(word, known()).unwrap_or_else(|| format!("known are {}", list(known()))))
    })
}

impl Display for Template {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for part in &self.0 {
            match part {
                Part::Text(text) => f.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                Part::Value(placeholder) => write!(f, "{{{}}}", placeholder.as_str())?,
            }
        }
        Ok(())
    }
}

impl Debug for Template {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl TryFrom<String> for Template {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Placeholder, Template};

    #[test]
    fn an_unknown_placeholder_is_refused_with_the_near_one() {
        let error = "debian-{suiteid}".parse::<Template>().unwrap_err();
        assert_eq!(error.message(), "unknown placeholder `{suiteid}`");
        assert_eq!(error.advice(), Some("did you mean `suite_id`?"));
    }

    #[test]
    fn single_braces_are_refused_and_double_ones_stay() {
        for bad in ["a{", "a}", "{{{", "{variant", "variant}", "{}", "{{}", ""] {
            assert!(bad.parse::<Template>().is_err(), "{bad}");
        }
        let template: Template = "{{{arch}}}".parse().unwrap();
        assert_eq!(template.fill(|_| "amd64"), "{amd64}");
    }

    proptest! {
        #[test]
        fn templates_round_trip(text in "[a-z{}_-]{0,40}", words in proptest::collection::vec(0..Placeholder::ALL.len(), 0..4)) {
            let whole = words.iter().fold(text, |text, word| format!("{text}{{{}}}", Placeholder::ALL[*word].as_str()));
            if let Ok(template) = whole.parse::<Template>() {
                prop_assert_eq!(template.to_string(), whole);
            }
        }

        #[test]
        fn escaped_text_comes_out_unchanged(text in any::<String>()) {
            let escaped = text.replace('{', "{{").replace('}', "}}");
            if let Ok(template) = escaped.parse::<Template>() {
                prop_assert_eq!(template.fill(|_| "never"), text);
            }
        }
    }
}
