//! One EC2 call with what every handler asks about it, and the refusals that several of them share.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use crate::aws::call::Call;
use crate::aws::query::{self, Filter, Params, Tags};
use crate::aws::reply::{Outcome, Refused, Reply};
use crate::aws::settings::{Quotas, Settings};
use crate::aws::world::Shared;
use crate::aws::xml::Xml;
use crate::fake::Exposure;

use super::permissions::Grant;

/// A call to EC2.
pub(super) struct Request<'a> {
    pub(super) shared: &'a Shared,
    pub(super) call: &'a Call,
    pub(super) settings: Arc<Settings>,
}

impl<'a> Request<'a> {
    /// The moment of the call.
    pub(super) fn now(&self) -> Timestamp {
        self.call.now
    }

    /// Who calls.
    pub(super) fn account(&self) -> &'a str {
        &self.call.caller.account
    }

    /// Where.
    pub(super) fn region(&self) -> &'a str {
        &self.call.region
    }

    /// All parameters.
    pub(super) fn params(&self) -> &'a Params {
        &self.call.params
    }

    /// A parameter, if it is there and not empty.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.call.param(name)
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&'a str, Refused> {
        self.call.required(name)
    }

    /// A switch; absent is off.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Refused> {
        query::flag(self.params(), name)
    }

    /// `Name.1`, `Name.2` and so on.
    pub(super) fn list(&self, name: &str) -> Vec<&'a str> {
        query::list(self.params(), name)
    }

    /// The filters, refusing those that are not in `known`; `tag:KEY` is known where `tag-key` is.
    pub(super) fn filters(&self, known: &[&str]) -> Result<Vec<Filter>, Refused> {
        let filters = Filter::all(self.params())?;
        let is_known =
            |name: &str| known.contains(&name) || (known.contains(&"tag-key") && name.strip_prefix("tag:").is_some());
        match filters.iter().find(|filter| !is_known(&filter.name)) {
            Some(filter) => Err(filter.unknown()),
            None => Ok(filters),
        }
    }

    /// The tags for one of the resources that this operation makes (`resources`): others are refused.
    pub(super) fn tags_for(&self, resource: &str, resources: &[&str]) -> Result<Tags, Refused> {
        let mut seen = BTreeSet::new();
        for specification in query::items(self.params(), "TagSpecification") {
            let kind = query::required(&specification, "ResourceType")?.to_owned();
            if !resources.contains(&kind.as_str()) {
                let message = format!("'{kind}' is not a valid taggable resource type for this operation.");
                return Err(invalid(message));
            }
            if !seen.insert(kind) {
                return Err(invalid("The same resource type is specified in several tag specifications"));
            }
        }
        query::tags_for(self.params(), resource)
    }

    /// What the caller may have here.
    pub(super) fn quotas(&self) -> Quotas {
        self.settings.quotas(self.account(), self.region())
    }

    /// The caller's partition.
    pub(super) fn partition(&self) -> &str {
        self.settings.partition(self.account())
    }

    /// All that was sent besides the client token, to compare with what the same token meant before.
    pub(super) fn fingerprint(&self) -> String {
        let params = self.params().iter().filter(|(name, _)| *name != "ClientToken");
        params.map(|(name, value)| format!("{name}={value}\n")).collect()
    }

    /// Notes in the log who sees an image or a snapshot (`kind`) from now on.
    pub(super) fn expose(&self, kind: &'static str, id: &str, sharing: &BTreeSet<Grant>) {
        self.shared.log.expose(Exposure {
            seq: self.call.seq,
            time: self.call.now,
            kind,
            id: id.to_owned(),
            region: self.call.region.clone(),
            sharing: sharing.iter().map(Grant::name).collect(),
        });
    }

    /// An answer.
    pub(super) fn answer(&self, write: impl FnOnce(&mut Xml)) -> Outcome {
        let mut inner = Xml::new();
        write(&mut inner);
        Ok(Reply::ec2(self.call, &inner))
    }

    /// `<return>true</return>`.
    pub(super) fn done(&self) -> Outcome {
        Ok(Reply::ec2_true(self.call))
    }
}

/// A time as EC2 writes it: `2024-01-31T12:00:00.000Z`.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A value is not possible.
pub(super) fn invalid(message: impl Into<String>) -> Refused {
    Refused::bad("InvalidParameterValue", message)
}

/// Values are not possible together.
pub(super) fn combination(message: impl Into<String>) -> Refused {
    Refused::bad("InvalidParameterCombination", message)
}

/// The operation is not possible, now or for good.
pub(super) fn not_permitted(message: impl Into<String>) -> Refused {
    Refused::bad("OperationNotPermitted", message)
}

/// A limit is reached.
pub(super) fn limit(message: impl Into<String>) -> Refused {
    Refused::bad("ResourceLimitExceeded", message)
}

/// There is no such image, or not for this caller, or not yet.
pub(super) fn image_not_found(id: &str) -> Refused {
    Refused::bad("InvalidAMIID.NotFound", format!("The image id '[{id}]' does not exist"))
}

/// There is no such snapshot, or not for this caller, or not yet.
pub(super) fn snapshot_not_found(id: &str) -> Refused {
    Refused::bad("InvalidSnapshot.NotFound", format!("The snapshot '{id}' does not exist."))
}

/// The image is in no state for this.
pub(super) fn image_unavailable(id: &str) -> Refused {
    Refused::bad("InvalidAMIID.Unavailable", format!("The image ID '{id}' is not available"))
}

/// Refuses what is not `ami-` or `snap-` (`prefix`) and hex digits.
pub(super) fn check_id(id: &str, prefix: &str) -> Result<(), Refused> {
    let digits = id.strip_prefix(prefix).unwrap_or_default();
    if matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Ok(());
    }
    let code = if prefix == "ami-" { "InvalidAMIID.Malformed" } else { "InvalidSnapshotID.Malformed" };
    Err(Refused::bad(code, format!("Invalid id: \"{id}\" (expecting \"{prefix}...\")")))
}
