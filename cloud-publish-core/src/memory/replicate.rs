//! Replicate: copies of an image in further regions, in the way of the kind of cloud.

use std::collections::BTreeMap;

use futures::future::join_all;

use crate::error::{Error, Kind, Result};
use crate::manifest::Visibility;
use crate::memory::client::{Call, permitted_in};
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::ImageRecord;
use crate::memory::register::New;
use crate::memory::state::State;
use crate::names::{ImageId, Region};
use crate::publisher::{Context, Note, Registered, ReplicateRequest, Replication};

type PerRegion = Vec<(Region, Result<Registered>)>;

pub(super) async fn replicate(
    own: &MemoryPublisher,
    context: &Context,
    request: &ReplicateRequest,
) -> Result<PerRegion> {
    let home = own.guard(context, Verb::Replicate, &request.home).await?;
    let results = match own.settings().capability.replication {
        Replication::Batch => batch(own, context, request, &home).await?,
        Replication::PerRegion => {
            let copies = request.regions.iter().map(|region| copy(own, context, request, (region, &home)));
            join_all(copies).await
        }
        Replication::Independent | Replication::None => {
            join_all(request.regions.iter().map(|region| find(own, context, request, region))).await
        }
    };
    context.check()?;
    let mut all = Vec::with_capacity(results.len());
    for (region, result) in request.regions.iter().zip(results) {
        match result {
            // A run that was stopped or killed is no region's matter.
            Err(error) if error.kind() == Kind::Cancelled => return Err(error),
            result => all.push((region.clone(), result.map(|id| Registered::new(region.clone(), id)))),
        }
    }
    Ok(all)
}

/// Finds the image of one region and waits until it is usable.
async fn find(
    own: &MemoryPublisher,
    context: &Context,
    request: &ReplicateRequest,
    region: &Region,
) -> Result<ImageId> {
    let found = own.look_for_image(context, Verb::Replicate, region, &request.image.tags).await?;
    let found = found.ok_or_else(|| {
        Error::new(Kind::NotFound, "the image is not in this region")
            .during("replicate")
            .with("region", region)
            .hint("regions here know nothing of each other: upload and register in each")
    })?;
    settled(own, context, region, found.id).await
}

/// Finds the image of one region, or copies it there.
async fn copy(
    own: &MemoryPublisher,
    context: &Context,
    request: &ReplicateRequest,
    (region, home): (&Region, &ImageRecord),
) -> Result<ImageId> {
    own.known_region(region)?;
    let mut generation = context.first_generation();
    loop {
        if let Some(found) = own.look_for_image(context, Verb::Replicate, region, &request.image.tags).await? {
            return settled(own, context, region, found.id).await;
        }
        let new = New { image: &request.image, region, staged: None, digest: home.digest, generation };
        let call = Call::change(Verb::Replicate, "copy image", region);
        if let Some(id) = own.client().send(context, call, |state| replica(own, state, new)).await? {
            return settled(own, context, region, id).await;
        }
        let reason = "a copy made under this token was deleted or failed".to_owned();
        context.note(Note::DeadGeneration { generation, reason }).await?;
        generation = generation.saturating_add(1);
    }
}

/// Names all missing regions in one request.
async fn batch(
    own: &MemoryPublisher,
    context: &Context,
    request: &ReplicateRequest,
    home: &ImageRecord,
) -> Result<Vec<Result<ImageId>>> {
    let mut results: BTreeMap<&Region, Result<ImageId>> = BTreeMap::new();
    let mut missing = Vec::new();
    for region in &request.regions {
        let found = match own.known_region(region) {
            Ok(()) => own.look_for_image(context, Verb::Replicate, region, &request.image.tags).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(Some(image)) => drop(results.insert(region, Ok(image.id))),
            Ok(None) => missing.push(region),
            Err(error) => drop(results.insert(region, Err(error))),
        }
    }
    let mut generation = context.first_generation();
    while !missing.is_empty() {
        let call = Call::change(Verb::Replicate, "copy image to regions", own.home()).anywhere();
        let wanted = std::mem::take(&mut missing);
        let made = own.client().send(context, call, |state| {
            let made = wanted.iter().map(|region| {
                let new = New { image: &request.image, region, staged: None, digest: home.digest, generation };
                let made = permitted_in(state, Verb::Replicate, region).and_then(|()| replica(own, state, new));
                (*region, made)
            });
            Ok(made.collect::<Vec<_>>())
        });
        for (region, made) in made.await? {
            match made.transpose() {
                Some(result) => drop(results.insert(region, result)),
                None => missing.push(region),
            }
        }
        if !missing.is_empty() {
            let reason = "a copy made under this token was deleted or failed".to_owned();
            context.note(Note::DeadGeneration { generation, reason }).await?;
            generation = generation.saturating_add(1);
        }
    }
    let mut ready = Vec::with_capacity(request.regions.len());
    for region in &request.regions {
        ready.push(match results.remove(region) {
            Some(Ok(id)) => settled(own, context, region, id).await,
            Some(Err(error)) => Err(error.with("region", region)),
            None => find(own, context, request, region).await,
        });
    }
    Ok(ready)
}

async fn settled(own: &MemoryPublisher, context: &Context, region: &Region, id: ImageId) -> Result<ImageId> {
    match own.await_image(context, Verb::Replicate, region, &id).await? {
        Some(image) => Ok(image.id),
        None => Err(Error::new(Kind::Unavailable, "the cloud gave up on the copy")
            .during("replicate")
            .with("region", region)
            .with("image", id)),
    }
}

/// Makes a copy in the cloud; where replicas are visible, others can use it by id at once.
fn replica(own: &MemoryPublisher, state: &mut State, new: New<'_>) -> Result<Option<ImageId>> {
    let id = new.create(own, state)?;
    let wanted = &new.image.visibility;
    if let (Some(id), true) = (&id, own.settings().capability.replicas_are_visible && *wanted != Visibility::Private) {
        let account = &own.settings().account;
        let kept = state.shelf(account, new.region).images.get(id).map(|kept| kept.it.clone());
        if let Some(image) = kept {
            state.expose(account, &image, wanted, true);
        }
    }
    Ok(id)
}
