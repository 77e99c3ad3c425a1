//! OpenStack: an upload to a real Glance beside other clients, and a release that is finished already.

use std::process::Command;

use serde_json::{Value, json};

use super::{Row, Runs, folder, link, site_of};
use crate::foreign;
use crate::images::{self, DiskImage};
use crate::measure::{Used, measure};
use crate::servers::{OpenStack, PUBLISHER_ADMIN, REGIONS, unique_owner};
use crate::site::{Artifact, Site};

const LINE: &str = "--release bookworm-20240101 --to openstack --no-progress";

/// Names carry the owner: everybody shares one project.
fn config(owner: &str, regions: &[&str]) -> String {
    format!(
        "schema = 1\nowner = \"{owner}\"\nreleases = \"releases\"\nstate = \"state\"\n[naming]\n\
         image = \"{{owner}}-{{variant}}-{{arch}}{{class_suffix}}-{{version}}\"\n[target.openstack]\n\
         provider = \"openstack\"\ncloud = \"{PUBLISHER_ADMIN}\"\nregions = {regions:?}\nvisibility = \"public\"\n"
    )
}

fn publish_uploads(big: &DiskImage) -> Used {
    let owner = unique_owner("bench");
    let (site, _folder) = site_of(&big.raw, "raw", &config(&owner, &REGIONS[..1]));
    let used = measure(&site.command(LINE));
    foreign::wipe(&owner);
    used
}

fn openstackclient_uploads(big: &DiskImage) -> Used {
    let owner = unique_owner("client");
    let (property, file) = (format!("cloud-publish-owner={owner}"), big.raw.path.display().to_string());
    let what = ["--disk-format", "raw", "--container-format", "bare", "--property", &property, "--file", &file, &owner];
    let arguments = [&["image", "create"], &what[..]].concat();
    let used = measure(&foreign::client(PUBLISHER_ADMIN, REGIONS[0], &arguments));
    foreign::wipe(&owner);
    used
}

/// `curl` with a token of python-openstackclient.
fn curl(content_type: &str) -> Command {
    let issue = ["token", "issue", "--format", "value", "--column", "id"];
    let token = foreign::openstack_cli(PUBLISHER_ADMIN, REGIONS[0], &issue);
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail", "--header", &format!("content-type: {content_type}")]);
    curl.args(["--header", &format!("x-auth-token: {}", token.trim())]);
    curl
}

/// An upload and nothing else: the record is there, nothing is hashed or compared.
fn curl_uploads(big: &DiskImage) -> Used {
    let (owner, glance) = (unique_owner("curl"), &OpenStack::from_env().glance[0]);
    let record = json!({"name": owner, "disk_format": "raw", "container_format": "bare", "cloud-publish-owner": owner});
    let mut create = curl("application/json");
    create.args(["--data", &record.to_string(), &format!("{glance}/v2/images")]);
    let made: Value = serde_json::from_slice(&create.output().expect("curl").stdout).expect("the record");
    let mut send = curl("application/octet-stream");
    send.arg("--upload-file").arg(&big.raw.path);
    send.arg(format!("{glance}/v2/images/{}/file", made["id"].as_str().expect("an id")));
    let used = measure(&send);
    foreign::wipe(&owner);
    used
}

/// The wall time of a run that finds nothing to do, in both regions.
fn rerun(big: &DiskImage, runs: Runs) -> Row {
    let (owner, folder) = (unique_owner("rerun"), folder());
    let site = Site::new(folder.path(), &config(&owner, &REGIONS));
    link(&big.qcow2, &site, "disk.qcow2");
    let boot = "uefi-preferred";
    site.add_by_sha256(
        Artifact { variant: "generic", file: "disk.qcow2", format: "qcow2", boot, build_manifest: None },
        &big.qcow2.sha256,
    );
    measure(&site.command(LINE));
    let [again] = runs.medians([&|| measure(&site.command(LINE))]);
    foreign::wipe(&owner);
    Row::alone(("a finished release again, two regions", "wall s"), again.wall().as_secs_f64(), 1.0)
}

pub(super) fn rows(runs: &Runs) -> Vec<Row> {
    let big = images::big();
    let (site, _folder) = site_of(&big.raw, "raw", &config("nobody", &REGIONS[..1]));
    let [ours, check, curl, client] =
        runs.medians([&|| publish_uploads(&big), &|| measure(&site.command("check")), &|| curl_uploads(&big), &|| {
            openstackclient_uploads(&big)
        }]);
    let upload = ours.without(check);
    let what = "upload of a raw disk of 3 GiB to Glance";
    vec![
        Row::beside((what, "wall s"), upload.wall().as_secs_f64(), ("curl", curl.wall().as_secs_f64()), 1.5),
        Row::beside(
            (what, "CPU s"),
            upload.cpu().as_secs_f64(),
            ("openstack image create", client.cpu().as_secs_f64()),
            0.5,
        ),
        Row::alone(("memory for it", "MiB"), ours.memory() as f64 / 1024.0, 64.0),
        rerun(&big, *runs),
    ]
}
