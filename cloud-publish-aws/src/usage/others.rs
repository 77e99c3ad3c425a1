//! Who refers to an image: our own account at once, other accounts by a report that AWS makes on request.

use std::time::Duration;

use aws_sdk_ec2::types::{Filter, ImageUsageResourceTypeRequest, ResourceType};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Context, ImageAt};
use jiff::{SignedDuration, Timestamp};

use crate::error::classify;
use crate::publisher::Here;
use crate::tags::specification;

/// A report of a whole region's customers takes minutes; without it the answer is "not known".
const REPORTED: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(15), deadline: Duration::from_secs(300) };

/// What AWS itself calls recent: instances of the past 24 hours may be missing from any report.
const RECENT: SignedDuration = SignedDuration::from_hours(24);

/// What a report counts.
const COUNTED: [&str; 2] = ["ec2:Instance", "ec2:LaunchTemplate"];

/// Whether anything of our own account refers to the image.
pub(super) async fn referred_to(here: &Here, context: &Context, id: &str) -> Result<bool> {
    let call = here.clients.ec2.describe_image_references().image_ids(id).include_all_resource_types(true);
    let mut pages = call.into_paginator().items().send();
    match context.or_cancelled(pages.next()).await? {
        None => Ok(false),
        Some(first) => first.map(|_| true).map_err(|error| classify(&error, "DescribeImageReferences")),
    }
}

/// Whether other accounts use the image, by a report of the past day or a new one.
pub(super) async fn used_by_others(here: &Here, context: &Context, at: &ImageAt) -> Result<bool> {
    let report = match recent(here, context, at).await? {
        Some(report) => report,
        None => create(here, context, at).await?,
    };
    poll_until(context, "the report of an image's use", REPORTED, || async {
        let call = here.clients.ec2.describe_image_usage_reports().report_ids(&report);
        let answer = context.or_cancelled(call.send()).await?;
        let answer = answer.map_err(|error| classify(&error, "DescribeImageUsageReports"))?;
        let state = answer.image_usage_reports().iter().find_map(|found| found.state());
        match state {
            Some("available") => Ok(Some(())),
            Some("error") => Err(Error::new(Kind::Unavailable, "AWS could not make the report of an image's use")),
            _ => Ok(None),
        }
    })
    .await?;
    let call = here.clients.ec2.describe_image_usage_report_entries().report_ids(&report);
    let mut pages = call.into_paginator().items().send();
    while let Some(entry) = context.or_cancelled(pages.next()).await? {
        let entry = entry.map_err(|error| classify(&error, "DescribeImageUsageReportEntries"))?;
        if entry.usage_count().unwrap_or(0) > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The newest report about the image that is not older than [`RECENT`] and counts what we ask for.
async fn recent(here: &Here, context: &Context, at: &ImageAt) -> Result<Option<String>> {
    let usable = Filter::builder().name("state").values("available").values("pending").build();
    let call = here.clients.ec2.describe_image_usage_reports().image_ids(at.id.as_str()).filters(usable);
    let mut pages = call.into_paginator().items().send();
    let oldest = context.clock().now().saturating_sub(RECENT).unwrap_or(Timestamp::MIN).as_second();
    let mut newest: Option<(i64, String)> = None;
    while let Some(report) = context.or_cancelled(pages.next()).await? {
        let report = report.map_err(|error| classify(&error, "DescribeImageUsageReports"))?;
        let counts = |wanted: &str| report.resource_types().iter().any(|kind| kind.resource_type() == Some(wanted));
        let made = report.creation_time().map_or(i64::MIN, |time| time.secs());
        let whole = report.account_ids().is_empty() && COUNTED.iter().all(|wanted| counts(wanted));
        if let (true, Some(id)) = (whole && made >= oldest, report.report_id()) {
            newest = newest.max(Some((made, id.to_owned())));
        }
    }
    Ok(newest.map(|(_, id)| id))
}

/// Asks for a report; the token of the day makes two runs share one. AWS deletes it after 30 days.
async fn create(here: &Here, context: &Context, at: &ImageAt) -> Result<String> {
    let day = context.clock().now().as_second() / RECENT.as_secs();
    let kinds = COUNTED.map(|kind| ImageUsageResourceTypeRequest::builder().resource_type(kind).build());
    let tags = at.tags.to_map(&here.place, &here.region);
    let call = here.clients.ec2.create_image_usage_report().image_id(at.id.as_str());
    let call = call.set_resource_types(Some(kinds.into())).client_token(format!("{}-{day}", at.id));
    let call = call.tag_specifications(specification(ResourceType::ImageUsageReport, &tags));
    let answer = context.or_cancelled(call.send()).await?;
    let answer = answer.map_err(|error| classify(&error, "CreateImageUsageReport"))?;
    answer.report_id.ok_or_else(|| Error::new(Kind::Unexpected, "AWS named no report of an image's use"))
}
