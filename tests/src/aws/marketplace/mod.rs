//! Marketplace Catalog: AMI products, and the change sets that give them versions.
//! <https://docs.aws.amazon.com/marketplace/latest/developerguide/work-with-single-ami-products.html>
//!
//! A change set is checked twice, as by AWS: its form at once ([`shape`]), its content while it is prepared
//! ([`judge`]), which shows as errors of its changes later. Its outcome is known from the start; it comes to light
//! with time.
//!
//! | module | owns |
//! |---|---|
//! | [`seed`] | products that are there from the beginning |
//! | [`state`] | products and change sets, and how far they are at a moment |
//! | [`shape`] | the form of details |
//! | [`judge`] | what is wrong with a change |
//! | [`document`] | what a product looks like, and what a change makes of it |
//! | [`start`], [`follow`], [`entities`] | the operations |

mod document;
mod entities;
mod follow;
mod judge;
mod seed;
mod shape;
mod start;
mod state;

pub use seed::{Product, Seed};
pub(crate) use state::State;

use super::call::Call;
use super::paging::{Page, Wanted, page};
use super::reply::{Outcome, Refused};
use super::world::Shared;

/// The only region that has the service, and the one whose images are taken.
const HOME: &str = "us-east-1";

/// The only catalog.
const CATALOG: &str = "AWSMarketplace";

/// The type of AMI products in changes.
const TYPE: &str = "AmiProduct@1.0";

/// Answers a call.
pub(crate) fn handle(shared: &Shared, call: &Call) -> Outcome {
    if call.region != HOME {
        return Err(Refused::new(404, "UnknownOperationException", format!("{} has no such service", call.region)));
    }
    let catalog = call.query("catalog").or_else(|| call.text("Catalog"));
    if catalog != Some(CATALOG) {
        return Err(invalid(format!("The catalog {} does not exist", catalog.unwrap_or("that is not named"))));
    }
    match (call.method.as_str(), call.operation.as_str()) {
        ("POST", "StartChangeSet") => start::start(shared, call),
        ("GET", "DescribeChangeSet") => follow::describe(shared, call),
        ("POST", "ListChangeSets") => follow::list(shared, call),
        ("PATCH", "CancelChangeSet") => follow::cancel(shared, call),
        ("GET", "DescribeEntity") => entities::describe(shared, call),
        ("POST", "ListEntities") => entities::list(shared, call),
        _ => Err(Refused::unknown_operation(call)),
    }
}

fn invalid(message: impl Into<String>) -> Refused {
    Refused::new(422, "ValidationException", message)
}

fn not_found(what: &str) -> Refused {
    Refused::new(404, "ResourceNotFoundException", format!("{what} does not exist in this account"))
}

fn in_use(message: impl Into<String>) -> Refused {
    Refused::new(423, "ResourceInUseException", message)
}

fn arn(account: &str, kind: &str, id: &str) -> String {
    format!("arn:aws:aws-marketplace:{HOME}:{account}:{CATALOG}/{kind}/{id}")
}

/// One page of a list, `most` items at most if the client asks for none or for more.
fn paged<T>(shared: &Shared, call: &Call, all: Vec<T>, most: u64) -> Result<Page<T>, Refused> {
    let wanted = call.json.get("MaxResults").map(|wanted| wanted.as_u64().filter(|wanted| (1..=most).contains(wanted)));
    if wanted == Some(None) {
        return Err(invalid(format!("MaxResults must lie between 1 and {most}")));
    }
    let most = usize::try_from(wanted.flatten().unwrap_or(most)).expect("a small number");
    let wanted = Wanted { most: Some(most), cap: shared.settings().page_size, token: call.text("NextToken") };
    page(all, wanted).map_err(|_| invalid("NextToken is invalid"))
}
