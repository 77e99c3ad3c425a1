"""EC2's images and snapshots: registered, described, tagged, shared, hidden and blocked, with every refusal."""

import base64

from walk_blocks import BLOCK, completed, make
from world import OTHER, OWN, client, control, refused, reset, until

NAME = "debian-12-amd64-20240101"
TAGS = [{"Key": "key", "Value": "one"}, {"Key": "release", "Value": "bookworm"}]
ALL = {"LaunchPermission": {"Add": [{"Group": "all"}]}}
NOBODY = {"LaunchPermission": {"Remove": [{"Group": "all"}]}}


def device(snapshot, **more):
    return {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeType": "gp3", **more}}


def wish(snapshot, name=NAME, **more):
    return {
        "Name": name,
        "Architecture": "x86_64",
        "VirtualizationType": "hvm",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [device(snapshot)],
        "EnaSupport": True,
        "BootMode": "uefi-preferred",
        **more,
    }


def describe(ec2, **parameters):
    """All images of all pages, of which some are empty: filters count after a page was cut."""
    pages = ec2.get_paginator("describe_images").paginate(**parameters)
    return [image for page in pages for image in page["Images"]]


def ids(ec2, **parameters):
    return sorted(image["ImageId"] for image in describe(ec2, **parameters))


def available(ec2, image):
    """Waits, as one has to, through "does not exist" and "pending"."""
    wanted = [{"Name": "image-id", "Values": [image]}, {"Name": "state", "Values": ["available"]}]
    return until(lambda: describe(ec2, Owners=["self"], Filters=wanted))[0]


def registered(snapshot, name=NAME, region="us-east-1", account=OWN, **more):
    ec2 = client("ec2", region, account)
    image = ec2.register_image(**wish(snapshot, name, **more))["ImageId"]
    available(ec2, image)
    return image


def regions():
    ec2 = client("ec2")
    enabled = {r["RegionName"] for r in ec2.describe_regions()["Regions"]}
    everything = {r["RegionName"]: r["OptInStatus"] for r in ec2.describe_regions(AllRegions=True)["Regions"]}
    assert set(everything) - enabled == {"af-south-1"} and everything["af-south-1"] == "not-opted-in", everything
    assert everything["eu-south-1"] == "opted-in" and "cn-north-1" not in everything, everything
    china = client("ec2", "cn-north-1", "333333333333").describe_regions()["Regions"]
    assert {r["Endpoint"] for r in china} == {f"ec2.cn-{r}-1.amazonaws.com.cn" for r in ("north", "northwest")}, china
    opted_in = [{"Name": "opt-in-status", "Values": ["opted-in"]}]
    assert not ec2.describe_regions(RegionNames=["eu-west-1"], Filters=opted_in)["Regions"]


def registering():
    ec2, snapshot = client("ec2"), make(size=2)

    def bad(code, **more):
        refused(code, ec2.register_image, **wish(snapshot, **more))

    bad("InvalidAMIName.Malformed", name="a" * 129)
    bad("InvalidAMIName.Malformed", name="debian:12")
    bad("InvalidParameterCombination", Architecture="arm64", BootMode="legacy-bios")
    bad("InvalidParameterCombination", Architecture="arm64", BootMode="uefi-preferred")
    bad("InvalidParameterCombination", Architecture="i386", BootMode="uefi")
    bad("InvalidParameterCombination", TpmSupport="v2.0")
    bad("InvalidParameterCombination", BootMode="legacy-bios", UefiData=base64.b64encode(b"vars").decode())
    bad("InvalidParameterCombination", VirtualizationType="paravirtual")
    bad("InvalidParameterValue", UefiData="not base64!")
    bad("InvalidParameterValue", ImdsSupport="v1.0")
    bad("InvalidParameterValue", Architecture="riscv64")
    bad("InvalidParameterValue", TagSpecifications=[{"ResourceType": "snapshot", "Tags": TAGS}])
    bad("InvalidParameterValue", TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "aws:a", "Value": ""}]}])
    bad("InvalidBlockDeviceMapping", RootDeviceName="/dev/sda1")
    bad("InvalidBlockDeviceMapping", BlockDeviceMappings=[device(snapshot, VolumeSize=1)])
    bad("InvalidParameterValue", BlockDeviceMappings=[device(snapshot, Iops=2999)])
    bad("InvalidParameterCombination", BlockDeviceMappings=[device(snapshot, Iops=3000, Throughput=1000)])
    bad("InvalidParameterCombination", BlockDeviceMappings=[device(snapshot, VolumeType="gp2", Iops=3000)])
    bad("InvalidParameterValue", BlockDeviceMappings=[device(snapshot, Encrypted=False)])
    bad("InvalidSnapshot.NotFound", BlockDeviceMappings=[device("snap-0123456789abcdef0")])
    bad("InvalidSnapshotID.Malformed", BlockDeviceMappings=[device("snapshot")])
    bad("AuthFailure", BillingProducts=["bp-1"])
    pending = client("ebs").start_snapshot(VolumeSize=1)["SnapshotId"]
    refused("InvalidSnapshot.NotFound", ec2.register_image, **wish(pending))
    until(lambda: any(s["SnapshotId"] == pending for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]))
    refused("IncorrectState", ec2.register_image, **wish(pending))
    stranger = client("ec2", account=OTHER)
    refused("InvalidSnapshot.NotFound", stranger.register_image, **wish(snapshot))
    refused("DryRunOperation", ec2.register_image, **wish(snapshot), DryRun=True)
    assert not ec2.describe_images(Owners=["self"])["Images"]
    disk = {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"}
    volume = device(snapshot, VolumeSize=8, Iops=4000, Throughput=250, DeleteOnTermination=True)
    everything = {
        "BootMode": "uefi",
        "TpmSupport": "v2.0",
        "ImdsSupport": "v2.0",
        "UefiData": base64.b64encode(b"vars").decode(),
        "SriovNetSupport": "simple",
        "Description": "Debian 12 <bookworm> & more",
        "BlockDeviceMappings": [volume, disk],
        "TagSpecifications": [{"ResourceType": "image", "Tags": TAGS}],
    }
    image = ec2.register_image(**wish(snapshot, **everything))["ImageId"]
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image])
    refused("InvalidAMIID.NotFound", ec2.modify_image_attribute, ImageId=image, **ALL)
    found = until(lambda: ec2.describe_images(Owners=["self"])["Images"])[0]
    assert found["ImageId"] == image and found["State"] == "pending" and found["Tags"] == TAGS, found
    refused("InvalidAMIID.Unavailable", ec2.modify_image_attribute, ImageId=image, **ALL)
    found = available(ec2, image)
    for name in ("BootMode", "TpmSupport", "ImdsSupport", "SriovNetSupport", "Description"):
        assert found[name] == everything[name], (name, found)
    assert found["BlockDeviceMappings"] == [{**volume, "Ebs": {**volume["Ebs"], "Encrypted": False}}, disk], found
    assert found["OwnerId"] == OWN and not found["Public"] and found["RootDeviceName"] == "/dev/xvda", found
    data = ec2.describe_image_attribute(ImageId=image, Attribute="uefiData")["UefiData"]
    assert data["Value"] == everything["UefiData"], data
    assert image in refused("InvalidAMIName.Duplicate", ec2.register_image, **wish(snapshot))
    return image, snapshot


def describing(image, snapshot):
    ec2, stranger = client("ec2"), client("ec2", account=OTHER)
    others = [registered(snapshot, f"other {number}") for number in range(7)]
    assert ids(ec2, Owners=["self"]) == sorted([image, *others]), "pages join to the whole"
    first = ec2.describe_images(Owners=["self"], MaxResults=1000)
    assert len(first["Images"]) == 5 and first["NextToken"], "pages are smaller than what one asks for"
    refused("InvalidParameterValue", ec2.describe_images, Owners=["self"], MaxResults=4)
    refused("InvalidParameterValue", ec2.describe_images, Owners=[OWN], NextToken=first["NextToken"])
    ec2.deregister_image(ImageId=min(others))  # what is deleted between two pages shifts nothing
    rest = ec2.describe_images(Owners=["self"], NextToken=first["NextToken"])["Images"]
    assert len(rest) == 3, rest

    def by(name, *values):
        return ids(ec2, Owners=["self"], Filters=[{"Name": name, "Values": list(values)}])

    for name, value in {
        "name": NAME,
        "tag:key": "one",
        "tag-key": "release",
        "boot-mode": "uefi",
        "description": "Debian 12 *",
        "block-device-mapping.volume-size": "8",
        "image-id": image,
    }.items():
        assert by(name, value) == [image], name
    assert len(by("state", "available")) == 7 and len(by("is-public", "false")) == 7 and not by("architecture", "arm64")
    assert by("tag:key", "two", "on?") == [image] and not by("tag:key", "")
    refused("InvalidParameterValue", ec2.describe_images, Filters=[{"Name": "colour", "Values": ["red"]}])
    refused("InvalidAMIID.Malformed", ec2.describe_images, ImageIds=["ami-xyz"])
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=["ami-0123456789abcdef0"])
    refused("InvalidAMIID.NotFound", stranger.describe_images, ImageIds=[image])
    refused("InvalidAMIID.NotFound", client("ec2", "us-west-2").describe_images, ImageIds=[image])
    assert not stranger.describe_images()["Images"]
    refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=["snap-0123456789abcdef0"])
    assert not stranger.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"], "left out, not refused"
    refused("InvalidParameterCombination", ec2.describe_snapshots, SnapshotIds=[snapshot], MaxResults=5)
    complete = [{"Name": "status", "Values": ["completed"]}]
    found = ec2.describe_snapshots(OwnerIds=["self"], Filters=complete)["Snapshots"]
    assert [s["SnapshotId"] for s in found] == [snapshot] and found[0]["FullSnapshotSizeInBytes"] == BLOCK, found
    for other in set(others) - {min(others)}:
        ec2.deregister_image(ImageId=other)


def tagging(image, snapshot):
    ec2 = client("ec2")
    ec2.create_tags(Resources=[image, snapshot], Tags=[{"Key": "published", "Value": "now"}])

    def tags(resource):
        rows = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [resource]}])["Tags"]
        return {row["Key"]: row["Value"] for row in rows}

    assert "published" not in tags(image), "seen late"
    until(lambda: "published" in tags(image) and "published" in tags(snapshot))
    assert tags(image) == {"key": "one", "release": "bookworm", "published": "now"}
    ec2.delete_tags(Resources=[image], Tags=[{"Key": "published", "Value": "never"}])
    ec2.delete_tags(Resources=[snapshot], Tags=[{"Key": "published"}])
    until(lambda: not tags(snapshot))
    assert "published" in tags(image), "deleted only with its value"
    ec2.delete_tags(Resources=[image], Tags=[{"Key": "published", "Value": "now"}])
    many = [{"Key": f"k{number}", "Value": ""} for number in range(49)]
    refused("TagLimitExceeded", ec2.create_tags, Resources=[image], Tags=many)
    refused("InvalidParameterValue", ec2.create_tags, Resources=[image], Tags=[{"Key": "aws:a", "Value": ""}])
    refused("InvalidParameterValue", ec2.create_tags, Resources=[image], Tags=[{"Key": "a" * 129, "Value": ""}])
    refused("InvalidAMIID.NotFound", client("ec2", account=OTHER).create_tags, Resources=[image], Tags=TAGS)
    refused("InvalidID", ec2.create_tags, Resources=["x-1"], Tags=TAGS)


def sharing(image, snapshot):
    ec2, stranger = client("ec2"), client("ec2", account=OTHER)
    one = {"LaunchPermission": {"Add": [{"UserId": OTHER}]}}
    refused("InvalidAMIID.NotFound", stranger.run_instances, ImageId=image, MinCount=1, MaxCount=1)
    refused("InvalidAMIID.NotFound", stranger.modify_image_attribute, ImageId=image, **one)
    ec2.modify_image_attribute(ImageId=image, **one)
    ec2.modify_image_attribute(ImageId=image, **one)
    assert ids(stranger) == [image] and ids(stranger, ExecutableUsers=["self"]) == [image]
    assert not ids(stranger, ExecutableUsers=["all"]) and not ids(stranger, Owners=["self"])
    refused("AuthFailure", stranger.modify_image_attribute, ImageId=image, **one)
    permissions = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"]
    assert permissions == [{"UserId": OTHER}], permissions
    instance = stranger.run_instances(ImageId=image, MinCount=1, MaxCount=2)["Instances"][0]["InstanceId"]
    stranger.terminate_instances(InstanceIds=[instance])
    launched = ec2.describe_image_attribute(ImageId=image, Attribute="lastLaunchedTime")["LastLaunchedTime"]
    assert launched["Value"], launched
    refused("InvalidRequest", stranger.copy_image, Name="mine", SourceImageId=image, SourceRegion="us-east-1")
    add = {"ImageId": image, "Attribute": "launchPermission", "OperationType": "add"}
    foreign = "arn:aws-cn:organizations::111111111111:organization/o-abcdefghij"
    refused("InvalidAMIAttributeItemValue", ec2.modify_image_attribute, **add, UserIds=["12"])
    refused("InvalidAMIAttributeItemValue", ec2.modify_image_attribute, **add, OrganizationArns=[foreign])
    both = {"Description": {"Value": "x"}, **one}
    refused("InvalidParameterCombination", ec2.modify_image_attribute, ImageId=image, **both)
    refused("InvalidParameterCombination", ec2.modify_image_attribute, ImageId=image)
    ec2.modify_image_attribute(ImageId=image, OperationType="remove", Attribute="launchPermission", UserIds=[OTHER])
    assert not ids(stranger)
    ec2.modify_image_attribute(ImageId=image, Description={"Value": "changed"})
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Description"] == "changed"
    report = ec2.create_image_usage_report(ImageId=image, ResourceTypes=[{"ResourceType": "ec2:Instance"}])["ReportId"]
    until(lambda: ec2.describe_image_usage_reports(ReportIds=[report])["ImageUsageReports"][0]["State"] == "available")
    entries = ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"]
    assert [(e["AccountId"], e["UsageCount"]) for e in entries] == [(OTHER, 1)], entries
    ec2.delete_image_usage_report(ReportId=report)
    share = {"SnapshotId": snapshot, "Attribute": "createVolumePermission", "OperationType": "add"}
    ec2.modify_snapshot_attribute(**share, UserIds=[OTHER])
    found = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert found["CreateVolumePermissions"] == [{"UserId": OTHER}], found
    assert stranger.describe_snapshots()["Snapshots"][0]["SnapshotId"] == snapshot
    change = {"Add": [{"Group": "all"}], "Remove": [{"UserId": OTHER}]}
    both = {"SnapshotId": snapshot, "CreateVolumePermission": change}
    refused("InvalidParameterCombination", ec2.modify_snapshot_attribute, **both)
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": change["Add"]})
    exposed = [(e["kind"], e["sharing"]) for e in control("log")["exposures"]]
    assert exposed == [("image", [OTHER]), ("image", []), ("snapshot", [OTHER]), ("snapshot", [OTHER, "all"])], exposed
    ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert not stranger.describe_snapshots()["Snapshots"]


def organizations():
    ours = "arn:aws:organizations::111111111111:organization/o-abcdefghij"
    unit = "arn:aws:organizations::111111111111:ou/o-abcdefghij/ou-ab12-abcdefgh"
    reset(ec2={"organizations": {OTHER: [ours, unit]}})
    ec2, stranger = client("ec2"), client("ec2", account=OTHER)
    image = registered(make())
    for add, name in (({"OrganizationArn": ours}, "o"), ({"OrganizationalUnitArn": unit}, "ou")):
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [add]})
        assert ids(stranger) == [image], name
        assert ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"] == [add]
        ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Remove": [add]})
        assert not ids(stranger), name


def blocking():
    blocked = {"account": OWN, "region": "us-east-1", "images": True, "snapshots": "block-new-sharing"}
    reset(block_public_access=[blocked])
    ec2, snapshot = client("ec2"), make()
    stranger = client("ec2", account=OTHER)
    image = registered(snapshot)
    everybody = {"SnapshotId": snapshot, "CreateVolumePermission": {"Add": [{"Group": "all"}]}}
    assert ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"] == "block-new-sharing"
    assert ec2.get_snapshot_block_public_access_state()["State"] == "block-new-sharing"
    assert stranger.get_image_block_public_access_state()["ImageBlockPublicAccessState"] == "unblocked"
    refused("OperationNotPermitted", ec2.modify_image_attribute, ImageId=image, **ALL)
    refused("OperationNotPermitted", ec2.modify_snapshot_attribute, **everybody)
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    assert ec2.disable_image_block_public_access()["ImageBlockPublicAccessState"] == "unblocked"
    ec2.disable_snapshot_block_public_access()
    refused("OperationNotPermitted", ec2.modify_image_attribute, ImageId=image, **ALL)
    until(lambda: ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"] == "unblocked")
    until(lambda: ec2.get_snapshot_block_public_access_state()["State"] == "unblocked")
    ec2.modify_snapshot_attribute(**everybody)
    ec2.modify_image_attribute(ImageId=image, **ALL)
    ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    until(lambda: not stranger.describe_snapshots()["Snapshots"])
    assert ids(stranger) == [image], "what is public stays so"
    found = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert found["CreateVolumePermissions"] == [{"Group": "all"}], "only treated as private"
    reset(ec2={"encryption_by_default": [OWN]})
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    snapshot = make()
    refused("OperationNotPermitted", ec2.modify_snapshot_attribute, **{**everybody, "SnapshotId": snapshot})
    refused("OperationNotPermitted", ec2.modify_image_attribute, ImageId=registered(snapshot), **ALL)


def limits():
    reset(quotas={"public_images": 1, "images": 3}, ec2={"images": [{"name": "old", "public": True, "days": 10}]})
    ec2, snapshot = client("ec2"), make()
    image = registered(snapshot, "first")
    refused("ResourceLimitExceeded", ec2.modify_image_attribute, ImageId=image, **ALL)
    old = ids(ec2, Owners=["self"], Filters=[{"Name": "is-public", "Values": ["true"]}])
    ec2.modify_image_attribute(ImageId=old[0], **NOBODY)
    ec2.modify_image_attribute(ImageId=image, **ALL)
    registered(snapshot, "second")
    refused("ResourceLimitExceeded", ec2.register_image, **wish(snapshot, "third"))
    reset(denied=[{"action": "ec2:Modify*", "account": OWN}, {"action": "ec2:RegisterImage", "region": "us-west-2"}])
    refused("UnauthorizedOperation", ec2.modify_image_attribute, ImageId=image, **ALL)
    refused("UnauthorizedOperation", ec2.modify_image_attribute, ImageId=image, **ALL, DryRun=True)
    west = client("ec2", "us-west-2")
    refused("UnauthorizedOperation", west.register_image, Name="abc", DryRun=True)
    refused("DryRunOperation", ec2.register_image, Name="abc", DryRun=True)
    reset(denied=[{"action": "ec2:CreateTags"}])
    tagged = [{"ResourceType": "image", "Tags": TAGS}]
    refused("UnauthorizedOperation", ec2.register_image, Name="abc", TagSpecifications=tagged)


if __name__ == "__main__":
    reset()
    regions()
    made = registering()
    describing(*made)
    tagging(*made)
    sharing(*made)
    organizations()
    blocking()
    limits()
    print("ec2 images: as documented")
