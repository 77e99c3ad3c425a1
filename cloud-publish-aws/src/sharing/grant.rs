//! A party that may use an image or a snapshot, in AWS's words.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{CreateVolumePermission, LaunchPermission, PermissionGroup};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Visibility;

/// A party: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchPermission.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grant {
    /// Every account of the partition.
    Everybody,
    /// One account, 12 digits.
    Account(String),
    /// An organisation, by its ARN.
    Organisation(String),
    /// An organisational unit, by its ARN.
    Unit(String),
}

impl Grant {
    /// Reads an image's permission.
    pub(crate) fn of_image(permission: &LaunchPermission) -> Option<Self> {
        let everybody = permission.group().is_some_and(|group| *group == PermissionGroup::All);
        everybody
            .then_some(Self::Everybody)
            .or_else(|| permission.user_id().map(|id| Self::Account(id.to_owned())))
            .or_else(|| permission.organization_arn().map(|arn| Self::Organisation(arn.to_owned())))
            .or_else(|| permission.organizational_unit_arn().map(|arn| Self::Unit(arn.to_owned())))
    }

    /// Reads a snapshot's permission.
    pub(crate) fn of_snapshot(permission: &CreateVolumePermission) -> Option<Self> {
        let everybody = permission.group().is_some_and(|group| *group == PermissionGroup::All);
        everybody.then_some(Self::Everybody).or_else(|| permission.user_id().map(|id| Self::Account(id.to_owned())))
    }

    /// As an image's permission.
    pub(crate) fn on_image(&self) -> LaunchPermission {
        let permission = LaunchPermission::builder();
        match self {
            Self::Everybody => permission.group(PermissionGroup::All),
            Self::Account(id) => permission.user_id(id),
            Self::Organisation(arn) => permission.organization_arn(arn),
            Self::Unit(arn) => permission.organizational_unit_arn(arn),
        }
        .build()
    }

    /// As a snapshot's permission; organisations cannot have one.
    pub(crate) fn on_snapshot(&self) -> Option<CreateVolumePermission> {
        let permission = CreateVolumePermission::builder();
        match self {
            Self::Everybody => Some(permission.group(PermissionGroup::All).build()),
            Self::Account(id) => Some(permission.user_id(id).build()),
            Self::Organisation(_) | Self::Unit(_) => None,
        }
    }
}

/// Reads a party as `visibility` names it: an account's 12 digits, or the ARN of an organisation or of a unit of one
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsorganizations.html>).
///
/// # Errors
/// [`Kind::InvalidInput`].
pub(crate) fn party(text: &str) -> Result<Grant> {
    if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Grant::Account(text.to_owned()));
    }
    let resource = text.strip_prefix("arn:").and_then(|rest| rest.split_once(":organizations::"));
    match resource.and_then(|(_, rest)| rest.split_once(':')) {
        Some((_, resource)) if resource.starts_with("organization/o-") => Ok(Grant::Organisation(text.to_owned())),
        Some((_, resource)) if resource.starts_with("ou/o-") => Ok(Grant::Unit(text.to_owned())),
        _ => Err(Error::new(Kind::InvalidInput, format!("`{text}` is nobody that an image can be shared with")).hint(
            "name accounts by their 12 digits, organisations and organisational units by their ARN \
             (`arn:aws:organizations::123456789012:organization/o-abcdefghij`)",
        )),
    }
}

/// Who shall be able to use an image.
///
/// # Errors
/// [`Kind::Unsupported`], [`Kind::InvalidInput`].
pub(crate) fn wanted(visibility: &Visibility) -> Result<BTreeSet<Grant>> {
    match visibility {
        Visibility::Private => Ok(BTreeSet::new()),
        Visibility::SharedWith(parties) => parties.iter().map(|text| party(text)).collect(),
        Visibility::Public => Ok(BTreeSet::from([Grant::Everybody])),
        Visibility::Community => Err(Error::new(Kind::Unsupported, "there are no community images on AWS")
            .hint("set `visibility` to public, or name the accounts to share with")),
    }
}

/// Those of them that a snapshot can be shared with:
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-modifying-snapshot-permissions.html>.
pub(crate) fn without_organisations(grants: &BTreeSet<Grant>) -> BTreeSet<Grant> {
    grants.iter().filter(|grant| grant.on_snapshot().is_some()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use cloud_publish_core::error::Kind;
    use cloud_publish_core::manifest::Visibility;

    use super::{Grant, party, wanted, without_organisations};

    const ORGANISATION: &str = "arn:aws:organizations::123456789012:organization/o-abcdefghij";
    const UNIT: &str = "arn:aws-us-gov:organizations::123456789012:ou/o-abcdefghij/ou-ab12-abcd1234";

    #[test]
    fn accounts_organisations_and_units_are_told_apart() {
        assert_eq!(party("123456789012").unwrap(), Grant::Account("123456789012".to_owned()));
        assert_eq!(party(ORGANISATION).unwrap(), Grant::Organisation(ORGANISATION.to_owned()));
        assert_eq!(party(UNIT).unwrap(), Grant::Unit(UNIT.to_owned()));
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in ["", "all", "12345678901", "1234567890123", "arn:aws:iam::123456789012:root", "o-abcdefghij"] {
            assert_eq!(party(bad).unwrap_err().kind(), Kind::InvalidInput, "{bad}");
        }
    }

    #[test]
    fn community_does_not_exist_and_public_is_everybody() {
        assert_eq!(wanted(&Visibility::Community).unwrap_err().kind(), Kind::Unsupported);
        assert_eq!(wanted(&Visibility::Public).unwrap(), BTreeSet::from([Grant::Everybody]));
        assert!(wanted(&Visibility::Private).unwrap().is_empty());
    }

    #[test]
    fn what_is_written_reads_back() {
        let parties = ["123456789012", ORGANISATION, UNIT].map(|text| party(text).unwrap());
        for grant in parties.iter().chain([&Grant::Everybody]) {
            assert_eq!(Grant::of_image(&grant.on_image()).as_ref(), Some(grant));
        }
        let all: BTreeSet<Grant> = parties.into_iter().collect();
        let accounts = without_organisations(&all);
        assert_eq!(accounts, BTreeSet::from([Grant::Account("123456789012".to_owned())]));
        assert!(accounts.iter().all(|grant| Grant::of_snapshot(&grant.on_snapshot().unwrap()).as_ref() == Some(grant)));
    }
}
