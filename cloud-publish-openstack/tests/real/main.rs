//! [`OpenStack`](cloud_publish_openstack::OpenStack) against a real Keystone and two real Glance regions.
//!
//! Every test has an owner of its own, so they run side by side, and removes what it made.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod ending;
mod foreign;
mod imports;
mod preflight;
mod protection;
mod sharing;
mod sign_in;
mod stable_name;
mod steady;
mod upload;
mod world;
