//! Makes sure that the uploaded record is the wanted image: in Glance a record with data is one already.

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::ImageId;
use cloud_publish_core::publisher::{Context, ImageAt, RegisterRequest, Registered};

use crate::error::classify;
use crate::glance::{Image, Patch, Status};
use crate::guard::ours;
use crate::publisher::Here;
use crate::tags::{decode, own_name};

pub(crate) async fn register(here: &Here, context: &Context, request: &RegisterRequest) -> Result<Registered> {
    let id = ImageId::new(&request.staged.id)?;
    let at = ImageAt { region: here.region().clone(), id: id.clone(), tags: request.image.tags.clone() };
    let image = ours(here, context, &at).await?;
    if image.status != Status::Active {
        return Err(not_usable(&image));
    }
    let wanted = request.image.name.as_str();
    if own_name(&image).as_deref() != Some(wanted) {
        rename(here, context, &image, wanted).await?;
    }
    Ok(Registered::new(here.region().clone(), id))
}

fn not_usable(image: &Image) -> Error {
    let error = Error::new(Kind::Conflict, format!("the image is {}", image.status));
    match image.status {
        Status::Deactivated => error.hint("it was retired: restore it, or publish a new version"),
        _ => error.hint("run the same command again: it finishes the upload"),
    }
}

/// The naming template has changed since the upload: whoever saw the image under its old name keeps it.
async fn rename(here: &Here, context: &Context, image: &Image, wanted: &str) -> Result<()> {
    let marks = decode(&image.properties(), &here.place, here.region()).marks;
    if image.visibility != "private" || !marks.is_ok_and(|marks| marks.published.is_none()) {
        let name = own_name(image).unwrap_or_default();
        return Err(Error::new(Kind::Conflict, format!("the image is called `{name}`, not `{wanted}`"))
            .hint("it is published under that name already: set `naming.image` back"));
    }
    let patch = Patch::default().base("name", wanted);
    here.glance(context).patch(&image.id, &patch).await.map_err(|error| classify(error, "rename image"))
}
