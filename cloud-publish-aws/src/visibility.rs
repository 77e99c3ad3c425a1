//! Who may use an image and its snapshots: exactly the wanted parties.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{Image, ImageState};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::poll::poll_until;
use cloud_publish_core::publisher::{Context, ImageAt, VisibilityRequest};

use crate::config::{AwsConfig, SnapshotVisibility};
use crate::guard::ours;
use crate::pace::IMAGE;
use crate::publisher::Here;
use crate::sharing::{Grant, Object, Sharing, wanted, without_organisations};
use crate::{own_snapshots, snapshot};

/// Sets exactly the wanted visibility.
///
/// Whoever may use the image may use its snapshots before, and for as long: they are granted first and revoked last. A
/// snapshot that does not carry the image's tags is refused only where it would have to be changed.
pub(crate) async fn set_visibility(here: &Here, at: (&Context, &AwsConfig), request: &VisibilityRequest) -> Result<()> {
    let (context, config) = at;
    let wanted = wanted(&request.wanted)?;
    let image = usable(here, context, &request.at, &wanted).await?;
    let on_snapshots = on_snapshots(context, config, &wanted);
    let sharing = |object| Sharing { here, context, config, object };
    for id in own_snapshots::ids(&image) {
        let part = sharing(Object::Snapshot(id));
        if !on_snapshots.is_empty() && !on_snapshots.is_subset(&part.read().await?) {
            snapshot::ours(here, context, (id, &request.at.tags)).await?;
            part.grant(&on_snapshots).await?;
        }
    }
    let shared = sharing(Object::Image(request.at.id.as_str()));
    shared.grant(&wanted).await?;
    shared.revoke_beyond(&wanted).await?;
    for id in own_snapshots::ids(&image) {
        let part = sharing(Object::Snapshot(id));
        if !part.read().await?.is_subset(&on_snapshots) {
            snapshot::ours(here, context, (id, &request.at.tags)).await?;
            part.revoke_beyond(&on_snapshots).await?;
        }
    }
    Ok(())
}

/// The image, once it can be shared: a pending one is waited for, a disabled one can only be private.
async fn usable(here: &Here, context: &Context, at: &ImageAt, wanted: &BTreeSet<Grant>) -> Result<Image> {
    let image = poll_until(context, "the image", IMAGE, || async {
        let image = ours(here, context, at).await?;
        Ok((image.state() != Some(&ImageState::Pending)).then_some(image))
    })
    .await?;
    if image.state() == Some(&ImageState::Disabled) && !wanted.is_empty() {
        return Err(Error::new(Kind::Conflict, "the image is retired and cannot be shared")
            .hint("it was taken out of use on purpose: restore it first, or publish a new version"));
    }
    Ok(image)
}

fn on_snapshots(context: &Context, config: &AwsConfig, wanted: &BTreeSet<Grant>) -> BTreeSet<Grant> {
    if config.snapshots == SnapshotVisibility::Private {
        return BTreeSet::new();
    }
    let grants = without_organisations(wanted);
    if grants.len() < wanted.len() {
        context.progress().says("snapshots cannot be shared with organisations: only the image is");
    }
    grants
}
