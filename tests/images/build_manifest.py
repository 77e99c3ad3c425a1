"""Writes Debian's build manifest for the images in the current folder: build_manifest.py NAME VARIANT VERSION.

Reads packages.tsv and SHA512SUMS; writes NAME.build.json (a List of one Build and one Upload for each file).
"""

import base64
import json
import os
import sys
import uuid

name, variant, version = sys.argv[1:]
API = "cloud.debian.org/v1alpha1"
sums = {file: digest for digest, file in (line.split() for line in open("SHA512SUMS"))}
packages = [line.split("\t")[:2] for line in open("packages.tsv")]
labels = {
    "cloud.debian.org/vendor": variant, "cloud.debian.org/version": version,
    "debian.org/arch": "amd64", "debian.org/dist": "debian", "debian.org/release": "bookworm",
}


def uid(what):
    """The same content gets the same id: two builds can be compared byte by byte."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{what} {sums}"))


def upload(file):
    digest = base64.b64encode(bytes.fromhex(sums[file])).decode().rstrip("=")  # Debian leaves the padding out
    more = {"upload.cloud.debian.org/image-format": file.rsplit(".", 1)[1], "upload.cloud.debian.org/provider": "cloud.debian.org",
            "upload.cloud.debian.org/type": "dev"}
    metadata = {"annotations": {"cloud.debian.org/digest": "sha512:" + digest}, "labels": labels | more, "uid": uid(file)}
    return {"apiVersion": API, "kind": "Upload", "metadata": metadata, "data": {"provider": "cloud.debian.org", "ref": file}}


build = {
    "apiVersion": API, "kind": "Build",
    "metadata": {"labels": labels | {"build.cloud.debian.org/build-id": "test"}, "uid": uid("build")},
    "data": {
        "info": {"arch": "amd64", "build_id": "test", "release": "bookworm", "release_baseid": "12", "release_id": "12",
                 "type": "dev", "vendor": variant, "version": version},
        "packages": [{"name": package, "version": number} for package, number in packages],
    },
}
with open(f"{name}.build.json.new", "w") as out:
    json.dump({"apiVersion": "v1", "kind": "List", "items": [build, *map(upload, sorted(sums))]}, out,
              indent=4, separators=(",", ": "), sort_keys=True)
os.rename(f"{name}.build.json.new", f"{name}.build.json")
