//! What is being done, made of events, and the lines that show it.

use std::collections::BTreeSet;
use std::time::Duration;

use cloud_publish_core::event::{Event, Work};

use super::fit::fit;
use super::task::Task;
use super::total::Total;
use crate::output::clean::line_of;
use crate::output::plain::name_of;
use crate::output::size::shorten;
use crate::output::terminal::Size;

/// The most lines of single tasks, however large the terminal.
const MOST: usize = 12;

/// Lines of a terminal that are left to what stands above.
const LEFT: usize = 4;

/// What is being done.
#[derive(Debug, Default)]
pub(super) struct Board {
    tasks: Vec<Task>,
    /// What is being looked at before anything is done: `surveying aws, openstack`.
    stage: Option<String>,
    /// Everything, once it is known what that is.
    total: Option<Total>,
    /// The targets that steps worked on so far.
    targets: BTreeSet<String>,
}

impl Board {
    /// Takes an event in.
    pub(super) fn hear(&mut self, event: &Event, now: Duration) {
        match event {
            Event::Stage { name, target, .. } => self.stage(name, target.as_ref().map(AsRef::as_ref)),
            Event::Verifying { file, done, total } => self.verifying(file, (*done, *total), now),
            Event::Proving { work, done, total } => self.proving(work, (*done, *total), now),
            Event::Executing { steps, uploads } => {
                *self = Self { total: Some(Total::new(*steps, *uploads)), ..Self::default() };
            }
            Event::StepStarted { step, work, .. } => self.begin(step.as_str(), work, now),
            Event::StepProgress { step, done, total } => self.moved(step.as_str(), (*done, *total), now),
            Event::StepSays { step, message } => self.says(step.as_str(), message),
            Event::StepRetried { step, wait_s, trouble, .. } => {
                let why = trouble.error.join(": ");
                self.says(step.as_str(), &format!("tried again in {wait_s:.0} s: {why}"));
            }
            Event::StepDone { step, .. } | Event::StepWaits { step, .. } => drop(self.end(step.as_str())),
            Event::StepFailed { step, .. } => {
                let ended = self.end(step.as_str());
                ended.and(self.total.as_mut()).into_iter().for_each(Total::fail);
            }
            _ => {}
        }
    }

    fn stage(&mut self, name: &str, target: Option<&str>) {
        self.stage = Some(match (self.stage.take(), target) {
            (Some(before), Some(target)) if before.starts_with(&format!("{name} ")) => format!("{before}, {target}"),
            (_, Some(target)) => format!("{name} {target}"),
            (_, None) => name.to_owned(),
        });
    }

    fn verifying(&mut self, file: &str, (done, total): (u64, u64), now: Duration) {
        if done >= total {
            return self.tasks.retain(|task| task.key != file);
        }
        if self.task(file).is_none() {
            let name = file.rsplit('/').next().unwrap_or(file);
            self.tasks.push(Task::new(file, ("verify", name), now));
        }
        self.moved(file, (done, total), now);
    }

    fn proving(&mut self, work: &Work, (done, total): (u64, u64), now: Duration) {
        let key = name_of(work);
        if done >= total {
            return self.tasks.retain(|task| task.key != key);
        }
        if self.task(&key).is_none() {
            self.begin(&key, work, now);
        }
        self.moved(&key, (done, total), now);
    }

    fn begin(&mut self, key: &str, work: &Work, now: Duration) {
        // It only waits, and nothing else is done meanwhile.
        if work.verb == "barrier" {
            return;
        }
        let target = work.target.to_string();
        let image = work.image.as_deref().unwrap_or_default();
        let region = work.region.as_ref().map(ToString::to_string).filter(|region| *region != target);
        self.targets.insert(target.clone());
        self.tasks.push(Task::new(key, (&work.verb, image), now).at(target, region));
    }

    fn moved(&mut self, key: &str, (done, total): (u64, u64), now: Duration) {
        if let Some(task) = self.task(key) {
            task.moved(now, done, total);
        }
        let through = self.tasks.iter().filter_map(Task::upload).map(|(done, _)| done).sum();
        if let Some(total) = &mut self.total {
            total.moved(now, through);
        }
    }

    fn says(&mut self, key: &str, words: &str) {
        if let Some(task) = self.task(key) {
            task.says(words);
        }
    }

    fn end(&mut self, key: &str) -> Option<Task> {
        let index = self.tasks.iter().position(|task| task.key == key)?;
        let task = self.tasks.remove(index);
        if let Some(total) = &mut self.total {
            total.end(task.upload().map(|(_, all)| all));
        }
        Some(task)
    }

    fn task(&mut self, key: &str) -> Option<&mut Task> {
        self.tasks.iter_mut().find(|task| task.key == key)
    }

    /// The lines that show it on a terminal: those that move bytes first, then as they began; the rest as a number.
    pub(super) fn lines(&mut self, now: Duration, size: Size) -> Vec<String> {
        let width = size.columns.saturating_sub(1);
        let most = size.rows.saturating_sub(LEFT).clamp(1, MOST);
        let room = if self.tasks.len() > most { most - 1 } else { most };
        // A stable order: lines do not jump.
        let mut order: Vec<&mut Task> = self.tasks.iter_mut().collect();
        order.sort_by_key(|task| !task.has_bytes());
        let hidden = order.split_off(room.min(order.len()));
        let is_named = self.targets.len() > 1;
        let shown: Vec<_> = order.into_iter().map(|task| task.line(now, is_named)).collect();
        let mut lines = fit(&shown, width);
        lines.extend(rest(&hidden).map(|rest| shorten(&rest, width)));
        match &mut self.total {
            Some(total) => {
                let uploads = self.tasks.iter().filter_map(Task::upload);
                lines.extend(fit(&[total.line(now, uploads)], width));
            }
            None if lines.is_empty() => lines.extend(self.stage.iter().map(|stage| shorten(&line_of(stage), width))),
            None => {}
        }
        lines
    }
}

/// `... and 21 more: 18 copy, 3 register`
fn rest(hidden: &[&mut Task]) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for task in hidden {
        match counts.iter_mut().find(|(known, _)| *known == task.verb) {
            Some((_, number)) => *number += 1,
            None => counts.push((&task.verb, 1)),
        }
    }
    let counts: Vec<String> = counts.into_iter().map(|(verb, number)| format!("{number} {verb}")).collect();
    (!counts.is_empty()).then(|| format!("... and {} more: {}", hidden.len(), counts.join(", ")))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud_publish_core::error::Kind;
    use cloud_publish_core::event::{Event, Trouble, Work};
    use cloud_publish_core::names::{Region, TargetName};
    use cloud_publish_core::plan::StepId;

    use super::Board;
    use crate::output::terminal::Size;

    const MIB: u64 = 1 << 20;

    fn step(verb: &str, region: &str) -> (StepId, Work) {
        let (target, region) = (TargetName::new("aws").unwrap(), Region::new(region).unwrap());
        let id = StepId::of_target(&target, &format!("genericcloud-amd64/{region}/{verb}"));
        let image = Some("genericcloud-amd64".to_owned());
        (id, Work { verb: verb.to_owned(), target, image, region: Some(region) })
    }

    fn started(verb: &str, region: &str) -> Event {
        let (step, work) = step(verb, region);
        Event::StepStarted { step, work, at: "2024-01-01T00:00:00Z".parse().unwrap() }
    }

    fn shown(board: &mut Board, seconds: u64, columns: usize, rows: usize) -> String {
        board.lines(Duration::from_secs(seconds), Size { columns, rows }).join("\n")
    }

    #[test]
    fn transfers_come_first_and_many_regions_do_not_fill_the_screen() {
        let mut board = Board::default();
        let mut hear = |seconds, event: &Event| board.hear(event, Duration::from_secs(seconds));
        hear(0, &Event::Executing { steps: 85, uploads: 2 });
        (1..=34).for_each(|number| hear(0, &started("replicate", &format!("region-{number}"))));
        hear(0, &started("upload", "us-east-1"));
        let upload = step("upload", "us-east-1").0;
        for second in 0..=10 {
            hear(second, &Event::StepProgress { step: upload.clone(), done: second * 24 * MIB, total: 321 * MIB });
        }
        let copy = step("replicate", "region-2").0;
        hear(10, &Event::StepSays { step: copy, message: "the copy is pending".to_owned() });
        insta::assert_snapshot!(shown(&mut board, 10, 80, 24), @r#"
        upload  genericcloud-amd64  us-east-1   74 %  240/321 MiB  24 MiB/s  3 s left
        copy    genericcloud-amd64  region-1   10 s
        copy    genericcloud-amd64  region-2   the copy is pending
        copy    genericcloud-amd64  region-3   10 s
        copy    genericcloud-amd64  region-4   10 s
        copy    genericcloud-amd64  region-5   10 s
        copy    genericcloud-amd64  region-6   10 s
        copy    genericcloud-amd64  region-7   10 s
        copy    genericcloud-amd64  region-8   10 s
        copy    genericcloud-amd64  region-9   10 s
        copy    genericcloud-amd64  region-10  10 s
        ... and 24 more: 24 copy
        total  0 of 85 steps   37 %  240/642 MiB  24 MiB/s  16 s left
        "#);
        insta::assert_snapshot!(shown(&mut board, 10, 40, 10), @r#"
        upload  genericcl…  us-east-1   74 %
        copy    genericcl…  region-1   10 s
        copy    genericcl…  region-2   the cop…
        copy    genericcl…  region-3   10 s
        copy    genericcl…  region-4   10 s
        ... and 30 more: 30 copy
        total  0 of 85 steps   37 %
        "#);
    }

    #[test]
    fn what_ended_has_no_line_and_what_failed_is_counted() {
        let mut board = Board::default();
        let mut hear = |event: &Event| board.hear(event, Duration::ZERO);
        hear(&Event::Executing { steps: 3, uploads: 0 });
        hear(&started("tag", "a"));
        hear(&started("tag", "b"));
        hear(&started("barrier", "b"));
        let trouble = Trouble { kind: Kind::Unexpected, error: vec!["no".to_owned()], hint: None };
        hear(&Event::StepFailed { step: step("tag", "a").0, required: true, trouble });
        hear(&Event::StepDone { step: step("tag", "b").0, took_s: 1.0, made: None });
        hear(&Event::StepDone { step: step("barrier", "b").0, took_s: 1.0, made: None });
        assert_eq!(shown(&mut board, 1, 80, 24), "total  2 of 3 steps, 1 failed");
    }

    #[test]
    fn what_is_read_back_has_a_line_while_it_is() {
        let mut board = Board::default();
        let work = Work { region: None, ..step("prove", "x").1 };
        let proving = |done| Event::Proving { work: work.clone(), done, total: 100 * MIB };
        board.hear(&proving(0), Duration::ZERO);
        board.hear(&proving(50 * MIB), Duration::from_secs(5));
        let line = "prove  genericcloud-amd64  aws   50 %  50/100 MiB  10 MiB/s  5 s left";
        assert_eq!(shown(&mut board, 5, 80, 24), line);
        board.hear(&proving(100 * MIB), Duration::from_secs(6));
        assert_eq!(shown(&mut board, 6, 80, 24), "");
    }

    #[test]
    fn before_anything_is_done_the_stage_is_shown_and_the_files_that_are_read() {
        let mut board = Board::default();
        let release = cloud_publish_core::names::ReleaseName::new("r").unwrap();
        for target in ["aws", "openstack"] {
            let target = Some(TargetName::new(target).unwrap());
            board.hear(&Event::Stage { name: "surveying".into(), release: release.clone(), target }, Duration::ZERO);
        }
        assert_eq!(shown(&mut board, 0, 80, 24), "surveying aws, openstack");
        let verifying = |done| Event::Verifying { file: "releases/disk.raw".into(), done, total: 100 * MIB };
        board.hear(&verifying(0), Duration::ZERO);
        board.hear(&verifying(50 * MIB), Duration::from_secs(5));
        assert_eq!(shown(&mut board, 5, 80, 24), "verify  disk.raw   50 %  50/100 MiB  10 MiB/s  5 s left");
        board.hear(&verifying(100 * MIB), Duration::from_secs(6));
        assert_eq!(shown(&mut board, 6, 80, 24), "surveying aws, openstack");
    }
}
