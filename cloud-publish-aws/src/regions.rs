//! The account's regions: which exist, which are enabled, and which of them the target wants.

use std::collections::BTreeSet;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, WantedRegion};

use crate::error::classify;
use crate::publisher::{Aws, AwsSettings, Here};

/// A region of the account's partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountRegion {
    pub(crate) region: Region,
    /// The account can use it.
    pub(crate) enabled: bool,
}

/// What a target makes of its account's regions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// The home region first, then required ones, then best-effort ones; each once.
    pub(crate) wanted: Vec<WantedRegion>,
    /// Asked for by `all`, and not enabled.
    pub(crate) skipped: Vec<Region>,
}

impl Aws {
    /// Every region of the partition, enabled or not, in the order of their names; asked once.
    pub(crate) async fn account_regions(&self, context: &Context) -> Result<&[AccountRegion]> {
        let known = &self.whereabouts(context).await?.regions;
        known.get_or_try_init(|| self.list_regions(context)).await.map(Vec::as_slice)
    }

    async fn list_regions(&self, context: &Context) -> Result<Vec<AccountRegion>> {
        let here = self.here(context, self.home()).await?;
        list(&here, context).await.map_err(|error| error.with("region", self.home()))
    }

    /// The regions that the target wants, and those it would want if they were enabled.
    pub(crate) async fn choice(&self, context: &Context) -> Result<Choice> {
        let all = matches!(self.settings.regions, Some(Regions::All));
        let there = if all { self.account_regions(context).await? } else { &[] };
        Ok(choose(&self.settings, there))
    }
}

/// Without `AllRegions` the answer silently leaves out what is not enabled:
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>.
async fn list(here: &Here, context: &Context) -> Result<Vec<AccountRegion>> {
    let call = here.clients.ec2.describe_regions().all_regions(true);
    let answer = context.or_cancelled(call.send()).await?;
    let answer = answer.map_err(|error| classify(&error, "DescribeRegions"))?;
    let read = |region: &aws_sdk_ec2::types::Region| {
        let name = region.region_name().ok_or_else(|| Error::new(Kind::Unexpected, "a region without a name"))?;
        let enabled = matches!(region.opt_in_status(), Some("opt-in-not-required" | "opted-in"));
        Ok(AccountRegion { region: Region::new(name)?, enabled })
    };
    let mut found: Vec<AccountRegion> = answer.regions().iter().map(read).collect::<Result<_>>()?;
    found.sort_by(|one, other| one.region.cmp(&other.region));
    Ok(found)
}

/// The home region has the image in any case: copies start there.
fn choose(settings: &AwsSettings, there: &[AccountRegion]) -> Choice {
    let home = &settings.config.home_region;
    let left_out = |region: &Region| settings.deny.contains(region) || settings.best_effort.contains(region);
    let all = || there.iter().filter(|known| !left_out(&known.region));
    let required: Vec<Region> = match &settings.regions {
        Some(Regions::These(regions)) => regions.clone(),
        Some(Regions::All) => all().filter(|known| known.enabled).map(|known| known.region.clone()).collect(),
        None => Vec::new(),
    };
    let required = std::iter::once(home.clone()).chain(required).map(|region| (region, true));
    let more = settings.best_effort.iter().map(|region| (region.clone(), false));
    let mut seen = BTreeSet::new();
    let once = required.chain(more).filter(|(region, _)| seen.insert(region.clone()));
    let wanted = once.map(|(region, required)| WantedRegion { region, required }).collect();
    let off = all().filter(|known| !known.enabled && known.region != *home).map(|known| known.region.clone());
    let skipped = if matches!(settings.regions, Some(Regions::All)) { off.collect() } else { Vec::new() };
    Choice { wanted, skipped }
}

/// The command that enables a region for the account.
pub(crate) fn enable(region: &Region) -> String {
    format!("aws account enable-region --region-name {region}")
}

/// The partition that a region's name shows:
/// <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>.
pub(crate) fn partition(region: &Region) -> &'static str {
    const PREFIXES: [(&str, &str); 6] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("us-iso-", "aws-iso"),
    ];
    let found = PREFIXES.iter().find(|(prefix, _)| region.as_str().starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::manifest::Regions;
    use cloud_publish_core::names::Region;

    use super::{AccountRegion, choose, partition};
    use crate::publisher::AwsSettings;
    use crate::testing::settings;

    fn names(text: &str) -> Vec<Region> {
        text.split_whitespace().map(|name| name.parse().unwrap()).collect()
    }

    /// `af-south-1` is not enabled.
    fn account() -> Vec<AccountRegion> {
        let there = names("af-south-1 eu-west-1 us-east-1 us-west-2").into_iter();
        there.map(|region| AccountRegion { enabled: region.as_str() != "af-south-1", region }).collect()
    }

    /// Required regions, those of best effort after a bar, those skipped after another.
    fn chosen(settings: &AwsSettings) -> String {
        let choice = choose(settings, &account());
        let named = |required: bool| {
            let of_kind = choice.wanted.iter().filter(|wanted| wanted.required == required);
            of_kind.map(|wanted| wanted.region.as_str()).collect::<Vec<_>>().join(" ")
        };
        let skipped: Vec<&str> = choice.skipped.iter().map(Region::as_str).collect();
        format!("{}|{}|{}", named(true), named(false), skipped.join(" "))
    }

    #[test]
    fn the_home_region_comes_first_and_once() {
        assert_eq!(chosen(&settings()), "us-east-1||");
        let these = Some(Regions::These(names("eu-west-1 us-east-1")));
        assert_eq!(chosen(&AwsSettings { regions: these, ..settings() }), "us-east-1 eu-west-1||");
    }

    #[test]
    fn all_means_enabled_ones_and_tells_which_are_not() {
        let all = AwsSettings { regions: Some(Regions::All), ..settings() };
        assert_eq!(chosen(&all), "us-east-1 eu-west-1 us-west-2||af-south-1");
        let fewer = AwsSettings { deny: names("us-west-2 af-south-1"), best_effort: names("eu-west-1"), ..all };
        assert_eq!(chosen(&fewer), "us-east-1|eu-west-1|");
    }

    #[test]
    fn the_home_region_is_required_whatever_else_is_said_of_it() {
        let denied = AwsSettings { regions: Some(Regions::All), deny: names("us-east-1"), ..settings() };
        assert_eq!(chosen(&denied), "us-east-1 eu-west-1 us-west-2||af-south-1");
        let effort = AwsSettings { best_effort: names("us-east-1"), ..settings() };
        assert_eq!(chosen(&effort), "us-east-1||");
    }

    #[test]
    fn names_show_their_partition() {
        for (region, expected) in [
            ("eu-west-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-isob-east-1", "aws-iso-b"),
        ] {
            assert_eq!(partition(&region.parse().unwrap()), expected, "{region}");
        }
    }
}
