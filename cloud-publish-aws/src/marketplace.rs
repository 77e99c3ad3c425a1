//! Marketplace listings: a new version of a product for an image, by change sets that a person at AWS may review.
//!
//! The catalogue is in one region of each partition that has one, and takes images from there:
//! <https://docs.aws.amazon.com/marketplace/latest/APIReference/work-with-single-ami-products.html>. A change set is
//! recognised by its name, made from product, image and intent; so a rerun, on another machine too, asks how far it is
//! instead of starting a second one.

mod catalogue;
mod details;
mod judge;
mod restrict;
mod survey;

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::{Pace, poll_until};
use cloud_publish_core::publisher::{Context, Listing, ListingRequest, Note};
use serde_json::{Value, json};

pub(crate) use self::catalogue::CATALOGUE;
use self::catalogue::{Catalogue, ChangeSet, Started};
use self::details::Offer;
use self::judge::{Verdict, verdict};
pub(crate) use self::survey::survey;
use crate::config::{AwsConfig, MarketplaceListing};
use crate::guard::ours;
use crate::publisher::Aws;

/// Where the catalogue of the partition `aws` is, and the only region that it takes images from:
/// <https://docs.aws.amazon.com/marketplace/latest/APIReference/api-access.html>,
/// <https://docs.aws.amazon.com/marketplace/latest/userguide/ami-single-ami-products.html>.
pub(crate) const REGION: &str = "us-east-1";

/// How long to wait for an answer that comes soon; a review takes hours.
const SOON: Pace =
    Pace { first: Duration::from_secs(1), longest: Duration::from_secs(5), deadline: Duration::from_secs(20) };

/// Submits an image to a listing, or asks how far it is.
///
/// # Errors
/// [`Kind::InvalidInput`] for a listing that is not configured, an image elsewhere, or a change set that AWS refused,
/// with AWS's reasons; the same command then tries anew.
pub(crate) async fn list(target: &Aws, context: &Context, request: &ListingRequest) -> Result<Listing> {
    let listing = configured(target, &request.listing)?;
    let here = target.here(context, &request.at.region).await?;
    ours(&here, context, &request.at).await?;
    if request.at.region.as_str() != REGION {
        return Err(Error::new(Kind::InvalidInput, format!("the Marketplace takes images from {REGION} only"))
            .hint(format!("publish to {REGION}, too")));
    }
    if !AwsConfig::is_own(&listing.version_title) {
        return Err(Error::new(Kind::InvalidInput, "every release would have the same version title")
            .with("listing", &request.listing)
            .hint("put `{version}`, `{release}` or `{date}` into `version_title`"));
    }
    let offer = Offer::new(listing, request, &target.settings.target);
    let catalogue = Catalogue::new(&here, context);
    submit(&catalogue, &offer)
        .await
        .map_err(|error| error.with("listing", &request.listing).with("product", &listing.product))
}

fn configured<'a>(target: &'a Aws, name: &str) -> Result<&'a MarketplaceListing> {
    target.config().marketplace.get(name).ok_or_else(|| {
        Error::new(Kind::InvalidInput, format!("there is no listing `{name}`")).hint("add it to `marketplace`")
    })
}

async fn submit(catalogue: &Catalogue<'_>, offer: &Offer) -> Result<Listing> {
    if !offer.validate_only && catalogue.product(&offer.product).await?.offers(&offer.title, &offer.image) {
        return Ok(Listing::Listed);
    }
    let mine = catalogue.named(&offer.change_set_name()).await?;
    match verdict(&mine, &reported(catalogue.context)) {
        Verdict::Done => Ok(Listing::Listed),
        Verdict::Running(id) => settle(catalogue, &id).await,
        Verdict::Failed(id) => Err(failed(catalogue, &id).await?),
        Verdict::Start { tries } => start(catalogue, offer, tries).await,
    }
}

/// Starts a change set, unless another one is at work on the product: AWS takes one at a time. One of our own name was
/// started by another publisher since we looked.
async fn start(catalogue: &Catalogue<'_>, offer: &Offer, tries: usize) -> Result<Listing> {
    let active: Vec<ChangeSet> = catalogue.active(&offer.product).await?;
    let own = offer.change_set_name();
    if let Some(since) = active.iter().find(|one| one.name == own) {
        return settle(catalogue, &since.id).await;
    }
    if let Some(other) = active.iter().min_by_key(|other| &other.id) {
        return Ok(wait_for(catalogue, &other.to_string()));
    }
    match catalogue.start(offer, tries).await? {
        Started::As(id) => settle(catalogue, &id).await,
        Started::Busy => Ok(wait_for(catalogue, "another change set")),
    }
}

fn wait_for(catalogue: &Catalogue<'_>, who: &str) -> Listing {
    let message = format!("waiting for the Marketplace: {who} is at work on the product");
    catalogue.context.progress().says(&message);
    Listing::Pending
}

/// Waits a short while for the end of a change set.
async fn settle(catalogue: &Catalogue<'_>, id: &str) -> Result<Listing> {
    let ended = poll_until(catalogue.context, "the change set", SOON, || async {
        let found = catalogue.change_set(id).await?;
        Ok((!found.is_active()).then_some(found))
    });
    match ended.await {
        Ok(ended) if ended.has_succeeded() => Ok(Listing::Listed),
        Ok(ended) => Err(failed(catalogue, &ended.id).await?),
        Err(error) if error.kind() == Kind::TimedOut => {
            catalogue.context.progress().says(&format!("the Marketplace is reviewing change set {id}"));
            Ok(Listing::Pending)
        }
        Err(error) => Err(error),
    }
}

/// AWS's reasons. That they were told is noted: the next run tries anew instead of telling them again.
async fn failed(catalogue: &Catalogue<'_>, id: &str) -> Result<Error> {
    let reasons = catalogue.reasons(id).await?;
    let value = json!({"change_set": id, "note": "its failure was reported"});
    catalogue.context.note(Note::Acknowledged { value }).await?;
    Ok(Error::new(Kind::InvalidInput, format!("the Marketplace refused the version: {reasons}"))
        .with("change set", id)
        .hint("mend what it names, then run the same command again: it submits the version anew"))
}

/// The change sets whose failure an earlier run has told.
fn reported(context: &Context) -> Vec<String> {
    let id = |note: Note| match note {
        Note::Acknowledged { value } => value.get("change_set").and_then(Value::as_str).map(str::to_owned),
        Note::DeadGeneration { .. } => None,
    };
    context.earlier_notes().into_iter().filter_map(id).collect()
}
