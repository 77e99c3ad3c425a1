//! May we? EC2 answers that by `DryRun`: `DryRunOperation` is yes, `UnauthorizedOperation` is no
//! (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html>).
//!
//! The objects do not exist yet, so the questions name ids that nobody has: a policy that allows by tags of the object
//! answers no. Tags in creating calls need a permission of their own, which is asked for by itself.

use std::future::Future;

use aws_sdk_ec2::error::SdkError;
use aws_sdk_ec2::types::{
    BlockDeviceMapping, CreateVolumePermission, CreateVolumePermissionModifications, EbsBlockDevice,
    ImageAttributeName, LaunchPermission, LaunchPermissionModifications, PermissionGroup, SnapshotAttributeName,
    SnapshotDiskContainer, Tag, UserBucket,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cloud_publish_core::error::Result;
use cloud_publish_core::manifest::Visibility;
use cloud_publish_core::names::Region;
use cloud_publish_core::publisher::{Context, Finding, ImageSpec};
use futures::future::{BoxFuture, FutureExt as _};

use super::Work;
use super::finding::refusal;
use crate::config::{AwsConfig, SnapshotVisibility, Upload};
use crate::error::code;
use crate::publisher::Here;
use crate::tags::OWNER;

/// Ids of the right form that nobody has.
const IMAGE: &str = "ami-00000000000000000";
const SNAPSHOT: &str = "snap-00000000000000000";

/// A call that was refused, or none.
type Answer<'a> = BoxFuture<'a, Result<Option<&'static str>>>;

/// The calls of this run that the credentials may not make here, in one finding.
pub(super) async fn missing(
    here: &Here,
    (context, config): (&Context, &AwsConfig),
    (work, home): (&Work<'_>, &Region),
) -> Option<Finding> {
    let questions = Questions { here, context, config };
    let mut answers: Vec<Answer<'_>> = Vec::new();
    if let Some(spec) = work.makes.first() {
        answers.extend(if here.region == *home {
            questions.registering(spec)
        } else {
            vec![questions.copying(spec, home)]
        });
        answers.extend(questions.making(&work.makes));
    }
    if work.shows.iter().any(|spec| spec.visibility != Visibility::Private) {
        answers.extend(questions.showing(&work.shows));
    }
    let mut refused = Vec::new();
    for answer in answers {
        // Only being asked to stop is an error here, and that is seen by the caller.
        refused.extend(answer.await.ok()?);
    }
    let names: Vec<String> = refused.iter().map(|operation| format!("ec2:{operation}")).collect();
    let list = names.join(", ");
    (!names.is_empty()).then(|| {
        let hint = format!("allow {list} to who publishes: the crate's page of cloud-publish-aws has the whole policy");
        refusal(Some(&here.region), format!("the credentials may not do: {list}"), hint)
    })
}

struct Questions<'a> {
    here: &'a Here,
    context: &'a Context,
    config: &'a AwsConfig,
}

impl<'a> Questions<'a> {
    fn ask<T, E, R>(
        &self,
        operation: &'static str,
        sent: impl Future<Output = Result<T, SdkError<E, R>>> + Send + 'a,
    ) -> Answer<'a>
    where
        T: Send,
        E: ProvideErrorMetadata + Send,
        R: Send,
    {
        let context = self.context;
        async move {
            let answer = context.or_cancelled(sent).await?;
            let refusal = answer.err().filter(|error| code(error) == Some("UnauthorizedOperation"));
            Ok(refusal.map(|_| operation))
        }
        .boxed()
    }

    fn registering(&self, spec: &ImageSpec) -> Vec<Answer<'a>> {
        let ec2 = &self.here.clients.ec2;
        let disk = EbsBlockDevice::builder().snapshot_id(SNAPSHOT).build();
        let root = &self.config.image.root_device;
        let mapping = BlockDeviceMapping::builder().device_name(root).ebs(disk).build();
        let register = ec2.register_image().dry_run(true).name(spec.name.as_str()).root_device_name(root);
        let mut answers = vec![self.ask("RegisterImage", register.block_device_mappings(mapping).send())];
        if let (Upload::S3Import, Some(import)) = (self.config.upload, &self.config.import) {
            let bucket = UserBucket::builder().s3_bucket(&import.bucket).s3_key("cloud-publish").build();
            let container = SnapshotDiskContainer::builder().format("RAW").user_bucket(bucket).build();
            let call = ec2.import_snapshot().dry_run(true).role_name(&import.role).disk_container(container);
            answers.push(self.ask("ImportSnapshot", call.send()));
        }
        answers
    }

    fn copying(&self, spec: &ImageSpec, home: &Region) -> Answer<'a> {
        let copy = self.here.clients.ec2.copy_image().dry_run(true).name(spec.name.as_str());
        self.ask("CopyImage", copy.source_image_id(IMAGE).source_region(home.as_str()).send())
    }

    fn making(&self, specs: &[&ImageSpec]) -> Vec<Answer<'a>> {
        let ec2 = &self.here.clients.ec2;
        let owner = specs.first().map(|spec| Tag::builder().key(OWNER).value(spec.tags.owner.as_str()).build());
        let tags = ec2.create_tags().dry_run(true).resources(SNAPSHOT).set_tags(Some(owner.into_iter().collect()));
        let mut answers = vec![self.ask("CreateTags", tags.send())];
        if specs.iter().any(|spec| self.config.deregistration_protection.contains(&spec.tags.class)) {
            let call = ec2.enable_image_deregistration_protection().dry_run(true).image_id(IMAGE);
            answers.push(self.ask("EnableImageDeregistrationProtection", call.send()));
        }
        if specs.iter().any(|spec| self.config.deprecate_after_days.contains_key(&spec.tags.class)) {
            let soon = DateTime::from_secs(self.context.clock().now().as_second().saturating_add(86_400));
            let call = ec2.enable_image_deprecation().dry_run(true).image_id(IMAGE).deprecate_at(soon);
            answers.push(self.ask("EnableImageDeprecation", call.send()));
        }
        answers
    }

    fn showing(&self, specs: &[&ImageSpec]) -> Vec<Answer<'a>> {
        let ec2 = &self.here.clients.ec2;
        let all = LaunchPermission::builder().group(PermissionGroup::All).build();
        let change = LaunchPermissionModifications::builder().add(all).build();
        let modify = ec2.modify_image_attribute().dry_run(true).image_id(IMAGE).launch_permission(change);
        let read = ec2.describe_image_attribute().dry_run(true).image_id(IMAGE);
        let read = read.attribute(ImageAttributeName::LaunchPermission);
        let mut answers =
            vec![self.ask("ModifyImageAttribute", modify.send()), self.ask("DescribeImageAttribute", read.send())];
        let read = ec2.describe_snapshot_attribute().dry_run(true).snapshot_id(SNAPSHOT);
        let read = read.attribute(SnapshotAttributeName::CreateVolumePermission);
        answers.push(self.ask("DescribeSnapshotAttribute", read.send()));
        if self.config.snapshots == SnapshotVisibility::AsImage {
            let all = CreateVolumePermission::builder().group(PermissionGroup::All).build();
            let change = CreateVolumePermissionModifications::builder().add(all).build();
            let call = ec2.modify_snapshot_attribute().dry_run(true).snapshot_id(SNAPSHOT);
            answers.push(self.ask("ModifySnapshotAttribute", call.create_volume_permission(change).send()));
        }
        if self.config.manage_block_public_access && specs.iter().any(|spec| spec.visibility == Visibility::Public) {
            let call = ec2.disable_image_block_public_access().dry_run(true);
            answers.push(self.ask("DisableImageBlockPublicAccess", call.send()));
            if self.config.snapshots == SnapshotVisibility::AsImage {
                let call = ec2.disable_snapshot_block_public_access().dry_run(true);
                answers.push(self.ask("DisableSnapshotBlockPublicAccess", call.send()));
            }
        }
        answers
    }
}
