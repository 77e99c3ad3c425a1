//! Which operations there are, with the first parts of the names of their parameters.

use crate::aws::reply::Outcome;

use super::request::Request;
use super::state::State;
use super::{
    attributes, block_public_access, copy, deprecation, images, launch, lifecycle, regions, register, snapshots, tags,
    usage,
};

/// One operation.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
    pub(super) handle: fn(&mut State, &Request<'_>) -> Outcome,
}

/// All that this EC2 has.
pub(super) const OPERATIONS: &[Operation] = &[
    operation("CopyImage", &["Name", "SourceImageId", "SourceRegion"], COPY_IMAGE, copy::copy_image),
    operation("CopySnapshot", &["SourceRegion", "SourceSnapshotId"], COPY_SNAPSHOT, copy::copy_snapshot),
    operation("CreateImageUsageReport", &["ImageId", "ResourceType"], CREATE_REPORT, usage::create_report),
    operation("CreateTags", &["ResourceId", "Tag"], &[], tags::create),
    operation("DeleteImageUsageReport", &["ReportId"], &[], usage::delete_report),
    operation("DeleteSnapshot", &["SnapshotId"], &[], snapshots::delete),
    operation("DeleteTags", &["ResourceId"], &["Tag"], tags::delete),
    operation("DeregisterImage", IMAGE, &["DeleteAssociatedSnapshots"], lifecycle::deregister),
    operation("DescribeImageAttribute", &["Attribute", "ImageId"], &[], attributes::describe_image),
    operation("DescribeImageUsageReportEntries", &[], DESCRIBE_REPORTS, usage::describe_entries),
    operation("DescribeImageUsageReports", &[], DESCRIBE_REPORTS, usage::describe_reports),
    operation("DescribeImages", &[], DESCRIBE_IMAGES, images::describe),
    operation("DescribeRegions", &[], &["RegionName", "AllRegions", "Filter"], regions::describe),
    operation("DescribeSnapshotAttribute", &["Attribute", "SnapshotId"], &[], attributes::describe_snapshot),
    operation("DescribeSnapshots", &[], DESCRIBE_SNAPSHOTS, snapshots::describe),
    operation("DescribeTags", &[], &["Filter", "MaxResults", "NextToken"], tags::describe),
    operation("DisableImage", IMAGE, &[], lifecycle::disable),
    operation("DisableImageBlockPublicAccess", &[], &[], block_public_access::disable_images),
    operation("DisableImageDeprecation", IMAGE, &[], deprecation::disable),
    operation("DisableImageDeregistrationProtection", IMAGE, &[], lifecycle::unprotect),
    operation("DisableSnapshotBlockPublicAccess", &[], &[], block_public_access::disable_snapshots),
    operation("EnableImage", IMAGE, &[], lifecycle::enable),
    operation("EnableImageBlockPublicAccess", &[IMAGE_BLOCK], &[], block_public_access::enable_images),
    operation("EnableImageDeprecation", &["ImageId", "DeprecateAt"], &[], deprecation::enable),
    operation("EnableImageDeregistrationProtection", IMAGE, &["WithCooldown"], lifecycle::protect),
    operation("EnableSnapshotBlockPublicAccess", &["State"], &[], block_public_access::enable_snapshots),
    operation("GetEbsEncryptionByDefault", &[], &[], snapshots::encryption_by_default),
    operation("GetImageBlockPublicAccessState", &[], &[], block_public_access::images),
    operation("GetSnapshotBlockPublicAccessState", &[], &[], block_public_access::snapshots),
    operation("ModifyImageAttribute", IMAGE, MODIFY_IMAGE, attributes::modify_image),
    operation("ModifySnapshotAttribute", &["SnapshotId"], MODIFY_SNAPSHOT, attributes::modify_snapshot),
    operation("RegisterImage", &["Name"], REGISTER, register::register),
    operation("ResetImageAttribute", &["Attribute", "ImageId"], &[], attributes::reset_image),
    operation("ResetSnapshotAttribute", &["Attribute", "SnapshotId"], &[], attributes::reset_snapshot),
    operation("RunInstances", &["ImageId", "MinCount", "MaxCount"], &["InstanceType", "ClientToken"], launch::run),
    operation("TerminateInstances", &["InstanceId"], &[], launch::terminate),
];

const IMAGE: &[&str] = &["ImageId"];
const IMAGE_BLOCK: &str = "ImageBlockPublicAccessState";

const COPY_IMAGE: &[&str] = &[
    "ClientToken",
    "CopyImageTags",
    "Description",
    "Encrypted",
    "SnapshotCopyCompletionDurationMinutes",
    "TagSpecification",
];

/// The last two are what SDKs before 2024 sign a URL for.
const COPY_SNAPSHOT: &[&str] =
    &["CompletionDurationMinutes", "Description", "Encrypted", "TagSpecification", "DestinationRegion", "PresignedUrl"];

const CREATE_REPORT: &[&str] = &["AccountId", "ClientToken", "TagSpecification"];

const DESCRIBE_REPORTS: &[&str] = &["ImageId", "ReportId", "Filter", "MaxResults", "NextToken"];

const DESCRIBE_IMAGES: &[&str] =
    &["ExecutableBy", "Filter", "ImageId", "IncludeDeprecated", "IncludeDisabled", "MaxResults", "NextToken", "Owner"];

const DESCRIBE_SNAPSHOTS: &[&str] = &["Filter", "MaxResults", "NextToken", "Owner", "RestorableBy", "SnapshotId"];

const MODIFY_IMAGE: &[&str] = &[
    "Attribute",
    "Description",
    "ImdsSupport",
    "LaunchPermission",
    "OperationType",
    "OrganizationArn",
    "OrganizationalUnitArn",
    "UserGroup",
    "UserId",
    "Value",
];

const MODIFY_SNAPSHOT: &[&str] = &["Attribute", "CreateVolumePermission", "OperationType", "UserGroup", "UserId"];

const REGISTER: &[&str] = &[
    "Architecture",
    "BillingProduct",
    "BlockDeviceMapping",
    "BootMode",
    "Description",
    "EnaSupport",
    "ImdsSupport",
    "RootDeviceName",
    "SriovNetSupport",
    "TagSpecification",
    "TpmSupport",
    "UefiData",
    "VirtualizationType",
];

const fn operation(
    name: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
    handle: fn(&mut State, &Request<'_>) -> Outcome,
) -> Operation {
    Operation { name, required, optional, handle }
}
