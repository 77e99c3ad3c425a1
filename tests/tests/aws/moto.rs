//! The provider at moto, an AWS that others wrote: who we are, the roles, and the blocks of a snapshot, where it is
//! faithful. It keeps no attributes, tags or snapshots of images, knows no client tokens and copies nothing, so that what
//! comes after the snapshot is shown against the fake alone.

use std::collections::BTreeMap;

use cloud_publish_aws::Aws;
use cloud_publish_core::publisher::{Context, Publisher as _};
use cloud_publish_tests::aws_clients::script_with;
use cloud_publish_tests::moto::Moto;
use serde_json::{Value, json};

use crate::uploads::Uploads;
use crate::world::{sdk_at, settings_with};

const ACCOUNT: &str = "123456789012";

fn target(moto: &Moto, keys: Value) -> Aws {
    Aws::new(settings_with(sdk_at(&moto.url(), ACCOUNT), keys))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs what tests/run installs"]
async fn a_role_of_another_account_makes_the_target_that_account_at_moto_too() {
    let moto = Moto::start();
    let own = target(&moto, json!({})).info(&Context::detached()).await.unwrap();
    assert_eq!(own.place.account.as_str(), ACCOUNT);
    let roles = json!({"roles": ["arn:aws:iam::222222222222:role/publisher"]});
    let other = target(&moto, roles).info(&Context::detached()).await.unwrap();
    assert_eq!(other.place.account.as_str(), "222222222222");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs what tests/run installs"]
async fn the_blocks_that_moto_has_are_the_disk_s() {
    let (moto, uploads) = (Moto::start(), Uploads::new(1));
    let staged = target(&moto, json!({})).upload(&uploads.context(), &uploads.request()).await.unwrap();
    let environment = [("AWS_ENDPOINT_URL".to_owned(), moto.url())];
    let read = script_with("read_blocks.py", &environment, &[&staged.id]);
    let read: BTreeMap<String, BTreeMap<u32, String>> = serde_json::from_str(&read).unwrap();
    assert_eq!(read[&staged.id], uploads.blocks());
    let again = target(&moto, json!({})).upload(&uploads.context(), &uploads.request()).await.unwrap();
    assert_eq!((again.id, again.sent), (staged.id, 0), "the next run finds it by its tags");
}
