//! Gives an image exactly the wanted marks and extra tags; its snapshots have the extra tags, too.
//!
//! The marks (`published`, `retired`, `withdrawn`) are on the image alone, and the image comes last: a snapshot says
//! what it is made from, not how far its image is.

mod change;

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Image, Tag};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::Marks;
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, TagRequest};

use self::change::Change;
use crate::error::classify;
use crate::guard::{by_id, gone, ours, tags_of};
use crate::pace::SEEN;
use crate::publisher::Here;
use crate::tags::{decode, list};
use crate::{own_snapshots, snapshot};

pub(crate) async fn tag(here: &Here, context: &Context, request: &TagRequest) -> Result<()> {
    let image = ours(here, context, &request.at).await?;
    let marks = request.marks.apply(&readable_marks(here, &image)?)?;
    if let Some(extra) = &request.extra {
        for part in own_snapshots::of(here, context, (&image, &request.at.tags)).await? {
            let change = Change::of_extra(&snapshot::tags_of(&part), extra);
            write(here, context, (snapshot::id_of(&part), &change)).await?;
        }
    }
    let have = tags_of(&image);
    let mut change = Change::of_marks(&have, &marks);
    if let Some(extra) = &request.extra {
        change.join(Change::of_extra(&have, extra));
    }
    write_image(here, context, (request.at.id.as_str(), &change)).await
}

/// A mark that cannot be read may be the only trace of a publication or withdrawal.
fn readable_marks(here: &Here, image: &Image) -> Result<Marks> {
    decode(&tags_of(image), &here.place, &here.region).marks.map_err(|trouble| {
        Error::new(Kind::Refused, "the image's marks cannot be read").caused_by(trouble).hint(
            "it was left alone; set them right or remove them with `aws ec2 create-tags` or `aws ec2 delete-tags`",
        )
    })
}

/// Writes tags on an image and returns once they read back.
pub(crate) async fn set_on_image(
    here: &Here,
    context: &Context,
    (id, tags): (&str, BTreeMap<String, String>),
) -> Result<()> {
    write_image(here, context, (id, &Change::of_new(tags))).await
}

async fn write_image(here: &Here, context: &Context, (id, change): (&str, &Change)) -> Result<()> {
    if change.is_nothing() {
        return Ok(());
    }
    write(here, context, (id, change)).await?;
    poll_until(context, "a change of tags", SEEN, || async {
        let image = by_id(here, context, id).await?.ok_or_else(gone)?;
        Ok(change.is_done(&tags_of(&image)).then_some(()))
    })
    .await
}

/// What is taken off goes first: as long as [`crate::tags::EXTRA`] lists it, a run that dies here is continued.
async fn write(here: &Here, context: &Context, (id, change): (&str, &Change)) -> Result<()> {
    let ec2 = &here.clients.ec2;
    if !change.remove.is_empty() {
        let names = change.remove.iter().map(|name| Tag::builder().key(name).build()).collect();
        let call = ec2.delete_tags().resources(id).set_tags(Some(names));
        let answer = context.or_cancelled(call.send()).await?;
        answer.map_err(|error| classify(&error, "DeleteTags"))?;
    }
    if !change.set.is_empty() {
        let call = ec2.create_tags().resources(id).set_tags(Some(list(&change.set)));
        let answer = context.or_cancelled(call.send()).await?;
        answer.map_err(|error| classify(&error, "CreateTags"))?;
    }
    Ok(())
}
