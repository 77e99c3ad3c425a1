//! Rows of the catalogue as CSV (<https://www.rfc-editor.org/rfc/rfc4180>): the columns and their order are stable, new ones come
//! last.

use ::csv::{Terminator, WriterBuilder};
use cloud_publish_core::catalogue::Row;

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

/// A header row and a line for each row, also if there is none.
///
/// # Errors
/// None is known: it writes to memory.
pub(crate) fn csv_of(rows: &[&Row]) -> ::csv::Result<String> {
    let mut writer = WriterBuilder::new().terminator(Terminator::Any(b'\n')).from_writer(Vec::new());
    writer.write_record(HEADINGS)?;
    for row in rows {
        let time = |time: Option<_>| time.as_ref().map(ToString::to_string).unwrap_or_default();
        let (date, published, digest) = (time(row.date), time(row.published_at), row.digest.to_string());
        writer.write_record([
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
        ])?;
    }
    let text = writer.into_inner().map_err(|error| ::csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
