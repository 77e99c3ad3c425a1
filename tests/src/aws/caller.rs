//! Finds out who calls which service in which region: from the scope of the signature, which itself is not checked.

use std::collections::BTreeMap;

use super::call::{Call, Caller, Service};
use super::reply::Refused;
use super::world::Shared;

/// The longest `AKIA` prefix and account number.
const PREFIX: usize = 16;

/// What a signature claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    pub(crate) access_key: String,
    pub(crate) region: String,
    pub(crate) service: Service,
}

impl Scope {
    /// Reads `Authorization` or the `X-Amz-Credential` of a presigned address.
    pub(crate) fn read(headers: &BTreeMap<String, String>, query: &[(String, String)]) -> Option<Self> {
        let header = headers.get("authorization").and_then(|value| {
            let signed = value.strip_prefix("AWS4-HMAC-SHA256")?;
            signed.split(',').find_map(|part| part.trim().strip_prefix("Credential="))
        });
        let presigned = || query.iter().find(|(name, _)| name == "X-Amz-Credential").map(|(_, value)| value.as_str());
        let credential = header.or_else(presigned)?;
        let [access_key, _date, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
            return None;
        };
        let service = Service::of_scope(service)?;
        Some(Self { access_key: access_key.to_owned(), region: region.to_owned(), service })
    }
}

/// The caller behind a signature, if the key is known and the region can be used.
pub(crate) fn identify(shared: &Shared, scope: &Scope, token: Option<&str>) -> Result<Caller, Refused> {
    let settings = shared.settings();
    let unknown = || unknown_key(scope.service);
    let key = scope.access_key.as_str();
    let account = key.get(4..PREFIX).ok_or_else(unknown)?;
    let enabled = settings.opt_in(account, &scope.region).is_some_and(|state| state.is_enabled());
    if !settings.accounts.contains_key(account) || !enabled {
        return Err(unknown());
    }
    if key.starts_with("ASIA") {
        let now = shared.now();
        let state = shared.state();
        let session = state.sts.session(key).filter(|session| Some(session.token.as_str()) == token);
        let session = session.ok_or_else(unknown)?;
        return if session.expires > now { Ok(session.caller.clone()) } else { Err(expired(scope.service)) };
    }
    if !key.starts_with("AKIA") || token.is_some() {
        return Err(unknown());
    }
    let arn = format!("arn:{}:iam::{account}:user/publisher", settings.partition(account));
    Ok(Caller { account: account.to_owned(), arn, access_key: key.to_owned(), role: None })
}

/// Tells whether the caller may not do this (`ec2:DescribeImages`) in this region.
pub(crate) fn is_denied(shared: &Shared, call: &Call, action: &str) -> bool {
    let caller = &call.caller;
    let settings = shared.settings();
    let mut denied = settings.denied.iter();
    denied.any(|denied| denied.forbids(&caller.account, caller.role.as_deref(), action, &call.region))
}

fn unknown_key(service: Service) -> Refused {
    let message = "The security token included in the request is invalid.";
    match service {
        Service::Ec2 => {
            Refused::new(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
        }
        Service::Sts | Service::Iam => Refused::new(403, "InvalidClientTokenId", message),
        Service::Ssm | Service::ServiceQuotas => Refused::bad("UnrecognizedClientException", message),
        Service::Ebs | Service::Marketplace => Refused::new(403, "UnrecognizedClientException", message),
        Service::S3 => {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            Refused::new(403, "InvalidAccessKeyId", message)
        }
    }
}

fn expired(service: Service) -> Refused {
    let message = "The security token included in the request is expired";
    match service {
        Service::Ec2 => Refused::bad("RequestExpired", "Request has expired."),
        Service::Sts | Service::Iam => Refused::new(403, "ExpiredToken", message),
        Service::Ssm | Service::ServiceQuotas => Refused::bad("ExpiredTokenException", message),
        Service::Ebs | Service::Marketplace => Refused::new(403, "ExpiredTokenException", message),
        Service::S3 => Refused::bad("ExpiredToken", "The provided token has expired."),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Scope, Service};

    #[test]
    fn the_scope_names_key_region_and_service() {
        let value =
            "AWS4-HMAC-SHA256 Credential=AKIA1/20240101/eu-west-1/aws-marketplace/aws4_request, SignedHeaders=host";
        let headers = BTreeMap::from([("authorization".to_owned(), value.to_owned())]);
        let scope = Scope::read(&headers, &[]).unwrap();
        assert_eq!((scope.region.as_str(), scope.service), ("eu-west-1", Service::Marketplace));
    }

    #[test]
    fn a_request_without_signature_has_no_scope() {
        assert_eq!(Scope::read(&BTreeMap::new(), &[]), None);
    }
}
