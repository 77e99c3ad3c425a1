"""Prints the blocks of the snapshots named, as JSON: for each its blocks' numbers and the sha256 of each in base64."""

import base64
import hashlib
import json
import sys

from world import client


def blocks(snapshot):
    ebs = client("ebs")
    listed = ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"]
    read = ((block["BlockIndex"], ebs.get_snapshot_block(SnapshotId=snapshot, **block)) for block in listed)
    return {index: base64.b64encode(hashlib.sha256(answer["BlockData"].read()).digest()).decode() for index, answer in read}


print(json.dumps({snapshot: blocks(snapshot) for snapshot in sys.argv[1:]}))
