//! Regions that the target wants and cannot use.

use cloud_publish_core::error::Kind;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Finding, Severity, WantedRegion};

use super::finding::{refusal, unreadable, warning};
use crate::error::classify;
use crate::publisher::{Aws, Here};
use crate::regions::{AccountRegion, enable, partition};

/// Wanted regions that the account does not have, or has not enabled.
pub(super) async fn unusable(target: &Aws, context: &Context) -> Vec<Finding> {
    let asked = async {
        let there = target.account_regions(context).await?;
        let ours = target.whereabouts(context).await?.partition.as_str();
        let wanted = target.choice(context).await?.wanted;
        Ok(wanted.iter().filter_map(|one| unusable_one(one, there, ours)).collect())
    };
    asked
        .await
        .unwrap_or_else(|error| vec![Finding { region: None, ..unreadable(None, "which regions are enabled", &error) }])
}

fn unusable_one(wanted: &WantedRegion, there: &[AccountRegion], ours: &str) -> Option<Finding> {
    let region = &wanted.region;
    let (message, hint) = match there.iter().find(|known| known.region == *region) {
        Some(known) if known.enabled => return None,
        Some(_) => {
            ("the region is not enabled for the account".to_owned(), format!("`{}`, or leave it out", enable(region)))
        }
        None => unknown(region, there, ours),
    };
    let finding = refusal(Some(region), message, hint);
    Some(if wanted.required { finding } else { Finding { severity: Severity::Warning, ..finding } })
}

/// Nothing is copied from one partition to another.
fn unknown(region: &Region, there: &[AccountRegion], ours: &str) -> (String, String) {
    let theirs = partition(region);
    if theirs != ours {
        let message = format!("the region is of partition `{theirs}`, the account of `{ours}`");
        return (message, "make a target of its own for it, with an account of that partition".to_owned());
    }
    let names: Vec<&str> = there.iter().map(|known| known.region.as_str()).collect();
    ("there is no such region".to_owned(), format!("the regions of the account are: {}", names.join(", ")))
}

/// Whether a region's own roles lead away from the account: what is made there would never be found again.
pub(super) async fn other_account(target: &Aws, context: &Context, here: &Here) -> Option<Finding> {
    let region = Some(&here.region);
    target.config().region_roles.get(here.region.as_str()).filter(|roles| !roles.is_empty())?;
    let answer = match context.or_cancelled(here.clients.sts.get_caller_identity().send()).await {
        Ok(answer) => answer.map_err(|error| classify(&error, "GetCallerIdentity")),
        Err(cancelled) => Err(cancelled),
    };
    let account = here.place.account.as_str();
    match answer {
        Ok(identity) if identity.account() == Some(account) => None,
        Ok(identity) => {
            let other = identity.account().unwrap_or("nobody");
            let message = format!("the region's roles lead to account {other}, the target is {account}");
            Some(refusal(
                region,
                message,
                "name roles of the same account in `region_roles`, or make it a target of its own",
            ))
        }
        Err(error) if error.kind() == Kind::PermissionDenied => Some(warning(
            region,
            format!("whose the region's roles are is not shown: {error}"),
            "allow sts:GetCallerIdentity",
        )),
        Err(error) => Some(unreadable(region, "whose the region's roles are", &error)),
    }
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::publisher::{Severity, WantedRegion};

    use super::{AccountRegion, Finding, unusable_one};

    fn found(name: &str, required: bool) -> Option<Finding> {
        let known = |name: &str, enabled| AccountRegion { region: name.parse().unwrap(), enabled };
        let there = [known("us-east-1", true), known("af-south-1", false)];
        unusable_one(&WantedRegion { region: name.parse().unwrap(), required }, &there, "aws")
    }

    #[test]
    fn a_region_that_is_not_enabled_is_refused_with_the_command() {
        assert_eq!(found("us-east-1", true), None);
        let off = found("af-south-1", true).unwrap();
        assert!(off.hint.unwrap().starts_with("`aws account enable-region --region-name af-south-1`"));
    }

    #[test]
    fn one_of_best_effort_is_only_a_warning() {
        assert_eq!(found("af-south-1", false).unwrap().severity, Severity::Warning);
    }

    #[test]
    fn a_misspelt_region_and_one_of_another_partition_are_told_apart() {
        assert_eq!(
            found("eu-wset-1", true).unwrap().hint.unwrap(),
            "the regions of the account are: us-east-1, af-south-1"
        );
        assert!(found("cn-north-1", true).unwrap().message.contains("partition `aws-cn`"));
    }
}
