//! What the tests of the whole need: real servers, a disk image that really boots, and the `publish` binary.
//!
//! `tests/run` prepares all of it and says where it is; this library finds it and speaks to it *with foreign tools*
//! (openstacksdk, python-openstackclient, QEMU), so that no check rests on the code that it checks.
//!
//! | module | finds |
//! |---|---|
//! | [`aws`] | a small AWS of its own: nobody else has one that refuses what AWS refuses |
//! | [`aws_site`] | the same for runs of the binary, quick and judged when it ends |
//! | [`paths`] | the project's folders |
//! | [`servers`] | one Keystone and two Glance regions, and an owner of its own for each test |
//! | [`foreign`] | what Glance has, told by others than us |
//! | [`images`] | the tiny Debian image, and the 3 GiB one of a full run |
//! | [`mod@bench`] | what is promised of speed and memory |
//! | [`boot`] | whether an image boots |
//! | [`fake`] | what the fakes have in common |
//! | [`disk`] | a disk that is full or read-only |
//! | [`publish`] | the binary |
//! | [`judge`] | what a fake AWS has, told by boto3 |
//! | [`openstack`] | a small OpenStack of its own: several clouds, failing to order, at once there |
//! | [`measure`] | what a program takes of time, processor and memory |
//! | [`running`] | a run that goes on meanwhile |
//! | [`sandbox`] | a world made for one command, for tests and for trying the tool |
//! | [`site`] | a folder with a release to publish, and what the binary did there |
//!
//! A test that needs them is `#[ignore = "needs the servers that tests/run starts"]` (or `... the image that tests/run
//! builds`): plain `cargo test` reports it as ignored, `tests/run` runs it. Everything here panics with a message that
//! says what to do, for a test has no better way to fail.
//!
//! Tests share one Glance and run in parallel. Each takes an owner of its own ([`servers::unique_owner`]) and looks only
//! at that owner's images.

pub mod aws;
pub mod aws_clients;
pub mod aws_site;
pub mod bench;
pub mod boot;
pub mod disk;
pub mod fake;
pub mod foreign;
pub mod images;
pub mod judge;
pub mod measure;
pub mod moto;
pub mod openstack;
pub mod paths;
pub mod publish;
pub mod running;
pub mod sandbox;
pub mod servers;
pub mod site;

/// Tells whether this is `tests/run --full`, where tests do what takes too long for every change.
pub fn is_full_run() -> bool {
    std::env::var_os("CLOUD_PUBLISH_TEST_FULL").is_some_and(|value| value == "1")
}
