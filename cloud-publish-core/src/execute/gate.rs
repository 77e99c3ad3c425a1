//! Asking whether an image may become public: the trait that a gate implements, and what it is asked.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::digest::Digest;
use crate::error::{Error, Kind, Result};
use crate::event::GateAnswer;
use crate::names::{
    Account, Arch, Class, ImageId, ImageName, Owner, Provider, Region, ReleaseName, Rendition, Suite, TargetName,
    Variant, Version,
};
use crate::plan::GateTerms;

/// Judges images between their registration and their publication: a boot test, a vendor's quality assurance.
///
/// [`CommandGate`](crate::gate::CommandGate) runs the commands of publish.toml. A program that embeds this library may
/// bring its own:
///
/// ```
/// use async_trait::async_trait;
/// use cloud_publish_core::error::{Error, Result};
/// use cloud_publish_core::event::GateAnswer;
/// use cloud_publish_core::execute::{Answered, Gate, Question};
/// use cloud_publish_core::manifest::GateRegions;
/// use cloud_publish_core::names::TargetName;
/// use cloud_publish_core::plan::GateTerms;
/// use cloud_publish_core::publisher::Context;
///
/// /// Lets everything pass but dailies.
/// #[derive(Debug)]
/// struct NoDailies;
///
/// #[async_trait]
/// impl Gate for NoDailies {
///     fn terms(&self, _target: &TargetName) -> Option<GateTerms> {
///         Some(GateTerms { identity: "no-dailies".into(), regions: GateRegions::Home, concurrency: 4 })
///     }
///
///     fn obstacle(&self, _target: &TargetName) -> Option<Error> {
///         None
///     }
///
///     async fn ask(&self, context: &Context, question: &Question) -> Result<Answered> {
///         context.check()?;
///         let daily = question.class == cloud_publish_core::names::Class::Daily;
///         let reason = || "dailies stay private".to_owned();
///         Ok(if daily { GateAnswer::Failed { reason: reason() } } else { GateAnswer::Passed }.into())
///     }
/// }
/// ```
#[async_trait]
pub trait Gate: Send + Sync + Debug {
    /// What the planner has to know of the gate of a target; `None`: there is none.
    fn terms(&self, target: &TargetName) -> Option<GateTerms>;

    /// What would keep the gate of a target from being asked, as far as can be seen beforehand: it refuses the run before
    /// anything is made.
    fn obstacle(&self, target: &TargetName) -> Option<Error>;

    /// Judges an image.
    ///
    /// # Behaviour
    /// Asked once for each image that is still to be published, and again by every run until it passed. May take hours;
    /// ends soon, leaving nothing running, when the context is cancelled.
    ///
    /// # Errors
    /// [`Kind::Cancelled`](crate::error::Kind::Cancelled), and what keeps it from being asked at all: the image then does
    /// not become public.
    async fn ask(&self, context: &crate::publisher::Context, question: &Question) -> Result<Answered>;
}

/// No gate anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoGate;

#[async_trait]
impl Gate for NoGate {
    fn terms(&self, _target: &TargetName) -> Option<GateTerms> {
        None
    }

    fn obstacle(&self, _target: &TargetName) -> Option<Error> {
        None
    }

    async fn ask(&self, _context: &crate::publisher::Context, _question: &Question) -> Result<Answered> {
        Err(Error::new(Kind::Unexpected, "a gate is to be asked, and there is none")
            .hint("nothing was published; give the run the gates that its plan was made with"))
    }
}

/// An answer, and what was said on the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The answer.
    pub answer: GateAnswer,
    /// What is kept of its output, for people; may be empty.
    pub output: Bytes,
}

impl From<GateAnswer> for Answered {
    /// An answer without output.
    fn from(answer: GateAnswer) -> Self {
        Self { answer, output: Bytes::new() }
    }
}

/// What a gate is asked about: one image of a release at one target. A command reads it as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// The format of this document: 1.
    pub schema: u32,
    /// Who publishes.
    pub owner: Owner,
    /// The release.
    pub release: ReleaseName,
    /// The target.
    pub target: TargetName,
    /// Its kind of cloud.
    pub provider: Provider,
    /// The account, project or subscription there.
    pub account: Account,
    /// The artifact's variant.
    pub variant: Variant,
    /// The artifact's architecture.
    pub arch: Arch,
    /// What was made of it for this target.
    pub rendition: Rendition,
    /// The series.
    pub suite: Suite,
    /// The series' number, as users write it: `12`.
    pub suite_id: String,
    /// The version.
    pub version: Version,
    /// The class.
    pub class: Class,
    /// The release's own date.
    pub date: Timestamp,
    /// The name that it is registered under.
    pub name: ImageName,
    /// `sha256:` and the hex digits of the disk's raw content.
    pub digest: Digest,
    /// The images, that of the home region first; never empty.
    pub images: Vec<AskedImage>,
}

/// One image that a gate is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedImage {
    /// Where it is.
    pub region: Region,
    /// The cloud's id.
    pub id: ImageId,
}
