//! Hides old versions from new buyers; whoever has one keeps it.
//!
//! <https://docs.aws.amazon.com/marketplace/latest/APIReference/work-with-single-ami-products.html#ami-restrict-version>

use cloud_publish_core::digest::hex;
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::names::ImageId;
use cloud_publish_core::publisher::{Context, Listing};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::catalogue::{Catalogue, Started};
use super::judge::{Verdict, verdict};
use super::{REGION, configured, failed, settle, wait_for};
use crate::publisher::Aws;

impl Aws {
    /// Hides the version that a listing made of an image, for a cleanup of what is superseded.
    ///
    /// # Behaviour
    /// [`Listing::Listed`] once no new buyer sees it, [`Listing::Pending`] while the Marketplace is at it or at another
    /// change set of the product; repeated, it finds what the first call started. AWS keeps the last version of a
    /// product from being restricted.
    ///
    /// # Errors
    /// [`Kind::InvalidInput`] for a listing that is not configured or a change set that AWS refused;
    /// [`Kind::NotFound`] when the listing has no version of the image.
    pub async fn restrict_listing(&self, context: &Context, listing: &str, image: &ImageId) -> Result<Listing> {
        let product = &configured(self, listing)?.product;
        let here = self.here(context, &REGION.parse()?).await?;
        let catalogue = Catalogue::new(&here, context);
        let found = catalogue.product(product).await?;
        let mut versions = found.versions.iter().filter(|version| version.is_from(image.as_str())).peekable();
        if versions.peek().is_none() {
            return Err(Error::new(Kind::NotFound, format!("the listing has no version of {image}"))
                .with("listing", listing)
                .hint("run `publish verify` to see what it offers"));
        }
        let options: Vec<&str> = versions.flat_map(|version| version.open_options()).collect();
        if options.is_empty() {
            return Ok(Listing::Listed);
        }
        restrict(&catalogue, product, &options).await.map_err(|error| error.with("listing", listing))
    }
}

async fn restrict(catalogue: &Catalogue<'_>, product: &str, options: &[&str]) -> Result<Listing> {
    let mut digits = hex(&Sha256::digest([&[product], options].concat().join("\0")));
    digits.truncate(32);
    let name = format!("cloud-publish restrict {digits}");
    let mine = catalogue.named(&name).await?;
    let tries = match verdict(&mine, &super::reported(catalogue.context)) {
        Verdict::Running(id) => return settle(catalogue, &id).await,
        Verdict::Failed(id) => return Err(failed(catalogue, &id).await?),
        // The options are open, so one that has succeeded was undone since.
        Verdict::Done => mine.len(),
        Verdict::Start { tries } => tries,
    };
    if let Some(other) = catalogue.active(product).await?.iter().min_by_key(|other| other.id.clone()) {
        return Ok(wait_for(catalogue, &other.to_string()));
    }
    let details = json!({"DeliveryOptionIds": options});
    let token = hex(&Sha256::digest(format!("{name}\0{tries}")));
    match catalogue.restrict(product, (&name, &token), &details).await? {
        Started::As(id) => settle(catalogue, &id).await,
        Started::Busy => Ok(wait_for(catalogue, "another change set")),
    }
}
