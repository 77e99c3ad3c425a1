//! What `upload = "s3-import"` needs besides permissions: a bucket of the home region, and a role that reads it.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, Finding};

use super::finding::{refusal, unreadable, warning};
use crate::config::Import;
use crate::error::{classify, code, is_missing};
use crate::publisher::{Aws, Here};

/// How to make the role.
const ROLE_PAGE: &str = "https://docs.aws.amazon.com/vm-import/latest/userguide/required-permissions.html";

/// Who assumes it.
const IMPORTER: &str = "vmie.amazonaws.com";

pub(super) async fn unusable(target: &Aws, context: &Context) -> Vec<Finding> {
    let Some(import) = &target.config().import else { return Vec::new() };
    let here = match target.here(context, target.home()).await {
        Ok(here) => here,
        Err(error) => return vec![unreadable(None, "the bucket of imports", &error)],
    };
    let looked = [role(&here, context, import).await, bucket(&here, context, import).await];
    let unreadable = |error: Error| Some(unreadable(Some(&here.region), "what imports need", &error));
    looked.into_iter().filter_map(|found| found.unwrap_or_else(unreadable)).collect()
}

async fn role(here: &Here, context: &Context, import: &Import) -> Result<Option<Finding>> {
    let name = &import.role;
    let call = aws_sdk_iam::Client::new(&here.clients.sdk).get_role().role_name(name);
    let answer = match context.or_cancelled(call.send()).await? {
        Ok(answer) => answer,
        Err(error) if code(&error).is_some_and(is_missing) => {
            let hint = format!("make it as {ROLE_PAGE} says, or name another with `import.role`");
            return Ok(Some(refusal(
                None,
                format!("there is no role `{name}`, with which AWS reads the bucket"),
                hint,
            )));
        }
        Err(error) => {
            let error = classify(&error, "GetRole");
            if error.kind() != Kind::PermissionDenied {
                return Err(error);
            }
            let hint = format!("allow iam:GetRole, or make sure that the role is as {ROLE_PAGE} says");
            return Ok(Some(warning(None, format!("the role `{name}` may not be looked at"), hint)));
        }
    };
    let trust = answer.role().and_then(|role| role.assume_role_policy_document()).unwrap_or_default();
    Ok((!trusts(trust, IMPORTER)).then(|| {
        let hint = format!("give it the trust policy of {ROLE_PAGE}");
        refusal(None, format!("the role `{name}` does not let {IMPORTER} assume it"), hint)
    }))
}

/// IAM encodes policies for URLs; of a service's name only the dots can be.
fn trusts(policy: &str, service: &str) -> bool {
    policy.replace("%2E", ".").contains(service)
}

/// Answers to `HeadBucket` have no body, so there are no codes:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>.
async fn bucket(here: &Here, context: &Context, import: &Import) -> Result<Option<Finding>> {
    let name = &import.bucket;
    let (status, region) = match context.or_cancelled(here.clients.s3().head_bucket().bucket(name).send()).await? {
        Ok(answer) => (200, answer.bucket_region),
        Err(error) => {
            let answer = error.raw_response();
            let status = answer.map(|answer| answer.status().as_u16());
            let region = answer.and_then(|answer| answer.headers().get("x-amz-bucket-region")).map(ToOwned::to_owned);
            match status {
                Some(status @ (301 | 400 | 403 | 404)) => (status, region),
                _ => return Err(classify(&error, "HeadBucket")),
            }
        }
    };
    Ok(usable((status, region.as_deref()), name, here))
}

fn usable((status, region): (u16, Option<&str>), name: &str, here: &Here) -> Option<Finding> {
    let home = here.region.as_str();
    match (status, region) {
        (_, Some(other)) if other != home => {
            let message = format!("the bucket `{name}` is in {other}, imports start in {home}");
            Some(refusal(None, message, format!("name a bucket in {home}: `aws s3 mb s3://NAME --region {home}`")))
        }
        (200, _) => None,
        (404, _) => {
            let hint = format!("`aws s3 mb s3://{name} --region {home}`");
            Some(refusal(None, format!("there is no bucket `{name}`"), hint))
        }
        _ => {
            let hint = "check whose it is, and allow s3:ListBucket on it";
            Some(refusal(None, format!("the bucket `{name}` may not be used"), hint))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IMPORTER, trusts};

    #[test]
    fn the_importer_is_found_in_an_encoded_policy() {
        assert!(trusts("%7B%22Service%22%3A%22vmie.amazonaws.com%22%7D", IMPORTER));
        assert!(trusts("%7B%22Service%22%3A%22vmie%2Eamazonaws%2Ecom%22%7D", IMPORTER));
        assert!(!trusts("%7B%22Service%22%3A%22ec2.amazonaws.com%22%7D", IMPORTER));
    }
}
