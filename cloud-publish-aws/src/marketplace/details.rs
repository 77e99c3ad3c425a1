//! What a version of a listing says, in AWS's words, and how its change set is called. Pure.

use cloud_publish_core::digest::hex;
use cloud_publish_core::names::TargetName;
use cloud_publish_core::publisher::ListingRequest;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::config::MarketplaceListing;

/// A version to be offered.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) product: String,
    pub(super) title: String,
    pub(super) image: String,
    pub(super) validate_only: bool,
    pub(super) details: Value,
}

impl Offer {
    pub(super) fn new(listing: &MarketplaceListing, request: &ListingRequest, target: &TargetName) -> Self {
        let title = listing.version_title.fill_for(&request.image, target);
        let notes = listing.release_notes.fill_for(&request.image, target);
        let image = request.at.id.to_string();
        let details = details(listing, (&title, &notes), &image);
        Self { product: listing.product.clone(), title, image, validate_only: listing.validate_only, details }
    }

    /// The name of every change set that brings this image to this product, whatever it says about it.
    pub(super) fn change_set_name(&self) -> String {
        change_set_name(&self.product, &self.image, self.validate_only)
    }

    /// The idempotency token of the try after `tries` others. 64 hex digits, as long as AWS takes.
    pub(super) fn token(&self, tries: usize) -> String {
        let text = [self.change_set_name(), self.details.to_string(), tries.to_string()].join("\0");
        hex(&Sha256::digest(text))
    }
}

/// See [`Offer::change_set_name`].
pub(super) fn change_set_name(product: &str, image: &str, validate_only: bool) -> String {
    let intent = if validate_only { "validate" } else { "apply" };
    let mut digits = hex(&Sha256::digest([product, image, intent].join("\0")));
    digits.truncate(32);
    format!("cloud-publish {digits}")
}

/// The details of `AddDeliveryOptions`:
/// <https://docs.aws.amazon.com/marketplace/latest/APIReference/work-with-single-ami-products.html#ami-add-version>.
fn details(listing: &MarketplaceListing, (title, notes): (&str, &str), image: &str) -> Value {
    let open = |port: &u16| json!({"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ["0.0.0.0/0"]});
    let groups: Vec<Value> = listing.ports.iter().map(open).collect();
    json!({
        "Version": {"VersionTitle": title, "ReleaseNotes": notes},
        "DeliveryOptions": [{"Details": {"AmiDeliveryOptionDetails": {
            "AmiSource": {
                "AmiId": image,
                "AccessRoleArn": listing.access_role,
                "UserName": listing.user_name,
                "OperatingSystemName": listing.operating_system,
                "OperatingSystemVersion": listing.operating_system_version,
            },
            "UsageInstructions": listing.usage_instructions,
            "RecommendedInstanceType": listing.instance_type,
            "SecurityGroups": groups,
        }}}],
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cloud_publish_core::publisher::{ImageAt, ListingRequest};
    use serde_json::json;

    use super::Offer;
    use crate::config::MarketplaceListing;
    use crate::testing::{spec, tags};

    fn offer(change: serde_json::Value) -> Offer {
        let mut listing = json!({
            "product": "prod-abc", "suite": "bookworm", "variant": "genericcloud", "arch": "amd64",
            "version_title": "Debian {suite_id} {version}", "release_notes": "See debian.org/{suite}",
            "usage_instructions": "ssh admin@host", "access_role": "arn:aws:iam::111111111111:role/ingest",
            "user_name": "admin", "operating_system": "DEBIAN", "operating_system_version": "12",
            "instance_type": "m5.large",
        });
        listing.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let listing: MarketplaceListing = serde_json::from_value(listing).unwrap();
        let at = ImageAt {
            region: "us-east-1".parse().unwrap(),
            id: "ami-1".parse().unwrap(),
            tags: tags("bookworm-20240101"),
        };
        let request = ListingRequest { image: Arc::new(spec()), at, listing: "shop".to_owned() };
        Offer::new(&listing, &request, &"aws".parse().unwrap())
    }

    #[test]
    fn a_version_says_what_the_listing_says() {
        let offer = offer(json!({"ports": [22, 443]}));
        assert_eq!(offer.details["Version"]["VersionTitle"], "Debian 12 20240101-1614");
        assert_eq!(offer.details["Version"]["ReleaseNotes"], "See debian.org/bookworm");
        let ami = &offer.details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"];
        assert_eq!(ami["AmiSource"]["AmiId"], "ami-1");
        assert_eq!(ami["AmiSource"]["OperatingSystemName"], "DEBIAN");
        assert_eq!(ami["SecurityGroups"][1]["FromPort"], 443);
        assert_eq!(ami["RecommendedInstanceType"], "m5.large");
    }

    #[test]
    fn a_mended_listing_keeps_the_change_sets_name_and_gets_another_token() {
        let (first, mended) = (offer(json!({})), offer(json!({"user_name": "debian"})));
        assert_eq!(first.change_set_name(), mended.change_set_name());
        assert_ne!(first.token(0), mended.token(0));
        assert_ne!(first.token(0), first.token(1));
        assert_eq!(first.token(0), offer(json!({})).token(0));
        let checked = offer(json!({"validate_only": true}));
        assert_ne!(first.change_set_name(), checked.change_set_name());
    }

    #[test]
    fn names_and_tokens_are_as_long_as_aws_takes() {
        let offer = offer(json!({}));
        assert!(offer.change_set_name().len() <= 100 && offer.token(0).len() <= 64);
    }
}
