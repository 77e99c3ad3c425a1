//! What the change sets of one version mean: pure.

use super::catalogue::{ChangeSet, Status};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One has succeeded.
    Done,
    /// One is at work.
    Running(String),
    /// The last one failed, and nobody has been told.
    Failed(String),
    /// None is left that could bring it: start one, after so many.
    Start { tries: usize },
}

/// Judges every change set of one name, whatever their order. `reported` are those whose failure was told.
pub(super) fn verdict(all: &[ChangeSet], reported: &[String]) -> Verdict {
    if all.iter().any(ChangeSet::has_succeeded) {
        return Verdict::Done;
    }
    if let Some(running) = all.iter().filter(|one| one.is_active()).min_by_key(|one| (&one.started, &one.id)) {
        return Verdict::Running(running.id.clone());
    }
    let last = all.iter().max_by_key(|one| (&one.started, &one.id));
    match last {
        Some(last) if last.status == Status::Failed && !reported.contains(&last.id) => Verdict::Failed(last.id.clone()),
        _ => Verdict::Start { tries: all.len() },
    }
}

#[cfg(test)]
mod tests {
    use super::{ChangeSet, Status, Verdict, verdict};

    fn set(id: &str, status: Status) -> ChangeSet {
        ChangeSet { id: id.to_owned(), name: String::new(), started: format!("2024-01-0{id}"), status }
    }

    #[test]
    fn what_succeeded_or_runs_is_not_started_again() {
        let all = [set("1", Status::Failed), set("2", Status::Active), set("3", Status::Succeeded)];
        assert_eq!(verdict(&all, &[]), Verdict::Done);
        assert_eq!(verdict(&all[..2], &[]), Verdict::Running("2".to_owned()));
    }

    #[test]
    fn a_failure_is_told_once_and_then_tried_anew() {
        let all = [set("1", Status::Failed), set("2", Status::Failed)];
        let told = ["1".to_owned()];
        assert_eq!(verdict(&all, &told), Verdict::Failed("2".to_owned()));
        let told = ["1".to_owned(), "2".to_owned()];
        assert_eq!(verdict(&all, &told), Verdict::Start { tries: 2 });
    }

    #[test]
    fn one_that_a_person_cancelled_is_started_again() {
        assert_eq!(verdict(&[set("1", Status::Cancelled)], &[]), Verdict::Start { tries: 1 });
        assert_eq!(verdict(&[], &[]), Verdict::Start { tries: 0 });
    }
}
