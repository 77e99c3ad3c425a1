//! A whole publication beside awspub, Canonical's publisher for AWS: upload, registration, three copies, everybody, and a
//! parameter in each region.
//!
//! awspub takes only VMDK. What it takes to convert the disk is told apart, and the ratios with and without it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cloud_publish_tests::aws::{ACCOUNT, FakeAws, REGION};
use cloud_publish_tests::aws_clients;
use cloud_publish_tests::aws_site::lead;
use cloud_publish_tests::images::{self, ImageFile};
use cloud_publish_tests::measure::{Used, measure};
use serde_json::json;

use crate::aws::{LINE, site, world};

const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1"];

const CONFIG: &str = r#"schema = 1
owner = "debian"
releases = "releases"
state = "state"
[target.aws]
provider = "aws"
home_region = "us-east-1"
regions = ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1"]
visibility = "public"
snapshots = "as-image"
parameters = ["/debian/{suite}/{variant}/latest/{arch}"]
"#;

/// Fails unless every region has one public image, and a parameter that leads to it.
fn assert_published(fake: &FakeAws) {
    let state = fake.world.dump();
    let images = state["ec2"]["images"].as_array().unwrap();
    let public = images.iter().filter(|image| image.to_string().contains("\"all\"")).count();
    let parameters = fake.world.requests().iter().filter(|entry| entry.operation == "PutParameter").count();
    assert_eq!((images.len(), public, parameters), (REGIONS.len(), REGIONS.len(), REGIONS.len()), "{state:#}");
}

fn published_by_us(image: &ImageFile) -> Used {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (site, fake) = (site(folder.path(), image, CONFIG), world(json!({})));
    let mut command = site.command(LINE);
    lead(&mut command, &fake, ACCOUNT);
    let used = measure(&command);
    assert_published(&fake);
    used
}

/// Both commands of awspub, measured together.
fn published_by_awspub(folder: &Path) -> Used {
    let image = json!({
        "description": "Debian 12",
        "boot_mode": "uefi-preferred",
        "imds_support": "v2.0",
        "regions": REGIONS,
        "public": true,
        "ssm_parameter": [{"name": "/debian/12/amd64", "description": "Debian 12", "allow_overwrite": true}],
    });
    let config = json!({"awspub": {
        "s3": {"bucket_name": "staging"},
        "source": {"path": "disk.vmdk", "architecture": "x86_64"},
        "tags": {"owner": "debian"},
        "images": {"debian-12-amd64": image},
    }});
    fs::write(folder.join("awspub.yaml"), config.to_string()).unwrap();
    let fake = world(json!({"s3": {"buckets": {"staging": [ACCOUNT, REGION]}}}));
    let mut command = Command::new("sh");
    let awspub = aws_clients::python().with_file_name("awspub");
    command.args(["-c", "\"$0\" create awspub.yaml && \"$0\" publish awspub.yaml"]).arg(awspub).current_dir(folder);
    lead(&mut command, &fake, ACCOUNT);
    let used = measure(&command);
    assert_published(&fake);
    used
}

fn converted(image: &ImageFile, folder: &Path) -> Used {
    let mut command = Command::new("qemu-img");
    command.args(["convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized"]);
    measure(command.arg(&image.path).arg(folder.join("disk.vmdk")))
}

/// Times are printed for people to compare: machines differ.
#[test]
#[ignore = "needs the image and the awspub that tests/run --full installs"]
fn benchmark_of_a_publication_beside_awspub() {
    let image = images::big().raw;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    // Before a new file of the disk's size keeps the ledger waiting for the machine's own disk.
    let ours = Used::median(&[(); 3].map(|()| published_by_us(&image)));
    let conversion = converted(&image, folder.path());
    let theirs = Used::median(&[(); 3].map(|()| published_by_awspub(folder.path())));
    println!("\n{:<36}{:>10}{:>10}{:>12}", "3 GiB raw to 4 regions, median of 3", "wall s", "CPU s", "memory MiB");
    for (what, used) in [
        ("publish --to aws", ours),
        ("awspub create, awspub publish", theirs),
        ("qemu-img convert for awspub", conversion),
    ] {
        let (wall, cpu, memory) = (used.wall().as_secs_f64(), used.cpu().as_secs_f64(), used.memory() >> 10);
        println!("{what:<36}{wall:>10.2}{cpu:>10.2}{memory:>12}");
    }
    let ratios = |figure: fn(Used) -> Duration| {
        let [ours, theirs, conversion] = [ours, theirs, conversion].map(|used| figure(used).as_secs_f64());
        format!("{:.2} ({:.2} with the conversion)", ours / theirs, ours / (theirs + conversion))
    };
    println!("of awspub's: wall {}, CPU {}", ratios(Used::wall), ratios(Used::cpu));
}
