//! The images of every region.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::image::Image;

/// What all Glances remember, by cloud and region.
#[derive(Debug, Default)]
pub(crate) struct State {
    regions: BTreeMap<(String, String), Regional>,
}

/// What one Glance remembers.
#[derive(Debug, Default)]
pub(crate) struct Regional {
    /// By id.
    pub(crate) images: BTreeMap<String, Image>,
    /// The ids of deleted images: they stay taken.
    pub(crate) burned: BTreeSet<String>,
}

impl State {
    /// A region's Glance.
    pub(crate) fn region(&mut self, cloud: &str, region: &str) -> &mut Regional {
        self.regions.entry((cloud.to_owned(), region.to_owned())).or_default()
    }

    /// Everything, for people.
    pub(crate) fn dump(&self) -> Value {
        let of = |((cloud, region), regional): (&(String, String), &Regional)| {
            let images: Vec<Value> = regional.images.values().map(Image::describe).collect();
            (format!("{cloud}/{region}"), json!({"images": images, "deleted": regional.burned}))
        };
        self.regions.iter().map(of).collect()
    }

    /// What has these bytes already, in any region.
    pub(super) fn images(&self) -> impl Iterator<Item = &Image> {
        self.regions.values().flat_map(|regional| regional.images.values())
    }
}
