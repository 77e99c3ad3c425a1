//! Upload: bytes under a token, in parts, verified as a whole.

use crate::error::{Error, Kind, Result};
use crate::manifest::Visibility;
use crate::memory::client::Call;
use crate::memory::cloud::MemoryCloud;
use crate::memory::content::{self, Content};
use crate::memory::log::Verb;
use crate::memory::publisher::MemoryPublisher;
use crate::memory::record::StagedRecord;
use crate::names::{Account, Region};
use crate::poll::poll_until;
use crate::publisher::{Context, Note, Staged, UploadRequest};

/// Parts that a disk is sent in, at most.
const PARTS: u64 = 3;

pub(super) async fn upload(own: &MemoryPublisher, context: &Context, request: &UploadRequest) -> Result<Staged> {
    let (region, tags) = (&request.region, &request.image.tags);
    own.known_region(region)?;
    own.look_for_image(context, Verb::Upload, region, tags).await?;
    let mut generation = context.first_generation();
    let begun = loop {
        if let Some(found) = own.look_for_staged(context, Verb::Upload, region, tags).await? {
            break found;
        }
        match begin(own, context, request, generation).await? {
            Some(begun) => break begun,
            None => {
                let reason = "staged bytes made under this token were deleted".to_owned();
                context.note(Note::DeadGeneration { generation, reason }).await?;
                generation = generation.saturating_add(1);
            }
        }
    };
    let mut sent = 0;
    if begun.digest.is_none() {
        let content = content::read(context, &request.disk).await?;
        let _open = Connection::open(own, region, &begun.id);
        sent = send(own, context, &begun, content).await?;
        complete(own, context, request, (&begun.id, content)).await?;
    }
    await_staged(own, context, region, &begun.id).await?;
    Ok(Staged { region: region.clone(), id: begun.id, sent })
}

/// Begins an upload under the token of a generation; the token finds what it made before. `None`: the token is dead.
async fn begin(
    own: &MemoryPublisher,
    context: &Context,
    request: &UploadRequest,
    generation: u32,
) -> Result<Option<StagedRecord>> {
    let (region, account) = (&request.region, &own.settings().account);
    let (tags, key_region) = (&request.image.tags, own.key_region(region));
    let token = tags.token(own.place(), key_region, generation);
    let id = format!("staged-{}", token.get(..16).unwrap_or(&token));
    let call = Call::change(Verb::Upload, "create staged bytes", region);
    own.client()
        .send(context, call, |state| {
            let created = state.clock.now();
            let shelf = state.shelf(account, region);
            if shelf.is_dead(&id) {
                return Ok(None);
            }
            if let Some(known) = shelf.staged.get(&id) {
                return Ok(Some(known.it.clone()));
            }
            let staged = StagedRecord {
                region: region.clone(),
                id,
                tags: tags.to_map(own.place(), key_region),
                received: 0,
                digest: None,
                visibility: Visibility::Private,
                used_by: None,
                senders: 0,
                created,
            };
            state.keep_staged(account, staged.clone());
            Ok(Some(staged))
        })
        .await
}

/// Sends what the cloud does not have yet; returns how much that was.
async fn send(own: &MemoryPublisher, context: &Context, begun: &StagedRecord, content: Content) -> Result<u64> {
    let account = &own.settings().account;
    let part = content.data.div_ceil(PARTS).max(1);
    let mut arrived = begun.received;
    while arrived < content.data {
        let upto = arrived.saturating_add(part).min(content.data);
        let call = Call::change(Verb::Upload, "put part", &begun.region);
        own.client()
            .send(context, call, |state| {
                let kept = state.shelf(account, &begun.region).staged.get_mut(&begun.id).ok_or_else(gone)?;
                kept.it.received = kept.it.received.max(upto);
                Ok(())
            })
            .await?;
        arrived = upto;
        context.progress().advanced(arrived, content.data);
    }
    Ok(content.data.saturating_sub(begun.received))
}

/// Lets the cloud compare what arrived with what was promised; the wrong bytes are removed.
async fn complete(
    own: &MemoryPublisher,
    context: &Context,
    request: &UploadRequest,
    (id, content): (&String, Content),
) -> Result<()> {
    let (region, account) = (&request.region, &own.settings().account);
    let promised = request.image.tags.digest;
    let call = Call::change(Verb::Upload, "complete staged bytes", region);
    let whole = own.client().send(context, call, |state| {
        let shelf = state.shelf(account, region);
        if content.digest != promised {
            shelf.staged.remove(id);
            return Ok(false);
        }
        let kept = shelf.staged.get_mut(id).ok_or_else(gone)?;
        kept.it.digest = Some(content.digest);
        Ok(true)
    });
    if whole.await? {
        return Ok(());
    }
    Err(Error::new(Kind::Corrupt, "what arrived is not what the manifest promises")
        .during("upload")
        .with("arrived", content.digest)
        .with("promised", promised)
        .hint("check the disk image with `publish check`, then run the same command again"))
}

async fn await_staged(own: &MemoryPublisher, context: &Context, region: &Region, id: &String) -> Result<()> {
    let account = &own.settings().account;
    poll_until(context, &format!("showing staged bytes {id}"), own.settings().pace, || async {
        let call = Call::look(Verb::Upload, "get staged bytes", region);
        let seen = own
            .client()
            .send(context, call, |state| Ok(state.seen_staged(account, region).iter().any(|staged| staged.id == *id)));
        Ok(seen.await?.then_some(()))
    })
    .await
}

fn gone() -> Error {
    Error::new(Kind::Conflict, "somebody removed the staged bytes while they were being sent")
        .hint("run the same command again")
}

/// An open connection over which bytes are sent: the cloud sees it end, however it ends.
struct Connection {
    cloud: MemoryCloud,
    account: Account,
    region: Region,
    id: String,
}

impl Connection {
    fn open(own: &MemoryPublisher, region: &Region, id: &str) -> Self {
        let cloud = own.client().cloud().clone();
        let account = own.settings().account.clone();
        let open = Self { cloud, account, region: region.clone(), id: id.to_owned() };
        open.count(|senders| senders.saturating_add(1));
        open
    }

    fn count(&self, change: impl FnOnce(usize) -> usize) {
        let mut state = self.cloud.state();
        if let Some(kept) = state.shelf(&self.account, &self.region).staged.get_mut(&self.id) {
            kept.it.senders = change(kept.it.senders);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.count(|senders| senders.saturating_sub(1));
    }
}
