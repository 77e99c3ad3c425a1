"""Imports of snapshots: what may be imported, how a task goes, what becomes of it."""

import hashlib
import time

from world import OTHER, client, control, refused, reset, until

MIB = 1 << 20
GIB = 1 << 30


def content():
    """A disk of 3 MiB and a bit, with a hole."""
    return b"boot" * 1000 + bytes(2 * MIB) + b"tail" * (256 * 1024) + b"end"


def upload(s3, bucket="images", key="disk.raw", body=None):
    s3.put_object(Bucket=bucket, Key=key, Body=content() if body is None else body)


def wanted(bucket="images", key="disk.raw", form="RAW", **more):
    container = {"Format": form, "UserBucket": {"S3Bucket": bucket, "S3Key": key}, "Description": "d"}
    return {"DiskContainer": container, **more}


def tasks(ec2, **parameters):
    pages = ec2.get_paginator("describe_import_snapshot_tasks").paginate(**parameters)
    return [task for page in pages for task in page["ImportSnapshotTasks"]]


def task_of(ec2, task):
    return tasks(ec2, ImportTaskIds=[task])[0]["SnapshotTaskDetail"]


def refusals():
    ec2, s3 = client("ec2"), client("s3")
    start = ec2.import_snapshot
    refused("InvalidParameter", start, **wanted())
    s3.create_bucket(Bucket="images")
    refused("InvalidParameter", start, **wanted())
    upload(s3)
    west = client("ec2", "us-west-2")
    assert "not local" in refused("InvalidParameter", west.import_snapshot, **wanted())
    refused("InvalidParameter", client("ec2", account=OTHER).import_snapshot, **wanted())
    assert "role" in refused("InvalidParameter", start, **wanted(RoleName="other"))
    refused("InvalidParameter", start, **wanted(form="QCOW2"))
    refused("MissingParameter", start)
    snapshot = {"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}
    refused("InvalidParameterValue", start, **wanted(TagSpecifications=[snapshot]))
    refused("DryRunOperation", start, **wanted(DryRun=True))
    refused("InvalidConversionTaskId", ec2.cancel_import_task, ImportTaskId=f"import-snap-{0:017x}")
    refused("InvalidConversionTaskId.Malformed", ec2.cancel_import_task, ImportTaskId="import-snap-x")
    refused("InvalidConversionTaskId", ec2.describe_import_snapshot_tasks, ImportTaskIds=[f"import-snap-{0:017x}"])
    refused("InvalidParameterValue", ec2.describe_import_snapshot_tasks, Filters=[{"Name": "status", "Values": ["a"]}])

    reader = {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::other*"]}
    role = {"trusts": ["vmie.amazonaws.com"], "policies": {"p": {"Statement": [reader]}}}
    control("settings", {"accounts": {"111111111111": {"roles": {"narrow": role, "foreign": {"trusts": ["*"]}}}}})
    refused("InvalidParameter", start, **wanted(RoleName="narrow"))
    refused("InvalidParameter", start, **wanted(RoleName="foreign"))
    control("settings", {"denied": [{"action": "ec2:ImportSnapshot"}]})
    refused("UnauthorizedOperation", start, **wanted(DryRun=True))
    control("settings", {"denied": []})
    assert tasks(ec2) == []


def a_whole_import():
    ec2 = client("ec2")
    control("settings", {"delays": {"import": 400}})
    tags = [{"ResourceType": "import-snapshot-task", "Tags": [{"Key": "owner", "Value": "debian"}]}]
    parameters = wanted(ClientToken="one", TagSpecifications=tags, Description="trixie")
    begun = ec2.import_snapshot(**parameters)
    detail = begun["SnapshotTaskDetail"]
    assert detail["Status"] == "active" and detail["UserBucket"] == {"S3Bucket": "images", "S3Key": "disk.raw"}
    assert detail["DiskImageSize"] == len(content()) and "SnapshotId" not in detail
    again = ec2.import_snapshot(**parameters)
    assert again["ImportTaskId"] == begun["ImportTaskId"] and again["Tags"] == tags[0]["Tags"]
    refused("IdempotentParameterMismatch", ec2.import_snapshot, **parameters | {"Description": "sid"})
    assert control("state")["ec2"]["snapshots"][0]["state"] == "pending"
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []

    seen = []
    done = until(lambda: watch(ec2, begun["ImportTaskId"], seen))
    numbers = [int(progress) for progress, _ in seen]
    assert numbers == sorted(numbers) and max(numbers) < 100
    assert {"downloading/converting"} <= {message for _, message in seen}
    ec2.get_waiter("snapshot_imported").wait(ImportTaskIds=[begun["ImportTaskId"]])
    snapshot = done["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot], WaiterConfig={"Delay": 1})
    found = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
    assert found["VolumeSize"] == 1 and found.get("Tags", []) == []
    assert found["Description"] == f"Created by AWS-VMImport service for {begun['ImportTaskId']}"
    assert read_back(snapshot, len(content())) == content()
    refused("IncorrectState", ec2.cancel_import_task, ImportTaskId=begun["ImportTaskId"])


def watch(ec2, task, seen):
    detail = task_of(ec2, task)
    if detail["Status"] == "completed":
        assert "Progress" not in detail
        return detail
    seen.append((detail["Progress"], detail["StatusMessage"]))


def read_back(snapshot, length):
    """The first bytes of a snapshot, by EBS direct."""
    ebs, raw = client("ebs"), bytearray(length + 512 * 1024)
    token, size, count = {}, 512 * 1024, 0
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=snapshot, **token)
        for block in page["Blocks"]:
            got = ebs.get_snapshot_block(
                SnapshotId=snapshot, BlockIndex=block["BlockIndex"], BlockToken=block["BlockToken"]
            )
            raw[block["BlockIndex"] * size : (block["BlockIndex"] + 1) * size] = got["BlockData"].read()
            count += 1
        if "NextToken" not in page:
            assert count == 4, f"holes are not blocks: {count}"
            return bytes(raw[:length])
        token = {"NextToken": page["NextToken"]}


def ends_without_a_snapshot():
    ec2, s3 = client("ec2"), client("s3")
    upload(s3, key="text", body=b"no disk at all")
    control("settings", {"delays": {"import": 100}})
    task = ec2.import_snapshot(**wanted(key="text", form="vmdk"))["ImportTaskId"]
    assert task_of(ec2, task)["Status"] == "active"
    failed = until(lambda: task_of(ec2, task) if task_of(ec2, task)["Status"] == "deleted" else None)
    assert failed["StatusMessage"].startswith("ClientError") and "SnapshotId" not in failed
    control("settings", {"delays": {"import": 60_000}})
    task = ec2.import_snapshot(**wanted())["ImportTaskId"]
    done = ec2.cancel_import_task(ImportTaskId=task, CancelReason="no more")
    assert (done["PreviousState"], done["State"]) == ("active", "deleting")
    assert task_of(ec2, task)["Status"] == "deleted" and task_of(ec2, task)["StatusMessage"] == "no more"
    control("advance", {"ms": 61_000})
    assert len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]) == 1


def many_tasks():
    ec2 = client("ec2")
    for number in range(7):
        tags = [{"ResourceType": "import-snapshot-task", "Tags": [{"Key": "Name", "Value": f"n{number}"}]}]
        ec2.import_snapshot(**wanted(TagSpecifications=tags))
    assert len(tasks(ec2)) == 10 and len(ec2.describe_import_snapshot_tasks()["ImportSnapshotTasks"]) == 5
    named = tasks(ec2, Filters=[{"Name": "tag:Name", "Values": ["n3"]}])
    assert [task["Tags"][0]["Value"] for task in named] == ["n3"]
    assert len(tasks(ec2, Filters=[{"Name": "tag:Name", "Values": ["n*"]}])) == 7
    assert tasks(client("ec2", account=OTHER)) == [] and tasks(client("ec2", "us-west-2")) == []


if __name__ == "__main__":
    reset()
    refusals()
    a_whole_import()
    ends_without_a_snapshot()
    many_tasks()
    print("imports: as documented")
