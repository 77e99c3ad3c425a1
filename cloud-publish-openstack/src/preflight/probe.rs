//! May this user show images to everybody? Glance does not tell its policy: only a try shows.

use std::time::Duration;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::identity::Marks;
use cloud_publish_core::names::{Owner, Rendition};
use cloud_publish_core::publisher::{Context, Finding, ImageSpec, Severity};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::error::{WireError, classify};
use crate::glance::Status;
use crate::image_record::visibility_word;
use crate::publisher::Here;
use crate::tags::{TAG, decode, encode};
use crate::visibility::not_allowed;

/// Its tags are complete, so that a leftover of a killed run is found and deleted, but its rendition is one that no
/// image has, so that it is never taken for the image.
const RENDITION: &str = "probe";

/// Makes an empty hidden record under a random id, as visible as the image is to be, and deletes it at once; and those that
/// killed runs left.
///
/// Both calls run on their own to the end, even when the run is asked to stop or this future is dropped: a public record
/// must not be left behind by that.
pub(super) async fn may_publish(here: &Here, context: &Context, spec: &ImageSpec) -> Result<Option<Finding>> {
    context.check()?;
    if let Err(error) = delete_leftovers(here, context, &spec.tags.owner).await {
        tracing::debug!(%error, "an earlier run's permission probe stays");
    }
    let record = record(here, spec)?;
    let own = here.clone();
    let tried = tokio::spawn(async move { make_and_delete(&own, &record).await }).await;
    match tried.map_err(|lost| Error::new(Kind::Unexpected, "the permission probe was interrupted").caused_by(lost))? {
        Ok(()) => Ok(None),
        // The permission is proven all the same.
        Err(Failed::Deleting(id, error)) => Ok(Some(Finding {
            severity: Severity::Warning,
            region: Some(here.region().clone()),
            message: format!(
                "the empty record {id}, which showed that images may be made {}, is still there: {error}",
                visibility_word(&spec.visibility)
            ),
            hint: Some("the next run that makes such images here removes it".to_owned()),
        })),
        Err(Failed::Creating(error)) if error.status() == Some(403) => {
            let refused = not_allowed(visibility_word(&spec.visibility));
            Ok(Some(Finding {
                severity: Severity::Error,
                region: Some(here.region().clone()),
                message: refused.message().to_owned(),
                hint: refused.advice().map(ToOwned::to_owned),
            }))
        }
        Err(Failed::Creating(error)) => Err(classify(error, "probe the permission to publish")),
    }
}

/// May delete the probe of a run that goes on beside this one: it has its answer already, and finds its probe gone.
async fn delete_leftovers(here: &Here, context: &Context, owner: &Owner) -> Result<()> {
    let glance = here.glance(context);
    let failed = |error| classify(error, "remove an earlier run's permission probe");
    let filter = [("cloud-publish-owner", owner.as_str()), ("cloud-publish-rendition", RENDITION)];
    let found = glance.list(here.place.account.as_str(), &filter).await.map_err(failed)?;
    for image in found.iter().filter(|image| image.status == Status::Queued) {
        let tags = decode(&image.properties(), &here.place, here.region()).tags;
        if tags.is_ok_and(|tags| tags.owner == *owner && tags.rendition.as_str() == RENDITION) {
            glance.delete(&image.id).await.map_err(failed)?;
        }
    }
    Ok(())
}

enum Failed {
    Creating(WireError),
    /// The record, and why it is still there.
    Deleting(String, WireError),
}

/// How often its removal is tried: another run may remove it at the same moment, at which Glance fails.
const REMOVALS: u32 = 4;

async fn make_and_delete(here: &Here, record: &Value) -> Result<(), Failed> {
    let context = Context::detached();
    let glance = here.glance(&context);
    let image = glance.create(record).await.map_err(Failed::Creating)?;
    let mut tries = 1;
    loop {
        match glance.delete(&image.id).await {
            Err(_) if tries < REMOVALS => context.clock().sleep(Duration::from_secs(1)).await,
            answer => return answer.map_err(|error| Failed::Deleting(image.id, error)),
        }
        tries += 1;
    }
}

fn record(here: &Here, spec: &ImageSpec) -> Result<Value> {
    let mut tags = spec.tags.clone();
    tags.rendition = Rendition::new(RENDITION)?;
    let properties = encode(tags.to_map(&here.place, here.region()), &Marks::default(), &spec.extra_tags);
    let mut record: Map<String, Value> =
        properties.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    let base = [
        ("id", json!(Uuid::new_v4().to_string())),
        ("name", json!(format!("cloud-publish permission probe of {}", spec.name))),
        ("visibility", json!(visibility_word(&spec.visibility))),
        ("os_hidden", json!(true)),
        ("tags", json!([TAG])),
    ];
    record.extend(base.into_iter().map(|(name, value)| (name.to_owned(), value)));
    Ok(Value::Object(record))
}
