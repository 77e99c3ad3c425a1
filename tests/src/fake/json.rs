//! Settings that a test changes in part.

use serde_json::Value;

/// Changes a document as JSON merge patch does: <https://www.rfc-editor.org/rfc/rfc7396>.
pub(crate) fn merge(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (name, value) in patch {
                if value.is_null() {
                    whole.remove(&name);
                } else {
                    merge(whole.entry(name).or_insert(Value::Null), value);
                }
            }
        }
        (whole, patch) => *whole = patch,
    }
}
