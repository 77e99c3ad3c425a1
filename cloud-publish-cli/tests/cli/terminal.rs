//! What stands on a terminal, during a run and after it.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use sha2::{Digest as _, Sha256};

use crate::place::{Place, RELEASE};

/// Long enough to be hashed for longer than the display takes to appear.
const LONG: usize = 256 << 20;

/// What a terminal was sent, and what it shows in the end.
struct Terminal {
    sent: String,
    shown: String,
    code: Option<i32>,
}

/// Runs the command on a terminal of this size.
fn on_a_terminal(place: &Place, size: (u16, u16), line: &str, variables: &[(&str, &str)]) -> Terminal {
    interrupted_at(None, place, (size, line, variables))
}

/// The same, with Ctrl-C when a text is shown.
fn interrupted_at(
    mut text: Option<&str>,
    place: &Place,
    ((columns, rows), line, variables): ((u16, u16), &str, &[(&str, &str)]),
) -> Terminal {
    let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&own).unwrap();
    unlockpt(&own).unwrap();
    tcsetwinsize(&own, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let other = open(ptsname(&own, Vec::new()).unwrap(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let end = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
    let mut command = place.command(line);
    command.stdin(end(&other)).stdout(end(&other)).stderr(end(&other));
    command.env("TERM", "xterm-256color").env_remove("CI").envs(variables.iter().copied());
    let mut child = command.spawn().unwrap();
    // Nobody else holds the other end: when the command ends, reading does.
    drop(command);
    drop(other);
    let mut sent = Vec::new();
    let mut file = File::from(own);
    let mut part = [0; 4096];
    // On Linux a terminal that nobody has open any more is read with an error.
    while let Ok(read @ 1..) = file.read(&mut part) {
        sent.extend(part.iter().take(read));
        if text.is_some_and(|text| String::from_utf8_lossy(&sent).contains(text)) {
            text = None;
            assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        }
    }
    let mut parser = vt100::Parser::new(rows, columns, 1000);
    parser.process(&sent);
    let shown = parser.screen().contents();
    Terminal { sent: String::from_utf8(sent).unwrap(), shown, code: child.wait().unwrap().code() }
}

/// A release whose first file is not what its manifest says, and whose second one takes a while.
fn with_a_bad_and_a_long_file() -> Place {
    let place = Place::with_variants(&["generic", "nocloud"]);
    std::fs::write(place.path("releases/generic.raw"), vec![7; 1 << 20]).unwrap();
    let long = vec![5; LONG];
    let digest: String = Sha256::digest(&long).iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::write(place.path("releases/nocloud.raw"), long).unwrap();
    let manifest = std::fs::read_to_string(place.path(&format!("releases/{RELEASE}.toml"))).unwrap();
    let (first, second) = manifest.split_once("variant = \"nocloud\"").unwrap();
    let (_, rest) = second.split_once("sha256 = \"").unwrap();
    let (old, _) = rest.split_once('"').unwrap();
    place.write(
        &format!("releases/{RELEASE}.toml"),
        &format!("{first}variant = \"nocloud\"{}", second.replace(old, &digest)),
    );
    place
}

#[test]
fn an_error_in_the_middle_stays_and_the_display_goes() {
    let place = with_a_bad_and_a_long_file();
    for columns in [80, 40] {
        let terminal = on_a_terminal(&place, (columns, 24), "check", &[("NO_COLOR", "1")]);
        assert_eq!(terminal.code, Some(2), "{}", terminal.shown);
        assert!(terminal.sent.contains("verify"), "nothing was shown while it lasted: {}", terminal.sent);
        let joined = terminal.shown.replace('\n', "");
        assert!(joined.contains("error: the sha256 of the disk image is"), "{columns}: {}", terminal.shown);
        assert!(joined.ends_with("1 problem"), "{columns}: {}", terminal.shown);
        assert!(!terminal.shown.contains("verify"), "{columns}: {}", terminal.shown);
    }
}

#[test]
fn the_last_screen_has_the_summary_and_nothing_of_the_display() {
    for columns in [80, 40] {
        let place = Place::with_variants(&["generic", "nocloud"]);
        let line = format!("--release {RELEASE} --to local --yes");
        let terminal = on_a_terminal(&place, (columns, 40), &line, &[("NO_COLOR", "1")]);
        assert_eq!(terminal.code, Some(0), "{}", terminal.shown);
        let joined = terminal.shown.replace('\n', "");
        assert!(joined.contains("2 of 2 images published"), "{columns}: {}", terminal.shown);
        let leftovers = ["total ", "upload  ", "verify  ", "surveying", "checking"];
        let left: Vec<_> = leftovers.iter().filter(|word| terminal.shown.contains(**word)).collect();
        assert!(left.is_empty(), "{columns}: {left:?} in {}", terminal.shown);
    }
}

#[test]
fn ctrl_c_at_the_question_is_a_no() {
    let place = Place::new();
    let line = format!("--release {RELEASE} --to local");
    let terminal = interrupted_at(Some("[y/N] "), &place, ((80, 24), &line, &[("NO_COLOR", "1")]));
    assert_eq!(terminal.code, Some(2), "{}", terminal.shown);
    assert!(terminal.shown.contains("Publish? [y/N]") && terminal.shown.ends_with("error: nothing was published"));
    assert!(!terminal.shown.contains("stopping"), "{}", terminal.shown);
    assert!(!place.path("public").exists());
}

#[test]
fn without_colours_the_display_has_none_and_a_dumb_terminal_or_ci_has_no_display() {
    let place = Place::new();
    let status = |variables: &[(&str, &str)]| {
        let line = format!("status --release {RELEASE}");
        let terminal = on_a_terminal(&place, (80, 24), &line, variables);
        assert_eq!(terminal.code, Some(0), "{}", terminal.shown);
        terminal.sent
    };
    assert!(status(&[]).contains("\u{1b}[1m"), "headings are bold");
    assert!(!status(&[("NO_COLOR", "1")]).contains("\u{1b}[1m"));
    for variable in [("TERM", "dumb"), ("CI", "true")] {
        let sent = status(&[variable, ("NO_COLOR", "1")]);
        assert!(sent.contains("surveying local") && !sent.contains('\u{1b}'), "{variable:?}: {sent}");
    }
}
