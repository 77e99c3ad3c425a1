//! JSON as Python's `json.dumps(value, indent=4, separators=(',', ': '), sort_keys=True)` writes it, byte for byte: what
//! Debian's tools write, so that a comparison shows only what changed.
//! <https://docs.python.org/3/library/json.html#json.dumps>

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// The text of a value, without a newline at its end.
pub(super) fn dump(value: &Value) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let layout = Ascii(PrettyFormatter::with_indent(b"    "));
    sorted(value.clone()).serialize(&mut Serializer::with_formatter(&mut bytes, layout))?;
    Ok(bytes)
}

/// Sorts every object's keys, whichever map serde_json was built with.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            Value::Object(fields.into_iter().collect())
        }
        plain => plain,
    }
}

/// Indents as its inner formatter does and writes only printable ASCII.
struct Ascii<'a>(PrettyFormatter<'a>);

impl Formatter for Ascii<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                write!(writer, "{c}")?;
            } else {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::dump;

    #[test]
    fn the_text_is_python_s() {
        let value = json!({"b": [1, {"y": null, "a": true}], "a": "ü\u{1F600}\"\\\n\u{7f}", "empty": [], "none": {}});
        // python3 -c 'import json; print(json.dumps(..., indent=4, separators=(",", ": "), sort_keys=True))'
        let python = r#"{
    "a": "\u00fc\ud83d\ude00\"\\\n\u007f",
    "b": [
        1,
        {
            "a": true,
            "y": null
        }
    ],
    "empty": [],
    "none": {}
}"#;
        assert_eq!(String::from_utf8(dump(&value).unwrap()).unwrap(), python);
    }
}
