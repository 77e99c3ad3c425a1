//! Who sees an image, and its tags: visibility and tag.

use std::collections::BTreeMap;

use crate::error::{Error, Kind, Result};
use crate::identity::{Marks, TAG_PREFIX};
use crate::manifest::Visibility;
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::ImageRecord;
use crate::publisher::{Context, ImageAt, TagRequest, VisibilityKind, VisibilityRequest};
use crate::survey::Native;

pub(super) async fn set_visibility(
    own: &MemoryPublisher,
    context: &Context,
    request: &VisibilityRequest,
) -> Result<()> {
    let wanted = in_order(&request.wanted);
    if !own.settings().capability.visibilities.contains(&VisibilityKind::from(&wanted)) {
        return Err(Error::new(Kind::Unsupported, "this target does not know this visibility")
            .during("set_visibility")
            .hint("set another `visibility` for the target"));
    }
    let at = &request.at;
    let image = own.guard(context, Verb::SetVisibility, at).await?;
    let unusable = matches!(image.native, Native::Pending | Native::Failed | Native::Retired);
    if unusable && wanted != Visibility::Private {
        return Err(Error::new(Kind::Refused, "an image that cannot be used cannot be shown to others")
            .during("set_visibility")
            .with("image", &at.id)
            .with("region", &at.region)
            .hint("wait until it is available, or restore it"));
    }
    let account = &own.settings().account;
    if let Some(staged) = &image.staged {
        let call = Call::look(Verb::SetVisibility, "get staged permissions", &at.region);
        let differs = own.client().send(context, call, |state| {
            Ok(state.shelf(account, &at.region).staged.get(staged).is_some_and(|kept| kept.it.visibility != wanted))
        });
        if differs.await? {
            let call = Call::change(Verb::SetVisibility, "set staged permissions", &at.region);
            let set = own.client().send(context, call, |state| {
                if let Some(kept) = state.shelf(account, &at.region).staged.get_mut(staged) {
                    kept.it.visibility = wanted.clone();
                }
                Ok(())
            });
            set.await?;
        }
    }
    if image.visibility == wanted {
        return Ok(());
    }
    let call = Call::change(Verb::SetVisibility, "set image permissions", &at.region);
    let set = own.client().send(context, call, |state| {
        let image = state.seen_image(account, &at.region, &at.id).ok_or_else(|| vanished(at))?;
        image.visibility = wanted.clone();
        let image = image.clone();
        state.expose(account, &image, &wanted, false);
        Ok(())
    });
    set.await
}

pub(super) async fn tag(own: &MemoryPublisher, context: &Context, request: &TagRequest) -> Result<()> {
    let at = &request.at;
    let wrong = request.extra.iter().flatten().find(|(name, _)| name.starts_with(TAG_PREFIX));
    if let Some((name, _)) = wrong {
        return Err(Error::new(Kind::InvalidInput, format!("the tag `{name}` is not one to be chosen"))
            .during("tag")
            .hint(format!("tags that start with {TAG_PREFIX} are set by the program alone")));
    }
    let image = own.guard(context, Verb::Tag, at).await?;
    let extra = request.extra.clone().unwrap_or_else(|| extra_of(&image));
    let mut wanted = at.tags.to_map(own.place(), own.key_region(&at.region));
    let unreadable = |trouble| Error::new(Kind::Refused, "the marks of the image cannot be read").caused_by(trouble);
    wanted.extend(request.marks.apply(&Marks::from_map(&image.tags).map_err(unreadable)?)?.to_map());
    wanted.extend(extra);
    if wanted == image.tags { Ok(()) } else { write_tags(own, context, (Verb::Tag, at), wanted).await }
}

/// Sets the tag `retired` and leaves every other one as it is.
pub(super) async fn mark_retired(
    own: &MemoryPublisher,
    context: &Context,
    at: &ImageAt,
    image: &ImageRecord,
) -> Result<()> {
    let readable = Marks::from_map(&image.tags).unwrap_or_default();
    let retired = Some(readable.retired.unwrap_or_else(|| context.clock().now()));
    let mut wanted = at.tags.to_map(own.place(), own.key_region(&at.region));
    wanted.extend(Marks { retired, ..readable }.to_map());
    wanted.extend(extra_of(image));
    if wanted == image.tags { Ok(()) } else { write_tags(own, context, (Verb::Retire, at), wanted).await }
}

async fn write_tags(
    own: &MemoryPublisher,
    context: &Context,
    (verb, at): (Verb, &ImageAt),
    tags: BTreeMap<String, String>,
) -> Result<()> {
    let account = &own.settings().account;
    let call = Call::change(verb, "set tags", &at.region);
    own.client()
        .send(context, call, |state| {
            state.seen_image(account, &at.region, &at.id).ok_or_else(|| vanished(at))?.tags = tags;
            Ok(())
        })
        .await
}

fn extra_of(image: &ImageRecord) -> BTreeMap<String, String> {
    let others = image.tags.iter().filter(|(name, _)| !name.starts_with(TAG_PREFIX));
    others.map(|(name, value)| (name.clone(), value.clone())).collect()
}

pub(super) fn vanished(at: &ImageAt) -> Error {
    Error::new(Kind::NotFound, "the image was removed meanwhile").with("image", &at.id)
}

fn in_order(visibility: &Visibility) -> Visibility {
    match visibility {
        Visibility::SharedWith(parties) => {
            let mut parties = parties.clone();
            parties.sort();
            parties.dedup();
            Visibility::SharedWith(parties)
        }
        other => other.clone(),
    }
}
