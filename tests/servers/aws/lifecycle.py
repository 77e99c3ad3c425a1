"""The whole life of an image: written, registered, copied, public, deprecated, disabled, protected, gone."""

import datetime
import os

from walk_blocks import BLOCK, make
from walk_images import ALL, NOBODY, TAGS, available, describe, ids, registered, wish
from world import OTHER, OWN, client, control, refused, reset, until

HOME, AWAY = "us-east-1", "eu-west-1"
DAY = 24 * 3600 * 1000
UTC = datetime.timezone.utc


def when(**ahead):
    now = datetime.datetime.fromisoformat(control("state")["now"].replace("Z", "+00:00"))
    return (now + datetime.timedelta(**ahead)).astimezone(UTC)


def content(region, snapshot, account=OWN):
    ebs = client("ebs", region, account)
    blocks = ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
    return {b["BlockIndex"]: ebs.get_snapshot_block(SnapshotId=snapshot, **b)["BlockData"].read() for b in blocks}


def snapshot_of(image):
    return image["BlockDeviceMappings"][0]["Ebs"]["SnapshotId"]


def copying(image, blocks):
    away = client("ec2", AWAY)
    source = available(client("ec2"), image)
    tags = [{"ResourceType": kind, "Tags": [{"Key": "key", "Value": kind}]} for kind in ("image", "snapshot")]
    order = {
        "Name": "the copy",
        "SourceImageId": image,
        "SourceRegion": HOME,
        "ClientToken": "copy-1",
        "CopyImageTags": True,
        "TagSpecifications": tags,
    }
    refused("DryRunOperation", away.copy_image, **order, DryRun=True)
    refused("InvalidParameterValue", away.copy_image, **{**order, "SourceRegion": "cn-north-1"})
    refused("InvalidRequest", away.copy_image, **{**order, "SourceRegion": "af-south-1"})
    refused("InvalidAMIID.NotFound", away.copy_image, **{**order, "SourceRegion": "us-west-2"})
    refused("InvalidParameterValue", away.copy_image, **{**order, "ClientToken": "x" * 65})
    copy = away.copy_image(**order)["ImageId"]
    assert away.copy_image(**order)["ImageId"] == copy
    refused("IdempotentParameterMismatch", away.copy_image, **{**order, "Description": "another"})
    refused("InvalidAMIID.NotFound", away.describe_images, ImageIds=[copy])
    pending = until(lambda: away.describe_images(Owners=["self"])["Images"])[0]
    assert pending["State"] == "pending" and "SnapshotId" not in pending["BlockDeviceMappings"][0]["Ebs"], pending
    refused("InvalidRequest", client("ec2").copy_image, Name="back", SourceImageId=copy, SourceRegion=AWAY)
    found = available(away, copy)
    for name in ("BootMode", "TpmSupport", "ImdsSupport", "Architecture", "EnaSupport"):
        assert found[name] == source[name], name
    assert found["Name"] == "the copy" and found["SourceImageId"] == image and found["SourceImageRegion"] == HOME, found
    assert {t["Key"]: t["Value"] for t in found["Tags"]} == {"key": "image", "release": "bookworm"}, found
    assert not found["Public"] and found["DeregistrationProtection"] == "disabled" and "DeprecationTime" not in found
    snapshot = away.describe_snapshots(SnapshotIds=[snapshot_of(found)])["Snapshots"][0]
    assert snapshot["SnapshotId"] != snapshot_of(source) and snapshot["State"] == "completed", snapshot
    assert snapshot["Tags"] == [{"Key": "key", "Value": "snapshot"}] and image in snapshot["Description"], snapshot
    assert content(AWAY, snapshot["SnapshotId"]) == blocks
    again = away.copy_image(Name="the copy", SourceImageId=image, SourceRegion=HOME)["ImageId"]
    assert again != copy, "names of copies are not unique, and without a token it is another copy"
    available(away, again)
    away.deregister_image(ImageId=again, DeleteAssociatedSnapshots=True)
    plain = away.copy_snapshot(SourceRegion=HOME, SourceSnapshotId=snapshot_of(source))["SnapshotId"]
    until(lambda: any(s["SnapshotId"] == plain for s in away.describe_snapshots(OwnerIds=["self"])["Snapshots"]))
    return copy


def forgotten():
    """A public image that is deprecated, and that nobody launches, for half a year is public no more."""
    reset(ec2={"images": [{"name": "old", "public": True, "days": 700}, {"name": "used", "public": True, "days": 700}]})
    ec2, stranger = client("ec2"), client("ec2", account=OTHER)
    old, used = (ids(ec2, Filters=[{"Name": "name", "Values": [name]}])[0] for name in ("old", "used"))
    control("advance", {"ms": 180 * DAY})
    assert ids(stranger, IncludeDeprecated=True) == sorted([old, used]) and not ids(stranger)
    stranger.run_instances(ImageId=used, MinCount=1, MaxCount=1)
    control("advance", {"ms": 40 * DAY})
    assert ids(stranger, IncludeDeprecated=True) == [used]


def copies_are_limited():
    reset(quotas={"concurrent_copies": 2}, delays={"copy": 600})
    away = client("ec2", AWAY)
    image = registered(make())
    order = {"Name": "the copy", "SourceImageId": image, "SourceRegion": HOME}
    copies = [away.copy_image(**order)["ImageId"] for _ in range(2)]
    assert "limit is 2" in refused("ResourceLimitExceeded", away.copy_image, **order)
    client("ec2", "us-west-2").copy_image(**order)
    available(away, copies[0])
    available(away, copies[1])
    doomed = away.copy_image(**order)["ImageId"]
    client("ec2").deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)
    failed = until(lambda: [i for i in describe(away, Owners=["self"]) if i["State"] == "failed"])
    assert failed[0]["ImageId"] == doomed and failed[0]["StateReason"]["Message"], failed


def copies_by_others(image, snapshot):
    """Whoever may launch an image may copy it only if its snapshot is shared, too."""
    ec2, stranger = client("ec2"), client("ec2", AWAY, OTHER)
    order = {"Name": "mine", "SourceImageId": image, "SourceRegion": HOME, "CopyImageTags": True}
    refused("InvalidAMIID.NotFound", stranger.copy_image, **order)
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": OTHER}]})
    refused("InvalidRequest", stranger.copy_image, **order)
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": OTHER}]})
    copy = available(stranger, stranger.copy_image(**order)["ImageId"])
    assert copy["OwnerId"] == OTHER and not copy.get("Tags"), "tags of others are not copied"
    ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")


def public(image):
    ec2, stranger = client("ec2"), client("ec2", account=OTHER)
    before = ec2.describe_images(ImageIds=[image])["Images"][0]
    assert "DeprecationTime" not in before and not before["Public"], before
    ec2.modify_image_attribute(ImageId=image, **ALL)
    found = stranger.describe_images(Filters=[{"Name": "is-public", "Values": ["true"]}])["Images"][0]
    forced = int(found["CreationDate"][:4]) + 2
    assert found["ImageId"] == image and found["DeprecationTime"].startswith(f"{forced}-"), found
    refused("OperationNotPermitted", ec2.disable_image_deprecation, ImageId=image)
    refused("InvalidParameterValue", ec2.enable_image_deprecation, ImageId=image, DeprecateAt=when(days=800))
    refused("InvalidParameterValue", ec2.enable_image_deprecation, ImageId=image, DeprecateAt=when(minutes=-5))
    assert ec2.enable_image_deprecation(ImageId=image, DeprecateAt=when(minutes=2))["Return"]
    refused("OperationNotPermitted", ec2.enable_image_deprecation, ImageId=image, DeprecateAt=when(days=30))
    assert ids(stranger) == [image]
    control("advance", {"ms": 3 * 60 * 1000})
    assert not ids(stranger), "deprecated"
    assert ids(stranger, IncludeDeprecated=True) == ids(stranger, ImageIds=[image]) == [image]
    assert image in ids(ec2, Owners=["self"])
    stranger.run_instances(ImageId=image, MinCount=1, MaxCount=1)
    ec2.modify_image_attribute(ImageId=image, **NOBODY)
    ec2.disable_image_deprecation(ImageId=image)
    assert "DeprecationTime" not in ec2.describe_images(ImageIds=[image])["Images"][0]
    refused("InvalidParameterValue", ec2.enable_image_deprecation, ImageId=image, DeprecateAt=when(days=4000))
    ec2.enable_image_deprecation(ImageId=image, DeprecateAt=when(days=1000))
    ec2.modify_image_attribute(ImageId=image, **ALL)
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["DeprecationTime"] == found["DeprecationTime"]


def disabled(image):
    ec2, stranger = client("ec2"), client("ec2", account=OTHER)
    assert ids(stranger, ImageIds=[image])
    ec2.disable_image(ImageId=image)
    refused("InvalidAMIID.NotFound", stranger.describe_images, ImageIds=[image], IncludeDisabled=True)
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image])
    assert image not in ids(ec2, Owners=["self"])
    found = ec2.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"][0]
    assert found["State"] == "disabled" and not found["Public"], found
    refused("InvalidAMIID.Unavailable", ec2.modify_image_attribute, ImageId=image, **ALL)
    refused("InvalidAMIID.Unavailable", ec2.run_instances, ImageId=image, MinCount=1, MaxCount=1)
    refused("InvalidRequest", client("ec2", AWAY).copy_image, Name="copy", SourceImageId=image, SourceRegion=HOME)
    refused("InvalidAMIName.Duplicate", ec2.register_image, **wish(snapshot_of(found), found["Name"]))
    ec2.enable_image(ImageId=image)
    assert ids(ec2, Owners=["self"]) == [image]
    refused("InvalidAMIID.NotFound", stranger.describe_images, ImageIds=[image])


def gone(image, snapshot):
    ec2 = client("ec2")
    ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=True)
    assert available(ec2, image)["DeregistrationProtection"] == "enabled-with-cooldown"
    refused("OperationNotPermitted", ec2.deregister_image, ImageId=image)
    ec2.disable_image_deregistration_protection(ImageId=image)
    refused("OperationNotPermitted", ec2.deregister_image, ImageId=image)
    control("advance", {"ms": DAY})
    ec2.enable_image_deregistration_protection(ImageId=image)
    refused("OperationNotPermitted", ec2.deregister_image, ImageId=image)
    ec2.disable_image_deregistration_protection(ImageId=image)
    assert image in refused("InvalidSnapshot.InUse", ec2.delete_snapshot, SnapshotId=snapshot)
    second = registered(snapshot, "second")
    third = registered(snapshot, "third")
    refused("DryRunOperation", ec2.deregister_image, ImageId=image, DryRun=True)
    refused("InvalidAMIID.NotFound", client("ec2", account=OTHER).deregister_image, ImageId=image)
    results = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)["DeleteSnapshotResults"]
    assert results == [{"SnapshotId": snapshot, "ReturnCode": "skipped"}], results
    refused("InvalidAMIID.Unavailable", ec2.deregister_image, ImageId=image)
    ec2.deregister_image(ImageId=third)
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image])
    results = ec2.deregister_image(ImageId=second, DeleteAssociatedSnapshots=True)["DeleteSnapshotResults"]
    assert results == [{"SnapshotId": snapshot, "ReturnCode": "success"}], results
    refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[snapshot])
    assert not client("ec2").describe_tags()["Tags"]


def snapshots_stay_without_permission():
    reset(denied=[{"action": "ec2:DeleteSnapshot"}])
    ec2, snapshot = client("ec2"), make()
    image = registered(snapshot)
    results = ec2.deregister_image(ImageId=image, DeleteAssociatedSnapshots=True)["DeleteSnapshotResults"]
    assert results == [{"SnapshotId": snapshot, "ReturnCode": "missing-permissions"}], results
    refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image])
    assert ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]


def tokens_outlive(copy, image):
    away = client("ec2", AWAY)
    away.deregister_image(ImageId=copy, DeleteAssociatedSnapshots=True)
    order = {"Name": "again", "SourceImageId": image, "SourceRegion": HOME, "ClientToken": "copy-2"}
    first = away.copy_image(**order)["ImageId"]
    available(away, first)
    away.deregister_image(ImageId=first, DeleteAssociatedSnapshots=True)
    assert away.copy_image(**order)["ImageId"] == first, "a token goes on meaning what was deregistered"


if __name__ == "__main__":
    reset()
    written = {0: os.urandom(BLOCK), 100: os.urandom(BLOCK)}
    root = make(blocks=written, tags=[("key", "one")])
    more = {"BootMode": "uefi", "TpmSupport": "v2.0", "ImdsSupport": "v2.0"}
    made = registered(root, **more, TagSpecifications=[{"ResourceType": "image", "Tags": TAGS}])
    copied = copying(made, written)
    copies_by_others(made, root)
    tokens_outlive(copied, made)
    public(made)
    disabled(made)
    gone(made, root)
    snapshots_stay_without_permission()
    copies_are_limited()
    forgotten()
    print("the life of an image: as documented")
