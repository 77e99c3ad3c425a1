//! RegisterImage: an image from snapshots, and all that EC2 wants of it.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html>

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::aws::query::{self, Params};
use crate::aws::reply::{Outcome, Refused};

use super::image::{Attributes, Device, Image, Protection};
use super::images::check_name;
use super::lagging::{Lagging, later};
use super::request::{Request, check_id, combination, invalid, limit, snapshot_not_found};
use super::state::State;

/// The most bytes of a UEFI variable store.
const UEFI_DATA: usize = 64 * 1024;

/// What gp3 volumes may have: GiB, IOPS, IOPS for each GiB, MiB/s, IOPS for each MiB/s.
///
/// <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>
const GP3: Gp3 =
    Gp3 { size: 1..=65_536, iops: 3000..=80_000, iops_per_gib: 500, throughput: 125..=2000, iops_per_mib: 4 };

struct Gp3 {
    size: std::ops::RangeInclusive<u64>,
    iops: std::ops::RangeInclusive<u64>,
    iops_per_gib: u64,
    throughput: std::ops::RangeInclusive<u64>,
    iops_per_mib: u64,
}

/// Makes an image: pending at first, private, named like no other of this account and region.
pub(super) fn register(state: &mut State, request: &Request<'_>) -> Outcome {
    let name = request.required("Name")?;
    check_name(name)?;
    let tags = request.tags_for("image", &["image"])?;
    let attributes = attributes(state, request)?;
    let mut own =
        state.images.values().filter(|image| image.owner == request.account() && image.region == request.region());
    if let Some(other) = own.clone().find(|image| image.name == name) {
        let message = format!("AMI name {name} is already in use by AMI {}", other.id);
        return Err(Refused::bad("InvalidAMIName.Duplicate", message));
    }
    let quota = request.quotas().images;
    if own.by_ref().count() as u64 >= quota {
        return Err(limit(format!("You have reached your quota of {quota} for the number of images in this Region.")));
    }
    let (now, delays) = (request.now(), request.settings.delays);
    let image = Image {
        id: state.new_id("ami-"),
        owner: request.account().to_owned(),
        region: request.region().to_owned(),
        name: name.to_owned(),
        attributes,
        created: now,
        visible_at: later(now, delays.image_visible),
        available_at: later(now, delays.image_available),
        failed: None,
        disabled: false,
        launch: BTreeSet::new(),
        deprecate_at: None,
        protection: Protection::Off,
        tags: Lagging::new(tags),
        source: None,
        last_launched: None,
    };
    let id = image.id.clone();
    state.images.insert(id.clone(), image);
    request.answer(|xml| {
        xml.text("imageId", id);
    })
}

fn attributes(state: &State, request: &Request<'_>) -> Result<Attributes, Refused> {
    let text = |name: &str| request.text(name).map(str::to_owned);
    if request.text("VirtualizationType") != Some("hvm") {
        return Err(combination("paravirtual, the default, needs a kernel; virtualizationType has to be hvm"));
    }
    if !request.list("BillingProduct").is_empty() {
        let message = "This account is not authorized to specify billing product codes";
        return Err(Refused::new(403, "AuthFailure", message));
    }
    let attributes = Attributes {
        description: text("Description"),
        architecture: request.text("Architecture").unwrap_or("i386").to_owned(),
        root_device: request.required("RootDeviceName")?.to_owned(),
        devices: devices(state, request)?,
        virtual_devices: virtual_devices(request)?,
        boot_mode: text("BootMode"),
        tpm: text("TpmSupport"),
        imds: text("ImdsSupport"),
        uefi_data: text("UefiData"),
        ena: request.flag("EnaSupport")?,
        sriov: text("SriovNetSupport"),
        billing_products: Vec::new(),
    };
    let root = attributes.devices.iter().find(|device| device.name == attributes.root_device);
    if root.is_none_or(|device| device.snapshot.is_none()) {
        let message = "No snapshot is mapped to the root device";
        return Err(Refused::bad("InvalidBlockDeviceMapping", message));
    }
    check_values(&attributes)?;
    check_boot(&attributes)?;
    Ok(attributes)
}

fn check_values(attributes: &Attributes) -> Result<(), Refused> {
    let boot_modes = ["legacy-bios", "uefi", "uefi-preferred"];
    for (name, value, known) in [
        ("architecture", Some(&attributes.architecture), &["i386", "x86_64", "arm64"][..]),
        ("bootMode", attributes.boot_mode.as_ref(), &boot_modes),
        ("tpmSupport", attributes.tpm.as_ref(), &["v2.0"]),
        ("imdsSupport", attributes.imds.as_ref(), &["v2.0"]),
        ("sriovNetSupport", attributes.sriov.as_ref(), &["simple"]),
    ] {
        if let Some(value) = value.filter(|value| !known.contains(&value.as_str())) {
            return Err(invalid(format!("Value ({value}) for parameter {name} is invalid.")));
        }
    }
    Ok(())
}

/// Which boot modes go with which architecture, a TPM and UEFI variables.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ami-boot.html>,
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/enable-nitrotpm-prerequisites.html>
fn check_boot(attributes: &Attributes) -> Result<(), Refused> {
    let mode = attributes.boot_mode.as_deref();
    let refused = match (attributes.architecture.as_str(), mode) {
        ("arm64", Some("legacy-bios" | "uefi-preferred")) => Some("arm64 images boot with uefi only"),
        ("i386", Some("uefi" | "uefi-preferred")) => Some("i386 images boot with legacy-bios only"),
        _ if attributes.tpm.is_some() && mode != Some("uefi") => Some("tpmSupport needs the boot mode uefi"),
        (architecture, None | Some("legacy-bios")) if attributes.uefi_data.is_some() && architecture != "arm64" => {
            Some("uefiData needs a boot mode with uefi")
        }
        _ => None,
    };
    if let Some(message) = refused {
        return Err(combination(message));
    }
    match attributes.uefi_data.as_ref().map(|data| BASE64.decode(data)) {
        Some(Err(_)) => Err(invalid("uefiData is not base64")),
        Some(Ok(data)) if data.len() > UEFI_DATA => Err(invalid("uefiData is larger than 64 KiB")),
        _ => Ok(()),
    }
}

fn devices(state: &State, request: &Request<'_>) -> Result<Vec<Device>, Refused> {
    let mut devices: Vec<Device> = Vec::new();
    for mapping in query::items(request.params(), "BlockDeviceMapping") {
        let name = query::required(&mapping, "DeviceName")?;
        if mapping.contains_key("VirtualName") || mapping.contains_key("NoDevice") {
            continue;
        }
        if devices.iter().any(|device| device.name == name) {
            return Err(Refused::bad(
                "InvalidBlockDeviceMapping",
                format!("The device '{name}' is used several times."),
            ));
        }
        let ebs = query::members(&mapping, "Ebs");
        devices.push(Device { name: name.to_owned(), ..device(state, request, &ebs)? });
    }
    Ok(devices)
}

fn virtual_devices(request: &Request<'_>) -> Result<Vec<(String, String)>, Refused> {
    let mut devices = Vec::new();
    for mapping in query::items(request.params(), "BlockDeviceMapping") {
        if let Some(name) = query::text(&mapping, "VirtualName") {
            devices.push((query::required(&mapping, "DeviceName")?.to_owned(), name.to_owned()));
        }
    }
    Ok(devices)
}

fn device(state: &State, request: &Request<'_>, ebs: &Params) -> Result<Device, Refused> {
    let snapshot = query::text(ebs, "SnapshotId").map(|id| usable(state, request, id)).transpose()?;
    if snapshot.is_some() && ebs.contains_key("Encrypted") {
        return Err(invalid("The parameter encrypted cannot be given for a volume that is made from a snapshot"));
    }
    let least = snapshot.map(|(_, size, _)| size);
    let size = query::parsed(ebs, "VolumeSize")?.or(least);
    let Some(size) = size else {
        return Err(Refused::bad("MissingParameter", "The request must contain the size or snapshotId parameter"));
    };
    if let Some(least) = least.filter(|least| size < *least) {
        let message = format!("Volume of size {size}GB is smaller than its snapshot, expect size >= {least}GB");
        return Err(Refused::bad("InvalidBlockDeviceMapping", message));
    }
    let volume_type = query::text(ebs, "VolumeType").unwrap_or("gp2").to_owned();
    let mut device = Device {
        name: String::new(),
        snapshot: snapshot.map(|(id, ..)| id.to_owned()),
        size,
        iops: query::parsed(ebs, "Iops")?,
        throughput: query::parsed(ebs, "Throughput")?,
        delete_on_termination: query::parsed(ebs, "DeleteOnTermination")?.unwrap_or(true),
        encrypted: snapshot.is_some_and(|(.., encrypted)| encrypted) || query::flag(ebs, "Encrypted")?,
        volume_type,
    };
    check_volume(&mut device)?;
    Ok(device)
}

/// A completed snapshot that the caller may use: its id, GiB, and whether it is encrypted.
fn usable<'i>(state: &State, request: &Request<'_>, id: &'i str) -> Result<(&'i str, u64, bool), Refused> {
    check_id(id, "snap-")?;
    let now = request.now();
    let snapshot = state
        .snapshots
        .get(id)
        .filter(|snapshot| snapshot.region == request.region() && snapshot.visible_at <= now)
        .filter(|snapshot| state.may_read(request, snapshot))
        .ok_or_else(|| snapshot_not_found(id))?;
    match snapshot.state(now) {
        "completed" => Ok((id, snapshot.size, snapshot.encrypted)),
        state => Err(Refused::bad("IncorrectState", format!("Snapshot is in invalid state - {state}"))),
    }
}

fn check_volume(device: &mut Device) -> Result<(), Refused> {
    let wrong = |message: String| Err(Refused::bad("InvalidParameterCombination", message));
    match device.volume_type.as_str() {
        "gp3" => {
            let iops = *device.iops.get_or_insert(*GP3.iops.start());
            let throughput = *device.throughput.get_or_insert(*GP3.throughput.start());
            if !GP3.size.contains(&device.size) || !GP3.iops.contains(&iops) || !GP3.throughput.contains(&throughput) {
                return Err(invalid(format!(
                    "gp3 has 1 to 65536 GiB, 3000 to 80000 IOPS and 125 to 2000 MiB/s, not {}, {iops} and {throughput}",
                    device.size
                )));
            }
            if iops > *GP3.iops.start() && iops > device.size * GP3.iops_per_gib {
                return wrong(format!("Iops to volume size ratio of {iops} to {} is too high", device.size));
            }
            if throughput > *GP3.throughput.start() && throughput * GP3.iops_per_mib > iops {
                return wrong(format!("Throughput to iops ratio of {throughput} to {iops} is too high"));
            }
        }
        "gp2" | "standard" | "sc1" | "st1" => {
            if device.iops.is_some() || device.throughput.is_some() {
                return wrong(format!("{} volumes have no iops and throughput of their own", device.volume_type));
            }
        }
        "io1" | "io2" => {
            if device.iops.is_none() || device.throughput.is_some() {
                return wrong(format!("{} volumes need iops and have no throughput", device.volume_type));
            }
        }
        other => return Err(invalid(format!("Value ({other}) for parameter volumeType is invalid."))),
    }
    Ok(())
}
