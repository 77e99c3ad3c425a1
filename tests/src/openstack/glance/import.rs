//! `POST /v2/images/ID/import`: staged data, data of an address, or data of another store, into one or more stores. It
//! goes on after the answer. <https://docs.openstack.org/glance/latest/admin/interoperable-image-import.html>

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::content::Content;
use super::image::{Image, Status};
use super::{access, fetch, formats};
use crate::fake::Reply;
use crate::openstack::call::Call;
use crate::openstack::refused::{Outcome, Refused};
use crate::openstack::settings::Region;
use crate::openstack::world::Shared;

const IMPORTING: &str = "os_glance_importing_to_stores";
const FAILED: &str = "os_glance_failed_import";

#[derive(Deserialize)]
struct Request {
    method: Method,
    stores: Option<Vec<String>>,
    #[serde(default)]
    all_stores: bool,
    #[serde(default = "yes")]
    all_stores_must_succeed: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct Method {
    name: String,
    uri: Option<String>,
}

/// An import under way.
struct Import {
    shared: Arc<Shared>,
    cloud: String,
    region: String,
    image: String,
    seq: u64,
    uri: Option<String>,
    stores: Vec<String>,
    all_must_succeed: bool,
}

/// Begins an import.
pub(super) fn start(shared: &Arc<Shared>, call: &Call) -> Outcome {
    let region = shared.region(&call.cloud, &call.region).unwrap_or_default();
    let request: Request = call.json()?;
    let method = request.method.name.clone();
    if !region.import_methods.contains(&method) {
        return Err(Refused::bad(format!("Unknown import method name '{method}'.")));
    }
    if method == "copy-image" {
        access::permitted(shared, call, |policy| &policy.copy)?;
    }
    let stores = stores(call, &region, &request)?;
    let uri = request.method.uri.clone().filter(|_| method == "web-download");
    let all_must_succeed = request.all_stores_must_succeed;
    access::owned(shared, call, |image| {
        may_import(image, &method)?;
        let fitting = uri.as_ref().is_none_or(|uri| uri.starts_with("http://") || uri.starts_with("https://"));
        if (method == "web-download" && uri.is_none()) || !fitting {
            return Err(Refused::bad("URI for web-download does not pass filtering"));
        }
        if let Some(store) = stores.iter().find(|store| method == "copy-image" && image.stores.contains(store)) {
            return Err(Refused::bad(format!("Image is already present at store '{store}'")));
        }
        if image.status != Status::Active {
            image.status = Status::Importing;
        }
        image.busy = Some(call.seq);
        image.properties.insert(IMPORTING.to_owned(), stores.join(","));
        image.properties.insert(FAILED.to_owned(), String::new());
        image.updated_at = call.now;
        Ok(())
    })?;
    if !region.imports_hang {
        let (cloud, region, image) = (call.cloud.clone(), call.region.clone(), call.name(0).to_owned());
        let shared = Arc::clone(shared);
        let import = Import { shared, cloud, region, image, seq: call.seq, uri, stores, all_must_succeed };
        tokio::spawn(import.run());
    }
    Ok(Reply::empty(202))
}

fn stores(call: &Call, region: &Region, request: &Request) -> Result<Vec<String>, Refused> {
    let stores = match (&request.stores, request.all_stores) {
        (Some(_), true) => return Err(Refused::bad("Both 'stores' and 'all_stores' were given.")),
        (Some(stores), false) if stores.is_empty() => return Err(Refused::bad("'stores' is empty.")),
        (Some(stores), false) => stores.clone(),
        (None, true) => region.stores.clone(),
        (None, false) => match call.header("x-image-meta-store") {
            Some(store) => vec![store.to_owned()],
            None => region.stores.first().cloned().into_iter().collect(),
        },
    };
    match stores.iter().find(|store| !region.stores.contains(store)) {
        Some(store) => Err(Refused::conflict(format!("Store for identifier {store} not found"))),
        None => Ok(stores),
    }
}

fn may_import(image: &Image, method: &str) -> Result<(), Refused> {
    let refused = |message: &str| Err(Refused::conflict(message));
    match (method, image.status) {
        ("copy-image", Status::Active) => {}
        ("copy-image", _) => return refused("Only images with status active can be targeted for copying"),
        (_, Status::Active) => return refused("Image with status active cannot be target for import"),
        ("web-download", Status::Queued) | ("glance-direct", Status::Uploading) => {}
        ("web-download", _) => return refused("Image needs to be in 'queued' state to use 'web-download' method"),
        _ => return refused("Image needs to be staged before 'glance-direct' method can be used"),
    }
    if image.busy.is_some() {
        return refused("Image has active task");
    }
    if image.container_format.is_none() || image.disk_format.is_none() {
        return refused("'container_format' and 'disk_format' need to be set before import");
    }
    Ok(())
}

impl Import {
    async fn run(self) {
        let Some(content) = self.content().await else {
            return self.end(|image, now| {
                image.restore(now);
                image.properties.insert(FAILED.to_owned(), self.stores.join(","));
            });
        };
        let region = self.shared.region(&self.cloud, &self.region).unwrap_or_default();
        let named = if self.stores.is_empty() { vec![String::new()] } else { self.stores.clone() };
        let mut failed = Vec::new();
        for store in &named {
            tokio::time::sleep(Duration::from_millis(self.shared.settings().delays.import)).await;
            let works = !region.broken_stores.contains(store);
            if !works {
                failed.push(store.clone());
            }
            self.with(|image, now| {
                if works && !store.is_empty() {
                    image.stores.push(store.clone());
                }
                let left = image.properties.get(IMPORTING).map(String::as_str).unwrap_or_default();
                let left: Vec<&str> = left.split(',').filter(|left| left != store).collect();
                let left = left.join(",");
                image.properties.insert(IMPORTING.to_owned(), left);
                image.properties.insert(FAILED.to_owned(), failed.join(","));
                if works && !self.all_must_succeed && image.status == Status::Importing {
                    let (stores, busy) = (image.stores.clone(), image.busy);
                    image.activate(Arc::clone(&content), stores, now);
                    image.busy = busy;
                }
            });
        }
        let fails = if self.all_must_succeed { !failed.is_empty() } else { failed.len() == named.len() };
        self.end(|image, now| match (fails, image.status) {
            (true, Status::Importing) => image.restore(now),
            (true, _) => image.stores.retain(|store| !self.stores.contains(store)),
            (false, _) => {
                let stores = image.stores.clone();
                image.activate(content, stores, now);
            }
        });
    }

    /// The data, if they can be had and fit the record.
    async fn content(&self) -> Option<Arc<Content>> {
        let (known, image) = {
            let mut state = self.shared.state();
            let image = state.glance.region(&self.cloud, &self.region).images.get(&self.image)?.clone();
            (image.content.clone().or(image.staged.clone()), image)
        };
        let content = match &self.uri {
            Some(uri) => fetch::get(uri).await?,
            None => known?,
        };
        formats::check(&image, &content).ok().map(|()| content)
    }

    /// Runs with the record, if it is still in the hands of this import.
    fn with(&self, run: impl FnOnce(&mut Image, jiff::Timestamp)) {
        let now = self.shared.now();
        let mut state = self.shared.state();
        let image = state.glance.region(&self.cloud, &self.region).images.get_mut(&self.image);
        if let Some(image) = image.filter(|image| image.busy == Some(self.seq)) {
            run(image, now);
        }
    }

    fn end(&self, run: impl FnOnce(&mut Image, jiff::Timestamp)) {
        self.with(|image, now| {
            run(image, now);
            image.properties.insert(IMPORTING.to_owned(), String::new());
            image.busy = None;
        });
    }
}
