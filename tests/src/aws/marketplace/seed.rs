//! Products that are there from the beginning: this service makes none.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document;
use super::state::{self, State};
use crate::aws::settings::{ACCOUNT, Settings};

/// Products, by id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seed {
    /// By id, such as `prod-debian12`.
    pub products: BTreeMap<String, Product>,
}

/// An AMI product.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Product {
    /// The seller, twelve digits.
    pub account: String,
    /// Its title.
    pub title: String,
    /// `Public`, `Limited`, `Restricted` or `Draft`.
    pub visibility: String,
    /// What its versions may recommend.
    pub instance_types: Vec<String>,
    /// Of its versions.
    pub architecture: String,
    /// The titles of its versions.
    pub versions: Vec<String>,
}

impl Default for Product {
    fn default() -> Self {
        Self {
            account: ACCOUNT.to_owned(),
            title: "Debian".to_owned(),
            visibility: "Public".to_owned(),
            instance_types: ["m5.large", "m6i.large", "t3.micro"].map(str::to_owned).to_vec(),
            architecture: "x86_64".to_owned(),
            versions: vec!["First".to_owned()],
        }
    }
}

impl State {
    /// The beginning.
    pub(crate) fn seeded(settings: &Settings, now: Timestamp) -> Self {
        let mut state = Self::default();
        for (id, product) in &settings.marketplace.products {
            let document = document::of_seed(product, now, || state.next());
            let (account, visibility) = (product.account.clone(), product.visibility.clone());
            let title = product.title.clone();
            let product = state::Product { account, title, visibility, revisions: vec![(now, document)] };
            state.insert(id, product);
        }
        state
    }
}
