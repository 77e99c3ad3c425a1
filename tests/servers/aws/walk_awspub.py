"""awspub publishes an image to two regions, twice: upload to S3, import, copies, public, parameter, marketplace.

It looks for what it made the moment it has made it, and gives up if that is not found: nothing is delayed here. It needs
`awspub` beside this Python, and qemu-img.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

from world import OTHER, OWN, client, control, reset, until

REGIONS = ("us-east-1", "eu-central-1")
PRODUCT, PARAMETER, IMAGE = "prod-debian12", "/debian/12/amd64", "debian-12-amd64"
CONFIG = {
    "s3": {"bucket_name": "staging"},
    "source": {"path": "disk.vmdk", "architecture": "x86_64"},
    "tags": {"owner": "debian"},
    "images": {
        IMAGE: {
            # without descriptions awspub sends null, which botocore refuses
            "description": "Debian 12",
            "boot_mode": "uefi-preferred",
            "imds_support": "v2.0",
            "root_device_volume_size": 2,
            "regions": list(REGIONS),
            "public": True,
            "share": [OTHER],
            "ssm_parameter": [{"name": PARAMETER, "description": "Debian 12", "allow_overwrite": True}],
            "marketplace": {
                "entity_id": PRODUCT,
                "access_role_arn": f"arn:aws:iam::{OWN}:role/AwsMarketplaceAmiIngestion",
                "version_title": "12.1",
                "release_notes": "new",
                "user_name": "admin",
                "os_name": "DEBIAN",
                "os_version": "12",
                "usage_instructions": "ssh",
                "recommended_instance_type": "t3.micro",
                "security_groups": [{"from_port": 22, "ip_protocol": "tcp", "ip_ranges": ["0.0.0.0/0"], "to_port": 22}],
            },
        }
    },
}


def disk(folder):
    """A disk of 24 MiB with a hole, and what awspub takes: the same as VMDK."""
    raw = os.urandom(8 << 20) + bytes(8 << 20) + os.urandom(8 << 20)
    (folder / "disk.raw").write_bytes(raw)
    convert = ["qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", "disk.raw", "disk.vmdk"]
    subprocess.run(convert, cwd=folder, check=True)
    return raw


def awspub(folder, verb):
    program = pathlib.Path(sys.executable).with_name("awspub")
    done = subprocess.run([program, verb, "awspub.yaml"], cwd=folder, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout) if done.stdout.strip() else None


def content(snapshot, region, length):
    """The first bytes of a snapshot, as the other account reads them."""
    ebs, raw, block = client("ebs", region, OTHER), bytearray(length), 512 * 1024
    token = {}
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=snapshot, **token)
        for it in page["Blocks"]:
            key = {"BlockIndex": it["BlockIndex"], "BlockToken": it["BlockToken"]}
            data = ebs.get_snapshot_block(SnapshotId=snapshot, **key)["BlockData"].read()
            raw[it["BlockIndex"] * block : (it["BlockIndex"] + 1) * block] = data
        if "NextToken" not in page:
            return bytes(raw)
        token = {"NextToken": page["NextToken"]}


def everything_is_there(raw):
    for region in REGIONS:
        # as a stranger, who sees only what is public
        found = client("ec2", region, OTHER).describe_images(Owners=[OWN], Filters=[{"Name": "is-public", "Values": ["true"]}])
        [image] = found["Images"]
        assert image["Name"] == IMAGE and image["BootMode"] == "uefi-preferred" and image["ImdsSupport"] == "v2.0"
        root = image["BlockDeviceMappings"][0]["Ebs"]
        assert root["VolumeSize"] == 2 and content(root["SnapshotId"], region, len(raw)) == raw, region
        value = client("ssm", region).get_parameter(Name=PARAMETER)["Parameter"]
        assert value["Value"] == image["ImageId"] and value["DataType"] == "aws:ec2:image"
    catalog = {"Catalog": "AWSMarketplace", "EntityId": PRODUCT}
    entity = client("marketplace-catalog").describe_entity(**catalog)["DetailsDocument"]
    return [it["VersionTitle"] for it in entity["Versions"]] == ["First", "12.1"]


def main():
    delays = control("settings")["delays"]
    reset(marketplace={"products": {PRODUCT: {}}}, delays={name: 0 for name in delays})
    client("s3").create_bucket(Bucket="staging")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        raw = disk(folder)
        (folder / "awspub.yaml").write_text(json.dumps({"awspub": CONFIG}))
        made = awspub(folder, "create")
        awspub(folder, "publish")
        until(lambda: everything_is_there(raw))
        assert awspub(folder, "create") == made
        awspub(folder, "publish")
    until(lambda: everything_is_there(raw))
    state = control("state")["ec2"]
    assert len(state["images"]) == 2 and len(state["snapshots"]) == 2
    print("awspub: published, and the second time nothing new")


if __name__ == "__main__":
    main()
