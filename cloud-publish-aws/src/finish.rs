//! What an image needs after it exists, because neither `RegisterImage` nor `CopyImage` carries it: the tags of its
//! snapshot where they are missing, protection from deregistration, the date of its deprecation.
//!
//! A copy has neither protection nor date of its source:
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/CopyingAMIs.html>.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::{ImageTags, Place};
use cloud_publish_core::names::Region;
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, ImageSpec};
use jiff::Timestamp;

use crate::available::id_of;
use crate::config::AwsConfig;
use crate::deprecation;
use crate::error::classify;
use crate::guard::{by_id, gone, tags_of};
use crate::pace::SEEN;
use crate::publisher::Here;
use crate::snapshot;
use crate::tags::{all, decode, list};

/// What is still to be done about an image itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Missing {
    protect: bool,
    deprecate: Option<Timestamp>,
}

impl Missing {
    /// What an available image lacks. An image that was published, retired or withdrawn is what the other verbs and
    /// people made of it.
    pub(crate) fn of(image: &Image, at: (&Place, &Region), config: &AwsConfig, now: Timestamp) -> Self {
        let labels = decode(&tags_of(image), at.0, at.1);
        let (Ok(tags), Ok(marks)) = (labels.tags, labels.marks) else { return Self::default() };
        let touched = marks.published.or(marks.retired).or(marks.withdrawn).is_some() || image.public() == Some(true);
        if touched || image.state() != Some(&ImageState::Available) {
            return Self::default();
        }
        let protected = image.deregistration_protection().is_some_and(|state| state.starts_with("enabled"));
        let date = deprecation::policy(config, &tags).filter(|_| deprecation::of(image).is_none());
        Self {
            protect: config.deregistration_protection.contains(&tags.class) && !protected,
            deprecate: date.filter(|date| deprecation::is_settable(*date, now)),
        }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// Completes an available image that the caller has just found to be ours.
///
/// # Errors
/// [`Kind::Conflict`] when its snapshot carries tags of another image.
pub(crate) async fn finish(here: &Here, at: (&Context, &AwsConfig), image: &Image, spec: &ImageSpec) -> Result<()> {
    let (context, config) = at;
    complete_snapshot(here, context, image, spec).await?;
    let missing = |image: &Image| Missing::of(image, (&here.place, &here.region), config, context.clock().now());
    let first = missing(image);
    if first.is_nothing() {
        return Ok(());
    }
    let id = id_of(image)?;
    if first.protect {
        let call = here.clients.ec2.enable_image_deregistration_protection().image_id(id).with_cooldown(false);
        let done = context.or_cancelled(call.send()).await?;
        done.map_err(|error| classify(&error, "EnableImageDeregistrationProtection"))?;
    }
    if let Some(date) = first.deprecate {
        let date = aws_smithy_types::DateTime::from_secs(date.as_second());
        let call = here.clients.ec2.enable_image_deprecation().image_id(id).deprecate_at(date);
        let done = context.or_cancelled(call.send()).await?;
        done.map_err(|error| classify(&error, "EnableImageDeprecation"))?;
    }
    poll_until(context, &format!("protection and date of {id}"), SEEN, || async {
        let image = by_id(here, context, id).await?.ok_or_else(gone)?;
        Ok(missing(&image).is_nothing().then_some(()))
    })
    .await
}

/// Gives the image's snapshot the image's tags, unless it has them.
async fn complete_snapshot(here: &Here, context: &Context, image: &Image, spec: &ImageSpec) -> Result<()> {
    let Some(id) = snapshot::root(image) else {
        return Err(Error::new(Kind::Unexpected, "the image has no snapshot").with("id", id_of(image)?));
    };
    let has = poll_until(context, &format!("snapshot {id}"), SEEN, || async {
        Ok(snapshot::by_id(here, context, id).await?.map(|found| snapshot::tags_of(&found)))
    })
    .await?;
    let missing = lacking(&has, &all(spec, here), (&here.place, &here.region)).map_err(|other| foreign(id, &other))?;
    if missing.is_empty() {
        return Ok(());
    }
    let call = here.clients.ec2.create_tags().resources(id).set_tags(Some(list(&missing)));
    context.or_cancelled(call.send()).await?.map_err(|error| classify(&error, "CreateTags"))?;
    poll_until(context, &format!("tags of snapshot {id}"), SEEN, || async {
        let found = snapshot::by_id(here, context, id).await?.ok_or_else(|| snapshot::gone(id))?;
        let has = snapshot::tags_of(&found);
        Ok(missing.iter().all(|(name, value)| has.get(name) == Some(value)).then_some(()))
    })
    .await
}

/// Those of the wanted tags that a snapshot lacks; none when its identity is complete, whatever further tags say.
///
/// # Errors
/// The name of a tag of an identity that is another's.
fn lacking(
    has: &BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
    at: (&Place, &Region),
) -> Result<BTreeMap<String, String>, String> {
    let identity = |tags: &BTreeMap<String, String>| ImageTags::from_map(tags, at.0, at.1).ok();
    let own = identity(wanted).map(|tags| tags.to_map(at.0, at.1)).unwrap_or_default();
    if let Some((name, _)) = own.iter().find(|(name, value)| has.get(*name).is_some_and(|other| other != *value)) {
        return Err(name.clone());
    }
    if own.keys().all(|name| has.contains_key(name)) {
        return Ok(BTreeMap::new());
    }
    Ok(wanted
        .iter()
        .filter(|(name, _)| !has.contains_key(*name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect())
}

fn foreign(id: &str, tag: &str) -> Error {
    Error::new(Kind::Conflict, format!("snapshot {id} has the tag {tag} of another image"))
        .hint(format!("look at it with `aws ec2 describe-snapshots --snapshot-ids {id}`; nothing of it was changed"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_ec2::types::{Image, ImageState};
    use cloud_publish_core::identity::Marks;
    use cloud_publish_core::names::{Class, Region};
    use jiff::Timestamp;

    use super::{Missing, lacking};
    use crate::config::AwsConfig;
    use crate::tags::list;
    use crate::testing::{config, place, spec};

    fn region() -> Region {
        "us-east-1".parse().unwrap()
    }

    fn image(marks: &Marks) -> Image {
        let mut tags = spec().tags.to_map(&place(), &region());
        tags.extend(marks.to_map());
        Image::builder().state(ImageState::Available).set_tags(Some(list(&tags))).build()
    }

    fn missing(image: &Image, config: &AwsConfig, now: &str) -> Missing {
        Missing::of(image, (&place(), &region()), config, now.parse().unwrap())
    }

    fn dated() -> AwsConfig {
        let mut config = config();
        config.deprecate_after_days.insert(Class::Release, 31);
        config
    }

    #[test]
    fn a_new_image_is_protected_and_dated_as_configured() {
        let new = image(&Marks::default());
        let date = "2024-02-01T00:00:00Z".parse::<Timestamp>().unwrap();
        let now = "2024-01-01T12:00:00Z";
        assert_eq!(missing(&new, &dated(), now), Missing { protect: true, deprecate: Some(date) });
        assert_eq!(missing(&new, &config(), now), Missing { protect: true, deprecate: None });
        let unprotected = AwsConfig { deregistration_protection: [].into(), ..config() };
        assert!(missing(&new, &unprotected, now).is_nothing());
    }

    #[test]
    fn a_date_in_the_past_is_not_set_and_one_that_is_there_is_not_moved() {
        let mut made = image(&Marks::default());
        assert_eq!(missing(&made, &dated(), "2025-01-01T00:00:00Z").deprecate, None);
        made.deprecation_time = Some("2024-06-01T00:00:00.000Z".to_owned());
        made.deregistration_protection = Some("enabled-with-cooldown".to_owned());
        assert!(missing(&made, &dated(), "2024-01-01T12:00:00Z").is_nothing());
    }

    #[test]
    fn an_image_that_was_published_or_retired_is_left_alone() {
        let at = Some(Timestamp::UNIX_EPOCH);
        for marks in [
            Marks { published: at, ..Marks::default() },
            Marks { retired: at, ..Marks::default() },
            Marks { withdrawn: at, ..Marks::default() },
        ] {
            assert!(missing(&image(&marks), &dated(), "2024-01-01T12:00:00Z").is_nothing());
        }
        let mut public = image(&Marks::default());
        public.public = Some(true);
        assert!(missing(&public, &dated(), "2024-01-01T12:00:00Z").is_nothing());
    }

    #[test]
    fn a_snapshot_gets_the_tags_that_it_lacks_and_keeps_its_own() {
        let identity = spec().tags.to_map(&place(), &region());
        let mut wanted = identity.clone();
        wanted.insert("team".to_owned(), "cloud".to_owned());
        let at = (&place(), &region());
        assert_eq!(lacking(&BTreeMap::new(), &wanted, at), Ok(wanted.clone()));
        assert_eq!(lacking(&identity, &wanted, at), Ok(BTreeMap::new()));
        let mut other = BTreeMap::from([("team".to_owned(), "other".to_owned())]);
        assert_eq!(lacking(&other, &wanted, at), Ok(identity));
        other.insert("cloud-publish-release".to_owned(), "another".to_owned());
        assert_eq!(lacking(&other, &wanted, at), Err("cloud-publish-release".to_owned()));
    }
}
