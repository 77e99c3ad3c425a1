//! Room for what the run makes: public images and snapshots, per region.
//!
//! The quota of public images (5 by default) is enforced by the very last call, when everything is uploaded and copied:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-quotas.html>.

use aws_sdk_ec2::types::Filter;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Finding};

use super::Work;
use super::finding::{refusal, unreadable, warning};
use crate::error::{classify, code};
use crate::publisher::Here;

/// A quota of Service Quotas.
#[derive(Clone, Copy, Debug)]
struct Quota {
    service: &'static str,
    code: &'static str,
    what: &'static str,
}

/// <https://docs.aws.amazon.com/general/latest/gr/ec2-service.html>.
const PUBLIC_IMAGES: Quota = Quota { service: "ec2", code: "L-0E3CBAB9", what: "public images" };

/// <https://docs.aws.amazon.com/general/latest/gr/ebs-service.html>.
const SNAPSHOTS: Quota = Quota { service: "ebs", code: "L-309BACF6", what: "snapshots" };

pub(super) async fn exceeded(here: &Here, context: &Context, work: &Work<'_>) -> Vec<Finding> {
    let public = work.shows.iter().filter(|spec| spec.visibility == Visibility::Public).count();
    let mut findings = Vec::new();
    for (quota, adds) in [(PUBLIC_IMAGES, public), (SNAPSHOTS, work.makes.len())] {
        if adds > 0 {
            findings.extend(one(here, context, (quota, as_u64(adds))).await);
        }
    }
    findings
}

async fn one(here: &Here, context: &Context, (quota, adds): (Quota, u64)) -> Option<Finding> {
    let region = Some(&here.region);
    let limit = match limit(here, context, quota).await {
        Ok(limit) => limit,
        Err(error) => {
            let message = format!("the quota of {} could not be read: {error}", quota.what);
            let hint = format!("allow servicequotas:GetServiceQuota, or make sure that there is room for {adds} more");
            return Some(warning(region, message, hint));
        }
    };
    let used = match quota.code {
        code if code == PUBLIC_IMAGES.code => public_images(here, context).await,
        _ => snapshots(here, context).await,
    };
    match used {
        Ok(used) => quota.too_small((limit, used, adds), &here.region),
        Err(error) => Some(unreadable(region, &format!("how many {} there are", quota.what), &error)),
    }
}

impl Quota {
    fn too_small(self, (limit, used, adds): (u64, u64, u64), region: &Region) -> Option<Finding> {
        let Self { service, code, what } = self;
        let left = limit.saturating_sub(used);
        let needed = used.saturating_add(adds);
        (left < adds).then(|| {
            let message = format!("the quota of {what} has {left} of {limit} left, the run needs {adds}");
            let hint = format!(
                "`aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} \
                 --desired-value {needed} --region {region}`, or make older ones private or remove them with the `aws ec2` \
                 command"
            );
            refusal(Some(region), message, hint)
        })
    }
}

/// A quota that was never raised may have no applied value, only a default one.
async fn limit(here: &Here, context: &Context, quota: Quota) -> Result<u64> {
    let call = here.clients.quotas.get_service_quota().service_code(quota.service).quota_code(quota.code);
    let value = match context.or_cancelled(call.send()).await? {
        Ok(answer) => answer.quota.and_then(|quota| quota.value),
        Err(error) if code(&error) == Some("NoSuchResourceException") => default_limit(here, context, quota).await?,
        Err(error) => return Err(classify(&error, "GetServiceQuota")),
    };
    // A count: never negative, and far below 2^53.
    value.map(|value| value as u64).ok_or_else(|| Error::new(Kind::Unexpected, "the quota has no value"))
}

async fn default_limit(here: &Here, context: &Context, quota: Quota) -> Result<Option<f64>> {
    let call = here.clients.quotas.get_aws_default_service_quota().service_code(quota.service);
    let answer = context.or_cancelled(call.quota_code(quota.code).send()).await?;
    let answer = answer.map_err(|error| classify(&error, "GetAWSDefaultServiceQuota"))?;
    Ok(answer.quota.and_then(|quota| quota.value))
}

/// Those that are deprecated count too.
async fn public_images(here: &Here, context: &Context) -> Result<u64> {
    let filter = Filter::builder().name("is-public").values("true").build();
    let call = here.clients.ec2.describe_images().owners("self").filters(filter).include_deprecated(true);
    let mut pages = call.into_paginator().send();
    let mut count = 0;
    while let Some(page) = context.or_cancelled(pages.next()).await? {
        let page = page.map_err(|error| classify(&error, "DescribeImages"))?;
        count += as_u64(page.images().len());
    }
    Ok(count)
}

async fn snapshots(here: &Here, context: &Context) -> Result<u64> {
    let mut pages = here.clients.ec2.describe_snapshots().owner_ids("self").into_paginator().page_size(1000).send();
    let mut count = 0;
    while let Some(page) = context.or_cancelled(pages.next()).await? {
        let page = page.map_err(|error| classify(&error, "DescribeSnapshots"))?;
        count += as_u64(page.snapshots().len());
    }
    Ok(count)
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::PUBLIC_IMAGES;

    #[test]
    fn a_quota_is_too_small_only_when_the_run_does_not_fit() {
        let region = "eu-west-1".parse().unwrap();
        assert_eq!(PUBLIC_IMAGES.too_small((5, 3, 2), &region), None);
        let full = PUBLIC_IMAGES.too_small((5, 4, 2), &region).unwrap();
        assert_eq!(full.message, "the quota of public images has 1 of 5 left, the run needs 2");
        assert!(full.hint.unwrap().contains("--quota-code L-0E3CBAB9 --desired-value 6 --region eu-west-1"));
    }
}
