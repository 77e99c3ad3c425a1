//! The HTML pages: pure functions from what is there to text.
//!
//! Plain HTML without scripts, readable on a phone. Each page says in a `meta` element that it is ours and what it
//! lists, so that the pages above it are made from the pages below.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::layout::{Folder, SUMS};
use crate::names::Class;

const MADE_BY: &str = r#"<meta name="generator" content="cloud-publish">"#;
const SUMMARY: &str = r#"<meta name="cloud-publish-version" content=""#;
const STYLE: &str = "body{font-family:sans-serif;line-height:1.4;max-width:60em;margin:auto;padding:1em}\
dd{margin:0 0 .5em}code{overflow-wrap:anywhere}.warning{border-left:.3em solid;padding-left:.7em}";

/// One image file on its version's page.
#[derive(Clone, Debug)]
pub(super) struct FileLine {
    /// Its name.
    pub(super) file: String,
    /// The build manifest's name.
    pub(super) manifest: String,
    /// A sentence for people.
    pub(super) description: String,
    /// Variant and architecture.
    pub(super) made_for: String,
    /// What kind of file it is.
    pub(super) format: String,
    /// Bytes.
    pub(super) size: u64,
    /// 128 hex digits.
    pub(super) sha512: String,
    /// `sha256:` and 64 hex digits.
    pub(super) digest: String,
    /// The address of the build's log.
    pub(super) build_job: Option<String>,
    /// Packages that the suite does not have, as `name=version`; `None` when nobody compared.
    pub(super) outside_suite: Option<Vec<String>>,
}

/// What a version's page says of itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Summary {
    /// The release's date.
    pub(super) date: Timestamp,
    /// The directory's name.
    pub(super) version: String,
    /// How many images it lists.
    pub(super) images: usize,
}

/// The page of a version directory.
pub(super) fn version(folder: &Folder, date: Timestamp, files: &[FileLine]) -> String {
    let title = format!("{} {} {}", folder.suite, class_word(folder.class), folder.version);
    let mut page = head(&title, Some(&Summary { date, version: folder.version.to_string(), images: files.len() }));
    page.push_str(&notice(folder.class));
    push(&mut page, format_args!("<p>Built for {}. Checksums: <a href=\"{SUMS}\">{SUMS}</a>.</p>\n", day(date)));
    for line in files {
        let (file, manifest) = (&line.file, &line.manifest);
        push(&mut page, format_args!("<h2><a href=\"{}\">{}</a></h2>\n<dl>\n", href(file), text(file)));
        if !line.description.is_empty() {
            push(&mut page, format_args!("<dt>What</dt><dd>{}</dd>\n", text(&line.description)));
        }
        push(&mut page, format_args!("<dt>For</dt><dd>{}</dd>\n", text(&line.made_for)));
        push(&mut page, format_args!("<dt>Format</dt><dd>{}</dd>\n", text(&line.format)));
        push(&mut page, format_args!("<dt>Size</dt><dd>{} ({} bytes)</dd>\n", size(line.size), line.size));
        push(&mut page, format_args!("<dt>SHA-512 of the file</dt><dd><code>{}</code></dd>\n", text(&line.sha512)));
        push(&mut page, format_args!("<dt>Digest of the disk</dt><dd><code>{}</code></dd>\n", text(&line.digest)));
        let link = format_args!("<a href=\"{}\">{}</a>", href(manifest), text(manifest));
        push(&mut page, format_args!("<dt>Build manifest</dt><dd>{link}</dd>\n"));
        push(&mut page, format_args!("{}</dl>\n", built(line, folder)));
    }
    if files.is_empty() {
        page.push_str("<p>These images are superseded.</p>\n");
    }
    page.push_str(FOOT);
    page
}

/// How an image was built: the job, and what in it is not of its suite.
fn built(line: &FileLine, folder: &Folder) -> String {
    let mut part = String::new();
    if let Some(url) = &line.build_job {
        push(&mut part, format_args!("<dt>Built by</dt><dd>{}</dd>\n", web_link(url)));
    }
    let suite = text(folder.suite.as_str());
    match line.outside_suite.as_deref() {
        None => {}
        Some([]) => push(&mut part, format_args!("<dt>Packages</dt><dd>all of {suite}</dd>\n")),
        Some(outside) => {
            let items = outside.iter().map(|name| format!("<li><code>{}</code></li>\n", text(name)));
            let items: String = items.collect();
            push(&mut part, format_args!("<dt>Packages that are not of {suite}</dt><dd><ul>\n{items}</ul></dd>\n"));
        }
    }
    part
}

/// An address of the web as a link, any other text as it is.
fn web_link(url: &str) -> String {
    let shown = text(url);
    let is_web = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    if is_web { format!("<a href=\"{shown}\">{shown}</a>") } else { shown }
}

/// The page of a suite, or of its dailies: versions, newest first.
pub(super) fn line(title: &str, class: Class, versions: &[Summary], dailies: bool) -> String {
    let mut page = head(title, None);
    page.push_str(&notice(class));
    if dailies {
        page.push_str("<p>Ephemeral: <a href=\"daily/\">daily builds</a>.</p>\n");
    }
    let mut sorted: Vec<&Summary> = versions.iter().collect();
    sorted.sort_by(|a, b| b.cmp(a));
    let line = |one: &Summary| (one.version.clone(), format!("{}, images: {}", day(one.date), one.images));
    page.push_str(&list(sorted.into_iter().map(line)));
    page.push_str(FOOT);
    page
}

/// The page of the whole tree: suites.
pub(super) fn top(suites: &[String]) -> String {
    let mut page = head("Disk images", None);
    page.push_str(&list(suites.iter().map(|suite| (suite.clone(), String::new()))));
    page.push_str(FOOT);
    page
}

/// Whether a page was made here.
pub(super) fn is_ours(page: &[u8]) -> bool {
    String::from_utf8_lossy(page).contains(MADE_BY)
}

/// What a version's page says of itself; `None` when it is none of ours.
pub(super) fn summary(page: &[u8]) -> Option<Summary> {
    let page = String::from_utf8_lossy(page);
    let (_, rest) = page.split_once(SUMMARY)?;
    let (content, _) = rest.split_once('"')?;
    let mut words = content.split(' ');
    let (version, date, images) = (words.next()?, words.next()?, words.next()?);
    Some(Summary { version: version.to_owned(), date: date.parse().ok()?, images: images.parse().ok()? })
}

const FOOT: &str = "</body>\n</html>\n";

fn head(title: &str, summary: Option<&Summary>) -> String {
    let summary = summary.map_or_else(String::new, |summary| {
        let Summary { date, version, images } = summary;
        format!("{SUMMARY}{} {date} {images}\">\n", text(version))
    });
    let title = text(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{MADE_BY}\n{summary}\
         <title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
    )
}

fn list(lines: impl Iterator<Item = (String, String)>) -> String {
    let mut html = String::new();
    for (name, note) in lines {
        let note = if note.is_empty() { note } else { format!(" ({})", text(&note)) };
        push(&mut html, format_args!("<li><a href=\"{}/\">{}</a>{note}</li>\n", href(&name), text(&name)));
    }
    if html.is_empty() { "<p>Nothing here yet.</p>\n".into() } else { format!("<ul>\n{html}</ul>\n") }
}

fn class_word(class: Class) -> &'static str {
    match class {
        Class::Release => "release",
        Class::Daily => "daily build",
        Class::Dev => "development build",
    }
}

/// What people must know before they rely on an image of this class.
fn notice(class: Class) -> String {
    let words = match class {
        Class::Release => return String::new(),
        Class::Daily => "Daily builds are ephemeral: deleted without notice. Do not link to them or rely on them.",
        Class::Dev => "A development build, for those who asked for it: deleted without notice.",
    };
    format!("<p class=\"warning\"><strong>{words}</strong></p>\n")
}

fn push(page: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing into a String cannot fail.
    let _ = page.write_fmt(part);
}

fn day(date: Timestamp) -> String {
    date.strftime("%Y-%m-%d").to_string()
}

/// Bytes in words.
fn size(bytes: u64) -> String {
    let units = [(1_u64 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, word)) => {
            let tenths = bytes.saturating_mul(10) / unit;
            format!("{}.{} {word}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes} bytes"),
    }
}

/// Text as HTML.
fn text(plain: &str) -> String {
    let mut html = String::with_capacity(plain.len());
    for c in plain.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// A file name as a relative link. A colon is encoded too: otherwise what precedes it would be a scheme.
pub(super) fn href(name: &str) -> String {
    let mut link = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'+' => link.push(char::from(byte)),
            other => push(&mut link, format_args!("%{other:02X}")),
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use super::{FileLine, Folder, Summary, href, is_ours, line, size, summary, top, version};
    use crate::names::Class;

    fn folder(class: Class) -> Folder {
        Folder { suite: "bookworm".parse().unwrap(), class, version: "20240101-1614".parse().unwrap() }
    }

    fn file() -> FileLine {
        FileLine {
            file: "a <b>.qcow2".into(),
            manifest: "a <b>.json".into(),
            description: "Debian & friends".into(),
            made_for: "generic, amd64".into(),
            format: "qcow2".into(),
            size: 3 << 30,
            sha512: "ab".repeat(64),
            digest: "sha256:00".into(),
            build_job: Some("https://ci.example.org/jobs/1?a&b".into()),
            outside_suite: Some(vec!["linux-image-cloud-amd64=6.12<1".into()]),
        }
    }

    #[test]
    fn packages_that_are_not_of_the_suite_stand_beside_the_build_s_job() {
        let date = "2024-01-01T00:00:00Z".parse().unwrap();
        let of = |file: FileLine| version(&folder(Class::Release), date, &[file]);
        let page = of(file());
        assert!(page.contains("<a href=\"https://ci.example.org/jobs/1?a&amp;b\">"), "{page}");
        assert!(page.contains("Packages that are not of bookworm"), "{page}");
        assert!(page.contains("<li><code>linux-image-cloud-amd64=6.12&lt;1</code></li>"), "{page}");
        assert!(of(FileLine { outside_suite: Some(Vec::new()), ..file() }).contains("all of bookworm"));
        assert!(!of(FileLine { outside_suite: None, ..file() }).contains("Packages"));
        assert!(!of(FileLine { build_job: Some("javascript:x".into()), ..file() }).contains("href=\"javascript"));
    }

    #[test]
    fn a_version_s_page_names_files_sizes_digests_and_descriptions_safely() {
        let page = version(&folder(Class::Release), "2024-01-01T00:00:00Z".parse().unwrap(), &[file()]);
        for part in [
            "href=\"a%20%3Cb%3E.qcow2\"",
            "a &lt;b&gt;.qcow2",
            "Debian &amp; friends",
            "3.0 GiB",
            "sha256:00",
            "viewport",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("ephemeral"));
        assert!(is_ours(page.as_bytes()));
        let told = summary(page.as_bytes()).unwrap();
        assert_eq!((told.version.as_str(), told.images), ("20240101-1614", 1));
    }

    #[test]
    fn a_daily_says_that_it_is_ephemeral() {
        let date = "2024-01-01T00:00:00Z".parse().unwrap();
        assert!(version(&folder(Class::Daily), date, &[]).contains("ephemeral: deleted without notice"));
        assert!(line("bookworm daily", Class::Daily, &[], false).contains("ephemeral: deleted without notice"));
    }

    #[test]
    fn versions_are_listed_newest_first() {
        let one =
            |version: &str, date: &str| Summary { date: date.parse().unwrap(), version: version.into(), images: 2 };
        let old = one("20231231-9", "2023-12-31T00:00:00Z");
        let new = one("20240101-1", "2024-01-01T00:00:00Z");
        let page = line("bookworm", Class::Release, &[old, new], true);
        assert!(page.find("20240101-1").unwrap() < page.find("20231231-9").unwrap());
        assert!(page.contains("href=\"daily/\""));
    }

    #[test]
    fn pages_of_others_are_not_ours() {
        assert!(!is_ours(b"<html>hello</html>"));
        assert_eq!(summary(top(&["bookworm".into()]).as_bytes()), None);
    }

    #[test]
    fn links_are_never_taken_for_another_scheme() {
        assert_eq!(href("javascript:x"), "javascript%3Ax");
        assert_eq!(size(1023), "1023 bytes");
        assert_eq!(size(1 << 20), "1.0 MiB");
    }
}
