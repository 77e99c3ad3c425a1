//! The later life of an image: hide, retire, restore.

use crate::error::{Error, Kind, Result};
use crate::manifest::Visibility;
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::ImageRecord;
use crate::memory::show::{mark_retired, vanished};
use crate::publisher::{Context, ImageAt};
use crate::survey::Native;

pub(super) async fn hide(own: &MemoryPublisher, context: &Context, at: &ImageAt) -> Result<()> {
    let image = usable(own, context, Verb::Hide, at).await?;
    match image.native {
        Native::Available => change(own, context, (Verb::Hide, "hide image"), (at, Native::Hidden)).await,
        // A retired image is found by nobody already.
        _ => Ok(()),
    }
}

pub(super) async fn retire(own: &MemoryPublisher, context: &Context, at: &ImageAt) -> Result<()> {
    let image = usable(own, context, Verb::Retire, at).await?;
    mark_retired(own, context, at, &image).await?;
    if image.native == Native::Retired {
        return Ok(());
    }
    change(own, context, (Verb::Retire, "disable image"), (at, Native::Retired)).await
}

pub(super) async fn restore(own: &MemoryPublisher, context: &Context, at: &ImageAt) -> Result<()> {
    let image = usable(own, context, Verb::Restore, at).await?;
    if image.native == Native::Available {
        return Ok(());
    }
    change(own, context, (Verb::Restore, "enable image"), (at, Native::Available)).await
}

async fn usable(own: &MemoryPublisher, context: &Context, verb: Verb, at: &ImageAt) -> Result<ImageRecord> {
    let image = own.guard(context, verb, at).await?;
    if matches!(image.native, Native::Pending | Native::Failed) {
        return Err(Error::new(Kind::Conflict, "the image is not made yet")
            .during(verb.as_str())
            .with("image", &at.id)
            .hint("run `publish` for its release first: it finishes what was begun"));
    }
    Ok(image)
}

/// Changes what the cloud says of an image; a retired one loses its sharing.
async fn change(
    own: &MemoryPublisher,
    context: &Context,
    (verb, name): (Verb, &'static str),
    (at, native): (&ImageAt, Native),
) -> Result<()> {
    let account = &own.settings().account;
    own.client()
        .send(context, Call::change(verb, name, &at.region), |state| {
            let image = state.seen_image(account, &at.region, &at.id).ok_or_else(|| vanished(at))?;
            image.native = native;
            if native == Native::Retired {
                image.visibility = Visibility::Private;
                state.conceal(account, &at.region, &at.id);
            }
            Ok(())
        })
        .await
}
