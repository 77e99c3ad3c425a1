//! Survey: everything of one owner, region by region, page by page.

use std::collections::BTreeSet;

use crate::error::{Error, Kind, Result, Retry};
use crate::identity::claims_owner;
use crate::memory::client::Call;
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::state::{Shelf, State};
use crate::names::{ImageId, Region};
use crate::publisher::{Context, Listing, SurveyRequest};
use crate::survey::{FoundImage, FoundListing, FoundPointer, FoundStaged, Gap, Survey};

pub(super) async fn survey(own: &MemoryPublisher, context: &Context, request: &SurveyRequest) -> Result<Survey> {
    let account = &own.settings().account;
    let call = Call::look(Verb::Survey, "list regions", own.home()).anywhere();
    let known = own.client().send(context, call, |state| {
        let shelves = state.shelves.keys().filter(|(whose, _)| whose == account).map(|(_, region)| region.clone());
        Ok(shelves.collect::<BTreeSet<_>>())
    });
    let mut regions = known.await?;
    regions.extend(own.settings().regions.iter().map(|wanted| wanted.region.clone()));
    let mut all = Survey::default();
    let mut failures: Vec<Error> = Vec::new();
    for region in &regions {
        let listings = [
            listing(own, context, region, |state, after| images(own, state, (request, region), after)).await,
            listing(own, context, region, |state, after| staged(own, state, (request, region), after)).await,
            listing(own, context, region, |state, after| pointers(own, state, (request, region), after)).await,
        ];
        if region == own.home() && request.detail.is_some() && !own.settings().listings.is_empty() {
            let call = Call::look(Verb::Survey, "get listings", region);
            match own.client().send(context, call, |state| Ok(offers(state.shelf(account, region)))).await {
                Ok(offers) => all.listings.extend(offers),
                Err(error) if error.kind() == Kind::Cancelled => return Err(error),
                Err(error) => failures.push(error.with("region", region)),
            }
        }
        for listing in listings {
            let (found, broken) = listing;
            for it in found {
                match it {
                    Found::Image(image) => all.images.push(*image),
                    Found::Staged(staged) => all.staged.push(*staged),
                    Found::Pointer(pointer) => all.pointers.push(pointer),
                }
            }
            match broken {
                None => {}
                Some(error) if error.kind() == Kind::Cancelled => return Err(error),
                Some(error) => failures.push(error.with("region", region)),
            }
        }
    }
    let nothing = all.images.is_empty() && all.staged.is_empty() && all.pointers.is_empty();
    if nothing && failures.len() == regions.len() * 3 {
        return Err(failures.swap_remove(0));
    }
    for error in failures {
        let region = regions.iter().find(|region| error.context("region") == Some(region.as_str())).cloned();
        let gap = Gap { passing: error.retry() != Retry::Never, region, reason: error.chain().join(": ") };
        if !all.incomplete.iter().any(|known| known.region == gap.region) {
            all.incomplete.push(gap);
        }
    }
    Ok(all)
}

/// One object of a listing.
enum Found {
    Image(Box<FoundImage>),
    Staged(Box<FoundStaged>),
    Pointer(FoundPointer),
}

/// A page and the id that it ends with, if there are more.
type Page = (Vec<Found>, Option<String>);

/// Reads a listing to its end, or to where it breaks off.
async fn listing<F>(own: &MemoryPublisher, context: &Context, region: &Region, page: F) -> (Vec<Found>, Option<Error>)
where
    F: Fn(&mut State, &Option<String>) -> Vec<(String, Found)> + Send + Sync,
{
    let mut all = Vec::new();
    let mut after = None;
    let mut pages = 0;
    loop {
        let call = Call::look(Verb::Survey, "list", region);
        let read = own.client().send(context, call, |state| {
            let rules = state.rules_of(region).clone();
            if rules.listing_breaks_after.is_some_and(|most| pages >= most) {
                return Err(Error::new(Kind::Unavailable, "the listing broke off"));
            }
            let rest = page(state, &after);
            Ok(cut(rest, rules.page))
        });
        match read.await {
            Err(error) => return (all, Some(error)),
            Ok((found, next)) => {
                all.extend(found);
                if next.is_none() {
                    return (all, None);
                }
                after = next;
                pages += 1;
            }
        }
    }
}

fn cut(rest: Vec<(String, Found)>, page: Option<usize>) -> Page {
    let size = page.unwrap_or(usize::MAX).max(1);
    let next = if rest.len() > size { rest.get(size - 1).map(|(id, _)| id.clone()) } else { None };
    (rest.into_iter().take(size).map(|(_, it)| it).collect(), next)
}

type Asked<'a> = (&'a SurveyRequest, &'a Region);

fn images(own: &MemoryPublisher, state: &mut State, asked: Asked<'_>, after: &Option<String>) -> Vec<(String, Found)> {
    let (request, region) = asked;
    let seen = state.seen_images(&own.settings().account, region).into_iter();
    let ours = seen.filter(|image| claims_owner(&image.tags, &request.owner) && later(image.id.as_str(), after));
    let found = ours.map(|image| Box::new(image.found(own.place(), own.key_region(region))));
    found.map(|image| (image.id.to_string(), Found::Image(image))).collect()
}

fn staged(own: &MemoryPublisher, state: &mut State, asked: Asked<'_>, after: &Option<String>) -> Vec<(String, Found)> {
    let (request, region) = asked;
    let account = &own.settings().account;
    let alive: BTreeSet<ImageId> = state.shelf(account, region).images.keys().cloned().collect();
    let seen = state.seen_staged(account, region).into_iter();
    let ours = seen.filter(|it| claims_owner(&it.tags, &request.owner) && later(&it.id, after));
    let unused = ours.filter(|it| it.used_by.as_ref().is_none_or(|id| !alive.contains(id)));
    unused.map(|it| (it.id.clone(), Found::Staged(Box::new(it.found(own.place(), own.key_region(region)))))).collect()
}

fn pointers(
    own: &MemoryPublisher,
    state: &mut State,
    asked: Asked<'_>,
    after: &Option<String>,
) -> Vec<(String, Found)> {
    let (request, region) = asked;
    let shelf = state.shelf(&own.settings().account, region);
    let ours =
        shelf.pointers.iter().filter(|(name, (owner, _))| *owner == request.owner && later(name.as_str(), after));
    let found = ours.map(|(name, (_, id))| {
        let to = shelf.images.contains_key(id).then(|| id.clone());
        (name.to_string(), Found::Pointer(FoundPointer { region: region.clone(), name: name.clone(), to }))
    });
    found.collect()
}

/// The marketplace versions; one that is still under review is pending.
fn offers(shelf: &Shelf) -> Vec<FoundListing> {
    let offer = |((listing, image), reviews): (&(String, ImageId), &u32)| FoundListing {
        listing: listing.clone(),
        image: image.clone(),
        state: if *reviews == 0 { Listing::Listed } else { Listing::Pending },
    };
    shelf.listings.iter().map(offer).collect()
}

fn later(id: &str, after: &Option<String>) -> bool {
    after.as_ref().is_none_or(|after| id > after.as_str())
}
