//! The end of things: delete an image with what belongs to it, discard staged leftovers.

use crate::error::{Error, Kind, Result};
use crate::identity::ImageTags;
use crate::memory::client::Call;
use crate::memory::life;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::publisher::{Context, Deletion, ImageAt};
use crate::survey::FoundStaged;

pub(super) async fn delete(own: &MemoryPublisher, context: &Context, at: &ImageAt) -> Result<Deletion> {
    let account = &own.settings().account;
    match own.guard(context, Verb::Delete, at).await {
        Ok(image) if image.in_use => {
            life::retire(own, context, at).await?;
            return Ok(Deletion::StillInUse);
        }
        Ok(_) => {
            let call = Call::change(Verb::Delete, "delete image", &at.region);
            let removed = own.client().send(context, call, |state| {
                state.conceal(account, &at.region, &at.id);
                state.shelf(account, &at.region).images.remove(&at.id);
                Ok(())
            });
            removed.await?;
        }
        Err(error) if error.kind() == Kind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Looked for also when the image was gone: an earlier deletion may have ended between the two.
    let call = Call::look(Verb::Delete, "look for staged bytes", &at.region);
    let belonging = own.client().send(context, call, |state| {
        let seen = state.seen_staged(account, &at.region).into_iter();
        let made_into_it = seen.filter(|staged| staged.used_by.as_ref() == Some(&at.id));
        Ok(made_into_it.map(|staged| staged.id.clone()).collect::<Vec<_>>())
    });
    for staged in belonging.await? {
        let call = Call::change(Verb::Delete, "delete staged bytes", &at.region);
        let removed = own.client().send(context, call, |state| {
            state.shelf(account, &at.region).staged.remove(&staged);
            Ok(())
        });
        removed.await?;
    }
    Ok(Deletion::Gone)
}

pub(super) async fn discard(own: &MemoryPublisher, context: &Context, staged: &FoundStaged) -> Result<()> {
    let account = &own.settings().account;
    let call = Call::look(Verb::Discard, "get staged bytes", &staged.region);
    let found = own.client().send(context, call, |state| {
        let shelf = state.shelf(account, &staged.region);
        let used = |id| shelf.images.contains_key(id);
        Ok(shelf.staged.get(&staged.id).map(|kept| (kept.it.clone(), kept.it.used_by.as_ref().is_some_and(used))))
    });
    let Some((found, used)) = found.await? else { return Ok(()) };
    let refused = |message: &'static str, hint: &'static str| {
        let error = Error::new(Kind::Refused, message).hint(hint);
        Err(error.during("discard").with("staged", &staged.id).with("region", &staged.region))
    };
    let tags = ImageTags::from_map(&found.tags, own.place(), own.key_region(&staged.region)).ok();
    if tags.is_none() || tags != staged.tags || tags.is_some_and(|tags| tags.owner != own.settings().owner) {
        return refused("the staged bytes have other tags than expected", "look at them by hand");
    }
    if used {
        return refused("an image was made of the staged bytes", "delete the image: its staged bytes go with it");
    }
    if found.senders > 0 {
        return refused("somebody is sending these bytes", "wait until the other run has ended");
    }
    let call = Call::change(Verb::Discard, "delete staged bytes", &staged.region);
    let removed = own.client().send(context, call, |state| {
        state.shelf(account, &staged.region).staged.remove(&staged.id);
        Ok(())
    });
    removed.await
}
