//! Finds an image in each region: Glance's regions know nothing of each other, each has its own upload.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::{ImageId, Region};
use cloud_publish_core::publisher::{Context, Registered, ReplicateRequest};
use futures::future::join_all;

use crate::glance::Status;
use crate::guard::find_by_key;
use crate::publisher::OpenStack;

pub(crate) async fn replicate(
    target: &OpenStack,
    context: &Context,
    request: &ReplicateRequest,
) -> Result<Vec<(Region, Result<Registered>)>> {
    target.token(context).await?;
    let looked = request.regions.iter().map(|region| async move {
        let found = find(target, context, request, region).await;
        (region.clone(), found.map_err(|error| error.with("region", region)))
    });
    Ok(join_all(looked).await)
}

async fn find(
    target: &OpenStack,
    context: &Context,
    request: &ReplicateRequest,
    region: &Region,
) -> Result<Registered> {
    let here = target.here(context, region).await?;
    match find_by_key(&here, context, &request.image.tags).await? {
        Some(image) if image.status == Status::Active => Ok(Registered::new(region.clone(), ImageId::new(image.id)?)),
        Some(image) => Err(Error::new(Kind::Conflict, format!("image {} is {}", image.id, image.status))),
        None => Err(Error::new(Kind::NotFound, "the image is not in this region")
            .hint("run the same command again: it uploads what is missing")),
    }
}
