//! The part of the API by which a cloud imports images: <https://docs.openstack.org/api-ref/image/v2/#interoperable-image-import>.

use std::sync::Arc;

use cloud_publish_core::disk::Disk;
use reqwest::Method;
use serde_json::Value;

use super::wire::{ImportInfo, Store, StorePage, Task, TaskPage};
use super::{Glance, Wire};
use crate::client::{Call, Payload};

impl Glance<'_> {
    /// Sends the data of a record to where an import takes them from.
    pub(crate) async fn stage(&self, id: &str, disk: Arc<Disk>) -> Wire<()> {
        self.client.put_file(self.context, Payload { path: &["images", id, "stage"], disk, store: None }).await
    }

    /// Asks for an import; it goes on after the answer.
    pub(crate) async fn start_import(&self, id: &str, body: &Value) -> Wire<()> {
        let path = ["images", id, "import"];
        self.client.send(self.context, Call::new(Method::POST, &path).json(body)).await.map(drop)
    }

    /// The ways to import that there are; none on clouds that know no import.
    pub(crate) async fn import_methods(&self) -> Wire<Vec<String>> {
        let answer = self.client.fetch(self.context, Call::new(Method::GET, &["info", "import"])).await;
        Ok(known(answer)?.map_or_else(Vec::new, |info: ImportInfo| info.methods.value))
    }

    /// The cloud's stores; `None` where there is one only, without a name.
    pub(crate) async fn stores(&self) -> Wire<Option<Vec<Store>>> {
        let answer = self.client.fetch(self.context, Call::new(Method::GET, &["info", "stores"])).await;
        Ok(known(answer)?.map(|page: StorePage| page.stores))
    }

    /// The imports of an image, the newest last; none where the cloud does not tell.
    pub(crate) async fn tasks(&self, id: &str) -> Wire<Vec<Task>> {
        let path = ["images", id, "tasks"];
        let answer = self.client.fetch(self.context, Call::new(Method::GET, &path)).await;
        Ok(known(answer)?.map_or_else(Vec::new, |page: TaskPage| page.tasks))
    }
}

/// `None` for a page that this cloud does not have.
fn known<T>(answer: Wire<T>) -> Wire<Option<T>> {
    match answer {
        Ok(page) => Ok(Some(page)),
        Err(error) if matches!(error.status(), Some(403 | 404 | 405 | 410)) => Ok(None),
        Err(error) => Err(error),
    }
}
