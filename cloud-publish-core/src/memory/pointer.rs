//! What leads to an image: pointers and marketplace listings.

use crate::error::{Error, Kind, Result};
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::ImageRecord;
use crate::publisher::{Context, ImageAt, Listing, ListingRequest, PointRequest};
use crate::survey::Native;

pub(super) async fn point(own: &MemoryPublisher, context: &Context, request: &PointRequest) -> Result<()> {
    if !own.settings().capability.pointers {
        return Err(Error::new(Kind::Unsupported, "this target has no pointers").during("point"));
    }
    available(own, context, Verb::Point, &request.at).await?;
    let (at, account, owner) = (&request.at, &own.settings().account, &own.settings().owner);
    let call = Call::look(Verb::Point, "get pointer", &at.region);
    let now = own
        .client()
        .send(context, call, |state| Ok(state.shelf(account, &at.region).pointers.get(&request.pointer).cloned()));
    match now.await? {
        Some((_, id)) if id == at.id => return Ok(()),
        Some((holder, _)) if holder != *owner => {
            return Err(Error::new(Kind::NameTaken, "the pointer belongs to somebody else")
                .during("point")
                .with("pointer", &request.pointer)
                .with("owner", holder)
                .hint("change `naming.family`"));
        }
        _ => {}
    }
    let call = Call::change(Verb::Point, "set pointer", &at.region);
    let set = own.client().send(context, call, |state| {
        let pointers = &mut state.shelf(account, &at.region).pointers;
        pointers.insert(request.pointer.clone(), (owner.clone(), at.id.clone()));
        Ok(())
    });
    set.await
}

pub(super) async fn list_in_marketplace(
    own: &MemoryPublisher,
    context: &Context,
    request: &ListingRequest,
) -> Result<Listing> {
    if !own.settings().capability.marketplace {
        return Err(Error::new(Kind::Unsupported, "this target has no marketplace").during("list_in_marketplace"));
    }
    available(own, context, Verb::ListInMarketplace, &request.at).await?;
    let (at, account, reviews) = (&request.at, &own.settings().account, own.settings().reviews);
    let entry = (request.listing.clone(), at.id.clone());
    let call = Call::look(Verb::ListInMarketplace, "get listing", &at.region);
    let asked = own
        .client()
        .send(context, call, |state| Ok(state.shelf(account, &at.region).listings.get_mut(&entry).map(answer)));
    if let Some(listing) = asked.await? {
        return Ok(listing);
    }
    let call = Call::change(Verb::ListInMarketplace, "submit to listing", &at.region);
    let submitted = own.client().send(context, call, |state| {
        Ok(answer(state.shelf(account, &at.region).listings.entry(entry.clone()).or_insert(reviews)))
    });
    submitted.await
}

/// The review moves on each time that somebody asks.
fn answer(left: &mut u32) -> Listing {
    match left.checked_sub(1) {
        Some(less) => {
            *left = less;
            Listing::Pending
        }
        None => Listing::Listed,
    }
}

async fn available(own: &MemoryPublisher, context: &Context, verb: Verb, at: &ImageAt) -> Result<ImageRecord> {
    let image = own.guard(context, verb, at).await?;
    if image.native == Native::Available {
        return Ok(image);
    }
    Err(Error::new(Kind::Refused, "nobody should be led to an image that is not available")
        .during(verb.as_str())
        .with("image", &at.id)
        .hint("restore it first"))
}
