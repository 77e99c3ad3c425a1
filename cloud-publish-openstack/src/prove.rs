//! What the cloud shows of an image's content: Glance's own hash of the data it received.

use cloud_publish_core::error::Result;
use cloud_publish_core::publisher::{Context, Proof, ProveRequest};

use crate::content::shown;
use crate::guard::ours;
use crate::publisher::Here;

pub(crate) async fn prove(here: &Here, context: &Context, request: &ProveRequest) -> Result<Proof> {
    let image = ours(here, context, &request.at).await?;
    let Some(shown) = shown(&image).into_iter().next() else {
        return Ok(Proof::Unreadable { reason: format!("the image is {} and shows no hash", image.status) });
    };
    let expected = request.file_sha512.as_ref().filter(|_| shown.algorithm == "sha512");
    let expected = expected.map(|value| value.to_ascii_lowercase());
    Ok(Proof::Hash { algorithm: shown.algorithm, shown: shown.value, expected })
}
