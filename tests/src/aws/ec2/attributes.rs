//! Attributes of images and snapshots, one per call; above all, whom they are shared with.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html>,
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySnapshotAttribute.html>

use crate::aws::reply::{Outcome, Refused};
use crate::aws::xml::Xml;

use super::images::write_devices;
use super::permissions::{Change, Grant, change};
use super::request::{Request, combination, image_unavailable, invalid, limit, not_permitted, time};
use super::state::State;
use super::{deprecation, image::Image};

/// Tells the owner one attribute.
pub(super) fn describe_image(state: &mut State, request: &Request<'_>) -> Outcome {
    let image = state.own_image(request, request.required("ImageId")?)?;
    let attributes = &image.attributes;
    let (name, value) = match request.required("Attribute")? {
        "launchPermission" => {
            return request.answer(|xml| {
                let grants = &image.launch;
                xml.text("imageId", &image.id).list("launchPermission", grants, |xml, grant| grant.write(xml));
            });
        }
        "blockDeviceMapping" => {
            return request.answer(|xml| {
                xml.text("imageId", &image.id);
                write_devices(xml, image, request.now());
            });
        }
        "description" => ("description", attributes.description.clone()),
        "sriovNetSupport" => ("sriovNetSupport", attributes.sriov.clone()),
        "bootMode" => ("bootMode", attributes.boot_mode.clone()),
        "tpmSupport" => ("tpmSupport", attributes.tpm.clone()),
        "uefiData" => ("uefiData", attributes.uefi_data.clone()),
        "imdsSupport" => ("imdsSupport", attributes.imds.clone()),
        "lastLaunchedTime" => ("lastLaunchedTime", image.last_launched.map(time)),
        "deregistrationProtection" => ("deregistrationProtection", Some(image.protection.word().to_owned())),
        other => return Err(invalid(format!("Value ({other}) for parameter attribute is invalid."))),
    };
    request.answer(|xml| {
        xml.text("imageId", &image.id).node(name, |xml: &mut Xml| {
            xml.optional("value", value);
        });
    })
}

/// Changes one attribute: permissions, the description, or IMDSv2, which cannot be undone.
pub(super) fn modify_image(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("ImageId")?;
    match one_attribute(request, &["LaunchPermission", "Description", "ImdsSupport"])? {
        "launchPermission" => share_image(state, request, id),
        "description" => {
            let text = request.params().get("Description.Value").map(String::as_str).or(request.text("Value"));
            let image = changeable(state, request, id)?;
            image.attributes.description = text.map(str::to_owned).filter(|text| !text.is_empty());
            request.done()
        }
        "imdsSupport" => {
            let value = request.text("ImdsSupport.Value").or(request.text("Value"));
            if value != Some("v2.0") {
                return Err(invalid("Value for parameter imdsSupport is invalid."));
            }
            changeable(state, request, id)?.attributes.imds = value.map(str::to_owned);
            request.done()
        }
        other => Err(invalid(format!("Value ({other}) for parameter attribute is invalid."))),
    }
}

/// Which attribute is meant: `Attribute`, or the one structure of `structures` that is there.
fn one_attribute<'r>(request: &Request<'r>, structures: &[&'static str]) -> Result<&'r str, Refused> {
    let named = request.text("Attribute");
    let is_there = |name: &&&'static str| {
        request.params().keys().any(|key| key.strip_prefix(**name).is_some_and(|rest| rest.starts_with('.')))
    };
    let mut there = structures.iter().filter(is_there).map(|name| match *name {
        "LaunchPermission" => "launchPermission",
        "CreateVolumePermission" => "createVolumePermission",
        "Description" => "description",
        _ => "imdsSupport",
    });
    match (named, there.next(), there.next()) {
        (Some(named), None, _) => Ok(named),
        // awspub writes `LaunchPermission`, and is understood.
        (Some(named), Some(other), None) if named.eq_ignore_ascii_case(other) => Ok(other),
        (None, Some(only), None) => Ok(only),
        (None, None, _) => Err(combination("No attributes specified.")),
        _ => Err(combination("Fields for multiple attribute types specified.")),
    }
}

/// The caller's image, if it is in a state in which attributes can be changed.
fn changeable<'s>(state: &'s mut State, request: &Request<'_>, id: &str) -> Result<&'s mut Image, Refused> {
    let image = state.own_image(request, id)?;
    if image.state(request.now()) == "available" { Ok(image) } else { Err(image_unavailable(id)) }
}

fn share_image(state: &mut State, request: &Request<'_>, id: &str) -> Outcome {
    let Change { add, remove } = change(request, "LaunchPermission")?;
    let becomes_public = add.contains(&Grant::All) && !changeable(state, request, id)?.is_public();
    if becomes_public {
        check_public_image(state, request, id)?;
    }
    let image = changeable(state, request, id)?;
    let before = image.launch.clone();
    image.launch.extend(add);
    image.launch.retain(|grant| !remove.contains(grant));
    if becomes_public {
        deprecation::force(image);
    }
    if image.launch != before {
        let grants = image.launch.clone();
        request.expose("image", id, &grants);
    }
    request.done()
}

/// What keeps an image from becoming public.
fn check_public_image(state: &mut State, request: &Request<'_>, id: &str) -> Result<(), Refused> {
    if state.blocks_public_images(request) {
        let message = "You can't publicly share this image because block public access for AMIs is enabled";
        return Err(not_permitted(message));
    }
    let image = state.own_image(request, id)?;
    if image.attributes.devices.iter().any(|device| device.encrypted) {
        return Err(not_permitted("Images with encrypted snapshots cannot be made public"));
    }
    let own = |image: &&Image| image.owner == request.account() && image.region == request.region();
    let public = state.images.values().filter(own).filter(|image| image.is_public()).count() as u64;
    let quota = request.quotas().public_images;
    if public >= quota {
        return Err(limit(format!(
            "You have reached your quota of {quota} for the number of public images allowed in this Region. Deregister \
             unused public images or make them private, or request an increase in your public AMIs quota."
        )));
    }
    Ok(())
}

/// Takes all launch permissions away.
pub(super) fn reset_image(state: &mut State, request: &Request<'_>) -> Outcome {
    let (id, attribute) = (request.required("ImageId")?, request.required("Attribute")?);
    if attribute != "launchPermission" {
        return Err(invalid(format!("Value ({attribute}) for parameter attribute is invalid.")));
    }
    let image = changeable(state, request, id)?;
    if !image.launch.is_empty() {
        image.launch.clear();
        request.expose("image", id, &Default::default());
    }
    request.done()
}

/// Tells the owner who may make volumes of a snapshot.
pub(super) fn describe_snapshot(state: &mut State, request: &Request<'_>) -> Outcome {
    let attribute = request.required("Attribute")?;
    let snapshot = state.own_snapshot(request, request.required("SnapshotId")?)?;
    match attribute {
        "createVolumePermission" => request.answer(|xml| {
            let grants = &snapshot.volume;
            xml.text("snapshotId", &snapshot.id).list("createVolumePermission", grants, |xml, grant| grant.write(xml));
        }),
        "productCodes" => request.answer(|xml| {
            xml.text("snapshotId", &snapshot.id).list("productCodes", [(); 0], |_, ()| {});
        }),
        other => Err(invalid(format!("Value ({other}) for parameter attribute is invalid."))),
    }
}

/// Adds or removes who may make volumes of a snapshot, not both; there are no organisations here.
pub(super) fn modify_snapshot(state: &mut State, request: &Request<'_>) -> Outcome {
    let id = request.required("SnapshotId")?;
    let attribute = one_attribute(request, &["CreateVolumePermission"])?;
    if attribute != "createVolumePermission" {
        return Err(invalid(format!("Value ({attribute}) for parameter attribute is invalid.")));
    }
    let Change { add, remove } = change(request, "CreateVolumePermission")?;
    if !add.is_empty() && !remove.is_empty() {
        return Err(combination("Permissions cannot be added and removed in one request"));
    }
    if add.iter().chain(&remove).any(|grant| matches!(grant, Grant::Organization(_) | Grant::Unit(_))) {
        return Err(invalid("Snapshots are shared with accounts or with all"));
    }
    let is_blocked = add.contains(&Grant::All) && state.blocks_public_snapshots(request);
    let now = request.now();
    let snapshot = state.own_snapshot(request, id)?;
    if snapshot.state(now) != "completed" {
        return Err(Refused::bad("IncorrectState", format!("Snapshot is in invalid state - {}", snapshot.state(now))));
    }
    if add.contains(&Grant::All) && !snapshot.is_public() {
        if is_blocked {
            let message = "Block public access for snapshots is enabled: the snapshot cannot be publicly shared";
            return Err(not_permitted(message));
        }
        if snapshot.encrypted {
            return Err(not_permitted("Encrypted snapshots cannot be made public"));
        }
    }
    if !add.is_empty() && snapshot.encrypted {
        return Err(not_permitted("Encrypted snapshots with EBS default key cannot be shared"));
    }
    let before = snapshot.volume.clone();
    snapshot.volume.extend(add);
    snapshot.volume.retain(|grant| !remove.contains(grant));
    if snapshot.volume != before {
        let grants = snapshot.volume.clone();
        request.expose("snapshot", id, &grants);
    }
    request.done()
}

/// Takes all permissions of a snapshot away.
pub(super) fn reset_snapshot(state: &mut State, request: &Request<'_>) -> Outcome {
    let (id, attribute) = (request.required("SnapshotId")?, request.required("Attribute")?);
    if attribute != "createVolumePermission" {
        return Err(invalid(format!("Value ({attribute}) for parameter attribute is invalid.")));
    }
    let snapshot = state.own_snapshot(request, id)?;
    if !snapshot.volume.is_empty() {
        snapshot.volume.clear();
        request.expose("snapshot", id, &Default::default());
    }
    request.done()
}
