//! What is being done, as lines that stay: for logs, and for terminals that cannot do more.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use cloud_publish_core::event::{Event, Work};

use super::clean::line_of;
use super::rate::{Rate, time_left};
use super::size::{part_of, size, span, took};

/// How often something long says how far it is.
const EVERY: Duration = Duration::from_secs(10);

/// Makes lines of events.
#[derive(Debug, Default)]
pub(super) struct Plain {
    /// What takes long, and when it last said how far it is.
    long: Mutex<BTreeMap<String, (Duration, Rate)>>,
}

impl Plain {
    /// The line of an event at `now`, if it is worth one.
    pub(super) fn line(&self, event: &Event, now: Duration) -> Option<String> {
        let line = match event {
            Event::Stage { name, target: Some(target), .. } => format!("{name} {target}"),
            Event::Verifying { file, done, total } => self.far(&format!("verifying {file}"), (*done, *total), now)?,
            Event::Proving { work, done, total } => {
                self.far(&format!("reading back {}", name_of(work)), (*done, *total), now)?
            }
            Event::StepStarted { step, .. } => format!("start  {step}"),
            Event::StepProgress { step, done, total } => self.far(step.as_str(), (*done, *total), now)?,
            Event::StepSays { step, message } => format!("       {step}: {message}"),
            Event::StepRetried { step, attempt, wait_s, trouble } => {
                let why = trouble.error.join(": ");
                format!("retry  {step} in {wait_s:.0} s, try {attempt} failed: {why}")
            }
            Event::StepDone { step, took_s, made } => {
                let made = made.as_ref().map(|made| format!(": {made}")).unwrap_or_default();
                format!("done   {step} ({}){made}", took(Duration::try_from_secs_f64(*took_s).unwrap_or_default()))
            }
            Event::StepSkipped { step, reason } => format!("skip   {step}: {reason}"),
            _ => return None,
        };
        Some(format!("{}\n", line_of(&line)))
    }

    /// A line saying how far something is, if it did not say so lately. The first 10 s and the end say nothing.
    fn far(&self, what: &str, (done, total): (u64, u64), now: Duration) -> Option<String> {
        let mut long = self.long.lock().unwrap_or_else(PoisonError::into_inner);
        if done >= total {
            long.remove(what);
            return None;
        }
        let (last, rate) = long.entry(what.to_owned()).or_insert_with(|| (now, Rate::default()));
        rate.saw(now, done);
        if now.saturating_sub(*last) < EVERY {
            return None;
        }
        *last = now;
        let percent = u128::from(done).saturating_mul(100).checked_div(u128::from(total)).unwrap_or(100);
        let rate = rate.per_second(now);
        let speed = rate.map(|rate| format!(", {}/s", size(rate))).unwrap_or_default();
        let left = time_left(done, total, rate).map(|time| format!(", {} left", span(time))).unwrap_or_default();
        Some(format!("{percent:>4} % {what}: {}{speed}{left}", part_of(done, total)))
    }
}

/// The name of something that is no step, made like those of steps: `openstack/genericcloud-amd64/RegionOne/prove`.
pub(super) fn name_of(work: &Work) -> String {
    let image = work.image.as_ref().map(|image| format!("/{image}")).unwrap_or_default();
    let region = work.region.as_ref().map(|region| format!("/{region}")).unwrap_or_default();
    format!("{}{image}{region}/{}", work.target, work.verb)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cloud_publish_core::event::Event;

    use super::Plain;

    const MIB: u64 = 1 << 20;

    #[test]
    fn what_takes_long_says_every_10_s_how_far_it_is() {
        let plain = Plain::default();
        let mut lines = String::new();
        for second in 0..=42 {
            let event = Event::Verifying { file: "disk.raw".into(), done: second * 8 * MIB, total: 336 * MIB };
            let line = plain.line(&event, Duration::from_secs(second));
            lines.extend(line.map(|line| format!("{second} s: {line}")));
        }
        insta::assert_snapshot!(lines, @r#"
        10 s:   23 % verifying disk.raw: 80/336 MiB, 8 MiB/s, 32 s left
        20 s:   47 % verifying disk.raw: 160/336 MiB, 8 MiB/s, 22 s left
        30 s:   71 % verifying disk.raw: 240/336 MiB, 8 MiB/s, 12 s left
        40 s:   95 % verifying disk.raw: 320/336 MiB, 8 MiB/s, 2 s left
        "#);
    }
}
