//! Asking every target, before the first byte, whether the plan can succeed there.

use std::sync::Arc;

use futures::future::join_all;
use serde::Serialize;

use super::patience::patiently;
use super::{Environment, Prepared};
use crate::error::{Kind, Result};
use crate::event::{Event, Trouble};
use crate::names::{Region, TargetName};
use crate::plan::{Action, PlannedImage, Refusal, RefusalKind};
use crate::publisher::{Finding, ImageSpec, PreflightRequest, Probe, Severity};

/// One finding and where it belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TargetFinding {
    /// The target.
    pub target: TargetName,
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Everything that speaks against carrying out a plan.
#[derive(Clone, Debug, Default)]
pub struct Preflight {
    /// What was found, worst first.
    pub findings: Vec<TargetFinding>,
    /// Whether one of them is a safety guard.
    pub guarded: bool,
}

impl Preflight {
    /// The findings that refuse the run.
    pub fn errors(&self) -> impl Iterator<Item = &TargetFinding> {
        self.findings.iter().filter(|found| found.finding.severity == Severity::Error)
    }
}

impl Prepared {
    /// Asks every target with something to do, and adds what looking and planning have found already.
    ///
    /// # Errors
    /// [`Kind::Cancelled`].
    pub async fn preflight(&self, environment: &Environment, probe: Probe) -> Result<Preflight> {
        let context = environment.context();
        let (mut report, mut told) = (self.known(), Vec::new());
        let asked = self.observed.iter().map(|one| {
            let context = &context;
            async move {
                let additions = specs(self.plan.additions(&one.info.target));
                let exposures = specs(self.plan.exposures(&one.info.target));
                if additions.is_empty() && exposures.is_empty() {
                    return (&one.info.target, Ok(Vec::new()));
                }
                let request = PreflightRequest { additions, exposures, probe };
                let target = &one.info.target;
                environment.reporter.report(&Event::Stage {
                    name: "checking".to_owned(),
                    release: self.plan.release.clone(),
                    target: Some(target.clone()),
                });
                (target, patiently(context, || one.target.publisher.preflight(context, &request)).await)
            }
        });
        for (target, answer) in context.or_cancelled(join_all(asked)).await? {
            match answer {
                Ok(findings) => {
                    let weighed = findings.into_iter().map(|finding| self.weigh(target, finding));
                    told.extend(weighed.map(|finding| at(target, finding)));
                }
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                Err(error) => told.push(at(target, refused(None, &Trouble::from(&error)))),
            }
        }
        report.findings.extend(self.unasked(environment));
        report.findings.extend(self.unread(&told));
        report.findings.append(&mut told);
        report.findings.sort_by_key(|found| (std::cmp::Reverse(found.finding.severity), found.target.clone()));
        Ok(report)
    }

    /// What speaks against a best-effort region alone does not refuse the run.
    fn weigh(&self, target: &TargetName, mut finding: Finding) -> Finding {
        let regions = self.observed.iter().filter(|one| one.info.target == *target).flat_map(|one| &one.info.regions);
        let mut here = regions.filter(|wanted| Some(&wanted.region) == finding.region.as_ref());
        if here.any(|wanted| !wanted.required) {
            finding.severity = Severity::Warning;
        }
        finding
    }

    /// Regions that could not be read, but for those of which their target says what is wrong with them.
    fn unread(&self, told: &[TargetFinding]) -> Vec<TargetFinding> {
        let explains = |refusal: &Refusal, found: &TargetFinding| {
            let here = found.finding.region.is_some() && found.finding.region == refusal.region;
            here && found.target == refusal.target && found.finding.severity == Severity::Error
        };
        let unread = self.plan.refusals.iter().filter(|refusal| refusal.kind == RefusalKind::Unreadable);
        unread.filter(|refusal| !told.iter().any(|found| explains(refusal, found))).map(planned).collect()
    }

    /// Gates that the plan asks and that cannot be asked.
    fn unasked(&self, environment: &Environment) -> Vec<TargetFinding> {
        let asks = |target: &TargetName| {
            let mut here = self.plan.steps.iter().filter(|step| step.target == *target);
            here.any(|step| matches!(step.action, Action::Gate { .. }))
        };
        let targets = self.observed.iter().map(|one| &one.info.target).filter(|target| asks(target));
        let obstacle = |target| Some(at(target, refused(None, &Trouble::from(&environment.gate.obstacle(target)?))));
        targets.filter_map(obstacle).collect()
    }

    /// What needs no further call: unreachable targets, the plan's refusals but for [`Self::unread`].
    fn known(&self) -> Preflight {
        let unreachable = self.unreachable.iter().map(|(target, trouble)| at(target, refused(None, trouble)));
        let refusals = self.plan.refusals.iter().filter(|refusal| refusal.kind != RefusalKind::Unreadable).map(planned);
        let skipped = self.observed.iter().flat_map(|one| {
            one.info.skipped.iter().map(|(region, why)| {
                let message = format!("the region is left out: {why}");
                let finding =
                    Finding { severity: Severity::Warning, region: Some(region.clone()), message, hint: None };
                at(&one.info.target, finding)
            })
        });
        Preflight {
            findings: unreachable.chain(refusals).chain(skipped).collect(),
            guarded: self.plan.refusals.iter().map(|refusal| refusal.kind).any(RefusalKind::is_guard),
        }
    }
}

fn specs<'a>(planned: impl Iterator<Item = (&'a PlannedImage, &'a Region)>) -> Vec<(Arc<ImageSpec>, Region)> {
    planned.map(|(image, region)| (Arc::new(image.spec.clone()), region.clone())).collect()
}

fn planned(refusal: &Refusal) -> TargetFinding {
    let what = refusal.image.as_ref().map(|image| format!("{image}: ")).unwrap_or_default();
    let finding = Finding {
        severity: Severity::Error,
        region: refusal.region.clone(),
        message: format!("{what}{}", refusal.message),
        hint: Some(refusal.hint.clone()),
    };
    at(&refusal.target, finding)
}

fn at(target: &TargetName, finding: Finding) -> TargetFinding {
    TargetFinding { target: target.clone(), finding }
}

fn refused(region: Option<Region>, trouble: &Trouble) -> Finding {
    Finding { severity: Severity::Error, region, message: trouble.error.join(": "), hint: trouble.hint.clone() }
}
