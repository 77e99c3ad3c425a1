"""Buckets, objects and multipart uploads, with every refusal that an upload can meet."""

import base64
import hashlib
import io
import urllib.error
import urllib.request
import zlib

from world import OTHER, OWN, URL, client, control, refused, reset

MIB = 1 << 20
PLACE = {"Bucket": "images", "Key": "disk.raw"}


def sha256(data):
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


def buckets():
    s3, west = client("s3"), client("s3", "us-west-2")
    refused("404", s3.head_bucket, Bucket="images")
    refused("InvalidBucketName", s3.create_bucket, Bucket="Not_A_Name")
    s3.create_bucket(Bucket="images")
    s3.create_bucket(Bucket="images")  # us-east-1 alone forgives this
    there = {"LocationConstraint": "us-west-2"}
    refused("IllegalLocationConstraintException", west.create_bucket, Bucket="western")
    refused("IllegalLocationConstraintException", s3.create_bucket, Bucket="western", CreateBucketConfiguration=there)
    west.create_bucket(Bucket="western", CreateBucketConfiguration=there)
    refused("BucketAlreadyOwnedByYou", west.create_bucket, Bucket="western", CreateBucketConfiguration=there)
    stranger = client("s3", account=OTHER)
    refused("BucketAlreadyExists", stranger.create_bucket, Bucket="images")
    refused("403", stranger.head_bucket, Bucket="images")
    refused("AccessDenied", stranger.list_objects_v2, Bucket="images")

    assert s3.head_bucket(Bucket="images")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="images")["LocationConstraint"] is None
    assert s3.get_bucket_location(Bucket="western")["LocationConstraint"] == "us-west-2"
    assert [it["Name"] for it in s3.list_buckets()["Buckets"]] == ["images", "western"]
    # botocore follows the redirect by its header: the client of the wrong region gets there in the end
    assert client("s3", "eu-west-1").head_bucket(Bucket="western")["BucketRegion"] == "us-west-2"
    west.put_object(Bucket="western", Key="a", Body=b"x")
    refused("BucketNotEmpty", west.delete_bucket, Bucket="western")
    west.delete_object(Bucket="western", Key="a")
    west.delete_bucket(Bucket="western")
    refused("NoSuchBucket", west.list_objects_v2, Bucket="western")


def objects():
    s3 = client("s3")
    data = bytes(range(256)) * 10
    refused("BadDigest", s3.put_object, **PLACE, Body=data, ChecksumSHA256=sha256(b"other"))
    refused("BadDigest", s3.put_object, **PLACE, Body=data, ContentMD5=base64.b64encode(bytes(16)).decode())
    refused("404", s3.head_object, **PLACE)
    more = {"Metadata": {"digest": "sha256:x"}, "Tagging": "owner=debian&n=1"}
    done = s3.put_object(**PLACE, Body=data, IfNoneMatch="*", **more)
    assert done["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    assert done["ChecksumCRC32"] == base64.b64encode(zlib.crc32(data).to_bytes(4, "big")).decode()
    refused("PreconditionFailed", s3.put_object, **PLACE, Body=b"again", IfNoneMatch="*")
    refused("AccessDenied", s3.put_object, **PLACE, Body=b"x", ExpectedBucketOwner=OTHER)

    got = s3.get_object(**PLACE)  # boto3 verifies the checksum that comes with it
    assert got["Body"].read() == data and got["Metadata"] == {"digest": "sha256:x"} and got["TagCount"] == 2
    piece = s3.get_object(**PLACE, Range="bytes=250-259")
    assert piece["Body"].read() == data[250:260] and piece["ContentRange"] == "bytes 250-259/2560"
    assert piece["ResponseMetadata"]["HTTPStatusCode"] == 206
    refused("InvalidRange", s3.get_object, **PLACE, Range="bytes=2560-")
    head = s3.head_object(**PLACE, ChecksumMode="ENABLED")
    assert head["ContentLength"] == 2560 and head["ChecksumType"] == "FULL_OBJECT" and head["ChecksumCRC32"]
    assert "ChecksumCRC32" not in client("s3", response_checksum_validation="when_required").head_object(**PLACE)

    plain = client("s3", request_checksum_calculation="when_required")
    assert plain.put_object(Bucket="images", Key="plain", Body=b"123456789")["ChecksumCRC64NVME"] == "rosUhgp5mIg="

    s3.put_object_tagging(**PLACE, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_object_tagging(**PLACE)["TagSet"] == [{"Key": "a", "Value": "b"}]
    many = [{"Key": str(n), "Value": ""} for n in range(11)]
    refused("BadRequest", s3.put_object_tagging, **PLACE, Tagging={"TagSet": many})
    s3.delete_object_tagging(**PLACE)
    assert s3.get_object_tagging(**PLACE)["TagSet"] == []

    refused("NotImplemented", s3.get_object_acl, **PLACE)
    refused("NotImplemented", s3.list_objects, Bucket="images")


def trailers():
    """A body in chunks with its checksum behind it, as SDKs send streams; boto3 does so over TLS alone."""
    data = b"chunked " * 1000
    for checksum, expected in ((zlib.crc32(data), 200), (zlib.crc32(b""), 400)):
        value = base64.b64encode(checksum.to_bytes(4, "big")).decode()
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (data[:3000], data[3000:]))
        body = chunks + f"0\r\nx-amz-checksum-crc32:{value}\r\n\r\n".encode()
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA{OWN}T/20240101/us-east-1/s3/aws4_request",
            "Content-Encoding": "aws-chunked",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": str(len(data)),
            "x-amz-trailer": "x-amz-checksum-crc32",
            "x-amz-sdk-checksum-algorithm": "CRC32",
        }
        request = urllib.request.Request(f"{URL}/images/chunked", data=body, headers=headers, method="PUT")
        try:
            status = urllib.request.urlopen(request, timeout=20).status
        except urllib.error.HTTPError as error:
            status = error.code
            assert b"<Code>BadDigest</Code>" in error.read()
        assert status == expected, status
    assert client("s3").get_object(Bucket="images", Key="chunked")["Body"].read() == data


def lists():
    s3 = client("s3")
    keys = [f"a/{n} &+é" for n in range(7)] + [f"b/{n}/x" for n in range(6)] + ["c"]
    s3.create_bucket(Bucket="listed")
    for key in keys:
        s3.put_object(Bucket="listed", Key=key, Body=b"")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="listed"))
    assert len(pages) == 3 and all(page["KeyCount"] <= 5 for page in pages)
    assert [it["Key"] for page in pages for it in page["Contents"]] == sorted(keys, key=str.encode)
    folders = list(s3.get_paginator("list_objects_v2").paginate(Bucket="listed", Delimiter="/", Prefix="b/"))
    assert [it["Prefix"] for page in folders for it in page["CommonPrefixes"]] == [f"b/{n}/" for n in range(6)]
    top = s3.list_objects_v2(Bucket="listed", Delimiter="/")
    assert [it["Prefix"] for it in top["CommonPrefixes"]] == ["a/", "b/"] and top["Contents"][0]["Key"] == "c"
    assert s3.list_objects_v2(Bucket="listed", StartAfter="b/5/x")["Contents"][0]["Key"] == "c"
    assert s3.list_objects_v2(Bucket="listed", MaxKeys=2)["KeyCount"] == 2
    refused("InvalidArgument", s3.list_objects_v2, Bucket="listed", ContinuationToken="made-up")
    gone = s3.delete_objects(Bucket="listed", Delete={"Objects": [{"Key": key} for key in keys]})
    assert len(gone["Deleted"]) == len(keys) and s3.list_objects_v2(Bucket="listed")["KeyCount"] == 0


def multipart():
    s3 = client("s3")
    place = {"Bucket": "images", "Key": "big"}
    bodies = [bytes([n]) * (5 * MIB) for n in range(6)] + [b"tail"]
    whole = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "FULL_OBJECT"}
    refused("InvalidRequest", s3.create_multipart_upload, **place, **whole)
    begun = s3.create_multipart_upload(**place, ChecksumAlgorithm="SHA256", Tagging="owner=debian")
    assert begun["ChecksumType"] == "COMPOSITE"
    upload = {**place, "UploadId": begun["UploadId"]}
    refused("NoSuchUpload", s3.list_parts, **place, UploadId="made-up")
    refused("InvalidArgument", s3.upload_part, **upload, PartNumber=10_001, Body=b"x")
    refused("InvalidRequest", s3.upload_part, **upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32C")
    refused("BadDigest", s3.upload_part, **upload, PartNumber=1, Body=b"x", ChecksumSHA256=sha256(b"y"))
    parts = []
    for number, body in enumerate(bodies, start=1):
        done = s3.upload_part(**upload, PartNumber=number, Body=body, ChecksumSHA256=sha256(body))
        parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumSHA256": done["ChecksumSHA256"]})

    pages = list(s3.get_paginator("list_parts").paginate(**upload))
    listed = [it for page in pages for it in page["Parts"]]
    assert len(pages) == 2 and pages[0]["ChecksumAlgorithm"] == "SHA256"
    keep = ("PartNumber", "ETag", "ChecksumSHA256")
    assert [{key: it[key] for key in keep} for it in listed] == parts
    assert [it["Size"] for it in listed] == [len(body) for body in bodies]

    def complete(parts, **more):
        return {**upload, "MultipartUpload": {"Parts": parts}, **more}

    end = s3.complete_multipart_upload
    refused("InvalidPartOrder", end, **complete(parts[::-1]))
    refused("InvalidPart", end, **complete([{**parts[0], "ETag": '"0"'}, *parts[1:]]))
    refused("InvalidPart", end, **complete([{**parts[0], "ChecksumSHA256": sha256(b"")}, *parts[1:]]))
    refused("InvalidPart", end, **complete([*parts, {**parts[0], "PartNumber": 99}]))
    refused("InvalidRequest", end, **complete([{key: it[key] for key in keep[:2]} for it in parts]))
    refused("BadDigest", end, **complete(parts, ChecksumSHA256=sha256(b"")))
    refused("InvalidRequest", end, **complete(parts, MpuObjectSize=1))
    refused("EntityTooSmall", end, **complete([]) | {"MultipartUpload": {"Parts": small(s3, upload)}})
    whole = hashlib.sha256(b"".join(hashlib.sha256(body).digest() for body in bodies)).digest()
    composite = f"{base64.b64encode(whole).decode()}-7"
    parts = reload(s3, upload, bodies)
    done = end(**complete(parts, ChecksumSHA256=composite, IfNoneMatch="*"))
    assert done["ChecksumSHA256"] == composite and done["ETag"].endswith('-7"')
    refused("NoSuchUpload", end, **complete(parts))
    assert s3.head_object(**place, ChecksumMode="ENABLED")["ChecksumSHA256"] == composite
    assert s3.get_object(**place, Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")["Body"].read() == b"\0\0\1\1"
    assert s3.get_object(**place)["Body"].read() == b"".join(bodies)
    assert s3.get_object_tagging(**place)["TagSet"] == [{"Key": "owner", "Value": "debian"}]


def small(s3, upload):
    """Puts a part that is too small before the last, and lists all."""
    s3.upload_part(**upload, PartNumber=6, Body=b"x", ChecksumSHA256=sha256(b"x"))
    parts = [it for page in s3.get_paginator("list_parts").paginate(**upload) for it in page["Parts"]]
    return [{key: it[key] for key in ("PartNumber", "ETag", "ChecksumSHA256")} for it in parts]


def reload(s3, upload, bodies):
    """Puts part 6 back as it was, and lists all."""
    s3.upload_part(**upload, PartNumber=6, Body=bodies[5], ChecksumSHA256=sha256(bodies[5]))
    parts = [it for page in s3.get_paginator("list_parts").paginate(**upload) for it in page["Parts"]]
    return [{key: it[key] for key in ("PartNumber", "ETag", "ChecksumSHA256")} for it in parts]


def unfinished():
    s3 = client("s3")
    begun = [s3.create_multipart_upload(Bucket="images", Key=f"u{n // 2}")["UploadId"] for n in range(12)]
    pages = list(s3.get_paginator("list_multipart_uploads").paginate(Bucket="images"))
    listed = [(it["Key"], it["UploadId"]) for page in pages for it in page["Uploads"]]
    assert len(pages) == 3 and sorted(listed) == listed and {upload for _, upload in listed} == set(begun)
    only = s3.list_multipart_uploads(Bucket="images", Prefix="u3")["Uploads"]
    assert [it["Key"] for it in only] == ["u3", "u3"]
    for key, upload in listed:
        s3.abort_multipart_upload(Bucket="images", Key=key, UploadId=upload)
    refused("NoSuchUpload", s3.abort_multipart_upload, Bucket="images", Key="u0", UploadId=begun[0])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="images")


def high_level():
    """What a plain program does: boto3's own multipart, with its default checksums, of a stream."""
    data = bytes(range(251)) * 80_000
    for algorithm in ("CRC32", "CRC64NVME", "CRC32C", None):
        more = {} if algorithm is None else {"ExtraArgs": {"ChecksumAlgorithm": algorithm}}
        client("s3").upload_fileobj(io.BytesIO(data), "images", "stream", **more)
        back = io.BytesIO()
        client("s3").download_fileobj("images", "stream", back)
        assert back.getvalue() == data, algorithm
    state = control("state")["s3"]["images"]["objects"]["stream"]
    assert state["size"] == len(data) and state["etag"].endswith('-3"')


if __name__ == "__main__":
    reset()
    buckets()
    objects()
    trailers()
    lists()
    multipart()
    unfinished()
    high_level()
    print("s3: as documented")
