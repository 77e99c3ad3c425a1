//! Files that people write: release manifests, publish.toml, clouds.yaml.

use std::fs;
use std::path::Path;

use cloud_publish_core::error::Error;
use cloud_publish_core::local::LocalConfig;
use cloud_publish_core::manifest::{Config, ProviderSchema, Release};
use cloud_publish_openstack::CloudsFile;
use cloud_publish_tests::paths;

use crate::harness::{CANARY, FIFO, Target, Verdict, folder_with_canaries, judge, judged};
use crate::input::{Grammar, Input};
use crate::memory::MOST;

/// The password of the example.
const PASSWORD: &str = "not-a-real-one";
/// What is special in TOML, JSON or YAML, or to what reads the values.
const SPECIAL: [&str; 44] = [
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "=",
    ":",
    ",",
    ".",
    "#",
    "\n",
    "\t",
    " ",
    "\\",
    "\\u0000",
    "\\ud800",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "&a ",
    "*a",
    "<<: *a\n",
    "- ",
    "? ",
    "| \n",
    "!!binary ",
    "---\n",
    "null",
    "true",
    "-1",
    "0x",
    "1e999",
    "nan",
    "9223372036854775808",
    "18446744073709551616",
    "..",
    "/",
    "%2e%2e/",
];

/// The words of some files, and those that are special.
pub(crate) fn words(texts: &[Input], more: &[&str]) -> Grammar {
    let mut words: Vec<String> = SPECIAL.iter().chain(more).map(|word| (*word).to_owned()).collect();
    for text in texts {
        let text = String::from_utf8_lossy(&text.bytes).into_owned();
        words.extend(text.split(|c: char| !c.is_alphanumeric() && !"_-.{}".contains(c)).map(ToOwned::to_owned));
        words.extend(text.lines().map(|line| format!("{line}\n")));
    }
    words.sort();
    words.dedup();
    words.retain(|word| !word.is_empty());
    Grammar::Text(words)
}

fn examples(names: &[&str]) -> Vec<Input> {
    let read = |name: &&str| Input::new(fs::read(paths::root().join("examples").join(name)).unwrap());
    names.iter().map(read).collect()
}

fn providers() -> Vec<ProviderSchema> {
    vec![
        ProviderSchema::of::<LocalConfig>(),
        cloud_publish_aws::provider_schema(),
        cloud_publish_openstack::provider_schema(),
    ]
}

fn release(path: &Path) -> Result<Verdict, String> {
    let release = match Release::read(path) {
        Ok(release) => release,
        Err(error) => return judge(&error),
    };
    for artifact in &release.artifacts {
        match release.check_paths(artifact) {
            // Whatever was written, it cannot be a file outside of the folder.
            Ok(()) if !fs::canonicalize(&artifact.file).unwrap().starts_with(path.parent().unwrap()) => {
                return Err(format!("{} was taken", artifact.file.display()));
            }
            Ok(()) => {}
            Err(error) => {
                judge(&error)?;
            }
        }
    }
    Ok(Verdict::Taken)
}

fn fuzz_text(name: &'static str, file: &str, seeds: Vec<Input>, read: &dyn Fn(&Path) -> Result<Verdict, String>) {
    let folder = folder_with_canaries();
    let outside = ["../canary", CANARY, FIFO, "/etc/passwd", "/proc/self/mem", "/dev/zero", "file://"];
    let grammar = words(&seeds, &outside);
    Target { name, files: &[file, "secure.yaml"], seeds, grammar, memory: MOST, read }.run(folder.path());
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_release_manifest_may_say_anything() {
    let seeds = examples(&["configs/releases/bookworm-20240101.toml", "configs/releases/bookworm-daily-20240102.toml"]);
    fuzz_text("release-toml", "release.toml", seeds, &release);
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_release_manifest_in_json_may_say_anything() {
    let seeds = examples(&["configs/releases/trixie-20250809.json"]);
    fuzz_text("release-json", "release.json", seeds, &release);
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_configuration_may_say_anything() {
    let seeds = examples(&["configs/publish.toml", "configs/aws-distribution.toml", "quickstart/publish.toml"]);
    let schemas = providers();
    fuzz_text("configuration", "publish.toml", seeds, &|path| judged(Config::read(path, &schemas)));
}

#[test]
#[ignore = "takes some seconds; tests/run runs it"]
fn a_clouds_file_may_say_anything_and_its_secrets_are_not_repeated() {
    let mut seeds = examples(&["configs/clouds.yaml"]);
    // In two files: what is behind the mark is the secure.yaml.
    let both =
        [&seeds[0].bytes[..], b"\n#secure\nclouds:\n  mycloud:\n    auth:\n      password: not-a-real-one\n"].concat();
    seeds.push(Input::new(both));
    fuzz_text("clouds", "clouds.yaml", seeds, &|path| {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let secure = path.with_file_name("secure.yaml");
        match text.split_once("\n#secure\n") {
            Some((_, behind)) => fs::write(&secure, behind).unwrap(),
            None => drop(fs::remove_file(&secure)),
        }
        // Where the changes may have made it a part of another value, it is no secret any more.
        let lines = text.lines().filter(|line| line.trim() == format!("password: {PASSWORD}")).count();
        let is_plain = !text.contains(['\'', '"', '|', '>', '{', '[', '&', '*', '?', '!', '\\', '\t', '\r']);
        let secret = (is_plain && text.matches(PASSWORD).count() == lines).then_some(PASSWORD);
        let file = match CloudsFile::read(path) {
            Ok(file) => file,
            Err(error) => return without(secret, &error),
        };
        for name in file.names() {
            match file.cloud(&name) {
                Ok(cloud) if secret.is_some_and(|secret| format!("{cloud:?}").contains(secret)) => {
                    return Err("it shows the password".to_owned());
                }
                Ok(_) => {}
                Err(error) => return without(secret, &error),
            }
        }
        Ok(Verdict::Taken)
    });
}

fn without(secret: Option<&str>, error: &Error) -> Result<Verdict, String> {
    let text = format!("{error:?} {:?} {}", error.advice(), error.chain().join(": "));
    match secret.is_some_and(|secret| text.contains(secret)) {
        true => Err(format!("it repeats the password: {text}")),
        false => judge(error),
    }
}
