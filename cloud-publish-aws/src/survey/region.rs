//! One region: its listings put together.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{Image, Snapshot};
use cloud_publish_core::error::{Error, Result};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, SurveyRequest};
use cloud_publish_core::survey::{FoundImage, FoundPointer, FoundStaged};
use futures::future::join3;
use futures::stream::{self, StreamExt as _};

use super::detail::Detailed;
use super::image::{OfSnapshot, View};
use super::{listing, parameters, staged};
use crate::guard::{is_dead, tags_of};
use crate::publisher::{Aws, Here};
use crate::snapshot;
use crate::tags::KEY;

/// Images of one region whose details are asked for at once.
const AT_ONCE: usize = 8;

/// What was found in one region.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) images: Vec<FoundImage>,
    pub(super) staged: Vec<FoundStaged>,
    pub(super) pointers: Vec<FoundPointer>,
    /// Something was read, perhaps that there is nothing.
    pub(super) has_read: bool,
    /// Why it is not complete.
    pub(super) trouble: Option<Error>,
}

pub(super) async fn read(target: &Aws, context: &Context, region: &Region, request: &SurveyRequest) -> Part {
    let here = match target.here(context, region).await {
        Ok(here) => here,
        Err(error) => return Part { trouble: Some(error), ..Part::default() },
    };
    let images = listing::images(&here, context, &request.owner);
    let snapshots = listing::snapshots(&here, context, &request.owner);
    let pointers = parameters::resolve(&here, context, request.detail.as_ref());
    let ((images, first), (snapshots, second), (pointers, third)) = join3(images, snapshots, pointers).await;
    let has_read = first.is_none() || second.is_none() || !images.is_empty() || !snapshots.is_empty();
    let living = without_dead_twins(images);
    let view = View { here: &here, config: target.config(), now: context.clock().now(), twins: twins(&living) };
    let of_snapshots = second.is_none().then_some(snapshots.as_slice());
    let found = detailed((target, context), (&view, &living), of_snapshots, request).await;
    let (found, fourth) = found.unwrap_or_else(|error| (Vec::new(), Some(error)));
    let staged = if first.is_none() { staged::leftovers(&view, &living, &snapshots) } else { Vec::new() };
    let trouble = first.or(second).or(third).or(fourth);
    Part { images: found, staged, pointers, has_read, trouble }
}

/// Every image, those of the release at hand with their details.
async fn detailed(
    (target, context): (&Aws, &Context),
    (view, images): (&View<'_>, &[Image]),
    snapshots: Option<&[Snapshot]>,
    request: &SurveyRequest,
) -> Result<(Vec<FoundImage>, Option<Error>)> {
    let here: &Here = view.here;
    let by_id: Option<BTreeMap<&str, &Snapshot>> =
        snapshots.map(|all| all.iter().map(|snapshot| (snapshot::id_of(snapshot), snapshot)).collect());
    let mut found = Vec::new();
    for image in images {
        let of = match &by_id {
            None => OfSnapshot::Unknown,
            Some(by_id) => snapshot::root(image)
                .and_then(|id| by_id.get(id))
                .map_or(OfSnapshot::Missing, |snapshot| OfSnapshot::Found(snapshot)),
        };
        found.push((image.clone(), view.found(image, of)?));
    }
    let is_wanted = |found: &FoundImage| {
        let release = found.tags.as_ref().map(|tags| &tags.release);
        request.detail.as_ref().is_some_and(|detail| release == Some(&detail.release))
    };
    let asked = stream::iter(found).map(|(image, found)| async move {
        if !is_wanted(&found) {
            return (Some(found), None);
        }
        Detailed { here, context, config: target.config(), image: &image }.add_to(found).await
    });
    let mut all = Vec::new();
    let mut trouble = None;
    for (found, error) in asked.buffered(AT_ONCE).collect::<Vec<_>>().await {
        all.extend(found);
        trouble = trouble.or(error);
    }
    Ok((all, trouble))
}

/// A copy that failed is of no interest once there is another of its key.
fn without_dead_twins(mut images: Vec<Image>) -> Vec<Image> {
    let key = |image: &Image| tags_of(image).get(KEY).cloned();
    let alive: Vec<String> = images.iter().filter(|image| !is_dead(image)).filter_map(key).collect();
    images.retain(|image| !is_dead(image) || key(image).is_none_or(|key| !alive.contains(&key)));
    images
}

/// The ids under each key.
fn twins(images: &[Image]) -> BTreeMap<String, Vec<String>> {
    let mut twins: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for image in images.iter().filter(|image| !is_dead(image)) {
        if let (Some(key), Some(id)) = (tags_of(image).remove(KEY), image.image_id()) {
            twins.entry(key).or_default().push(id.to_owned());
        }
    }
    twins
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_ec2::types::{Image, ImageState};

    use super::{twins, without_dead_twins};
    use crate::tags::{KEY, list};

    fn image(id: &str, key: &str, state: ImageState) -> Image {
        let tags = BTreeMap::from([(KEY.to_owned(), key.to_owned())]);
        Image::builder().image_id(id).state(state).set_tags(Some(list(&tags))).build()
    }

    #[test]
    fn a_failed_copy_shows_only_as_long_as_there_is_no_other() {
        let images = vec![
            image("ami-1", "a", ImageState::Failed),
            image("ami-2", "a", ImageState::Available),
            image("ami-3", "b", ImageState::Failed),
            image("ami-4", "c", ImageState::Available),
            image("ami-5", "c", ImageState::Pending),
        ];
        let left = without_dead_twins(images);
        let ids: Vec<_> = left.iter().filter_map(Image::image_id).collect();
        assert_eq!(ids, ["ami-2", "ami-3", "ami-4", "ami-5"]);
        let twins = twins(&left);
        assert_eq!(twins["c"], ["ami-4", "ami-5"]);
        assert_eq!(twins["a"].len(), 1);
    }
}
