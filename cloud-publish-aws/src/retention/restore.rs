//! Undoes hiding and retiring.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, ImageAt, Note};
use serde_json::{Value, json};

use super::{deprecation, until};
use crate::config::AwsConfig;
use crate::error::classify;
use crate::guard::{ours, tags_of};
use crate::publisher::Here;
use crate::sharing::{Grant, Object, Sharing};
use crate::tags::decode;

/// The note that an image is private only while its date is moved, and the two that close it: only an open one counts.
const WAS_PUBLIC: &str = "public before its deprecation date was moved";
const IS_PUBLIC: &str = "public again";
const STAYS_PRIVATE: &str = "retired or withdrawn since: it stays private";

/// Enables it, and gives it the deprecation date that it had before it was hidden: the configuration's, or none.
///
/// The date of a public image can only be put off while it is not public. It is made private for that moment, which is
/// written down first: a run that dies in between is completed by the next.
pub(crate) async fn restore(here: &Here, at: (&Context, &AwsConfig), image: &ImageAt) -> Result<()> {
    let (context, config) = at;
    let mut found = ours(here, context, image).await?;
    let was_public = was_public(here, context, (image, &found)).await?;
    match found.state() {
        Some(ImageState::Available) => {}
        Some(ImageState::Disabled) => {
            let call = here.clients.ec2.enable_image().image_id(image.id.as_str());
            let answer = context.or_cancelled(call.send()).await?;
            answer.map_err(|error| classify(&error, "EnableImage"))?;
            found = until(here, context, (image, &ImageState::Available)).await?;
        }
        other => {
            let state = other.map_or("in an unknown state", ImageState::as_str);
            return Err(Error::new(Kind::Conflict, format!("the image is {state}"))
                .hint("run `publish` again to finish it, or remove the leftover"));
        }
    }
    show(here, (context, config), (image, &found, was_public)).await
}

async fn show(here: &Here, at: (&Context, &AwsConfig), of: (&ImageAt, &Image, bool)) -> Result<()> {
    let (image, found, mut everybody) = of;
    let (context, config) = at;
    let now = context.clock().now();
    let sharing = Sharing { here, context, config, object: Object::Image(image.id.as_str()) };
    if deprecation::is_hidden(found, now) {
        let mut parties = sharing.read().await?;
        if parties.remove(&Grant::Everybody) {
            note(context, image, WAS_PUBLIC).await?;
            context.progress().says("private for a moment: the deprecation date of a public image cannot be put off");
            sharing.revoke_beyond(&parties).await?;
            everybody = true;
        }
        let date = deprecation::by_policy(config, &image.tags, now);
        deprecation::set(here, context, (image.id.as_str(), date)).await?;
    }
    if !everybody {
        return Ok(());
    }
    sharing.grant(&BTreeSet::from([Grant::Everybody])).await?;
    note(context, image, IS_PUBLIC).await
}

async fn note(context: &Context, image: &ImageAt, what: &str) -> Result<()> {
    context.note(Note::Acknowledged { value: json!({"image": image.id, "note": what}) }).await
}

/// Whether an earlier try died while the image was private. One that has been retired or withdrawn since stays so, and
/// that is written down, too: once its marks are off, the old note must not make it public.
async fn was_public(here: &Here, context: &Context, (image, found): (&ImageAt, &Image)) -> Result<bool> {
    if !is_open(context, image) {
        return Ok(false);
    }
    let marks = decode(&tags_of(found), &here.place, &here.region).marks;
    let is_marked = marks.map_or(true, |marks| marks.retired.is_some() || marks.withdrawn.is_some());
    if is_marked || found.state() == Some(&ImageState::Disabled) {
        note(context, image, STAYS_PRIVATE).await?;
        return Ok(false);
    }
    Ok(true)
}

/// Whether the last of our notes about this image is the one that wants closing.
fn is_open(context: &Context, image: &ImageAt) -> bool {
    let noted = |note: Note| match note {
        Note::Acknowledged { value } if value.get("image").and_then(Value::as_str) == Some(image.id.as_str()) => {
            value.get("note").and_then(Value::as_str).map(str::to_owned)
        }
        _ => None,
    };
    context.earlier_notes().into_iter().filter_map(noted).next_back().as_deref() == Some(WAS_PUBLIC)
}
