//! Reports of how many instances of other accounts use an image.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/your-ec2-ami-usage.html>

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::aws::query::{self, Tags};
use crate::aws::reply::{Outcome, Refused};

use super::lagging::later;
use super::paging::cut;
use super::request::{Request, invalid, time};
use super::state::State;
use super::tokens::{TokenKey, Used};

const FILTERS: &[&str] = &["creation-time", "state", "tag-key", "account-id", "resource-type"];

/// What can be reported about; only instances exist here.
const TYPES: [&str; 4] =
    ["ec2:Instance", "ec2:LaunchTemplate", "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe"];

/// A report about one image.
#[derive(Debug)]
pub(super) struct Report {
    owner: String,
    region: String,
    image: String,
    types: Vec<String>,
    accounts: Vec<String>,
    created: Timestamp,
    available_at: Timestamp,
    tags: Tags,
    /// Instances of each other account.
    counts: BTreeMap<String, u64>,
}

impl Report {
    fn state(&self, now: Timestamp) -> &'static str {
        if now < self.available_at { "pending" } else { "available" }
    }
}

/// Orders a report; it is pending for as long as an image is after RegisterImage.
pub(super) fn create_report(state: &mut State, request: &Request<'_>) -> Outcome {
    let token = request.text("ClientToken").map(|token| TokenKey {
        account: request.account().to_owned(),
        region: request.region().to_owned(),
        operation: request.call.operation.clone(),
        token: token.to_owned(),
    });
    let answer = |id: &str| {
        request.answer(|xml| {
            xml.text("reportId", id);
        })
    };
    if let Some(key) = &token {
        match state.tokens.look(key, &request.fingerprint()) {
            Used::Same(id) => return answer(id),
            Used::Otherwise => {
                return Err(Refused::bad("IdempotentParameterMismatch", "The client token was used before"));
            }
            Used::Never => {}
        }
    }
    let image = state.own_image(request, request.required("ImageId")?)?.id.clone();
    let mut types = Vec::new();
    for item in query::items(request.params(), "ResourceType") {
        let name = query::required(&item, "ResourceType")?;
        if !TYPES.contains(&name) {
            return Err(invalid(format!("Value ({name}) for parameter resourceType is invalid.")));
        }
        types.push(name.to_owned());
    }
    let accounts: Vec<String> = request.list("AccountId").into_iter().map(str::to_owned).collect();
    let mut counts = BTreeMap::new();
    if types.iter().any(|name| name == "ec2:Instance") {
        for instance in state.instances.values().filter(|instance| instance.image == image) {
            let is_wanted = accounts.is_empty() || accounts.contains(&instance.account);
            if is_wanted && instance.account != request.account() {
                *counts.entry(instance.account.clone()).or_default() += 1;
            }
        }
    }
    let id = state.new_id("amiur-");
    let report = Report {
        owner: request.account().to_owned(),
        region: request.region().to_owned(),
        image,
        types,
        accounts,
        created: request.now(),
        available_at: later(request.now(), request.settings.delays.image_available),
        tags: request.tags_for("image-usage-report", &["image-usage-report"])?,
        counts,
    };
    state.reports.insert(id.clone(), report);
    if let Some(key) = token {
        state.tokens.keep(key, request.fingerprint(), id.clone());
    }
    answer(&id)
}

/// The caller's reports that a request names, or all.
fn wanted<'s>(state: &'s State, request: &Request<'_>) -> Vec<(&'s String, &'s Report)> {
    let (reports, images) = (request.list("ReportId"), request.list("ImageId"));
    let is_wanted = |(id, report): &(&String, &Report)| {
        report.owner == request.account()
            && report.region == request.region()
            && (reports.is_empty() || reports.contains(&id.as_str()))
            && (images.is_empty() || images.contains(&report.image.as_str()))
    };
    state.reports.iter().filter(is_wanted).collect()
}

/// Lists reports.
pub(super) fn describe_reports(state: &mut State, request: &Request<'_>) -> Outcome {
    let filters = request.filters(FILTERS)?;
    let now = request.now();
    let mut page = cut(request, wanted(state, request), |(id, _)| (*id).clone())?;
    page.items.retain(|(_, report)| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "state" => filter.accepts(report.state(now)),
            "creation-time" => filter.accepts(&time(report.created)),
            name => report.tags.iter().any(|(key, value)| match name.strip_prefix("tag:") {
                Some(wanted) => wanted == key && filter.accepts(value),
                None => filter.accepts(key),
            }),
        })
    });
    request.answer(|xml| {
        xml.list("imageUsageReportSet", page.items, |xml, (id, report)| {
            xml.text("reportId", id).text("imageId", &report.image).text("state", report.state(now));
            xml.text("creationTime", time(report.created));
            xml.text("expirationTime", time(report.created + SignedDuration::from_hours(30 * 24)));
            xml.list("resourceTypeSet", &report.types, |xml, name| {
                xml.text("resourceType", name);
            });
            xml.node("accountIdSet", |xml| {
                for account in &report.accounts {
                    xml.text("item", account);
                }
            });
            xml.tags(&report.tags);
        });
        xml.optional("nextToken", page.next);
    })
}

/// Lists what is in the reports that are available.
pub(super) fn describe_entries(state: &mut State, request: &Request<'_>) -> Outcome {
    let filters = request.filters(FILTERS)?;
    let now = request.now();
    let mut rows = Vec::new();
    for (id, report) in wanted(state, request) {
        if report.state(now) == "available" {
            rows.extend(report.counts.iter().map(|(account, count)| (id, report, account, count)));
        }
    }
    let mut page = cut(request, rows, |(id, _, account, _)| format!("{id} {account}"))?;
    page.items.retain(|(_, report, account, _)| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "account-id" => filter.accepts(account),
            "resource-type" => filter.accepts(TYPES[0]),
            "creation-time" => filter.accepts(&time(report.created)),
            _ => false,
        })
    });
    request.answer(|xml| {
        xml.list("imageUsageReportEntrySet", page.items, |xml, (id, report, account, count)| {
            xml.text("resourceType", TYPES[0])
                .text("reportId", id)
                .text("usageCount", count)
                .text("accountId", account)
                .text("imageId", &report.image)
                .text("reportCreationTime", time(report.created));
        });
        xml.optional("nextToken", page.next);
    })
}

/// Deletes a report.
pub(super) fn delete_report(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("ReportId")?;
    match state.reports.get(id) {
        Some(report) if report.owner == request.account() && report.region == request.region() => {
            state.reports.remove(id);
            request.done()
        }
        _ => Err(invalid(format!("The report '{id}' does not exist"))),
    }
}
