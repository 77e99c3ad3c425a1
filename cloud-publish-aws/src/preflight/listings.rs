//! Marketplace products that the run adds a version to: are they there, and are they ours?

use std::collections::BTreeSet;

use cloud_publish_core::error::{Kind, Result};
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Finding, PreflightRequest};

use super::finding::{refusal, unreadable, warning};
use super::specs;
use crate::config::MarketplaceListing;
use crate::error::{classify, code, is_missing};
use crate::marketplace::{CATALOGUE, REGION};
use crate::publisher::Aws;

pub(super) async fn unreachable(target: &Aws, context: &Context, request: &PreflightRequest) -> Vec<Finding> {
    let specs = specs(request);
    let concerns = |listing: &MarketplaceListing| specs.iter().any(|spec| listing.offers(&spec.tags));
    let products: BTreeSet<&str> =
        target.config().marketplace.values().filter(|one| concerns(one)).map(|one| one.product.as_str()).collect();
    let mut findings = Vec::new();
    for product in products {
        let what = format!("the marketplace product `{product}`");
        findings
            .extend(one(target, context, product).await.unwrap_or_else(|error| Some(unreadable(None, &what, &error))));
    }
    findings
}

async fn one(target: &Aws, context: &Context, product: &str) -> Result<Option<Finding>> {
    let partition = &target.whereabouts(context).await?.partition;
    if partition != "aws" {
        let message = format!("partition {partition} has no marketplace that can be written to");
        return Ok(Some(refusal(None, message, "leave out `marketplace` for this target")));
    }
    let clients = target.clients.region(&Region::new(REGION)?).await;
    let catalogue = aws_sdk_marketplacecatalog::Client::new(&clients.sdk);
    let call = catalogue.describe_entity().catalog(CATALOGUE).entity_id(product);
    let what = format!("the marketplace product `{product}`");
    match context.or_cancelled(call.send()).await? {
        Ok(answer) if answer.entity_type().is_some_and(|kind| kind.starts_with("AmiProduct@")) => Ok(None),
        Ok(answer) => {
            let kind = answer.entity_type().unwrap_or("nothing known").to_owned();
            Ok(Some(refusal(None, format!("{what} is no AMI product but {kind}"), "name an AMI product's entity id")))
        }
        Err(error) if code(&error).is_some_and(is_missing) => {
            let hint = "see `aws marketplace-catalog list-entities --catalog AWSMarketplace --entity-type AmiProduct \
                        --region us-east-1`";
            Ok(Some(refusal(None, format!("{what} is not there for this account"), hint)))
        }
        Err(error) => {
            let error = classify(&error, "DescribeEntity");
            if error.kind() != Kind::PermissionDenied {
                return Err(error);
            }
            let hint = "allow aws-marketplace:DescribeEntity, or publish as the seller's account";
            Ok(Some(warning(None, format!("{what} may not be looked at: {error}"), hint)))
        }
    }
}
