//! The fake AWS held against AWS's own clients: boto3, which checks every answer by botocore's service
//! models, awspub and coldsnap.

use cloud_publish_tests::aws::{FakeAws, Settings};
use cloud_publish_tests::aws_clients::{coldsnap, command, script};
use cloud_publish_tests::paths;

#[test]
#[ignore = "needs the clients that tests/run installs"]
fn coldsnap_reads_back_what_it_wrote() {
    let fake = FakeAws::start(Settings::default()).for_foreign_clients();
    let script = paths::root().join("tests/servers/aws/coldsnap_roundtrip.sh");
    let done = command(script, &fake.environment()).arg(coldsnap()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// A script that walks a whole part of the API, refusals included, against a world of its own.
fn walk(name: &str) {
    let fake = FakeAws::start(Settings::default()).for_foreign_clients();
    script(name, &fake.environment());
}

macro_rules! walks {
    ($($test:ident $script:literal,)+) => {
        $(
            #[test]
            #[ignore = "needs the clients that tests/run installs"]
            fn $test() {
                walk($script);
            }
        )+
    };
}

walks! {
    boto3_finds_identities_roles_and_quotas "walk_identity.py",
    boto3_writes_and_reads_parameters "walk_parameters.py",
    boto3_writes_and_reads_blocks "walk_blocks.py",
    boto3_registers_copies_and_shares_images "walk_images.py",
    boto3_takes_an_image_through_its_whole_life "lifecycle.py",
    boto3_stages_objects "walk_s3.py",
    boto3_imports_and_lists "walk_import.py",
    boto3_meets_the_faults_that_were_ordered "walk_faults.py",
    boto3_changes_marketplace_products "walk_marketplace.py",
    awspub_publishes_and_its_second_run_makes_nothing "walk_awspub.py",
    the_contract_check_finds_what_is_wrong "contract_test.py",
}
