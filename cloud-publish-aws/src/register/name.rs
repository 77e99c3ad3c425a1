//! Who has the name that is taken?

use aws_sdk_ec2::types::{Filter, Image};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::TAG_PREFIX;
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, ImageSpec};

use crate::available::{id_of, why};
use crate::error::classify;
use crate::guard::{confirm, find, is_dead, tags_of};
use crate::pace::SEEN;
use crate::publisher::Here;

/// What `RegisterImage` answers when another image has the name.
pub(super) const TAKEN: &str = "InvalidAMIName.Duplicate";

/// The id of our own image of that name, which may not be shown yet.
///
/// # Errors
/// [`Kind::NameTaken`] naming the image that has it and whose that is.
pub(super) async fn holder(here: &Here, context: &Context, spec: &ImageSpec) -> Result<String> {
    let name = spec.name.as_str();
    poll_until(context, &format!("the image called `{name}`"), SEEN, || async {
        if let Some(image) = find(here, context, &spec.tags).await? {
            return id_of(&image).map(|id| Some(id.to_owned()));
        }
        match of_name(here, context, name).await?.as_slice() {
            [] => Ok(None),
            [image] if confirm(here, image, &spec.tags).is_ok() && !is_dead(image) => {
                id_of(image).map(|id| Some(id.to_owned()))
            }
            holders => Err(taken(here, name, holders)),
        }
    })
    .await
    .map_err(|error| match error.kind() {
        Kind::TimedOut => {
            Error::new(Kind::NameTaken, format!("the name `{name}` is taken by an image that AWS does not show"))
                .during("RegisterImage")
                .hint("run the same command again in some minutes; if it stays so, change `naming.image`")
        }
        _ => error.during("RegisterImage"),
    })
}

/// The account's images of this name, dead ones too: they hold it until they are deregistered.
async fn of_name(here: &Here, context: &Context, name: &str) -> Result<Vec<Image>> {
    let filter = Filter::builder().name("name").values(literal(name)).build();
    let call = here.clients.ec2.describe_images().owners("self").filters(filter);
    let mut pages = call.include_deprecated(true).include_disabled(true).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(image) = context.or_cancelled(pages.next()).await? {
        found.push(image.map_err(|error| classify(&error, "DescribeImages"))?);
    }
    found.retain(|image: &Image| image.name() == Some(name));
    Ok(found)
}

/// A filter's `*`, `?` and `\` are wildcards, unless there is a backslash before them:
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
fn literal(name: &str) -> String {
    name.chars().flat_map(|c| matches!(c, '*' | '?' | '\\').then_some('\\').into_iter().chain([c])).collect()
}

fn taken(here: &Here, name: &str, holders: &[Image]) -> Error {
    let told: Vec<String> = holders.iter().map(whose).collect();
    let ids: Vec<&str> = holders.iter().filter_map(Image::image_id).collect();
    Error::new(Kind::NameTaken, format!("the name `{name}` is taken by {}", told.join(" and "))).hint(format!(
        "change `naming.image`, or, if nobody needs it: `aws ec2 deregister-image --region {} --image-id {}`",
        here.region,
        ids.join(" ")
    ))
}

fn whose(image: &Image) -> String {
    let id = image.image_id().unwrap_or("an image without an id");
    let tags = tags_of(image);
    let tag = |name: &str| tags.get(&format!("{TAG_PREFIX}{name}"));
    match (tag("owner"), tag("release")) {
        _ if is_dead(image) => why(image),
        (Some(owner), Some(release)) => format!("{id} of {owner}'s release {release}"),
        _ => format!("{id}, which cloud-publish has not made"),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{Image, ImageState};

    use super::{literal, whose};
    use crate::tags::list;
    use crate::testing::{place, spec};

    #[test]
    fn a_holder_is_named_with_what_is_known_of_it() {
        let image = |state, tags: &std::collections::BTreeMap<String, String>| {
            Image::builder().image_id("ami-1").state(state).set_tags(Some(list(tags))).build()
        };
        let ours = spec().tags.to_map(&place(), &"us-east-1".parse().unwrap());
        assert_eq!(whose(&image(ImageState::Available, &ours)), "ami-1 of debian's release bookworm-20240101");
        assert_eq!(whose(&image(ImageState::Failed, &ours)), "ami-1 is failed");
        assert_eq!(
            whose(&image(ImageState::Available, &std::collections::BTreeMap::new())),
            "ami-1, which cloud-publish has not made"
        );
    }

    #[test]
    fn a_name_is_looked_for_as_it_is_written() {
        assert_eq!(literal(r"a*b?c\d"), r"a\*b\?c\\d");
        assert_eq!(literal("debian-12 (amd64)"), "debian-12 (amd64)");
    }
}
