//! Names that are held by images which are not what the run makes.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Filter, Image};
use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec};

use super::Work;
use super::finding::refusal;
use crate::error::classify;
use crate::guard::{confirm, is_dead, tags_of};
use crate::publisher::Here;
use crate::tags::decode;

/// Most values of a filter: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Filter.html>.
const VALUES: usize = 200;

pub(super) async fn taken(here: &Here, context: &Context, work: &Work<'_>) -> Result<Vec<Finding>> {
    let makes: BTreeMap<&str, &ImageSpec> = work.makes.iter().map(|spec| (spec.name.as_str(), *spec)).collect();
    let names: Vec<&str> = makes.keys().copied().filter(|name| !name.contains(['*', '?', '\\'])).collect();
    let mut findings = Vec::new();
    for some in names.chunks(VALUES) {
        let images = holders(here, context, some).await?;
        findings.extend(images.iter().filter_map(|image| clash(here, image, &makes)));
    }
    Ok(findings)
}

/// Images of the account under these names; hidden and retired ones hold theirs too.
async fn holders(here: &Here, context: &Context, names: &[&str]) -> Result<Vec<Image>> {
    let values = names.iter().map(|name| (*name).to_owned()).collect();
    let filter = Filter::builder().name("name").set_values(Some(values)).build();
    let call = here.clients.ec2.describe_images().owners("self").filters(filter);
    let mut pages = call.include_deprecated(true).include_disabled(true).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(image) = context.or_cancelled(pages.next()).await? {
        found.extend(Some(image.map_err(|error| classify(&error, "DescribeImages"))?).filter(|image| !is_dead(image)));
    }
    Ok(found)
}

fn clash(here: &Here, image: &Image, makes: &BTreeMap<&str, &ImageSpec>) -> Option<Finding> {
    let name = image.name()?;
    let spec = makes.get(name)?;
    confirm(here, image, &spec.tags).err()?;
    let id = image.image_id().unwrap_or("an image");
    let whose = match decode(&tags_of(image), &here.place, &here.region).tags {
        Ok(tags) => format!("{}'s release {}, {} {}", tags.owner, tags.release, tags.variant, tags.arch),
        Err(_) => "not published by this program".to_owned(),
    };
    let hint = format!("change `naming.image`, or `aws ec2 deregister-image --region {} --image-id {id}`", here.region);
    Some(refusal(Some(&here.region), format!("the name `{name}` is taken by {id}: {whose}"), hint))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use aws_sdk_ec2::types::Image;

    use super::clash;
    use crate::client::Clients;
    use crate::publisher::Here;
    use crate::tags::list;
    use crate::testing::{config, place, spec, tags};

    async fn here() -> Here {
        let sdk = aws_config::SdkConfig::builder().build();
        let region = "us-east-1".parse().unwrap();
        let clients = Clients::new(config(), Some(sdk)).region(&region).await;
        Here { place: place(), region, clients: Arc::clone(&clients) }
    }

    #[tokio::test]
    async fn a_name_is_taken_by_every_image_but_the_one_that_the_run_makes() {
        let (here, spec) = (here().await, spec());
        let makes = BTreeMap::from([(spec.name.as_str(), &spec)]);
        let image = |release: Option<&str>| {
            let map = release.map(|release| tags(release).to_map(&here.place, &here.region)).unwrap_or_default();
            let image = Image::builder().image_id("ami-1").name(spec.name.as_str()).owner_id("111111111111");
            clash(&here, &image.set_tags(Some(list(&map))).build(), &makes).map(|finding| finding.message)
        };
        assert_eq!(image(Some("bookworm-20240101")), None);
        assert!(image(None).unwrap().ends_with("taken by ami-1: not published by this program"));
        assert!(image(Some("bookworm-20240108")).unwrap().contains("debian's release bookworm-20240108"));
    }
}
