//! A small OpenStack on a loopback port: Keystone v3 and Glance v2, as far as publishing disk images needs them.
//!
//! It is **strict**: it refuses what Glance refuses, with Glance's own statuses and pages of HTML (an id that is taken,
//! also by a deleted image; a visibility that the policy does not allow; an upload into what is no empty record; a body
//! that is not of the declared format; a full quota). It is **asynchronous** where Glance is: an upload is `saving` until
//! its last byte, an import ends some time later, listings come in small pages. It has several **clouds**, **projects**,
//! **users** and **regions**. It **fails by rule**: throttles, resets, lost replies, hangs. It keeps a **log** of every
//! request and of every change of who sees what. None of it uses an OpenStack library: what it knows is from the published
//! interfaces and from the real services, and foreign clients check it.
//!
//! It is for what the real servers of `tests/run` do not do: failing to order, several clouds, TLS, starting at once.
//!
//! Everything is behind one address: Keystone at `/CLOUD/identity`, the Glance of a region at `/CLOUD/image/REGION`. Data
//! stay in memory; zeros take no room, and neither do bytes that another image has. What a test wants to differ is in
//! [`Settings`].
//!
//! | control call | does |
//! |---|---|
//! | `POST /_fake/reset` | begins anew, with these settings over the defaults |
//! | `POST /_fake/settings` | changes some settings, as JSON merge patch |
//! | `GET /_fake/settings` | shows them |
//! | `POST /_fake/faults` | replaces the list of [`Rule`]s; `account` is a project's name |
//! | `POST /_fake/advance` | moves the clock by `{"ms": 1000}` |
//! | `POST /_fake/revoke-tokens` | ends all tokens |
//! | `POST /_fake/use` | lets a volume be cloned from an image: `{"cloud", "region", "image", "in_use"}` |
//! | `GET /_fake/log` | every request ([`Entry`]) and [`Exposure`] since it began anew |
//! | `GET /_fake/state` | every image |
//! | `GET /health` | answers |
//!
//! What Glance has and this has not: locations, metadata definitions, caches, the task API, schemas, signatures.

mod answer;
mod call;
mod control;
mod glance;
mod keystone;
mod log;
mod refused;
mod route;
mod server;
mod settings;
mod world;

pub use call::Service;
pub use log::Entry;
pub(crate) use server::write_clouds;
pub use server::{FakeOpenStack, Login};
pub use settings::{
    ApplicationCredential, CLOUD, Cloud, Delays, PASSWORD, Policy, Project, Quotas, REGIONS, Region, Settings, User,
    project_id,
};
pub use world::Shared;

pub use crate::fake::{Exposure, Rule, What};
