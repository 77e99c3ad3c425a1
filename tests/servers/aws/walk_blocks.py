"""EBS direct: snapshots started, written, completed, listed and read, with every refusal on the way."""

import base64
import hashlib
import os

from botocore.exceptions import ClientError

from world import OTHER, client, control, refused, reset, until

BLOCK = 512 * 1024


def sha256(data):
    return hashlib.sha256(data).digest()


def text(digest):
    return base64.b64encode(digest).decode()


def put(ebs, snapshot, index, data, checksum=None, length=BLOCK):
    return ebs.put_snapshot_block(
        SnapshotId=snapshot,
        BlockIndex=index,
        BlockData=data,
        DataLength=length,
        Checksum=checksum or text(sha256(data)),
        ChecksumAlgorithm="SHA256",
    )


def complete(ebs, snapshot, blocks):
    """`blocks` by index; with the aggregate that EBS documents: the sha256 of all sha256s in the blocks' order."""
    linear = sha256(b"".join(sha256(blocks[index]) for index in sorted(blocks)))
    return ebs.complete_snapshot(
        SnapshotId=snapshot,
        ChangedBlocksCount=len(blocks),
        Checksum=text(linear),
        ChecksumAlgorithm="SHA256",
        ChecksumAggregationMethod="LINEAR",
    )


def completed(ec2, snapshot):
    def probe():
        try:
            found = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]
        except ClientError as error:
            assert error.response["Error"]["Code"] == "InvalidSnapshot.NotFound", error
            return None
        return found[0] if found[0]["State"] == "completed" else None

    return until(probe)


def make(region="us-east-1", account="111111111111", tags=(), size=1, blocks=None, **more):
    """A completed snapshot: what the other walks begin with."""
    ebs, ec2 = client("ebs", region, account), client("ec2", region, account)
    blocks = {0: os.urandom(BLOCK)} if blocks is None else blocks
    started = ebs.start_snapshot(VolumeSize=size, Tags=[{"Key": k, "Value": v} for k, v in tags], **more)
    for index, data in blocks.items():
        put(ebs, started["SnapshotId"], index, data)
    complete(ebs, started["SnapshotId"], blocks)
    completed(ec2, started["SnapshotId"])
    return started["SnapshotId"]


def reason(code, wanted, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error
        assert error.response["Reason"] == wanted, error.response
        return
    raise AssertionError(f"expected {code}, but it was done: {parameters}")


def starting():
    ebs, ec2 = client("ebs"), client("ec2")
    wish = {"VolumeSize": 2, "ClientToken": "one", "Description": "a disk", "Tags": [{"Key": "a", "Value": "b & <c>"}]}
    first = ebs.start_snapshot(**wish)
    assert first["Status"] == "pending" and first["VolumeSize"] == 2 and first["BlockSize"] == BLOCK, first
    assert first["OwnerId"] == "111111111111" and first["Tags"] == wish["Tags"], first
    refused("InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=[first["SnapshotId"]])
    put(ebs, first["SnapshotId"], 0, os.urandom(BLOCK))
    found = until(lambda: ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])
    assert [s["SnapshotId"] for s in found] == [first["SnapshotId"]] and found[0]["State"] == "pending", found
    assert found[0]["Tags"] == wish["Tags"] and found[0]["Description"] == "a disk", found
    assert ebs.start_snapshot(**wish)["SnapshotId"] == first["SnapshotId"]
    refused("ConflictException", ebs.start_snapshot, **{**wish, "VolumeSize": 3})
    west = client("ebs", "us-west-2").start_snapshot(**wish)
    assert west["SnapshotId"] != first["SnapshotId"], "a token counts in one region"
    ec2.delete_snapshot(SnapshotId=first["SnapshotId"])
    again = ebs.start_snapshot(**wish)
    assert again["SnapshotId"] == first["SnapshotId"], "a token goes on meaning what was deleted"
    block = {"snapshot": again["SnapshotId"], "index": 0, "data": bytes(BLOCK)}
    reason("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", put, ebs=ebs, **block)
    reason("ValidationException", "INVALID_VOLUME_SIZE", ebs.start_snapshot, VolumeSize=65537)
    reason("ValidationException", "INVALID_TAG", ebs.start_snapshot, VolumeSize=1, Tags=[{"Key": "aws:x", "Value": ""}])
    reason("ValidationException", "INVALID_PARAMETER_VALUE", ebs.start_snapshot, VolumeSize=1, Timeout=5000)


def writing():
    ebs, ec2 = client("ebs"), client("ec2")
    snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    blocks = {index: os.urandom(BLOCK) for index in (0, 7, 2047)}
    bad = {"ebs": ebs, "snapshot": snapshot}
    reason("ValidationException", "INVALID_BLOCK", put, **bad, index=0, data=blocks[0], checksum=text(sha256(b"x")))
    reason("ValidationException", "INVALID_BLOCK", put, **bad, index=0, data=b"short")
    reason("ValidationException", "INVALID_BLOCK", put, **bad, index=0, data=blocks[0], length=7)
    reason("ValidationException", "INVALID_PARAMETER_VALUE", put, **bad, index=2048, data=blocks[0])
    stranger = client("ebs", account=OTHER)
    block = {"snapshot": snapshot, "index": 0, "data": blocks[0]}
    reason("ResourceNotFoundException", "SNAPSHOT_NOT_FOUND", put, ebs=stranger, **block)
    reason("ValidationException", "INVALID_SNAPSHOT_ID", ebs.list_snapshot_blocks, SnapshotId=snapshot)
    for index, data in blocks.items():
        answer = put(ebs, snapshot, index, data)
        assert answer["Checksum"] == text(sha256(data)), answer
    put(ebs, snapshot, 7, blocks[7])  # twice is once
    count = {"SnapshotId": snapshot, "ChangedBlocksCount": 4}
    reason("ValidationException", "INVALID_PARAMETER_VALUE", ebs.complete_snapshot, **count)
    wrong = {**blocks, 7: blocks[0]}
    reason("ValidationException", "INVALID_PARAMETER_VALUE", complete, ebs=ebs, snapshot=snapshot, blocks=wrong)
    assert complete(ebs, snapshot, blocks)["Status"] == "pending"
    reason("ValidationException", "INVALID_SNAPSHOT_ID", put, **bad, index=1, data=blocks[0])
    reason("ValidationException", "INVALID_SNAPSHOT_ID", complete, ebs=ebs, snapshot=snapshot, blocks=blocks)
    found = completed(ec2, snapshot)
    assert found["Progress"] == "100%" and found["VolumeSize"] == 1 and found["CompletionTime"], found
    return snapshot, blocks


def reading(snapshot, blocks):
    ebs = client("ebs")
    listed = ebs.list_snapshot_blocks(SnapshotId=snapshot)
    assert listed["VolumeSize"] == 1 and listed["BlockSize"] == BLOCK and "NextToken" not in listed, listed
    assert [b["BlockIndex"] for b in listed["Blocks"]] == sorted(blocks)
    for block in listed["Blocks"]:
        got = ebs.get_snapshot_block(SnapshotId=snapshot, **block)
        data = got["BlockData"].read()
        assert data == blocks[block["BlockIndex"]] and got["Checksum"] == text(sha256(data)), block
    token = listed["Blocks"][0]["BlockToken"]
    get = {"SnapshotId": snapshot, "BlockIndex": 7}
    reason("ValidationException", "INVALID_BLOCK_TOKEN", ebs.get_snapshot_block, **get, BlockToken=token)
    tail = ebs.list_snapshot_blocks(SnapshotId=snapshot, StartingBlockIndex=1)["Blocks"]
    assert [b["BlockIndex"] for b in tail] == [7, 2047]
    control("settings", {"page_size": 1})  # 20 blocks
    many = make(blocks={index: bytes([index]) * BLOCK for index in range(45)})
    pages, more = [], {}
    while True:
        page = ebs.list_snapshot_blocks(SnapshotId=many, MaxResults=100, **more)
        pages.append([b["BlockIndex"] for b in page["Blocks"]])
        if "NextToken" not in page:
            break
        more = {"NextToken": page["NextToken"]}
    assert [len(page) for page in pages] == [20, 20, 5] and sum(pages, []) == list(range(45)), pages
    reason("ValidationException", "INVALID_PAGE_TOKEN", ebs.list_snapshot_blocks, SnapshotId=snapshot, **more)
    control("settings", {"page_size": 5})
    control("advance", {"ms": 8 * 24 * 3600 * 1000})
    get["BlockToken"] = listed["Blocks"][1]["BlockToken"]
    reason("ValidationException", "INVALID_BLOCK_TOKEN", ebs.get_snapshot_block, **get)


def increments(snapshot, blocks):
    ebs = client("ebs")
    new = os.urandom(BLOCK)
    child = make(blocks={7: new, 9: new}, ParentSnapshotId=snapshot)
    everything = [b["BlockIndex"] for b in ebs.list_snapshot_blocks(SnapshotId=child)["Blocks"]]
    assert everything == sorted({*blocks, 7, 9}), everything
    changed = ebs.list_changed_blocks(FirstSnapshotId=snapshot, SecondSnapshotId=child)["ChangedBlocks"]
    assert [b["BlockIndex"] for b in changed] == [7, 9], changed
    assert "FirstBlockToken" in changed[0] and "FirstBlockToken" not in changed[1], changed
    unrelated = {"FirstSnapshotId": make(), "SecondSnapshotId": child}
    reason("ValidationException", "UNRELATED_SNAPSHOTS", ebs.list_changed_blocks, **unrelated)


def limits():
    reset(quotas={"pending_snapshots": 2, "snapshots": 3})
    ebs, ec2 = client("ebs"), client("ec2")
    pending = [ebs.start_snapshot(VolumeSize=1, Timeout=10)["SnapshotId"] for _ in range(2)]
    full = "DEPENDENCY_SERVICE_QUOTA_EXCEEDED"
    reason("ServiceQuotaExceededException", full, ebs.start_snapshot, VolumeSize=1)
    ebs.complete_snapshot(SnapshotId=pending[0], ChangedBlocksCount=0)
    completed(ec2, pending[0])
    control("advance", {"ms": 11 * 60 * 1000})
    snapshots = {s["SnapshotId"]: s for s in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    abandoned = snapshots[pending[1]]
    assert abandoned["State"] == "error" and abandoned["StateMessage"], abandoned
    reason("ValidationException", "INVALID_SNAPSHOT_ID", put, ebs=ebs, snapshot=pending[1], index=0, data=bytes(BLOCK))
    make()
    reason("ServiceQuotaExceededException", full, ebs.start_snapshot, VolumeSize=1)
    ec2.delete_snapshot(SnapshotId=pending[1])
    ebs.start_snapshot(VolumeSize=1)
    reset(denied=[{"action": "ebs:StartSnapshot"}, {"action": "ec2:CreateTags"}])
    refused("AccessDeniedException", ebs.start_snapshot, VolumeSize=1)
    reset(denied=[{"action": "ec2:CreateTags"}])
    ebs.start_snapshot(VolumeSize=1)
    refused("AccessDeniedException", ebs.start_snapshot, VolumeSize=1, Tags=[{"Key": "a", "Value": ""}])


if __name__ == "__main__":
    reset()
    starting()
    written = writing()
    increments(*written)
    reading(*written)
    limits()
    print("ebs: as documented")
