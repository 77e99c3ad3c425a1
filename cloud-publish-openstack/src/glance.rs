//! The part of Glance's API that publishing needs, typed: <https://docs.openstack.org/api-ref/image/v2/>.
//!
//! One method is one request (a listing: one per page). Nothing here decides; failures keep their HTTP status.

mod import;
mod patch;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use cloud_publish_core::disk::Disk;
use cloud_publish_core::publisher::Context;
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) use self::patch::Patch;
pub(crate) use self::wire::{GLANCE_OWN, Image, Limit, Status};
use self::wire::{ImagePage, MemberPage, UsagePage};
use crate::client::{Call, Client, Payload};
use crate::error::WireError;

/// Images per page; Glance answers fewer when its own limit is lower.
const PAGE: usize = 50;

/// One region's images, within one verb.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance<'a> {
    client: &'a Client,
    context: &'a Context,
}

type Wire<T> = Result<T, WireError>;

impl<'a> Glance<'a> {
    pub(crate) fn new(client: &'a Client, context: &'a Context) -> Self {
        Self { client, context }
    }

    /// One image, or `None` when there is none under this id (or none that we may see).
    pub(crate) async fn find(&self, id: &str) -> Wire<Option<Image>> {
        match self.client.fetch(self.context, Call::new(Method::GET, &["images", id])).await {
            Ok(image) => Ok(Some(image)),
            Err(error) if matches!(error.status(), Some(404 | 410)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every image of a project that fits, any visibility, hidden or not, oldest first.
    ///
    /// Glance leaves hidden images out of a listing unless it is asked for nothing else: two listings.
    pub(crate) async fn list(&self, project: &str, filters: &[(&str, &str)]) -> Wire<Vec<Image>> {
        let mut found = BTreeMap::new();
        for hidden in ["false", "true"] {
            let mut query = vec![("owner", project), ("os_hidden", hidden)];
            query.extend_from_slice(filters);
            for image in self.pages(&query).await? {
                found.insert(image.id.clone(), image);
            }
        }
        let mut images: Vec<Image> = found.into_values().collect();
        images.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        Ok(images)
    }

    async fn pages(&self, filters: &[(&str, &str)]) -> Wire<Vec<Image>> {
        let mut images: Vec<Image> = Vec::new();
        loop {
            let mut query: Vec<(&str, String)> = filters.iter().map(|(key, value)| (*key, (*value).into())).collect();
            query.push(("limit", PAGE.to_string()));
            query.push(("sort", "created_at:desc,id:desc".to_owned()));
            if let Some(last) = images.last() {
                query.push(("marker", last.id.clone()));
            }
            let call = Call { query, ..Call::new(Method::GET, &["images"]) };
            let page: ImagePage = self.client.fetch(self.context, call).await?;
            let more = page.next.is_some() && !page.images.is_empty();
            images.extend(page.images);
            if !more {
                return Ok(images);
            }
        }
    }

    /// Creates a record without data.
    pub(crate) async fn create(&self, record: &Value) -> Wire<Image> {
        self.client.fetch(self.context, Call::new(Method::POST, &["images"]).json(record)).await
    }

    /// Sends the data of a record, into the cloud's default store unless one is named.
    pub(crate) async fn put_file(&self, id: &str, disk: Arc<Disk>, store: Option<&str>) -> Wire<()> {
        self.client.put_file(self.context, Payload { path: &["images", id, "file"], disk, store }).await
    }

    /// Changes an image; an empty patch asks nothing.
    pub(crate) async fn patch(&self, id: &str, patch: &Patch) -> Wire<()> {
        if patch.is_empty() {
            return Ok(());
        }
        let body = Some((Patch::CONTENT_TYPE, patch.to_text()));
        let path = ["images", id];
        let call = Call { body, ..Call::new(Method::PATCH, &path) };
        self.client.send(self.context, call).await.map(drop)
    }

    /// The projects that a shared image is shared with, sorted.
    pub(crate) async fn members(&self, id: &str) -> Wire<Vec<String>> {
        let path = ["images", id, "members"];
        let page: MemberPage = self.client.fetch(self.context, Call::new(Method::GET, &path)).await?;
        let mut members: Vec<String> = page.members.into_iter().map(|member| member.member_id).collect();
        members.sort();
        Ok(members)
    }

    /// Shares an image with a project; sharing it again is success.
    pub(crate) async fn add_member(&self, id: &str, member: &str) -> Wire<()> {
        let path = ["images", id, "members"];
        let call = Call::new(Method::POST, &path).json(&json!({"member": member}));
        done_before(self.client.send(self.context, call).await.map(drop), 409)
    }

    /// Shares an image with a project no more; not being shared is success.
    pub(crate) async fn remove_member(&self, id: &str, member: &str) -> Wire<()> {
        let path = ["images", id, "members", member];
        let call = Call::new(Method::DELETE, &path);
        done_before(self.client.send(self.context, call).await.map(drop), 404)
    }

    /// Forbids downloads.
    pub(crate) async fn deactivate(&self, id: &str) -> Wire<()> {
        self.client
            .send(self.context, Call::new(Method::POST, &["images", id, "actions", "deactivate"]))
            .await
            .map(drop)
    }

    /// Allows downloads again.
    pub(crate) async fn reactivate(&self, id: &str) -> Wire<()> {
        self.client
            .send(self.context, Call::new(Method::POST, &["images", id, "actions", "reactivate"]))
            .await
            .map(drop)
    }

    /// Deletes an image; gone already is success.
    pub(crate) async fn delete(&self, id: &str) -> Wire<()> {
        let answer = self.client.send(self.context, Call::new(Method::DELETE, &["images", id])).await.map(drop);
        done_before(done_before(answer, 404), 410)
    }

    /// What the project uses of its limits; empty where the cloud has none.
    pub(crate) async fn usage(&self) -> Wire<BTreeMap<String, Limit>> {
        let page: UsagePage = self.client.fetch(self.context, Call::new(Method::GET, &["info", "usage"])).await?;
        Ok(page.usage)
    }
}

fn done_before(answer: Wire<()>, status: u16) -> Wire<()> {
    match answer {
        Err(error) if error.status() == Some(status) => Ok(()),
        other => other,
    }
}
