//! Removing what a check has left, by the trait's own verbs.

use crate::conformance::failure::{Failure, doing};
use crate::conformance::fixture::Fixture;
use crate::identity::ImageTags;
use crate::publisher::{ImageAt, Publisher, SurveyRequest};

/// Deletes every image and staged leftover of this fixture's releases.
pub(super) async fn sweep(publisher: &dyn Publisher, fixture: &Fixture) -> Result<(), Failure> {
    let context = fixture.context();
    let request = SurveyRequest { owner: fixture.owner().clone(), detail: None };
    let survey = doing("surveying what the check left", publisher.survey(&context, &request).await)?;
    let prefix = fixture.release_prefix();
    let ours = |tags: &ImageTags| tags.release.as_str().starts_with(&prefix);
    for image in survey.images {
        if let Some(tags) = image.tags.filter(&ours) {
            let at = ImageAt { region: image.region, id: image.id, tags };
            doing("deleting what the check left", publisher.delete(&context, &at).await)?;
        }
    }
    for staged in survey.staged {
        if staged.tags.as_ref().is_some_and(&ours) {
            doing("discarding what the check left", publisher.discard(&context, &staged).await)?;
        }
    }
    Ok(())
}
