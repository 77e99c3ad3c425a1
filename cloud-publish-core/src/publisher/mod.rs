//! One target, whatever its cloud: the trait that every provider implements, and its contract.

mod capability;
mod context;
mod image;
mod request;

use std::fmt::Debug;

use async_trait::async_trait;

pub use self::capability::{Capability, ReadBack, Replication, TargetInfo, VisibilityKind, WantedRegion};
pub use self::context::{Context, Note, Notes, Progress};
pub use self::image::{Expected, ImageAt, ImageSpec};
pub use self::request::{
    Deletion, Detail, Finding, Listing, ListingRequest, Marking, PointRequest, PreflightRequest, Probe, Proof,
    ProveRequest, RegisterRequest, Registered, ReplicateRequest, Severity, Staged, SurveyRequest, TagRequest,
    UploadRequest, Usage, VisibilityRequest,
};
use crate::error::Result;
use crate::names::Region;
use crate::survey::{FoundStaged, Survey};

/// One place to publish to.
///
/// # Contract
/// Every verb
/// - **looks before it makes**: repeated with the same request it finds what the first call made, also when the first
///   call's reply was lost, also on another machine with no ledger;
/// - **returns when the effect is usable** (available, replicated, readable by the next verb), not when the request was
///   accepted; waiting has a deadline and goes through [`crate::poll::poll_until`];
/// - **can be cancelled at any await**: dropped half-way it leaves something that the same verb, or
///   [`Publisher::discard`], takes up later;
/// - **never sleeps a thread**, prints nothing, reads no environment, and reports progress through its [`Context`];
/// - **does not retry** beyond what its SDK needs for one call: the executor owns the one retry loop and decides by
///   [`crate::error::Error::retry`] alone;
/// - **never touches what is not ours**: an object is ours only with our complete, consistent tags and owner, in our own
///   account. Two objects for one key are [`crate::error::Kind::Conflict`], naming both; a name held by somebody else's
///   object is [`crate::error::Kind::NameTaken`]; an [`ImageAt`] whose id now carries other tags is
///   [`crate::error::Kind::Refused`]. Never "the first of many".
///
/// There are no default methods: a wrapper that forgets to forward a verb must not compile. A verb that a cloud does not
/// have answers [`crate::error::Kind::Unsupported`]; the planner asks [`Capability`] and does not call it.
#[async_trait]
pub trait Publisher: Send + Sync + Debug {
    /// Says what this target is.
    ///
    /// # Behaviour
    /// Authenticates on the first call and remembers the answer. Changes nothing.
    ///
    /// # Errors
    /// [`crate::error::Kind::Unauthenticated`], [`crate::error::Kind::Unavailable`], or a configuration that the cloud
    /// contradicts ([`crate::error::Kind::InvalidInput`]).
    async fn info(&self, context: &Context) -> Result<TargetInfo>;

    /// Says what the survey shows of an image made to this spec, and which pointers should resolve to it.
    ///
    /// # Behaviour
    /// Pure: no call to the cloud.
    ///
    /// # Errors
    /// [`crate::error::Kind::InvalidInput`] when the cloud's rules forbid such an image (name, boot mode, size).
    fn expect(&self, image: &ImageSpec, region: &Region) -> Result<Expected>;

    /// Looks for everything that would stop the run: credentials, permissions, quotas, enabled regions, public-access
    /// blocks, names held by others, rules on names, sizes and boot modes.
    ///
    /// # Behaviour
    /// Finds all of it at once, before the first byte. Writes nothing, unless the request allows a probe.
    ///
    /// # Errors
    /// Only what keeps it from looking at all.
    async fn preflight(&self, context: &Context, request: &PreflightRequest) -> Result<Vec<Finding>>;

    /// Lists every object of this owner here: any state, any region, every page.
    ///
    /// # Behaviour
    /// A region or page that could not be read is named in [`Survey::incomplete`]; what was read is still returned.
    /// Objects that claim our owner but lack complete tags are returned with their problems.
    ///
    /// # Errors
    /// Only when nothing could be read.
    async fn survey(&self, context: &Context, request: &SurveyRequest) -> Result<Survey>;

    /// Says what the cloud knows of the images' use; no data is `None`, not "unused".
    ///
    /// # Errors
    /// Only what keeps it from looking at all.
    async fn usage(&self, context: &Context, images: &[ImageAt]) -> Result<Vec<Usage>>;

    /// Brings the disk's bytes to the cloud, privately, and verifies what arrived.
    ///
    /// # Behaviour
    /// Finds complete bytes and sends nothing; resumes incomplete ones where the cloud allows; starts a new generation
    /// when the earlier one is dead ([`Note::DeadGeneration`] is written first).
    ///
    /// # Errors
    /// [`crate::error::Kind::Corrupt`] when the cloud's checksum differs (what arrived is removed);
    /// [`crate::error::Kind::QuotaExceeded`], [`crate::error::Kind::PermissionDenied`].
    async fn upload(&self, context: &Context, request: &UploadRequest) -> Result<Staged>;

    /// Makes a private image of staged bytes, with all its tags in the creating call.
    ///
    /// # Errors
    /// [`crate::error::Kind::NameTaken`], [`crate::error::Kind::Conflict`], [`crate::error::Kind::NotFound`] when the
    /// staged bytes are gone.
    async fn register(&self, context: &Context, request: &RegisterRequest) -> Result<Registered>;

    /// Brings an image to at least the wanted regions: adds, never removes.
    ///
    /// # Behaviour
    /// The result has one entry per wanted region, in the request's order, each with its own success or failure.
    /// With [`Replication::Independent`] or [`Replication::None`] it only finds what is there.
    ///
    /// # Errors
    /// Only what concerns all regions.
    async fn replicate(
        &self,
        context: &Context,
        request: &ReplicateRequest,
    ) -> Result<Vec<(Region, Result<Registered>)>>;

    /// Lets exactly the wanted parties use an image: grants what is missing, revokes what is more, the snapshot before
    /// the image.
    ///
    /// # Errors
    /// [`crate::error::Kind::Unsupported`] for a visibility that is not in [`Capability::visibilities`].
    async fn set_visibility(&self, context: &Context, request: &VisibilityRequest) -> Result<()>;

    /// Gives an image exactly the wanted tags.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotFound`], [`crate::error::Kind::Refused`].
    async fn tag(&self, context: &Context, request: &TagRequest) -> Result<()>;

    /// Makes a pointer resolve to an image.
    ///
    /// # Behaviour
    /// The pointer resolves at every moment, to the old image or to the new one. Whether it may move is the planner's
    /// decision.
    ///
    /// # Errors
    /// [`crate::error::Kind::Unsupported`] without [`Capability::pointers`].
    async fn point(&self, context: &Context, request: &PointRequest) -> Result<()>;

    /// Submits an image to a marketplace listing, or asks how far it is.
    ///
    /// # Errors
    /// [`crate::error::Kind::Unsupported`] without [`Capability::marketplace`].
    async fn list_in_marketplace(&self, context: &Context, request: &ListingRequest) -> Result<Listing>;

    /// Leads nobody to the image any more; whoever has its id goes on using it.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotFound`], [`crate::error::Kind::Refused`].
    async fn hide(&self, context: &Context, image: &ImageAt) -> Result<()>;

    /// Makes the image unusable for new machines, restorably. The tag `retired` is written before it.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotFound`], [`crate::error::Kind::Refused`].
    async fn retire(&self, context: &Context, image: &ImageAt) -> Result<()>;

    /// Undoes what hide and retire did at the cloud.
    ///
    /// # Behaviour
    /// Visibility is set again by [`Publisher::set_visibility`], and the marks `retired` and `withdrawn` are taken off
    /// last, by [`Publisher::tag`]: until then the image counts as retired, whatever dies in between.
    ///
    /// # Errors
    /// [`crate::error::Kind::NotFound`] when it was deleted, [`crate::error::Kind::Refused`].
    async fn restore(&self, context: &Context, image: &ImageAt) -> Result<()>;

    /// Removes the image and what belongs to it alone; an image that is gone already is success.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when the id carries other tags.
    async fn delete(&self, context: &Context, image: &ImageAt) -> Result<Deletion>;

    /// Removes a staged leftover from which no image was made; gone already is success.
    ///
    /// # Errors
    /// [`crate::error::Kind::Refused`] when an image uses it or somebody is uploading to it.
    async fn discard(&self, context: &Context, staged: &FoundStaged) -> Result<()>;

    /// Shows what the cloud holds of an image's content.
    ///
    /// # Errors
    /// What keeps it from looking; "this cloud shows nothing" is [`Proof::Unreadable`], not an error.
    async fn prove(&self, context: &Context, request: &ProveRequest) -> Result<Proof>;
}
