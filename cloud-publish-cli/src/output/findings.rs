//! What speaks against a plan, or is worth a look: findings of the preflight, and differences that are left.

use cloud_publish_core::names::{Region, TargetName};
use cloud_publish_core::plan::Plan;
use cloud_publish_core::publisher::Severity;
use cloud_publish_core::run::Preflight;

use super::clean::clean;
use super::style::{Word, paint};

/// One remark about a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark<'a> {
    severity: Severity,
    target: &'a TargetName,
    region: Option<&'a Region>,
    message: String,
    hint: Option<&'a str>,
}

impl Remark<'_> {
    /// The remark as people read it.
    pub(crate) fn text(&self) -> String {
        let label = match self.severity {
            Severity::Error => paint(Word::Bad, "error:"),
            Severity::Warning => paint(Word::Warning, "warning:"),
        };
        let region = self.region.map(|region| format!(" in {region}")).unwrap_or_default();
        let mut text = format!("{label} {}{}: {}\n", self.target, clean(&region), clean(&self.message));
        if let Some(hint) = self.hint {
            text.push_str(&format!("{} {}\n", paint(Word::Good, "hint:"), clean(hint)));
        }
        text
    }
}

/// Everything that a preflight remarks, and a plan if one is given, worst first.
pub(crate) fn remarks<'a>(plan: Option<&'a Plan>, preflight: &'a Preflight) -> Vec<Remark<'a>> {
    let findings = preflight.findings.iter().map(|found| Remark {
        severity: found.finding.severity,
        target: &found.target,
        region: found.finding.region.as_ref(),
        message: found.finding.message.clone(),
        hint: found.finding.hint.as_deref(),
    });
    let drift = plan.into_iter().flat_map(|plan| &plan.drift).map(|drift| Remark {
        severity: Severity::Warning,
        target: &drift.target,
        region: Some(&drift.region),
        message: format!("{}: {}", drift.image, drift.message),
        hint: Some(&drift.hint),
    });
    let mut all: Vec<Remark<'a>> = findings.chain(drift).collect();
    all.sort_by_key(|remark| std::cmp::Reverse(remark.severity));
    all
}
