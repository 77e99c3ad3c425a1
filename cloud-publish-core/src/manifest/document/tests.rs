//! Both syntaxes give one tree, with exact places, and survive anything.

use std::path::Path;

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};
use serde_json::{Value, json};

use super::{Document, Step, Way};

fn parse(file: &str, text: &str) -> Result<Document, String> {
    Document::parse(Path::new(file), text.to_owned()).map_err(|problems| problems.to_string())
}

fn place(document: &Document, steps: &[Step]) -> (usize, usize) {
    let place = document.place_of(&Way(steps.to_vec()));
    (place.line, place.column)
}

#[test]
fn toml_and_json_give_the_same_values() {
    let toml = parse("a.toml", "n = 1\nyes = true\n[[list]]\nx = \"é\"\nd = 2024-01-01T00:00:00Z\n").unwrap();
    let text = r#"{"n": 1, "yes": true, "list": [{"x": "\u00e9", "d": "2024-01-01T00:00:00Z"}]}"#;
    let json = parse("a.json", text).unwrap();
    assert_eq!(toml.root().to_json(), json.root().to_json());
}

#[test]
fn every_value_knows_its_line_and_column_in_characters() {
    let key = |key: &str| Step::Key(key.to_owned());
    let toml = parse("a.toml", "a = 1\n\n[[list]]\nx = 1\n[[list]]\n\"é\" = { y = 3 }\n").unwrap();
    assert_eq!(place(&toml, &[key("a")]), (1, 5));
    assert_eq!(place(&toml, &[key("list"), Step::Index(1)]), (5, 1));
    assert_eq!(place(&toml, &[key("list"), Step::Index(1), key("é"), key("y")]), (6, 13));
    let json = parse("a.json", "{\n \"é\": [1,\n  {\"y\": 3}]}").unwrap();
    assert_eq!(place(&json, &[key("é")]), (2, 7));
    assert_eq!(place(&json, &[key("é"), Step::Index(1), key("y")]), (3, 9));
    assert_eq!(place(&json, &[key("é"), Step::Index(1), key("absent")]), (3, 3));
}

#[test]
fn all_syntax_errors_of_a_toml_file_are_reported_at_once() {
    let text = parse("a.toml", "a = \nb = 1\nb = 2\n").unwrap_err();
    assert!(text.contains("a.toml:1:") && text.contains("a.toml:3:1: duplicate key"), "{text}");
}

#[test]
fn a_syntax_error_in_json_names_its_place() {
    for (text, wanted) in [
        ("{\"a\": 1\n \"b\": 2}", "a.json:2:2: expected `,` or `}`"),
        ("{\"a\": 1,\n \"a\": 2}", "a.json:2:2: duplicate key `a`"),
        ("{\"a\": 01}", "a.json:1:7: not a number"),
        ("{\"a\": tru}", "a.json:1:7: expected a value"),
        ("{\"a\": \"x}", "a.json:1:7: a string without closing quote"),
        ("{\"a\": 1,}", "a.json:1:9: expected a key in double quotes"),
        ("{} {}", "a.json:1:4: expected the end of the file"),
        ("", "a.json:1:1: the file ends where a value is expected"),
    ] {
        assert_eq!(parse("a.json", text).unwrap_err(), wanted, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    let json = parse("a.json", &"[".repeat(100_000)).unwrap_err();
    assert_eq!(json, "a.json:1:66: nested more than 64 levels deep");
    let toml = parse("a.toml", &format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000))).unwrap_err();
    assert_eq!(toml, "a.toml:1:85: cannot recurse further; max recursion depth met");
    let unclosed = parse("a.toml", &format!("a = {}", "[".repeat(100_000))).unwrap_err();
    assert_eq!(unclosed.lines().count(), 2, "{unclosed}");
}

#[test]
fn numbers_out_of_range_are_refused() {
    for text in ["a = 99999999999999999999", "a = inf", "a = [nan]"] {
        assert!(parse("a.toml", text).unwrap_err().contains("number out of range"), "{text}");
    }
}

#[test]
fn files_too_large_missing_or_not_text_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.toml");
    assert!(Document::text_of(&file).unwrap_err().message().contains("a.toml"));
    std::fs::write(&file, b"a = 1\nb = \"\xff\"\n").unwrap();
    assert!(Document::text_of(&file).unwrap_err().message().contains("a.toml:2:6: not UTF-8"));
    std::fs::File::create(&file).unwrap().set_len(super::MAX_BYTES + 1).unwrap();
    assert!(Document::text_of(&file).unwrap_err().message().contains("larger than 1 MiB"));
}

fn values() -> impl prop::strategy::Strategy<Value = Value> {
    use prop::strategy::Strategy as _;
    let leaf = proptest::prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        proptest::strategy::Just(json!(null)),
    ];
    leaf.prop_recursive(4, 64, 5, |inner| {
        proptest::prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_parsed_or_refused_without_panic(text in any::<String>(), syntax in "[\\[\\]{}\",:=\\\\a1.\n# tnf-]{0,60}") {
        for file in ["a.toml", "a.json"] {
            let _ = parse(file, &text);
            let _ = parse(file, &syntax);
        }
    }

    #[test]
    fn json_is_read_as_serde_json_reads_it(value in values()) {
        for text in [value.to_string(), format!("{value:#}")] {
            prop_assert_eq!(parse("a.json", &text).unwrap().root().to_json(), value.clone());
        }
    }

    #[test]
    fn json_accepts_what_serde_json_accepts_and_no_more(text in "[\\[\\]{}\",:\\\\a1.\n tnf-]{0,12}") {
        let ours = parse("a.json", &text).map(|document| document.root().to_json());
        let theirs = serde_json::from_str::<Value>(&text);
        let duplicate = matches!(&ours, Err(message) if message.contains("duplicate key"));
        if !duplicate {
            prop_assert_eq!(ours.ok(), theirs.ok(), "{}", text);
        }
    }
}
