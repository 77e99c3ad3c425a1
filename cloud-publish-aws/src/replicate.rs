//! Copies an image from the home region to others: finds, copies, waits, compares, completes.
//!
//! The regions know nothing of each other: the failure of one is its own. `CopyImage` does not keep names unique, so what
//! stands against doubles is the look by tags before it and its client token, one per region and generation.

mod copy;
mod queue;

use aws_sdk_ec2::types::{Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Registered, ReplicateRequest};
use futures::future::join_all;

use self::copy::Copying;
pub(crate) use self::queue::Queues;
use crate::attributes::{COPIED, shown};
use crate::available::{REGISTERED, available, id_of, registered};
use crate::finish::finish;
use crate::guard::{confirm, ours};
use crate::publisher::Aws;

pub(crate) async fn replicate(
    target: &Aws,
    context: &Context,
    request: &ReplicateRequest,
) -> Result<Vec<(Region, Result<Registered>)>> {
    let source = source(target, context, request).await;
    let source = source.map_err(|error| error.with("region", &request.home.region).with("id", &request.home.id))?;
    let brought = request.regions.iter().map(|region| {
        let source = &source;
        async move {
            let brought = bring(target, context, (request, source), region).await;
            (region.clone(), brought.map_err(|error| error.during("replicate").with("region", region)))
        }
    });
    let results = join_all(brought).await;
    context.check()?;
    Ok(results)
}

/// The image in the home region, as soon as it can be copied.
async fn source(target: &Aws, context: &Context, request: &ReplicateRequest) -> Result<Image> {
    let home = target.here(context, &request.home.region).await?;
    let image = ours(&home, context, &request.home).await?;
    if image.state() == Some(&ImageState::Available) {
        return Ok(image);
    }
    available(&home, context, request.home.id.as_str(), REGISTERED).await
}

/// Makes sure that one region has the image.
async fn bring(
    target: &Aws,
    context: &Context,
    (request, source): (&ReplicateRequest, &Image),
    region: &Region,
) -> Result<Registered> {
    let here = target.here(context, region).await?;
    let spec = &request.image;
    let image = if *region == request.home.region {
        source.clone()
    } else {
        let queue = target.copies.of(region);
        let copying = Copying { here: &here, context, spec, source, from: &request.home.region, queue: &queue };
        copying.run().await?
    };
    confirm(&here, &image, &spec.tags)?;
    compare(&image, source)?;
    finish(&here, (context, target.config()), &image, spec).await?;
    registered(&here, id_of(&image)?)
}

/// A copy is what its source is.
fn compare(copy: &Image, source: &Image) -> Result<()> {
    let (is, wanted) = (shown(copy), shown(source));
    let told = |value: Option<&String>| value.map_or_else(|| "absent".to_owned(), Clone::clone);
    let differs = COPIED.iter().filter(|word| is.get(**word) != wanted.get(**word));
    let all: Vec<String> = differs
        .map(|word| format!("{word} is {}, should be {}", told(is.get(*word)), told(wanted.get(*word))))
        .collect();
    if all.is_empty() {
        return Ok(());
    }
    let id = id_of(copy)?;
    Err(Error::new(Kind::Corrupt, format!("the copy {id} is not what its source is: {}", all.join("; ")))
        .hint(format!("`aws ec2 deregister-image --image-id {id}` in that region, then run the same command again")))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{BootModeValues, Image};
    use cloud_publish_core::error::Kind;

    use super::compare;

    #[test]
    fn a_copy_that_lost_its_boot_mode_is_not_taken() {
        let source = Image::builder().image_id("ami-1").boot_mode(BootModeValues::Uefi).ena_support(true).build();
        let mut copy = source.clone();
        copy.image_id = Some("ami-2".to_owned());
        copy.description = Some("other".to_owned());
        compare(&copy, &source).unwrap();
        let mut wrong = copy;
        wrong.boot_mode = None;
        wrong.ena_support = None;
        let error = compare(&wrong, &source).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.message().contains("boot_mode is absent, should be uefi; ena is false"), "{error}");
    }
}
