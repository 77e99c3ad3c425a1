//! Makes a private image of a snapshot, with everything in the creating call that it can carry.
//!
//! `RegisterImage` has no client token: what stands for it is the image's name, which EC2 keeps unique within account
//! and region. A name that is taken is looked up; ours, by its tags, is adopted: an earlier reply was lost, or another
//! publisher was quicker.

mod name;

use aws_sdk_ec2::operation::register_image::builders::RegisterImageFluentBuilder;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, EbsBlockDevice, Image, ImdsSupportValues, ResourceType, TpmSupportValues,
};
use cloud_publish_core::error::{Error, Kind, Result};
use cloud_publish_core::publisher::{Context, RegisterRequest, Registered};

use crate::attributes::{Attributes, read_uefi_data};
use crate::available::{REGISTERED, available, id_of, registered};
use crate::config::AwsConfig;
use crate::error::{classify, code};
use crate::finish::finish;
use crate::guard::{confirm, find};
use crate::publisher::Here;
use crate::snapshot;
use crate::tags::{all, specification};

pub(crate) async fn register(here: &Here, at: (&Context, &AwsConfig), request: &RegisterRequest) -> Result<Registered> {
    let (context, config) = at;
    let spec = &request.image;
    let attributes = Attributes::of(spec, config)?;
    let id = match find(here, context, &spec.tags).await? {
        Some(image) => id_of(&image)?.to_owned(),
        None => make(here, context, request, &attributes).await?,
    };
    let image: Image = available(here, context, &id, REGISTERED).await?;
    confirm(here, &image, &spec.tags)?;
    finish(here, at, &image, spec).await?;
    registered(here, &id)
}

/// Makes the image, or finds who made it meanwhile; returns its id.
async fn make(here: &Here, context: &Context, request: &RegisterRequest, attributes: &Attributes) -> Result<String> {
    let staged = snapshot::ours(here, context, (&request.staged.id, &request.image.tags)).await?;
    if !snapshot::is_completed(&staged) {
        return Err(Error::new(Kind::Conflict, format!("snapshot {} is not complete", request.staged.id))
            .hint("run the same command again: it finishes the upload"));
    }
    let mut call = call(here, request, attributes);
    if let Some(path) = &attributes.uefi_data {
        call = call.uefi_data(read_uefi_data(path).await?);
    }
    match context.or_cancelled(call.send()).await? {
        Ok(answer) => answer.image_id.ok_or_else(|| {
            Error::new(Kind::Unexpected, "AWS registered an image without an id").during("RegisterImage")
        }),
        Err(error) if code(&error) == Some(name::TAKEN) => name::holder(here, context, &request.image).await,
        Err(error) => Err(classify(&error, "RegisterImage")),
    }
}

/// Tags of the snapshot are not among what the call can set; they are there since it was started.
fn call(here: &Here, request: &RegisterRequest, attributes: &Attributes) -> RegisterImageFluentBuilder {
    let spec = &request.image;
    let volume = &attributes.volume;
    let size = i32::try_from(volume.size).ok();
    let rate = |rate: Option<u32>| rate.and_then(|rate| i32::try_from(rate).ok());
    let root = EbsBlockDevice::builder()
        .snapshot_id(&request.staged.id)
        .volume_type(volume.kind.clone())
        .set_volume_size(size)
        .set_iops(rate(volume.iops))
        .set_throughput(rate(volume.throughput))
        .delete_on_termination(true)
        .build();
    let mapping = BlockDeviceMapping::builder().device_name(&attributes.root_device).ebs(root).build();
    let billing = Some(attributes.billing_products.clone()).filter(|codes| !codes.is_empty());
    here.clients
        .ec2
        .register_image()
        .name(spec.name.as_str())
        .set_description(Some(spec.description.clone()).filter(|text| !text.is_empty()))
        .architecture(attributes.architecture.clone())
        .virtualization_type("hvm")
        .root_device_name(&attributes.root_device)
        .block_device_mappings(mapping)
        .boot_mode(attributes.boot_mode.clone())
        .set_ena_support(attributes.ena.then_some(true))
        .set_sriov_net_support(attributes.sriov.then(|| "simple".to_owned()))
        .set_tpm_support(attributes.tpm.then_some(TpmSupportValues::V20))
        .set_imds_support(attributes.imdsv2.then_some(ImdsSupportValues::V20))
        .set_billing_products(billing)
        .tag_specifications(specification(ResourceType::Image, &all(spec, here)))
}
