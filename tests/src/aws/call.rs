//! One request as the services see it: who calls what where, with which parameters.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::query::{self, Params};
use super::reply::Refused;

/// A service, named as in the credential scope of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Images and snapshots.
    Ec2,
    /// The blocks of snapshots ("EBS direct").
    Ebs,
    /// Parameters.
    Ssm,
    /// Identities and roles.
    Sts,
    /// Roles and their policies.
    Iam,
    /// Service Quotas.
    ServiceQuotas,
    /// Marketplace Catalog.
    #[serde(rename = "aws-marketplace")]
    Marketplace,
    /// Objects.
    S3,
}

impl Service {
    const ALL: [Self; 8] =
        [Self::Ec2, Self::Ebs, Self::Ssm, Self::Sts, Self::Iam, Self::ServiceQuotas, Self::Marketplace, Self::S3];

    /// The service of a credential scope.
    pub(crate) fn of_scope(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The name that signatures and permissions have for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Ebs => "ebs",
            Self::Ssm => "ssm",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::ServiceQuotas => "servicequotas",
            Self::Marketplace => "aws-marketplace",
            Self::S3 => "s3",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// Twelve digits.
    pub(crate) account: String,
    pub(crate) arn: String,
    /// Empty if nobody signed.
    pub(crate) access_key: String,
    /// The name of the assumed role, if any.
    pub(crate) role: Option<String>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    /// Its place in the log.
    pub(crate) seq: u64,
    pub(crate) request_id: String,
    pub(crate) service: Service,
    pub(crate) region: String,
    pub(crate) caller: Caller,
    pub(crate) operation: String,
    /// Of EC2, STS and IAM, flattened as sent: `TagSpecification.1.Tag.2.Key`.
    pub(crate) params: Params,
    /// The body where it is JSON, otherwise null.
    pub(crate) json: Value,
    pub(crate) method: String,
    /// Percent-decoded.
    pub(crate) path: String,
    /// Percent-decoded, in the order sent.
    pub(crate) query: Vec<(String, String)>,
    /// Names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
    pub(crate) now: Timestamp,
}

impl Call {
    /// A parameter of a query call; an empty one counts as absent.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        query::text(&self.params, name)
    }

    /// A parameter that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Refused> {
        query::required(&self.params, name)
    }

    /// A member of the query string of a REST call.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A text member of the JSON body; an empty one is there.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.json.get(name).and_then(Value::as_str)
    }
}
