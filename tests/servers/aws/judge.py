"""Tells what the fake AWS holds and what was wrong with what it was asked, by boto3 and nothing of ours.

    judge.py        answers on standard output, in one line of JSON each, questions from standard input, also in JSON:

{"ask": "dump", "url": URL, "accounts": {ACCOUNT: [REGION...]}}     everything of these accounts in these regions
{"ask": "comparable", ...}          the same without what differs from run to run: ids and times
{"ask": "contract", "url": URL}     what of all requests so far is not as AWS's service models have it

It stays, because boto3 takes a second to load and a test asks often. Its own requests carry the key `AKIA...JUDGE`.
"""

import datetime
import functools
import hashlib
import json
import sys
import traceback

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

import contract

SESSION = boto3.session.Session()
DAY = datetime.timedelta(days=1)
PUBLISHED = "cloud-publish-published"


@functools.lru_cache(maxsize=None)
def client(url, service, account, region):
    return SESSION.client(
        service,
        region_name=region,
        endpoint_url=url,
        aws_access_key_id=f"AKIA{account}JUDGE",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def pages(client, operation, key, **parameters):
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]


def tags(found):
    return {tag["Key"]: tag["Value"] for tag in found}


def grants(found):
    """Everybody, accounts, organisations and units."""
    return sorted(next(iter(grant.values())) for grant in found)


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def deprecation(image):
    """Days after the making; a copy of a moment later has the same number."""
    if "DeprecationTime" not in image:
        return None
    return round((instant(image["DeprecationTime"]) - instant(image["CreationDate"])) / DAY)


def image(ec2, found):
    identity = found["ImageId"]
    launch = uefi = None
    if found["State"] == "available":
        launch = ec2.describe_image_attribute(ImageId=identity, Attribute="launchPermission")["LaunchPermissions"]
        uefi = ec2.describe_image_attribute(ImageId=identity, Attribute="uefiData").get("UefiData", {}).get("Value")
    return {
        "id": identity,
        "name": found["Name"],
        "description": found.get("Description"),
        "state": found["State"],
        "public": found["Public"],
        "launch": grants(launch or []),
        "tags": tags(found.get("Tags", [])),
        "deprecated_after_days": deprecation(found),
        "protection": found.get("DeregistrationProtection"),
        "boot_mode": found.get("BootMode"),
        "tpm": found.get("TpmSupport"),
        "imds": found.get("ImdsSupport"),
        "uefi_data": uefi,
        "architecture": found["Architecture"],
        "ena": found.get("EnaSupport"),
        "sriov": found.get("SriovNetSupport"),
        "root": found.get("RootDeviceName"),
        "devices": found.get("BlockDeviceMappings", []),
        "source": [found[name] for name in ("SourceImageId", "SourceImageRegion") if name in found],
    }


def listed(ebs, snapshot, **token):
    """Every block; boto3 has no paginator for them."""
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=snapshot, **token)
        yield from page["Blocks"]
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}


def content(ebs, snapshot):
    """A digest of indexes and bytes of the blocks."""
    digest = hashlib.sha256()
    for block in listed(ebs, snapshot):
        data = ebs.get_snapshot_block(SnapshotId=snapshot, **block)["BlockData"].read()
        digest.update(f"{block['BlockIndex']} {hashlib.sha256(data).hexdigest()}\n".encode())
    return digest.hexdigest()


def snapshot(ec2, ebs, found):
    identity = found["SnapshotId"]
    attribute = ec2.describe_snapshot_attribute(SnapshotId=identity, Attribute="createVolumePermission")
    return {
        "id": identity,
        "description": found.get("Description"),
        "state": found["State"],
        "size": found["VolumeSize"],
        "create_volume": grants(attribute["CreateVolumePermissions"]),
        "tags": tags(found.get("Tags", [])),
        "content": content(ebs, identity) if found["State"] == "completed" else None,
    }


def parameter(ssm, found):
    """Its value; it has no other version, or it would say so."""
    now = ssm.get_parameter(Name=found["Name"])["Parameter"]
    listed = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=found["Name"])["TagList"]
    return {"name": found["Name"], "value": now["Value"], "type": now["DataType"], "tags": tags(listed)}


def in_region(url, account, region):
    ec2, ebs, ssm = (client(url, service, account, region) for service in ("ec2", "ebs", "ssm"))
    mine = pages(ec2, "describe_images", "Images", Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True)
    images = [image(ec2, found) for found in mine]
    snapshots = [snapshot(ec2, ebs, found) for found in pages(ec2, "describe_snapshots", "Snapshots", OwnerIds=["self"])]
    parameters = [parameter(ssm, found) for found in pages(ssm, "describe_parameters", "Parameters")]
    return {
        "images": sorted(images, key=lambda found: (found["name"], found["id"])),
        "snapshots": sorted(snapshots, key=lambda found: (found["tags"].get("cloud-publish-variant", ""), found["id"])),
        "parameters": sorted(parameters, key=lambda found: found["name"]),
        "public_snapshots_blocked": ec2.get_snapshot_block_public_access_state()["State"],
        "public_images_blocked": ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"],
    }


def buckets(url, account, region):
    """What is staged, whole or in parts."""
    s3, found = client(url, "s3", account, region), {}
    for bucket in s3.list_buckets()["Buckets"]:
        name = bucket["Name"]
        try:
            objects = [thing["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name) for thing in page.get("Contents", [])]
        except ClientError as error:
            if error.response["Error"]["Code"] != "PermanentRedirect":
                raise
            continue
        uploads = [thing["Key"] for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name) for thing in page.get("Uploads", [])]
        found[name] = {"objects": objects, "uploads": uploads}
    return found


def dump(question):
    """By account: its regions, and its buckets as the first of them sees them."""
    url = question["url"]
    return {
        account: {
            "regions": {region: in_region(url, account, region) for region in regions},
            "buckets": buckets(url, account, regions[0]),
        }
        for account, regions in question["accounts"].items()
    }


def comparable(question):
    """Ids become words that say what they are of, and the time of publication becomes a word."""
    whole = dump(question)
    text = json.dumps(whole)
    for account in whole.values():
        for region, held in account["regions"].items():
            for kind in ("images", "snapshots"):
                for thing in held[kind]:
                    text = text.replace(thing["id"], f"{kind} of {thing['tags'].get('cloud-publish-variant')} in {region}")
    return json.loads(text, object_hook=timeless)


def timeless(found):
    return {**found, PUBLISHED: "set"} if PUBLISHED in found else found


def problems(question):
    found = []
    for entry in contract.entries(question["url"]):
        name = f"{entry['seq']} {entry['service']}:{entry['operation']}"
        found += [f"{name} {problem}" for problem in contract.violations(entry)]
    return found


if __name__ == "__main__":
    answers = {"dump": dump, "comparable": comparable, "contract": problems}
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": answers[asked["ask"]](asked)}
        except Exception:  # pylint: disable=broad-exception-caught
            answer = {"failed": traceback.format_exc()}
        print(json.dumps(answer), flush=True)
