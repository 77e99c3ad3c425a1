//! Publishes disk images to Google Compute Engine: global images, families, deprecation.
//!
//! The verbs are not written yet. What is here is what other crates need until then: the keys of a
//! `[target.NAME]` with `provider = "gce"` ([`GceConfig`]) and what this cloud can do ([`capability()`]). The command line
//! refuses such a target by name. A program that embeds the core gives [`provider_schema`] to `Config::read`, so that
//! such targets are read and checked; there is no publisher to make of them yet.
//!
//! # What this crate will own
//! One target: one project, and the bucket through which disks get there. An image is in one place, `global`.
//!
//! # One image, from nothing to public
//! 1. The disk as `disk.raw`, padded to a whole GiB with a hole, alone in a GNU tar, compressed with gzip; streamed, never
//!    written to this machine's disk.
//! 2. The archive as an object of the bucket, in parallel parts, under a name made of the content. Its CRC32C is compared
//!    with what was sent.
//! 3. `images.insert` with a request id made of key, digest and generation; labels at creation; without family, and
//!    deprecated at once: so the family never leads to an image that nobody has tried. The operation is polled, and its
//!    own error looked at, then the image until it is `READY`. The object is removed only after that.
//! 4. Behind the barrier: the IAM policy (read, change, write with its etag), then the family and the state `ACTIVE`.
//! 5. To hide is `DEPRECATED` with a replacement, to retire is `OBSOLETE`, to delete is `images.delete`; the state
//!    `DELETED` alone deletes nothing.
//!
//! Labels have lower case, 63 characters and no dots: times go in as seconds, the digest in two halves.
//!
//! # Which crates, and why
//! - `google-cloud-compute-v1` with the features `images` and `global-operations` only, and `google-cloud-auth`: the
//!   official SDK. Its default poller ends at the first 503, and calls a failed operation a success until its result is
//!   asked for; both are set right here.
//! - `object_store` for the staging object, not `google-cloud-storage`: that one hides the address of its upload session,
//!   so nothing can be resumed after the process died; its list, get and delete are gRPC only, which no test server
//!   answers; and it sends one stream. `object_store`, which the ledger uses already, sends parts in parallel and can take
//!   up a multipart upload by its id. Credentials are those of `google-cloud-auth`.

mod capability;
mod config;

pub use capability::capability;
pub use config::{GceConfig, provider_schema};
