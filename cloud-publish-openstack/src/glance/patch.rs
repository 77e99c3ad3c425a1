//! Changes of an image as a JSON patch: <https://docs.openstack.org/api-ref/image/v2/#update-image>.

use serde_json::{Value, json};

use super::Image;

/// Operations in the order in which they are carried out; Glance takes all of them or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Patch(Vec<Value>);

impl Patch {
    pub(crate) const CONTENT_TYPE: &'static str = "application/openstack-images-v2.1-json-patch";

    /// Replaces what every image has: `name`, `visibility`, `os_hidden`, `protected`, `tags`.
    #[must_use]
    pub(crate) fn base(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value: Value = value.into();
        self.0.push(json!({"op": "replace", "path": pointer(name), "value": value}));
        self
    }

    /// Sets a property of `image` unless it has that value.
    pub(crate) fn set(&mut self, image: &Image, name: &str, value: &str) {
        let op = if image.has(name) { "replace" } else { "add" };
        if image.properties().get(name).is_none_or(|known| known != value) {
            self.0.push(json!({"op": op, "path": pointer(name), "value": value}));
        }
    }

    /// Takes a property away.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.push(json!({"op": "remove", "path": pointer(name)}));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn to_text(&self) -> String {
        Value::Array(self.0.clone()).to_string()
    }
}

/// A JSON pointer to a property: <https://www.rfc-editor.org/rfc/rfc6901>.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::{Image, Patch};

    #[test]
    fn only_differences_are_sent_with_the_fitting_operation() {
        let image: Image = serde_json::from_str(
            r#"{"id": "i", "status": "active", "visibility": "private", "kept": "1", "changed": "1"}"#,
        )
        .unwrap();
        let mut patch = Patch::default();
        patch.set(&image, "kept", "1");
        patch.set(&image, "changed", "2");
        patch.set(&image, "a/new~one", "3");
        patch.remove("old");
        assert_eq!(
            patch.to_text(),
            r#"[{"op":"replace","path":"/changed","value":"2"},{"op":"add","path":"/a~1new~0one","value":"3"},{"op":"remove","path":"/old"}]"#
        );
    }
}
