//! Gives an image exactly the wanted marks and extra tags, and completes what belongs to its identity.

use std::collections::{BTreeMap, BTreeSet};

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::Marks;
use cloud_publish_core::publisher::{Context, TagRequest};

use crate::error::classify;
use crate::glance::{Image, Patch};
use crate::guard::ours;
use crate::publisher::Here;
use crate::tags::{EXTRA, MARKS, TAG, decode, encode_extra};

pub(crate) async fn tag(here: &Here, context: &Context, request: &TagRequest) -> Result<()> {
    let image = ours(here, context, &request.at).await?;
    let unreadable = |trouble| Error::new(Kind::Refused, "the marks of the image cannot be read").caused_by(trouble);
    let now = decode(&image.properties(), &here.place, here.region()).marks.map_err(unreadable)?;
    let patch = patch(&image, request, &request.marks.apply(&now)?);
    here.glance(context).patch(&image.id, &patch).await.map_err(|error| classify(error, "tag"))
}

/// One patch, so that Glance takes all of it or nothing.
fn patch(image: &Image, request: &TagRequest, marks: &Marks) -> Patch {
    let mut wanted: BTreeMap<String, String> = marks.to_map();
    if let Some(extra) = &request.extra {
        wanted.extend(encode_extra(extra));
    }
    let ours = |name: &String| MARKS.contains(&name.as_str()) || (request.extra.is_some() && name.starts_with(EXTRA));
    let mut patch = Patch::default();
    for name in image.properties().into_keys().filter(|name| ours(name) && !wanted.contains_key(name)) {
        patch.remove(&name);
    }
    for (name, value) in &wanted {
        patch.set(image, name, value);
    }
    if !image.tags.iter().any(|tag| tag == TAG) {
        let tags: BTreeSet<&str> = image.tags.iter().map(String::as_str).chain([TAG]).collect();
        patch = patch.base("tags", tags.into_iter().collect::<Vec<_>>());
    }
    patch
}
