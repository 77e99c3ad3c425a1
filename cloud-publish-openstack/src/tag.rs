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
    let now = readable_marks(here, &image)?;
    let patch = patch(&image, request, &request.marks.apply(&now)?);
    here.glance(context).patch(&image.id, &patch).await.map_err(|error| classify(error, "tag"))
}

/// A mark that cannot be read may be the only trace of a publication or withdrawal.
fn readable_marks(here: &Here, image: &Image) -> Result<Marks> {
    decode(&image.properties(), &here.place, here.region()).marks.map_err(|trouble| {
        Error::new(Kind::Refused, "the image's marks cannot be read")
            .caused_by(trouble)
            .hint("it was left alone; set them right or remove them with `openstack image set` or `image unset`")
    })
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

#[cfg(test)]
mod tests {
    use cloud_publish_core::error::Kind;
    use cloud_publish_core::identity::Marks;
    use cloud_publish_core::publisher::{Context, ImageAt, Publisher as _, SurveyRequest, TagRequest};
    use serde_json::{Value, json};

    use crate::stub::{Stub, region};
    use crate::testing::{place, tags};

    /// A Glance with one image of ours that carries this mark.
    async fn glance(published: Value) -> Stub {
        let mut image = json!({"id": "i", "status": "active", "visibility": "private", "owner": "p1"});
        let properties = tags("bookworm-20240101").to_map(&place(), &region());
        image.as_object_mut().unwrap().extend(properties.into_iter().map(|(name, value)| (name, json!(value))));
        image["cloud-publish-published"] = published;
        Stub::start(3600, move |request| {
            let body = if request.line.contains('?') { json!({"images": [image.clone()]}) } else { image.clone() };
            (200, String::new(), body.to_string())
        })
        .await
    }

    #[tokio::test]
    async fn marks_that_cannot_be_read_are_left_alone_and_reported() {
        for broken in [json!("yesterday"), json!(null)] {
            let stub = glance(broken).await;
            let at = ImageAt { region: region(), id: "i".parse().unwrap(), tags: tags("bookworm-20240101") };
            let request = TagRequest { at, marks: Marks::default().into(), extra: None };
            let error = stub.target().tag(&Context::detached(), &request).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Refused);
            assert!(stub.seen().iter().all(|request| !request.line.starts_with("PATCH")));
            let owner = SurveyRequest { owner: "debian".parse().unwrap(), detail: None };
            let survey = stub.target().survey(&Context::detached(), &owner).await.unwrap();
            let [image] = survey.images.as_slice() else { panic!("one image: {survey:?}") };
            assert!(image.problems.iter().any(|problem| problem.contains("cloud-publish-published")), "{image:?}");
        }
    }
}
