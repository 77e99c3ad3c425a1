//! Rows of the catalogue as CSV (<https://www.rfc-editor.org/rfc/rfc4180>): the columns and their order are stable, new ones come
//! last.

use ::csv::{Terminator, WriterBuilder};
use cloud_publish_core::catalogue::Row;

use super::clean::line_of;

const HEADINGS: [&str; 18] = [
    "owner",
    "release",
    "suite",
    "version",
    "class",
    "date",
    "variant",
    "arch",
    "rendition",
    "provider",
    "target",
    "account",
    "region",
    "state",
    "name",
    "id",
    "digest",
    "published_at",
];

/// A header row and a line for each row, also if there is none. Control characters are shown, not sent: it may be read on a
/// terminal.
///
/// # Errors
/// None is known: it writes to memory.
pub(crate) fn csv_of(rows: &[&Row]) -> ::csv::Result<String> {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(HEADINGS)?;
    for row in rows {
        let time = |time: Option<_>| time.as_ref().map(ToString::to_string).unwrap_or_default();
        let (date, published, digest) = (time(row.date), time(row.published_at), row.digest.to_string());
        let fields = [
            row.owner.as_str(),
            row.release.as_str(),
            row.suite.as_str(),
            row.version.as_str(),
            row.class.as_str(),
            &date,
            row.variant.as_str(),
            row.arch.as_str(),
            row.rendition.as_str(),
            row.provider.as_str(),
            row.target.as_str(),
            row.account.as_str(),
            row.region.as_str(),
            row.state.as_str(),
            &row.name,
            row.id.as_str(),
            &digest,
            &published,
        ];
        writer.write_record(fields.map(line_of))?;
    }
    let text = writer.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::csv_of;

    #[test]
    fn control_characters_become_visible() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let row = serde_json::from_value(serde_json::json!({
            "owner": "debian", "release": "r", "suite": "bookworm", "version": "1", "class": "release",
            "variant": "generic", "arch": "amd64", "rendition": "as-is", "provider": "local", "target": "local",
            "account": "here", "region": "local", "id": "i-1", "name": "a\u{1b}[2J\nb", "state": "published",
            "digest": digest,
        }));
        let text = csv_of(&[&row.unwrap()]).unwrap();
        assert!(text.contains(r"a\u{1b}[2J b"), "{text}");
        assert_eq!((text.lines().count(), text.contains('\u{1b}')), (2, false), "{text}");
    }
}
