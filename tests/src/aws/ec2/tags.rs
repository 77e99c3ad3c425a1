//! CreateTags, DeleteTags, DescribeTags. What they change is seen as late as a new image or snapshot.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use jiff::Timestamp;

use crate::aws::query::{self, Tags};
use crate::aws::reply::{Outcome, Refused};

use super::lagging::Lagging;
use super::paging::cut;
use super::request::{Request, invalid};
use super::state::State;

const FILTERS: &[&str] = &["key", "resource-id", "resource-type", "tag-key", "value"];

/// The most tags of one resource.
const MOST: usize = 50;

/// The tags of one of the caller's resources, and how late changes of them are seen, in milliseconds.
fn of<'s>(state: &'s mut State, request: &Request<'_>, id: &str) -> Result<(&'s mut Lagging<Tags>, u64), Refused> {
    let delays = request.settings.delays;
    if id.starts_with("ami-") {
        return Ok((&mut state.own_image(request, id)?.tags, delays.image_visible));
    }
    if id.starts_with("snap-") {
        return Ok((&mut state.own_snapshot(request, id)?.tags, delays.snapshot_visible));
    }
    Err(Refused::bad("InvalidID", format!("The ID '{id}' is not valid")))
}

/// Adds and replaces tags, on all resources or on none.
pub(super) fn create(state: &mut State, request: &Request<'_>) -> Outcome {
    let new = query::tags_in(request.params())?;
    let mut changed = Vec::new();
    for id in request.list("ResourceId") {
        let mut tags = of(state, request, id)?.0.latest().clone();
        tags.extend(new.clone());
        if tags.len() > MOST {
            return Err(Refused::bad("TagLimitExceeded", format!("More than {MOST} tags on {id}")));
        }
        changed.push((id, tags));
    }
    set(state, request, changed)
}

/// Removes tags: those with the key, with key and value, or all.
pub(super) fn delete(state: &mut State, request: &Request<'_>) -> Outcome {
    let gone = query::items(request.params(), "Tag");
    let mut changed = Vec::new();
    for id in request.list("ResourceId") {
        let mut tags = of(state, request, id)?.0.latest().clone();
        tags.retain(|key, value| {
            let is_meant = |tag: &query::Params| {
                tag.get("Key") == Some(key) && tag.get("Value").is_none_or(|wanted| wanted == value)
            };
            !(gone.is_empty() || gone.iter().any(is_meant))
        });
        changed.push((id, tags));
    }
    set(state, request, changed)
}

fn set(state: &mut State, request: &Request<'_>, changed: Vec<(&str, Tags)>) -> Outcome {
    for (id, tags) in changed {
        let (lagging, delay) = of(state, request, id)?;
        lagging.set(tags, request.now(), delay);
    }
    request.done()
}

struct Row<'s> {
    resource: &'s str,
    kind: &'static str,
    key: &'s str,
    value: &'s str,
}

/// Lists the tags of the caller's images and snapshots here.
pub(super) fn describe(state: &mut State, request: &Request<'_>) -> Outcome {
    let filters = request.filters(FILTERS)?;
    if filters.len() > MOST {
        return Err(invalid("too many filters"));
    }
    let now = request.now();
    let is_own = |owner: &str, region: &str, visible_at: Timestamp| {
        owner == request.account() && region == request.region() && visible_at <= now
    };
    let images = state
        .images
        .values()
        .filter(|image| is_own(&image.owner, &image.region, image.visible_at))
        .map(|image| (&image.id, "image", &image.tags));
    let snapshots = state
        .snapshots
        .values()
        .filter(|snapshot| is_own(&snapshot.owner, &snapshot.region, snapshot.visible_at))
        .map(|snapshot| (&snapshot.id, "snapshot", &snapshot.tags));
    let rows = images.chain(snapshots).flat_map(|(resource, kind, tags)| {
        tags.seen(now).iter().map(move |(key, value)| Row { resource, kind, key, value })
    });
    let mut page = cut(request, rows.collect(), |row| format!("{}\n{}", row.resource, row.key))?;
    page.items.retain(|row| {
        filters.iter().all(|filter| match filter.name.as_str() {
            "key" | "tag-key" => filter.accepts(row.key),
            "resource-id" => filter.accepts(row.resource),
            "resource-type" => filter.accepts(row.kind),
            "value" => filter.accepts(row.value),
            name => name.strip_prefix("tag:") == Some(row.key) && filter.accepts(row.value),
        })
    });
    request.answer(|xml| {
        xml.list("tagSet", page.items, |xml, row| {
            xml.text("resourceId", row.resource)
                .text("resourceType", row.kind)
                .text("key", row.key)
                .text("value", row.value);
        });
        xml.optional("nextToken", page.next);
    })
}
