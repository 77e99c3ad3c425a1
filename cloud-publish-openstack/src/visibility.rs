//! Who may use an image: Glance's visibility, and the members of a shared one.

use std::collections::BTreeSet;

use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::publisher::{Context, VisibilityRequest};

use crate::error::{WireError, classify};
use crate::glance::{Glance, Patch};
use crate::guard::ours;
use crate::image_record::visibility_word;
use crate::publisher::Here;

const SHARED: &str = "shared";

/// Sets exactly the wanted visibility.
///
/// Members exist only while an image is shared, so those of a shared image are removed before it becomes something
/// else: otherwise they would be back when it is shared again.
pub(crate) async fn set_visibility(here: &Here, context: &Context, request: &VisibilityRequest) -> Result<()> {
    let image = ours(here, context, &request.at).await?;
    let glance = here.glance(context);
    let word = visibility_word(&request.wanted);
    let wanted: BTreeSet<&str> = match &request.wanted {
        Visibility::SharedWith(parties) => parties.iter().map(String::as_str).collect(),
        _ => BTreeSet::new(),
    };
    if image.visibility == SHARED && word != SHARED {
        set_members(glance, &image.id, &wanted).await?;
    }
    if image.visibility != word {
        let patch = Patch::default().base("visibility", word);
        glance.patch(&image.id, &patch).await.map_err(|error| refused(error, word))?;
    }
    if word == SHARED {
        set_members(glance, &image.id, &wanted).await?;
    }
    Ok(())
}

/// Removes the members that are too many, then adds the missing ones.
pub(crate) async fn set_members(glance: Glance<'_>, id: &str, wanted: &BTreeSet<&str>) -> Result<()> {
    let failed = |error| classify(error, "share image");
    let members = glance.members(id).await.map_err(failed)?;
    for member in members.iter().filter(|member| !wanted.contains(member.as_str())) {
        glance.remove_member(id, member).await.map_err(failed)?;
    }
    for member in wanted.iter().filter(|member| !members.iter().any(|known| known == *member)) {
        glance.add_member(id, member).await.map_err(failed)?;
    }
    Ok(())
}

fn refused(error: WireError, word: &'static str) -> Error {
    let forbidden = error.status() == Some(403);
    let error = classify(error, "set_visibility");
    if forbidden && matches!(word, "public" | "community") {
        return not_allowed(word).caused_by(error);
    }
    error
}

/// By default only an admin may make an image public: the policies `publicize_image` and `communitize_image`.
pub(crate) fn not_allowed(word: &str) -> Error {
    Error::new(Kind::PermissionDenied, format!("this user may not make an image {word}")).hint(format!(
        "ask the cloud's operator for a role that may, or set another `visibility` than {word} for this target"
    ))
}
