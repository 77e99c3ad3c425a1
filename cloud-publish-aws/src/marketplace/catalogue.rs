//! The Marketplace Catalog's calls, as far as they are used.
//!
//! <https://docs.aws.amazon.com/marketplace/latest/APIReference/Welcome.html>

use std::fmt::{self, Display, Formatter};

use aws_sdk_marketplacecatalog::Client;
use aws_sdk_marketplacecatalog::types::{Change, ChangeStatus, Entity, Filter, Intent};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::Context;
use serde::Deserialize;
use serde_json::Value;

use super::details::Offer;
use crate::error::{classify, code};
use crate::publisher::Here;

pub(crate) const CATALOGUE: &str = "AWSMarketplace";
const PRODUCT: &str = "AmiProduct@1.0";

/// One account's view of the catalogue.
#[derive(Debug)]
pub(super) struct Catalogue<'a> {
    client: Client,
    pub(super) context: &'a Context,
}

/// How a change set stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Being checked or carried out.
    Active,
    Succeeded,
    Cancelled,
    Failed,
}

/// A change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChangeSet {
    pub(super) id: String,
    pub(super) name: String,
    /// When, as AWS writes it: sortable.
    pub(super) started: String,
    pub(super) status: Status,
}

impl ChangeSet {
    pub(super) fn is_active(&self) -> bool {
        self.status == Status::Active
    }

    pub(super) fn has_succeeded(&self) -> bool {
        self.status == Status::Succeeded
    }
}

impl Display for ChangeSet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            write!(f, "change set {}", self.id)
        } else {
            write!(f, "change set {} (`{}`)", self.id, self.name)
        }
    }
}

/// How a start ended.
pub(super) enum Started {
    /// Under this id.
    As(String),
    /// Another change set is at work on the product.
    Busy,
}

/// What is read of a product: <https://docs.aws.amazon.com/marketplace/latest/APIReference/work-with-single-ami-products.html>.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Product {
    pub(super) versions: Vec<Version>,
}

/// A version of a product.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Version {
    version_title: String,
    sources: Vec<Source>,
    delivery_options: Vec<DeliveryOption>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Source {
    image: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct DeliveryOption {
    id: String,
    visibility: String,
}

impl Product {
    /// Whether it has a version of this title or from this image.
    pub(super) fn offers(&self, title: &str, image: &str) -> bool {
        self.versions.iter().any(|version| version.version_title == title || version.is_from(image))
    }
}

impl Version {
    pub(super) fn is_from(&self, image: &str) -> bool {
        self.sources.iter().any(|source| source.image == image)
    }

    /// The ids of the ways to get it that new buyers see.
    pub(super) fn open_options(&self) -> impl Iterator<Item = &str> {
        self.delivery_options.iter().filter(|option| option.visibility != "Restricted").map(|option| option.id.as_str())
    }
}

impl<'a> Catalogue<'a> {
    pub(super) fn new(here: &Here, context: &'a Context) -> Self {
        Self { client: Client::new(&here.clients.sdk), context }
    }

    /// A product as it is offered now.
    pub(super) async fn product(&self, id: &str) -> Result<Product> {
        let call = self.client.describe_entity().catalog(CATALOGUE).entity_id(id);
        let answer = self.context.or_cancelled(call.send()).await?;
        let answer = answer.map_err(|error| {
            let error = classify(&error, "DescribeEntity").with("product", id);
            if error.kind() == Kind::NotFound {
                error.hint("compare `product` with the seller's portal")
            } else {
                error
            }
        })?;
        let kind = answer.entity_type().unwrap_or_default();
        if !kind.starts_with("AmiProduct@") {
            return Err(Error::new(Kind::InvalidInput, format!("`{id}` is no AMI product but {kind}"))
                .hint("name a product that offers a single AMI"));
        }
        serde_json::from_str(answer.details().unwrap_or("{}"))
            .map_err(|error| Error::new(Kind::Unexpected, "the product's details cannot be read").caused_by(error))
    }

    /// Every change set of a name, ended ones too.
    pub(super) async fn named(&self, name: &str) -> Result<Vec<ChangeSet>> {
        self.listed(vec![filter("ChangeSetName", &[name])]).await
    }

    /// The change sets at work on a product.
    pub(super) async fn active(&self, product: &str) -> Result<Vec<ChangeSet>> {
        let filters = vec![filter("EntityId", &[product]), filter("Status", &["PREPARING", "APPLYING"])];
        self.listed(filters).await
    }

    async fn listed(&self, filters: Vec<Filter>) -> Result<Vec<ChangeSet>> {
        let call = self.client.list_change_sets().catalog(CATALOGUE).set_filter_list(Some(filters));
        let mut pages = call.into_paginator().send();
        let mut all = Vec::new();
        while let Some(page) = self.context.or_cancelled(pages.next()).await? {
            let page = page.map_err(|error| classify(&error, "ListChangeSets"))?;
            all.extend(page.change_set_summary_list.unwrap_or_default().into_iter().map(|found| ChangeSet {
                status: status(found.status()),
                id: found.change_set_id.unwrap_or_default(),
                name: found.change_set_name.unwrap_or_default(),
                started: found.start_time.unwrap_or_default(),
            }));
        }
        Ok(all)
    }

    /// One change set.
    pub(super) async fn change_set(&self, id: &str) -> Result<ChangeSet> {
        let call = self.client.describe_change_set().catalog(CATALOGUE).change_set_id(id);
        let answer = self.context.or_cancelled(call.send()).await?;
        let found = answer.map_err(|error| classify(&error, "DescribeChangeSet"))?;
        Ok(ChangeSet {
            status: status(found.status()),
            id: id.to_owned(),
            name: found.change_set_name.unwrap_or_default(),
            started: found.start_time.unwrap_or_default(),
        })
    }

    /// Why a change set failed, in AWS's words.
    pub(super) async fn reasons(&self, id: &str) -> Result<String> {
        let call = self.client.describe_change_set().catalog(CATALOGUE).change_set_id(id);
        let answer = self.context.or_cancelled(call.send()).await?;
        let found = answer.map_err(|error| classify(&error, "DescribeChangeSet"))?;
        let details = found.change_set().iter().flat_map(|change| change.error_detail_list());
        let mut reasons: Vec<String> = details
            .map(|detail| {
                let words = [detail.error_code(), detail.error_message()];
                words.into_iter().flatten().collect::<Vec<_>>().join(": ")
            })
            .collect();
        reasons.extend(found.failure_description().map(str::to_owned));
        if reasons.is_empty() {
            reasons.push("AWS does not say why".to_owned());
        }
        Ok(reasons.join("; "))
    }

    /// Starts the change set that brings a version, the one after `tries` others.
    pub(super) async fn start(&self, offer: &Offer, tries: usize) -> Result<Started> {
        let intent = if offer.validate_only { Intent::Validate } else { Intent::Apply };
        let change = change("AddDeliveryOptions", &offer.product, &offer.details)?;
        let call = self.client.start_change_set().catalog(CATALOGUE).change_set(change).intent(intent);
        let call = call.change_set_name(offer.change_set_name()).client_request_token(offer.token(tries));
        self.started(call).await
    }

    /// Starts the change set that hides ways to get a version from new buyers.
    pub(super) async fn restrict(&self, product: &str, named: (&str, &str), details: &Value) -> Result<Started> {
        let (name, token) = named;
        let change = change("RestrictDeliveryOptions", product, details)?;
        let call = self.client.start_change_set().catalog(CATALOGUE).change_set(change).intent(Intent::Apply);
        self.started(call.change_set_name(name).client_request_token(token)).await
    }

    async fn started(
        &self,
        call: aws_sdk_marketplacecatalog::operation::start_change_set::builders::StartChangeSetFluentBuilder,
    ) -> Result<Started> {
        match self.context.or_cancelled(call.send()).await? {
            Ok(answer) => answer
                .change_set_id
                .map(Started::As)
                .ok_or_else(|| Error::new(Kind::Unexpected, "the change set has no id")),
            Err(error) if code(&error) == Some("ResourceInUseException") => Ok(Started::Busy),
            Err(error) => Err(classify(&error, "StartChangeSet")),
        }
    }
}

fn change(kind: &str, product: &str, details: &Value) -> Result<Change> {
    let failed = |error| Error::new(Kind::Unexpected, "the change cannot be made").caused_by(error);
    let entity = Entity::builder().r#type(PRODUCT).identifier(product).build().map_err(failed)?;
    Change::builder().change_type(kind).entity(entity).details(details.to_string()).build().map_err(failed)
}

fn filter(name: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Filter::builder().name(name).set_value_list(Some(values)).build()
}

/// What is unknown to us is not ended.
fn status(status: Option<&ChangeStatus>) -> Status {
    match status {
        Some(ChangeStatus::Succeeded) => Status::Succeeded,
        Some(ChangeStatus::Cancelled) => Status::Cancelled,
        Some(ChangeStatus::Failed) => Status::Failed,
        _ => Status::Active,
    }
}

#[cfg(test)]
mod tests {
    use super::Product;

    const DETAILS: &str = r#"{"Versions": [
        {"Id": "v1", "VersionTitle": "Debian 12 1", "Sources": [{"Id": "s", "Image": "ami-1", "Type": "AmazonMachineImage"}],
         "DeliveryOptions": [{"Id": "d1", "Visibility": "Public"}, {"Id": "d2", "Visibility": "Restricted"}]},
        {"Id": "v2", "VersionTitle": "Debian 12 2"}
    ], "Description": {"ProductTitle": "Debian"}}"#;

    #[test]
    fn a_version_is_known_by_its_title_or_its_image() {
        let product: Product = serde_json::from_str(DETAILS).unwrap();
        assert!(product.offers("Debian 12 2", "ami-9") && product.offers("another", "ami-1"));
        assert!(!product.offers("Debian 12 3", "ami-3"));
        let open: Vec<&str> = product.versions[0].open_options().collect();
        assert_eq!(open, ["d1"]);
    }

    #[test]
    fn a_product_without_versions_offers_nothing() {
        let product: Product = serde_json::from_str("{}").unwrap();
        assert!(!product.offers("", ""));
    }
}
