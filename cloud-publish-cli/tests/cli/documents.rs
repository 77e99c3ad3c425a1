//! What the command prints about itself: manual pages and completions, judged by those who read them where they are installed.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use crate::place::Place;

const VERBS: [&str; 6] = ["plan", "status", "verify", "find", "check", "schema"];

/// Runs a program on a file if it is installed; it must have nothing against it.
fn judge(program: &str, arguments: &[&str], file: &std::path::Path) {
    match Command::new(program).args(arguments).arg(file).env("MANWIDTH", "100").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        judged => {
            let judged = judged.unwrap();
            let said = String::from_utf8_lossy(&judged.stderr);
            assert!(judged.status.success() && said.is_empty(), "{program} {}: {said}", file.display());
        }
    }
}

#[test]
fn completions_name_every_verb_and_their_shells_can_read_them() {
    let place = Place::new();
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let ran = place.run(&format!("completions {shell}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        let missing: Vec<_> = VERBS.iter().filter(|verb| !ran.out.contains(**verb)).collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
        assert!(ran.out.contains("keep-going"), "{shell} completes options");
        place.write(shell, &ran.out);
        judge(shell, &[check], &place.path(shell));
    }
}

#[test]
fn bash_completes_verbs_options_and_values() {
    let place = Place::new();
    let script = place.run("completions bash").out;
    let completed = |line: &str| {
        let words: Vec<String> = line.split(' ').map(|word| format!("'{word}'")).collect();
        let ask = format!(
            "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _publish publish \"${{COMP_WORDS[-1]}}\" \"${{COMP_WORDS[-2]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            words.join(" "),
            words.len() - 1
        );
        let ran = Command::new("bash").args(["-c", &ask]).output().unwrap();
        String::from_utf8(ran.stdout).unwrap()
    };
    assert_eq!(completed("publish stat"), "status\n");
    assert_eq!(completed("publish find --lat"), "--latest\n");
    assert_eq!(completed("publish --progress pl"), "plain\n");
}

#[test]
fn the_manual_has_a_page_for_each_verb_and_man_can_read_them() {
    let place = Place::new();
    let ran = place.run("man pages");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let printed = place.run("man");
    assert_eq!(printed.out, fs::read_to_string(place.path("pages/publish.1")).unwrap());
    for heading in ["VERBS", "\"EXIT STATUS\"", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert_eq!(printed.out.matches(&format!(".SH {heading}\n")).count(), 1, "{heading}: {}", printed.out);
    }
    let synopsis = printed.out.replace('\\', "");
    assert!(synopsis.contains("[--config <FILE>]") && synopsis.contains("[--to <TARGETS>]"), "{}", printed.out);
    assert!(synopsis.contains(".TP\nfB130fR\nstopped at once"), "{}", printed.out);
    for name in VERBS.map(|verb| format!("publish-{verb}.1")).into_iter().chain(["publish.1".to_owned()]) {
        let page = place.path("pages").join(&name);
        let text = fs::read_to_string(&page).unwrap();
        assert!(text.contains(".SH NAME") && text.contains(".SH SYNOPSIS"), "{name}: {text}");
        judge("man", &["--warnings", "-E", "UTF-8", "-l"], &page);
        judge("groff", &["-ww", "-z", "-man", "-Tutf8"], &page);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_with_a_cause() {
    let place = Place::new();
    place.write("file", "");
    let ran = place.run("man file/pages");
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("error: could not write manual pages to `file/pages`\n  caused by: "), "{}", ran.err);
}
