//! What is found in wrong files: every sort of mistake, with its line and the word that was meant.

use std::path::Path;

use proptest::prelude::{any, proptest};

use crate::manifest::examples::{CONFIG, RELEASE, parse_config, parse_release};
use crate::manifest::{Problems, Release};

fn lines(problems: &Problems) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// The problems of the example release with one text replaced.
fn release_with(old: &str, new: &str) -> Vec<String> {
    assert!(RELEASE.contains(old), "{old}");
    lines(&parse_release(&RELEASE.replacen(old, new, 1)).unwrap_err())
}

/// The problems of the example configuration with one text replaced.
fn config_with(old: &str, new: &str) -> Vec<String> {
    assert!(CONFIG.contains(old), "{old}");
    lines(&parse_config(&CONFIG.replacen(old, new, 1)).unwrap_err())
}

#[test]
fn a_mistyped_key_is_one_mistake_with_the_key_that_was_meant() {
    assert_eq!(
        release_with("variant =", "varian ="),
        ["releases/x.toml:10:1: unknown key `varian`; did you mean `variant`?"]
    );
}

#[test]
fn a_key_that_resembles_nothing_gets_the_list() {
    let problems = config_with("[naming]", "[naming]\ncolour = 1");
    assert_eq!(problems, ["etc/publish.toml:6:1: unknown key `colour`; known here are `family`, `image`"]);
}

#[test]
fn a_missing_key_is_reported_at_its_table() {
    assert_eq!(release_with("suite = \"bookworm\"\n", ""), ["releases/x.toml:1:1: missing key `suite`"]);
    assert_eq!(
        release_with("boot = \"uefi-preferred\"", ""),
        ["releases/x.toml:9:1: missing key `boot` in `artifact[0]`"]
    );
}

#[test]
fn a_value_of_the_wrong_sort_says_what_is_expected() {
    assert_eq!(
        release_with("\"20240101-1614\"", "20240101"),
        ["releases/x.toml:5:11: `version` is a whole number, expected a text; write it in quotes"]
    );
    assert_eq!(
        release_with("\"20240101-1614\"", "2024-01-01"),
        ["releases/x.toml:5:11: `version` is a date without quotes, expected a text; write it in quotes"]
    );
    assert_eq!(
        config_with("best_effort = [\"me-central-1\"]", "best_effort = \"me-central-1\""),
        ["etc/publish.toml:16:15: `target.cloud.best_effort` is a text, expected a list; write [\"me-central-1\"]"]
    );
    assert_eq!(
        config_with("visibility = \"public\"", "visibility = 7"),
        [
            "etc/publish.toml:17:14: `target.cloud.visibility` is a whole number, expected one of `private`, `community`, \
          `public` or a table; write it in quotes"
        ]
    );
}

#[test]
fn a_wrong_word_gets_the_allowed_ones_and_the_near_one() {
    assert_eq!(
        release_with("\"release\"", "\"dayly\""),
        ["releases/x.toml:6:9: `class` is `dayly`, not one of `release`, `daily`, `dev`; did you mean `daily`?"]
    );
    assert_eq!(
        release_with("\"uefi-preferred\"", "\"efi\""),
        ["releases/x.toml:15:8: `artifact[0].boot` is `efi`, not one of `uefi`, `uefi-preferred`, `bios`; \
          did you mean `uefi`?"]
    );
    assert_eq!(
        config_with("visibility = \"public\"", "visibility = \"pubic\""),
        ["etc/publish.toml:17:14: `target.cloud.visibility` is `pubic`, not one of `private`, `community`, `public`; \
          did you mean `public`?"]
    );
    assert_eq!(
        config_with("regions = [\"us-east-1\", \"eu-west-1\"]", "regions = \"All\""),
        ["etc/publish.toml:15:11: `target.cloud.regions` is `All`, not one of `all`; did you mean `all`?"]
    );
}

#[test]
fn an_unknown_provider_gets_the_near_one() {
    assert_eq!(
        config_with("provider = \"local\"", "provider = \"lokal\""),
        ["etc/publish.toml:9:12: `target.local.provider` is `lokal`, not one of `cloud`, `local`; \
          did you mean `local`?"]
    );
    assert_eq!(
        config_with("provider = \"local\"\n", ""),
        ["etc/publish.toml:8:1: missing key `provider` in `target.local`"]
    );
}

#[test]
fn a_key_of_a_provider_is_checked_with_its_own_and_the_common_ones() {
    assert_eq!(
        config_with("home_region", "home_regoin"),
        ["etc/publish.toml:14:1: unknown key `home_regoin`; did you mean `home_region`?"]
    );
    assert_eq!(
        config_with("best_effort", "best_efort"),
        ["etc/publish.toml:16:1: unknown key `best_efort`; did you mean `best_effort`?"]
    );
}

#[test]
fn a_choice_of_tables_reports_only_the_one_that_was_meant() {
    assert_eq!(
        config_with("visibility = \"public\"", "visibility = { shared_wiht = [\"1\"] }"),
        ["etc/publish.toml:17:16: unknown key `shared_wiht`; did you mean `shared_with`?"]
    );
    assert_eq!(
        config_with("visibility = \"public\"", "visibility = { release = \"pubic\" }"),
        ["etc/publish.toml:17:26: `target.cloud.visibility.release` is `pubic`, not one of `private`, `community`, \
          `public`; did you mean `public`?"]
    );
    assert_eq!(
        config_with("visibility = \"public\"", "visibility = { shared_with = [] }"),
        ["etc/publish.toml:17:30: `target.cloud.visibility.shared_with` is empty"]
    );
}

#[test]
fn one_of_two_digests_is_required() {
    let start = RELEASE.find("sha512").unwrap();
    let line = &RELEASE[start..start + RELEASE[start..].find('\n').unwrap()];
    assert_eq!(release_with(line, ""), ["releases/x.toml:9:1: missing key `sha256` or `sha512` in `artifact[0]`"]);
    assert_eq!(
        release_with(line, "sha256 = \"abc\""),
        ["releases/x.toml:14:10: `artifact[0].sha256`: `abc` is not a sha256 digest; a sha256 digest has 64 hex \
          digits, here are 3 characters"]
    );
    parse_release(&RELEASE.replace(line, &format!("sha256 = \"{}\"", "0".repeat(64)))).unwrap();
}

#[test]
fn numbers_have_their_bounds_and_the_format_its_version() {
    assert_eq!(release_with("schema = 1", "schema = 2"), ["releases/x.toml:1:10: `schema` is 2, this program reads 1"]);
    assert_eq!(
        release_with("format =", "size = -1\nformat ="),
        ["releases/x.toml:13:8: `artifact[0].size` is -1; it may be 0 to 18446744073709551615"]
    );
    assert_eq!(
        config_with("home_region", "concurrency = 0\nhome_region"),
        ["etc/publish.toml:14:15: `target.cloud.concurrency` is 0; it may be 1 to 4294967295"]
    );
}

#[test]
fn names_paths_templates_and_tags_are_checked_where_they_stand() {
    assert_eq!(
        release_with("file = \"debian", "file = \"../debian"),
        ["releases/x.toml:12:8: `artifact[0].file`: `../debian-12-genericcloud-amd64-20240101-1614.qcow2` leaves the \
          manifest's folder; name a file beside the manifest or below it, without `..`"]
    );
    assert_eq!(
        config_with("{variant}-{arch}{class_suffix}-", "{varian}-{arch}"),
        ["etc/publish.toml:6:9: `naming.image`: unknown placeholder `{varian}`; did you mean `variant`?"]
    );
    let reserved = config_with("[target.local]", "[tags]\ncloud-publish-key = \"x\"\n[target.local]");
    assert!(reserved[0].starts_with("etc/publish.toml:9:1: `tags.cloud-publish-key`: the tag"), "{reserved:?}");
    let target = config_with("[target.local]", "[target.\"../x\"]");
    assert!(
        target[0].starts_with("etc/publish.toml:8:9: `target.../x`: `../x` is not a usable target name"),
        "{target:?}"
    );
}

#[test]
fn ten_mistakes_in_one_file_are_ten_problems_in_order() {
    let text = r#"schema = 2
name = "../x"
suit = "bookworm"
suite_id = 12
version = "1"
class = "relase"
date = 2024-01-01
[[artifact]]
variant = "a"
arch = "amd64"
file = "/etc/passwd"
format = "qcow"
boot = "uefi"
[[artifact]]
variant = "a"
arch = "amd64"
file = "b"
format = "raw"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
boot = "uefi"
"#;
    let problems = parse_release(text).unwrap_err();
    let places: Vec<(usize, &str)> =
        problems.iter().map(|problem| (problem.place.line, problem.path.as_str())).collect();
    let wanted = [
        (1, "schema"),
        (2, "name"),
        (3, "suit"),
        (4, "suite_id"),
        (6, "class"),
        (7, "date"),
        (8, "artifact[0]"),
        (11, "artifact[0].file"),
        (12, "artifact[0].format"),
        (14, "artifact[1]"),
    ];
    assert_eq!(places, wanted, "{problems}");
    assert!(problems.to_string().contains("a second artifact with variant `a` and arch `amd64`"));
}

#[test]
fn regions_are_unknown_where_a_provider_has_none() {
    let problems = config_with("path = \"public\"", "path = \"public\"\nregions = \"all\"");
    assert!(
        problems[0].starts_with("etc/publish.toml:11:1: unknown key `regions`; known here are `approve`, `archs`"),
        "{problems:?}"
    );
}

#[test]
fn a_flood_of_mistakes_is_counted_not_listed() {
    let flood = (0..20_000).fold(RELEASE.to_owned(), |text, at| text + &format!("k{at} = 1\n"));
    let problems = parse_release(&flood).unwrap_err();
    assert_eq!(problems.len(), 20_000);
}

#[test]
fn a_document_of_another_sort_is_refused() {
    let problems = Release::parse(Path::new("x.json"), "[]").unwrap_err();
    assert_eq!(lines(&problems), ["x.json:1:1: the document is a list, expected a table"]);
    let empty = release_with(&RELEASE[RELEASE.find("[[artifact]]").unwrap()..], "artifact = []");
    assert_eq!(empty, ["releases/x.toml:9:12: `artifact` is empty"]);
}

proptest! {
    #[test]
    fn a_file_of_any_bytes_is_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.toml", "a.json"] {
            let file = folder.path().join(name);
            std::fs::write(&file, &bytes).unwrap();
            assert!(Release::read(&file).is_err());
        }
    }

    #[test]
    fn a_release_with_any_piece_replaced_never_panics(at in 0..RELEASE.len(), length in 0..40usize, text in any::<String>()) {
        let mut bytes = RELEASE.as_bytes().to_vec();
        bytes.splice(at..(at + length).min(RELEASE.len()), text.bytes());
        let _ = parse_release(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn a_configuration_with_any_piece_replaced_never_panics(at in 0..CONFIG.len(), length in 0..40usize, text in "[a-z0-9\\[\\]{}\"=., \n-]{0,30}") {
        let mut bytes = CONFIG.as_bytes().to_vec();
        bytes.splice(at..(at + length).min(CONFIG.len()), text.bytes());
        let _ = parse_config(&String::from_utf8_lossy(&bytes));
    }
}
