//! Service Quotas of images and snapshots.

use serde_json::{Value, json};

use super::call::Call;
use super::paging::{Wanted, page};
use super::reply::{Outcome, Refused, Reply};
use super::settings::Quotas;
use super::world::Shared;

/// A quota: <https://docs.aws.amazon.com/general/latest/gr/ec2-service.html>,
/// <https://docs.aws.amazon.com/general/latest/gr/ebs-service.html>.
struct Quota {
    service: &'static str,
    code: &'static str,
    name: &'static str,
    value: fn(&Quotas) -> u64,
    /// What cannot be raised has no applied value, only a default.
    adjustable: bool,
}

const QUOTAS: [Quota; 4] = [
    Quota {
        service: "ec2",
        code: "L-0E3CBAB9",
        name: "Public AMIs",
        value: |quotas| quotas.public_images,
        adjustable: true,
    },
    Quota { service: "ec2", code: "L-B665C33B", name: "AMIs", value: |quotas| quotas.images, adjustable: true },
    Quota {
        service: "ebs",
        code: "L-309BACF6",
        name: "Snapshots per Region",
        value: |quotas| quotas.snapshots,
        adjustable: true,
    },
    Quota {
        service: "ebs",
        code: "L-94D7AB7D",
        name: "Pending snapshots per account",
        value: |quotas| quotas.pending_snapshots,
        adjustable: false,
    },
];

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    let settings = shared.settings();
    if settings.no_service_quota_access {
        return Err(Refused::denied(call.service, format!("User: {} is not authorized", call.caller.arn)));
    }
    let applied = matches!(call.operation.as_str(), "GetServiceQuota" | "ListServiceQuotas");
    let values = if applied { settings.quotas(&call.caller.account, &call.region) } else { Quotas::default() };
    let arn = format!(
        "arn:{}:servicequotas:{}:{}",
        settings.partition(&call.caller.account),
        call.region,
        call.caller.account
    );
    let service = call.text("ServiceCode").ok_or_else(|| illegal("ServiceCode is missing"))?;
    let found = QUOTAS.iter().filter(|quota| quota.service == service && (quota.adjustable || !applied));
    let describe = |quota: &Quota| describe(quota, &values, &arn);
    match call.operation.as_str() {
        "GetServiceQuota" | "GetAWSDefaultServiceQuota" => {
            let code = call.text("QuotaCode").ok_or_else(|| illegal("QuotaCode is missing"))?;
            let quota = found.into_iter().find(|quota| quota.code == code).ok_or_else(|| {
                let message = "The request failed because the specified service quota does not exist.";
                Refused::bad("NoSuchResourceException", message)
            })?;
            Ok(Reply::json(&json!({"Quota": describe(quota)})))
        }
        "ListServiceQuotas" | "ListAWSDefaultServiceQuotas" => {
            if QUOTAS.iter().all(|quota| quota.service != service) {
                return Err(Refused::bad("NoSuchResourceException", "The specified service does not exist."));
            }
            let most = call.json["MaxResults"].as_u64().and_then(|most| usize::try_from(most).ok());
            let wanted = Wanted { most, cap: settings.page_size.min(100), token: call.text("NextToken") };
            let page = page(found.map(describe).collect(), wanted)
                .map_err(|_| Refused::bad("InvalidPaginationTokenException", "Invalid pagination token"))?;
            Ok(Reply::json(&json!({"Quotas": page.items, "NextToken": page.next})))
        }
        _ => Err(Refused::unknown_operation(call)),
    }
}

fn describe(quota: &Quota, values: &Quotas, arn: &str) -> Value {
    let value = u32::try_from((quota.value)(values)).map_or(f64::MAX, f64::from);
    json!({
        "ServiceCode": quota.service,
        "ServiceName": if quota.service == "ec2" {
            "Amazon Elastic Compute Cloud (Amazon EC2)"
        } else {
            "Amazon Elastic Block Store (Amazon EBS)"
        },
        "QuotaArn": format!("{arn}:{}/{}", quota.service, quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": value,
        "Unit": "None",
        "Adjustable": quota.adjustable,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}

fn illegal(message: &str) -> Refused {
    Refused::bad("IllegalArgumentException", message)
}
