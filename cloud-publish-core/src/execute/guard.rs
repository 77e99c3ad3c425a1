//! The steps before the barrier that ask somebody else: the gate, and a person.

use super::attempt::Surroundings;
use super::gate::{AskedImage, Question};
use super::journal::Made;
use super::perform::Job;
use crate::error::{Error, Kind, Result};
use crate::event::{Event, GateAnswer};
use crate::plan::Subject;
use crate::publisher::Context;

/// How many of a gate's last lines an error shows, and how long each may be.
const LINES: usize = 10;
const LINE: usize = 200;

/// Asks the gate about an image, and keeps what it printed.
pub(super) async fn ask(
    job: &Job,
    around: &Surroundings,
    context: &Context,
    (gate, subject): (&str, &Subject),
) -> Result<Made> {
    let answered = around.gate.ask(context, &question(job)?).await?;
    let output = match answered.output.is_empty() {
        true => None,
        false => Some(around.journal.attach(&job.step.id, answered.output.clone()).await?),
    };
    around.reporter.report(&Event::GateAnswered {
        step: job.step.id.clone(),
        answer: answered.answer.clone(),
        output: output.clone(),
    });
    let refused = match answered.answer {
        GateAnswer::Passed => return Ok(Made::Passed { gate: gate.to_owned(), subject: subject.clone(), output }),
        GateAnswer::NotYet { reason } => Error::new(Kind::Waiting, format!("the gate says not yet: {reason}")),
        GateAnswer::Failed { reason } => Error::new(Kind::Rejected, format!("the gate did not let it pass: {reason}")),
    };
    let later = "the same command later asks it again";
    let refused = match &output {
        Some(path) => refused.hint(format!("all that it printed is in {}/{path}; {later}", around.state)),
        None => refused.hint(later),
    };
    Err(match last_words(&answered.output) {
        Some(words) => refused.caused_by(words),
        None => refused,
    })
}

/// Looks whether a person has approved an image.
pub(super) async fn approved(job: &Job, around: &Surroundings, subject: &Subject) -> Result<Made> {
    let Some(approval) = around.journal.approval(&job.place, subject).await? else {
        let (release, target) = (&job.spec.tags.release, &job.step.target);
        return Err(Error::new(Kind::Waiting, "nobody has approved it yet").hint(format!(
            "look at it; `publish approve --release {release} --target {target}` approves it, then run the same command again"
        )));
    };
    Ok(Made::Approved { by: approval.by, at: approval.at })
}

fn question(job: &Job) -> Result<Question> {
    if job.images.is_empty() {
        return Err(Error::new(Kind::NotFound, "there is no image that the gate could be asked about"));
    }
    let tags = &job.spec.tags;
    Ok(Question {
        schema: 1,
        owner: tags.owner.clone(),
        release: tags.release.clone(),
        target: job.step.target.clone(),
        provider: job.place.provider.clone(),
        account: job.place.account.clone(),
        variant: tags.variant.clone(),
        arch: tags.arch.clone(),
        rendition: tags.rendition.clone(),
        suite: tags.suite.clone(),
        suite_id: job.spec.suite_id.clone(),
        version: tags.version.clone(),
        class: tags.class,
        date: tags.date,
        name: job.spec.name.clone(),
        digest: tags.digest,
        images: job.images.iter().map(|(region, id)| AskedImage { region: region.clone(), id: id.clone() }).collect(),
    })
}

/// The end of an output, for an error.
fn last_words(output: &[u8]) -> Option<String> {
    let text = without_colours(&String::from_utf8_lossy(output));
    let lines: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    let short = |line: &&str| line.chars().take(LINE).collect::<String>();
    (!last.is_empty()).then(|| format!("it said\n{}", last.iter().map(short).collect::<Vec<_>>().join("\n")))
}

/// The text without what sets colours and weight: `ESC [ numbers m`, "SGR" in ECMA-48,
/// <https://ecma-international.org/publications-and-standards/standards/ecma-48/>.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';' || c == ':').strip_prefix('m') {
            Some(rest) => plain.push_str(rest),
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::{LINES, last_words};

    #[test]
    fn colours_of_an_output_are_left_out_and_nothing_else_is() {
        let said = last_words(b"\x1b[1;31mFAILED\x1b[0m [m\x1b[m\n\x1b[0m\n\x1b[2Jx\x1b[").unwrap();
        assert_eq!(said, "it said\nFAILED [m\n\u{1b}[2Jx\u{1b}[");
    }

    #[test]
    fn an_error_shows_the_last_lines_alone_and_short() {
        assert_eq!(last_words(b"\n \n"), None);
        let many: String = (0..50).map(|number| format!("line {number}\r\n")).collect();
        let words = last_words(many.as_bytes()).unwrap();
        assert_eq!(words.lines().count(), LINES + 1);
        assert!(words.starts_with("it said\nline 40\n") && words.ends_with("line 49"), "{words}");
        assert!(last_words(&[b'x'; 100_000]).unwrap().len() < 300);
        assert!(last_words(b"\xff\xfe").unwrap().contains('\u{fffd}'));
    }
}
