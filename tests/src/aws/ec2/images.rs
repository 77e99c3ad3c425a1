//! DescribeImages: which images a caller sees.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html>

use jiff::Timestamp;

use crate::aws::reply::{Outcome, Refused};
use crate::aws::xml::Xml;

use super::image::{Device, Image};
use super::paging::cut;
use super::permissions::Grant;
use super::request::{Request, check_id, image_not_found, time};
use super::state::State;

const FILTERS: &[&str] = &[
    "architecture",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.encrypted",
    "block-device-mapping.snapshot-id",
    "block-device-mapping.volume-size",
    "block-device-mapping.volume-type",
    "boot-mode",
    "creation-date",
    "description",
    "ena-support",
    "hypervisor",
    "image-id",
    "image-type",
    "is-public",
    "name",
    "owner-id",
    "root-device-name",
    "root-device-type",
    "source-image-id",
    "source-image-region",
    "sriov-net-support",
    "state",
    "tag-key",
    "virtualization-type",
];

/// Answers with one page, or with all images that are named.
///
/// Others than the owner see an image while it is available and shared with them; a deprecated one only by its id or
/// with `IncludeDeprecated`. A disabled one is seen by its owner alone, with `IncludeDisabled`, even by its id.
pub(super) fn describe(state: &mut State, request: &Request<'_>) -> Outcome {
    let filters = request.filters(FILTERS)?;
    let ids = request.list("ImageId");
    let with_disabled = request.flag("IncludeDisabled")?;
    let with_deprecated = request.flag("IncludeDeprecated")? || !ids.is_empty();
    let now = request.now();
    let organizations = state.organizations_of(request.account());
    let is_seen = |image: &Image| {
        image.region == request.region()
            && image.is_open_to(request.account(), &organizations, now)
            && (!image.disabled || with_disabled)
            && (image.owner == request.account() || with_deprecated || !image.is_deprecated(now))
    };
    for id in &ids {
        check_id(id, "ami-")?;
        if !state.images.get(*id).is_some_and(is_seen) {
            return Err(image_not_found(id));
        }
    }
    let owners = owners(request);
    let executable_by = request.list("ExecutableBy");
    let candidates = state.images.values().filter(|image| {
        is_seen(image)
            && (ids.is_empty() || ids.contains(&image.id.as_str()))
            && (owners.is_empty() || owners.contains(&image.owner.as_str()))
            && executable_by.iter().all(|who| is_granted(image, who, request.account()))
    });
    let mut page = if ids.is_empty() {
        cut(request, candidates.collect(), |image| image.id.clone())?
    } else {
        super::paging::Page { items: candidates.collect(), next: None }
    };
    page.items.retain(|image| {
        filters.iter().all(|filter| values(image, &filter.name, now).iter().any(|value| filter.accepts(value)))
    });
    request.answer(|xml| {
        xml.list("imagesSet", page.items, |xml, image| write(xml, image, now));
        xml.optional("nextToken", page.next);
    })
}

fn owners<'r>(request: &Request<'r>) -> Vec<&'r str> {
    let owner = |name| if name == "self" { request.account() } else { name };
    request.list("Owner").into_iter().map(owner).collect()
}

/// Whether an image was explicitly shared with `who`: an account, `self` or `all`.
fn is_granted(image: &Image, who: &str, caller: &str) -> bool {
    match who {
        "all" => image.is_public(),
        "self" => image.launch.contains(&Grant::Account(caller.to_owned())),
        account => image.launch.contains(&Grant::Account(account.to_owned())),
    }
}

fn values(image: &Image, filter: &str, now: Timestamp) -> Vec<String> {
    let attributes = &image.attributes;
    let tags = image.tags.seen(now);
    if let Some(key) = filter.strip_prefix("tag:") {
        return tags.get(key).cloned().into_iter().collect();
    }
    if let Some(member) = filter.strip_prefix("block-device-mapping.") {
        return attributes.devices.iter().filter_map(|device| device_value(device, member)).collect();
    }
    let one = match filter {
        "tag-key" => return tags.keys().cloned().collect(),
        "architecture" => Some(attributes.architecture.clone()),
        "boot-mode" => attributes.boot_mode.clone(),
        "creation-date" => Some(time(image.created)),
        "description" => attributes.description.clone(),
        "ena-support" => Some(attributes.ena.to_string()),
        "hypervisor" => Some("xen".to_owned()),
        "image-id" => Some(image.id.clone()),
        "image-type" => Some("machine".to_owned()),
        "is-public" => Some(image.is_public().to_string()),
        "name" => Some(image.name.clone()),
        "owner-id" => Some(image.owner.clone()),
        "root-device-name" => Some(attributes.root_device.clone()),
        "root-device-type" => Some("ebs".to_owned()),
        "source-image-id" => image.source.as_ref().map(|(id, _)| id.clone()),
        "source-image-region" => image.source.as_ref().map(|(_, region)| region.clone()),
        "sriov-net-support" => attributes.sriov.clone(),
        "state" => Some(image.state(now).to_owned()),
        "virtualization-type" => Some("hvm".to_owned()),
        _ => None,
    };
    one.into_iter().collect()
}

fn device_value(device: &Device, member: &str) -> Option<String> {
    match member {
        "delete-on-termination" => Some(device.delete_on_termination.to_string()),
        "device-name" => Some(device.name.clone()),
        "encrypted" => Some(device.encrypted.to_string()),
        "snapshot-id" => device.snapshot.clone(),
        "volume-size" => Some(device.size.to_string()),
        "volume-type" => Some(device.volume_type.clone()),
        _ => None,
    }
}

fn write(xml: &mut Xml, image: &Image, now: Timestamp) {
    let attributes = &image.attributes;
    xml.text("imageId", &image.id)
        .text("imageLocation", format!("{}/{}", image.owner, image.name))
        .text("imageState", image.state(now))
        .text("imageOwnerId", &image.owner)
        .text("isPublic", image.is_public())
        .text("architecture", &attributes.architecture)
        .text("imageType", "machine")
        .text("name", &image.name)
        .optional("description", attributes.description.as_ref())
        .text("creationDate", time(image.created))
        .text("rootDeviceType", "ebs")
        .text("rootDeviceName", &attributes.root_device);
    write_devices(xml, image, now);
    xml.text("virtualizationType", "hvm")
        .text("hypervisor", "xen")
        .text("enaSupport", attributes.ena)
        .text("platformDetails", "Linux/UNIX")
        .text("usageOperation", "RunInstances")
        .optional("sriovNetSupport", attributes.sriov.as_ref())
        .optional("bootMode", attributes.boot_mode.as_ref())
        .optional("tpmSupport", attributes.tpm.as_ref())
        .optional("imdsSupport", attributes.imds.as_ref())
        .optional("deprecationTime", image.deprecate_at.map(time))
        .text("deregistrationProtection", image.protection.word())
        .optional("lastLaunchedTime", image.last_launched.map(time))
        .optional("sourceImageId", image.source.as_ref().map(|(id, _)| id))
        .optional("sourceImageRegion", image.source.as_ref().map(|(_, region)| region))
        .tags(image.tags.seen(now));
    if let Some(reason) = &image.failed {
        xml.node("stateReason", |xml| {
            xml.text("code", "Server.InternalError").text("message", reason);
        });
    }
}

/// While an image is copied, the snapshots of the copy are not told yet.
pub(super) fn write_devices(xml: &mut Xml, image: &Image, now: Timestamp) {
    let hides = image.source.is_some() && image.state(now) == "pending";
    xml.node("blockDeviceMapping", |xml| {
        for device in &image.attributes.devices {
            xml.node("item", |xml| write_device(xml, device, hides));
        }
        for (name, virtual_name) in &image.attributes.virtual_devices {
            xml.node("item", |xml| {
                xml.text("deviceName", name).text("virtualName", virtual_name);
            });
        }
    });
}

fn write_device(xml: &mut Xml, device: &Device, hides_snapshot: bool) {
    xml.text("deviceName", &device.name).node("ebs", |xml| {
        xml.text("deleteOnTermination", device.delete_on_termination)
            .optional("iops", device.iops)
            .optional("snapshotId", device.snapshot.as_ref().filter(|_| !hides_snapshot))
            .text("volumeSize", device.size)
            .text("volumeType", &device.volume_type)
            .optional("throughput", device.throughput)
            .text("encrypted", device.encrypted);
    });
}

/// Refuses a name that EC2 does not take.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>
pub(super) fn check_name(name: &str) -> Result<(), Refused> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "()[] ./-'@_".contains(letter);
    if (3..=128).contains(&name.chars().count()) && name.chars().all(allowed) {
        return Ok(());
    }
    let message = "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', \
                   '[', ']', ' ', '.', '/', '-', ''', '@' and '_'";
    Err(Refused::bad("InvalidAMIName.Malformed", message))
}
