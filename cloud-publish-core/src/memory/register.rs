//! Register: a private image of staged bytes, under a token, with its tags from the first moment.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::manifest::{Boot, Visibility};
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::ImageRecord;
use crate::memory::state::State;
use crate::names::{ImageId, Region};
use crate::publisher::{Context, ImageSpec, Note, RegisterRequest, Registered};
use crate::survey::Native;

pub(super) async fn register(
    own: &MemoryPublisher,
    context: &Context,
    request: &RegisterRequest,
) -> Result<Registered> {
    let (region, image) = (&request.staged.region, &request.image);
    let digest = staged_digest(own, context, request).await?;
    let mut generation = context.first_generation();
    loop {
        let found = own.look_for_image(context, Verb::Register, region, &image.tags).await?;
        let id = match found {
            Some(found) => Some(found.id),
            None => {
                let new = New { image, region, staged: Some(&request.staged.id), digest, generation };
                let call = Call::change(Verb::Register, "create image", region);
                own.client().send(context, call, |state| new.create(own, state)).await?
            }
        };
        if let Some(id) = id
            && own.await_image(context, Verb::Register, region, &id).await?.is_some()
        {
            // Looked up once more: another publisher may have made one too.
            own.look_for_image(context, Verb::Register, region, &image.tags).await?;
            return Ok(Registered::new(region.clone(), id));
        }
        let reason = "an image made under this token was deleted or failed".to_owned();
        context.note(Note::DeadGeneration { generation, reason }).await?;
        generation = generation.saturating_add(1);
    }
}

/// What the staged bytes hold, if they are complete and those of this image.
async fn staged_digest(own: &MemoryPublisher, context: &Context, request: &RegisterRequest) -> Result<Digest> {
    let account = &own.settings().account;
    let staged = &request.staged;
    let call = Call::look(Verb::Register, "get staged bytes", &staged.region);
    let found = own.client().send(context, call, |state| {
        let seen = state.seen_staged(account, &staged.region);
        Ok(seen.into_iter().find(|it| it.id == staged.id).cloned())
    });
    let named = |error: Error| error.during("register").with("staged", &staged.id).with("region", &staged.region);
    let found = found.await?.ok_or_else(|| {
        named(
            Error::new(Kind::NotFound, "the staged bytes are gone").hint("run the same command again: it uploads them"),
        )
    })?;
    let own_tags = request.image.tags.to_map(own.place(), own.key_region(&staged.region));
    if found.tags != own_tags {
        return Err(named(
            Error::new(Kind::Refused, "the staged bytes belong to another image").hint("run `publish status`"),
        ));
    }
    found.digest.ok_or_else(|| {
        named(
            Error::new(Kind::Conflict, "the staged bytes are not complete")
                .hint("run the same command again: it sends the rest"),
        )
    })
}

/// An image to be made in the cloud.
#[derive(Clone, Copy, Debug)]
pub(super) struct New<'a> {
    pub(super) image: &'a ImageSpec,
    pub(super) region: &'a Region,
    pub(super) staged: Option<&'a String>,
    pub(super) digest: Digest,
    pub(super) generation: u32,
}

impl New<'_> {
    /// Makes the image, or finds what its token made before. `None`: the token is dead.
    pub(super) fn create(self, own: &MemoryPublisher, state: &mut State) -> Result<Option<ImageId>> {
        let (account, key_region) = (&own.settings().account, own.key_region(self.region));
        let token = self.image.tags.token(own.place(), key_region, self.generation);
        let id = ImageId::new(format!("image-{}", token.get(..16).unwrap_or(&token)))?;
        let created = state.clock.now();
        let shelf = state.shelf(account, self.region);
        if let Some(known) = shelf.images.get(&id) {
            return Ok((known.it.native != Native::Failed).then_some(id));
        }
        if shelf.is_dead(id.as_str()) {
            return Ok(None);
        }
        if let Some(holder) = shelf.images.values().find(|kept| kept.it.name == self.image.name.as_str())
            && !(own.settings().capability.keeps_renditions && own.read_tags(&holder.it).is_some())
        {
            return Err(Error::new(Kind::NameTaken, format!("the name `{}` is taken", self.image.name))
                .with("image", &holder.it.id)
                .hint("change `naming.image`, or rename the image that has the name"));
        }
        let mut tags = self.image.tags.to_map(own.place(), key_region);
        tags.extend(self.image.extra_tags.clone());
        let image = ImageRecord {
            region: self.region.clone(),
            id: id.clone(),
            name: self.image.name.to_string(),
            tags,
            native: Native::Pending,
            visibility: Visibility::Private,
            digest: self.digest,
            attributes: attributes(self.image),
            staged: self.staged.cloned(),
            created,
            in_use: false,
            last_used: None,
        };
        if let Some(kept) = self.staged.and_then(|staged| shelf.staged.get_mut(staged)) {
            kept.it.used_by = Some(id.clone());
        }
        state.keep_image(account, image)?;
        Ok(Some(id))
    }
}

/// What the cloud shows of an image besides its tags.
pub(super) fn attributes(image: &ImageSpec) -> BTreeMap<String, String> {
    let boot = match image.boot {
        Boot::Uefi => "uefi",
        Boot::UefiPreferred => "uefi-preferred",
        Boot::Bios => "bios",
    };
    let mut all = image.properties.clone();
    all.insert("boot".to_owned(), boot.to_owned());
    all.insert("virtual_size".to_owned(), image.virtual_size.to_string());
    all
}
