//! What a survey shows of an image made to a spec, and what should lead to it.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Regions;
use cloud_publish_core::names::{PointerName, Region};
use cloud_publish_core::publisher::{Expected, ImageSpec};

use crate::attributes::{Attributes, COPIED, expected};
use crate::config::AwsConfig;
use crate::marketplace::REGION as MARKETPLACE;
use crate::point::parameter_name;
use crate::publisher::{Aws, AwsSettings};

pub(crate) fn expect(target: &Aws, image: &ImageSpec, region: &Region) -> Result<Expected> {
    let settings = &target.settings;
    let config = target.config();
    let made = Attributes::of(image, config)?;
    let (own_pointers, pointers) = parameters(settings, image)?;
    Ok(Expected {
        attributes: expected(&made, image, config),
        fixed: COPIED.map(str::to_owned).into(),
        pointers,
        own_pointers,
        listings: listings(settings, image, region)?,
    })
}

/// The parameters of the image itself, and those that lead to the newest of its line.
fn parameters(settings: &AwsSettings, image: &ImageSpec) -> Result<(Vec<PointerName>, Vec<PointerName>)> {
    let (mut own, mut newest) = (Vec::new(), Vec::new());
    for template in &settings.config.parameters {
        let name = template.fill_for(image, &settings.target);
        let names = if AwsConfig::is_own(template) { &mut own } else { &mut newest };
        names.push(parameter_name(&name).map_err(|error| error.with("template", template))?);
    }
    Ok((own, newest))
}

/// The listings that offer this image, in the one region from which the Marketplace takes images.
fn listings(settings: &AwsSettings, image: &ImageSpec, region: &Region) -> Result<Vec<String>> {
    let listed = settings.config.marketplace.iter().filter(|(_, listing)| listing.offers(&image.tags));
    let names: Vec<String> = listed.map(|(name, _)| name.clone()).collect();
    if !names.is_empty() && !wants(settings, MARKETPLACE) {
        return Err(Error::new(Kind::InvalidInput, "the Marketplace takes images from us-east-1 only")
            .with("listing", names.join(", "))
            .hint("add us-east-1 to the target's `regions`"));
    }
    Ok(if region.as_str() == MARKETPLACE { names } else { Vec::new() })
}

fn wants(settings: &AwsSettings, region: &str) -> bool {
    let is_it = |known: &Region| known.as_str() == region;
    let required = match &settings.regions {
        Some(Regions::These(regions)) => regions.iter().any(is_it),
        Some(Regions::All) => !settings.deny.iter().any(is_it),
        None => false,
    };
    required || is_it(&settings.config.home_region) || settings.best_effort.iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use cloud_publish_core::manifest::Regions;
    use cloud_publish_core::names::Class;
    use serde_json::json;

    use super::expect;
    use crate::publisher::{Aws, AwsSettings};
    use crate::testing::{settings, spec};

    fn target(config: serde_json::Value, regions: &[&str]) -> Aws {
        let regions = Regions::These(regions.iter().map(|name| name.parse().unwrap()).collect());
        Aws::new(AwsSettings { config: serde_json::from_value(config).unwrap(), regions: Some(regions), ..settings() })
    }

    #[test]
    fn parameters_with_a_version_are_the_images_own() {
        let target = target(
            json!({"home_region": "us-east-1", "parameters": [
                "/debian/{class}/{suite}/{variant}/latest/{arch}",
                "/debian/{class}/{suite}/{variant}/{version}/{arch}",
            ]}),
            &[],
        );
        let expected = expect(&target, &spec(), &"us-east-1".parse().unwrap()).unwrap();
        let names = |pointers: &[cloud_publish_core::names::PointerName]| {
            pointers.iter().map(|name| name.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&expected.pointers), ["/debian/release/bookworm/genericcloud/latest/amd64"]);
        assert_eq!(names(&expected.own_pointers), ["/debian/release/bookworm/genericcloud/20240101-1614/amd64"]);
    }

    #[test]
    fn parameters_that_aws_does_not_take_are_refused_before_anything_is_made() {
        for (bad, rule) in [
            ("/aws/{suite}", "keeps for itself"),
            ("//debian/{suite}", "empty level"),
            ("debian/{suite}", "begin with a slash"),
            ("/debian {suite}", "characters"),
        ] {
            let target = target(json!({"home_region": "us-east-1", "parameters": [bad]}), &[]);
            let refused = expect(&target, &spec(), &"us-east-1".parse().unwrap()).unwrap_err();
            assert!(refused.message().contains(rule) && refused.advice().is_some(), "{bad}: {refused}");
        }
    }

    #[test]
    fn a_listing_offers_its_own_suite_and_classes_only() {
        let listing = json!({"product": "prod-1", "suite": "bookworm", "variant": "genericcloud", "arch": "amd64",
            "version_title": "{version}", "release_notes": "n", "usage_instructions": "u", "access_role": "r",
            "user_name": "admin", "operating_system": "DEBIAN", "operating_system_version": "12",
            "instance_type": "t3.small"});
        let mut dailies = listing.clone();
        dailies["classes"] = json!(["daily", "dev"]);
        let listings = json!({"releases": listing, "dailies": dailies});
        let target = target(json!({"home_region": "us-east-1", "marketplace": listings}), &["us-east-1"]);
        let listed = |suite: &str, class: Class| {
            let mut spec = spec();
            (spec.tags.suite, spec.tags.class) = (suite.parse().unwrap(), class);
            expect(&target, &spec, &"us-east-1".parse().unwrap()).unwrap().listings
        };
        assert_eq!(listed("bookworm", Class::Release), ["releases"]);
        assert_eq!(listed("bookworm", Class::Daily), ["dailies"]);
        assert_eq!(listed("trixie", Class::Release), [""; 0]);
        assert_eq!(listed("trixie", Class::Daily), [""; 0]);
    }

    #[test]
    fn a_listing_is_expected_where_the_marketplace_looks() {
        let listing = json!({"product": "prod-1", "suite": "bookworm", "variant": "genericcloud", "arch": "amd64", "version_title": "{version}",
            "release_notes": "n", "usage_instructions": "u", "access_role": "r", "user_name": "admin",
            "operating_system": "DEBIAN", "operating_system_version": "12", "instance_type": "t3.small"});
        let config = json!({"home_region": "eu-west-1", "marketplace": {"debian": listing}});
        let both = target(config.clone(), &["eu-west-1", "us-east-1"]);
        let listed = |target: &Aws, region: &str| {
            expect(target, &spec(), &region.parse().unwrap()).map(|expected| expected.listings)
        };
        assert_eq!(listed(&both, "us-east-1").unwrap(), ["debian"]);
        assert_eq!(listed(&both, "eu-west-1").unwrap(), [""; 0]);
        assert!(listed(&target(config, &["eu-west-1"]), "eu-west-1").unwrap_err().advice().is_some());
    }
}
