//! Whom images and snapshots are shared with, and how requests add and remove that.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html>

use std::collections::BTreeSet;

use crate::aws::query::{self, Params};
use crate::aws::reply::Refused;
use crate::aws::xml::Xml;

use super::request::{Request, combination, invalid};

/// Somebody who may use an image or a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    /// Every account.
    All,
    /// One account, 12 digits.
    Account(String),
    /// The ARN of an organisation.
    Organization(String),
    /// The ARN of an organisational unit.
    Unit(String),
}

impl Grant {
    /// As the log names it: `all`, the account, the ARN.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::All => "all".to_owned(),
            Self::Account(name) | Self::Organization(name) | Self::Unit(name) => name.clone(),
        }
    }

    /// Whether it covers an account that belongs to these organisations and units.
    pub(crate) fn covers(&self, account: &str, organizations: &BTreeSet<String>) -> bool {
        match self {
            Self::All => true,
            Self::Account(name) => name == account,
            Self::Organization(arn) | Self::Unit(arn) => organizations.contains(arn),
        }
    }

    /// Writes it into a list of permissions.
    pub(super) fn write(&self, xml: &mut Xml) {
        match self {
            Self::All => xml.text("group", "all"),
            Self::Account(name) => xml.text("userId", name),
            Self::Organization(arn) => xml.text("organizationArn", arn),
            Self::Unit(arn) => xml.text("organizationalUnitArn", arn),
        };
    }
}

/// What a request wants changed.
#[derive(Debug, Default)]
pub(super) struct Change {
    pub(super) add: BTreeSet<Grant>,
    pub(super) remove: BTreeSet<Grant>,
}

/// Reads a change in either of its forms: `LaunchPermission.Add.N.*` (`structure` is `LaunchPermission`), or
/// `OperationType` with `UserId.N`, `UserGroup.N` and so on.
pub(super) fn change(request: &Request<'_>, structure: &str) -> Result<Change, Refused> {
    let mut change = Change::default();
    let params = query::members(request.params(), structure);
    for (list, grants) in [("Add", &mut change.add), ("Remove", &mut change.remove)] {
        for item in query::items(&params, list) {
            grants.insert(one(request, &item)?);
        }
    }
    let mut flat = BTreeSet::new();
    for (list, member) in [
        ("UserId", "UserId"),
        ("UserGroup", "Group"),
        ("OrganizationArn", "OrganizationArn"),
        ("OrganizationalUnitArn", "OrganizationalUnitArn"),
    ] {
        for value in request.list(list) {
            flat.insert(one(request, &Params::from([(member.to_owned(), value.to_owned())]))?);
        }
    }
    match (request.text("OperationType"), flat.is_empty()) {
        (Some("add"), false) => change.add.extend(flat),
        (Some("remove"), false) => change.remove.extend(flat),
        (None, true) => {}
        (Some(other), false) => return Err(invalid(format!("Value ({other}) for parameter operationType is invalid"))),
        _ => return Err(combination("operationType and the users it is about go together")),
    }
    if change.add.is_empty() && change.remove.is_empty() {
        return Err(combination("No attributes specified."));
    }
    Ok(change)
}

fn one(request: &Request<'_>, item: &Params) -> Result<Grant, Refused> {
    let mut members = item.iter();
    let (Some((name, value)), None) = (members.next(), members.next()) else {
        return Err(combination("A permission names exactly one user, group, organization or organizational unit"));
    };
    let arn = format!("arn:{}:organizations::", request.partition());
    let is_arn = |kind: &str| value.strip_prefix(&arn).is_some_and(|rest| rest.contains(kind));
    let grant = match name.as_str() {
        "Group" if value == "all" => Some(Grant::All),
        "UserId" if value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Grant::Account(value.clone()))
        }
        "OrganizationArn" if is_arn(":organization/o-") => Some(Grant::Organization(value.clone())),
        "OrganizationalUnitArn" if is_arn(":ou/o-") => Some(Grant::Unit(value.clone())),
        _ => None,
    };
    grant.ok_or_else(|| {
        let message = format!("Invalid attribute item value \"{value}\" for {name} item type.");
        Refused::bad("InvalidAMIAttributeItemValue", message)
    })
}
