//! The two listings of a region: our account's images and snapshots with an owner's tag, every page.
//!
//! What was read before a page failed is kept.

use aws_sdk_ec2::types::{Filter, Image, ImageState, Snapshot};
use cloud_publish_core::error::{Error, Result};
use cloud_publish_core::names::Owner;
use cloud_publish_core::publisher::Context;

use crate::error::classify;
use crate::publisher::Here;
use crate::tags::OWNER;

/// The most that one page may have; without it EC2 does not page but may give up on large answers.
const PAGE: i32 = 1000;

/// What was read, and why no more.
pub(super) type Listing<T> = (Vec<T>, Option<Error>);

/// An owner has none of the characters that are wildcards in a filter.
fn of_owner(owner: &Owner) -> Filter {
    Filter::builder().name(format!("tag:{OWNER}")).values(owner.as_str()).build()
}

/// Images of any state, but those that were deregistered.
pub(super) async fn images(here: &Here, context: &Context, owner: &Owner) -> Listing<Image> {
    let call = here.clients.ec2.describe_images().owners("self").filters(of_owner(owner)).max_results(PAGE);
    let mut pages = call.include_deprecated(true).include_disabled(true).into_paginator().items().send();
    let mut read = Vec::new();
    loop {
        match next(context, pages.next()).await {
            Ok(None) => break (read, None),
            Ok(Some(Ok(image))) => {
                read.extend(Some(image).filter(|image: &Image| image.state() != Some(&ImageState::Deregistered)));
            }
            Ok(Some(Err(error))) => break (read, Some(classify(&error, "DescribeImages"))),
            Err(cancelled) => break (read, Some(cancelled)),
        }
    }
}

/// Snapshots of any state.
pub(super) async fn snapshots(here: &Here, context: &Context, owner: &Owner) -> Listing<Snapshot> {
    let call = here.clients.ec2.describe_snapshots().owner_ids("self").filters(of_owner(owner)).max_results(PAGE);
    let mut pages = call.into_paginator().items().send();
    let mut read = Vec::new();
    loop {
        match next(context, pages.next()).await {
            Ok(None) => break (read, None),
            Ok(Some(Ok(snapshot))) => read.push(snapshot),
            Ok(Some(Err(error))) => break (read, Some(classify(&error, "DescribeSnapshots"))),
            Err(cancelled) => break (read, Some(cancelled)),
        }
    }
}

async fn next<T>(context: &Context, item: impl Future<Output = Option<T>>) -> Result<Option<T>> {
    context.or_cancelled(item).await
}
