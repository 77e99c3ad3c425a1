"""Shows that `contract.py` finds what is wrong, and nothing in what boto3 sends.

    . FILE && python contract_test.py       FILE is what `fake-aws --env FILE` wrote

Every test resets the fake: nobody else may use it meanwhile.
"""

import io
import json
import pathlib
import tempfile
import unittest
import urllib.error
import urllib.request
from contextlib import redirect_stderr, redirect_stdout

import contract
from cases import Walk
from world import URL, client, control

FORM = "application/x-www-form-urlencoded; charset=utf-8"
BLOCK = {"x-amz-Data-Length": "524288", "x-amz-Checksum": "a" * 44, "x-amz-Checksum-Algorithm": "SHA256"}


def send(service, path="/", body=b"", method="POST", **headers):
    """Sends anything at all, signed as well as the fake needs it."""
    scope = f"AKIA111111111111TEST/20240101/us-east-1/{service}/aws4_request"
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    headers["Authorization"] = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(URL + path, data=body or None, method=method, headers=headers)
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as refused:
        refused.close()


class Contract(Walk):
    def found(self):
        return [problem for entry in control("log")["requests"] for problem in contract.violations(entry)]

    def finds(self, *problems):
        found = self.found()
        for problem in problems:
            self.assertTrue(any(problem in line for line in found), f"{problem!r} is not in {found}")
        self.assertEqual(len(found), len(problems), found)

    def form(self, body, service="ec2"):
        send(service, body=body.encode(), Content_Type=FORM)

    def json(self, target, body, service="ssm"):
        send(service, body=json.dumps(body).encode(), X_Amz_Target=target, Content_Type="application/x-amz-json-1.1")


class Form(Contract):
    VERSION = "&Version=2016-11-15"

    def test_an_unknown_member_is_found_at_any_depth(self):
        self.form(f"Action=DescribeImages{self.VERSION}&ImageIds.1=ami-1&Filter.1.Name=name&Filter.1.Vaule.1=x")
        self.finds(".ImageIds: there is no such member", ".Filter.1.Vaule: there is no such member")

    def test_a_wrong_type_and_a_wrong_enum_are_found(self):
        self.form(f"Action=RegisterImage{self.VERSION}&Name=abc&EnaSupport=yes&Architecture=amd64")
        self.finds(".enaSupport: 'yes' is no boolean", ".architecture: 'amd64' is none of")

    def test_a_missing_member_is_found(self):
        self.form(f"Action=CopyImage{self.VERSION}&Name=abc")
        self.finds(".SourceImageId: is required", ".SourceRegion: is required")

    def test_a_list_that_is_not_numbered_from_one_is_found(self):
        self.form(f"Action=DescribeImages{self.VERSION}&ImageId.2=ami-1")
        self.finds(".ImageId: its items are not numbered 1 to 1")

    def test_an_unknown_operation_and_version_are_found(self):
        self.form(f"Action=DescribeImagez{self.VERSION}")
        self.form("Action=DescribeImages&Version=2010-01-01")
        self.finds("is no operation", "Version is not 2016-11-15")

    def test_a_value_that_is_too_short_is_found(self):
        role = "RoleArn=arn:aws:iam::222222222222:role/a&RoleSessionName=x"
        self.form(f"Action=AssumeRole&Version=2011-06-15&{role}&DurationSeconds=10&PolicyArns.1.arn=a", "sts")
        self.finds(".RoleSessionName: the length is 1", ".DurationSeconds: the value is 10", "are not under member")


class Json(Contract):
    def test_members_types_enums_and_patterns_are_checked(self):
        self.json("AmazonSSM.PutParameter", {"Name": 5, "Type": "Text", "Valeu": "x", "Tags": [{"Key": "a*b"}]})
        self.finds(".Name: 5 is no string", ".Type: 'Text' is none of", ".Valeu: there is no such member",
                   ".Value: is required", ".Tags[1].Key: 'a*b' does not fit", ".Tags[1].Value: is required")

    def test_a_foreign_target_is_found(self):
        self.json("AmazonSMS.GetParameter", {"Name": "/a"})
        self.finds("X-Amz-Target is AmazonSMS.GetParameter")


class Rest(Contract):
    def test_a_wrong_block_is_found(self):
        send("ebs", "/snapshots/snap%2A/blocks/1?force=1", b"x", "PUT", **BLOCK, x_amz_Compressed="no")
        self.finds(".snapshotId: 'snap*' does not fit", "?force: there is no such query parameter",
                   "x-amz-compressed: there is no such header")

    def test_a_header_with_a_word_for_a_number_is_found(self):
        send("ebs", "/snapshots/snap-1/blocks/x", b"x", "PUT", **(BLOCK | {"x-amz-Data-Length": "many"}))
        self.finds(".blockIndex: 'x' is no integer", ".x-amz-Data-Length: 'many' is no integer")

    def test_a_wrong_body_is_found(self):
        send("ebs", "/snapshots", b'{"VolumeSize": "1", "Tag": []}', Content_Type="application/json")
        send("ebs", "/snapshots", b"no json", Content_Type="application/json")
        self.finds(".VolumeSize: '1' is no long", ".Tag: there is no such member", "is not a JSON object",
                   ".VolumeSize: is required")

    def test_a_change_needs_its_members_and_may_hold_any_document(self):
        change = {"ChangeType": "addVersion", "Entity": {"Identifier": "a"}, "DetailsDocument": {"any": [1]}}
        body = {"Catalog": "AWSMarketplace", "ChangeSet": [change]}
        send("aws-marketplace", "/StartChangeSet", json.dumps(body).encode(), Content_Type="application/json")
        self.finds(".ChangeSet[1].ChangeType: 'addVersion' does not fit", ".ChangeSet[1].Entity.Type: is required")

    def test_a_wrong_element_is_found(self):
        body = b"<CompleteMultipartUpload><Part><PartNumber>one</PartNumber><Etag>x</Etag></Part></CompleteMultipartUpload>"
        send("s3", "/bucket/a/b?uploadId=u", body, Content_Type="application/xml")
        send("s3", "/bucket/a/b?uploadId=u", b"<Complete", Content_Type="application/xml")
        self.finds(".PartNumber: 'one' is no integer", ".Etag: there is no such element", "the body is no XML")


class Whole(Contract):
    def verdict(self):
        """Of this test's requests only: the fake itself remembers those of all."""
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, redirect_stdout(out), redirect_stderr(io.StringIO()):
            pathlib.Path(folder, "log.json").write_text(json.dumps(control("log")))
            return contract.main([folder]), out.getvalue()

    def ask_everybody(self):
        """Requests of every protocol with lists, tags and nested members; whether they are granted does not count."""
        tags = [{"Key": "owner", "Value": "debian"}]
        specification = [{"ResourceType": "image", "Tags": tags}]
        device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": "snap-1", "VolumeSize": 8, "DeleteOnTermination": True}}
        calls = [
            ("ec2", "register_image", {"Name": "abc", "BlockDeviceMappings": [device], "TagSpecifications": specification,
                                       "BillingProducts": ["bp-1"], "EnaSupport": True, "Architecture": "arm64"}),
            ("ec2", "describe_images", {"Filters": [{"Name": "tag:owner", "Values": ["debian", "*"]}], "Owners": ["self"]}),
            ("ec2", "modify_image_attribute", {"ImageId": "ami-1", "LaunchPermission": {"Add": [{"Group": "all"}]}}),
            ("ec2", "enable_image_deprecation", {"ImageId": "ami-1", "DeprecateAt": "2030-01-01T00:00:00Z"}),
            ("ebs", "start_snapshot", {"VolumeSize": 1, "Tags": tags}),
            ("ebs", "put_snapshot_block", {"SnapshotId": "snap-1", "BlockIndex": 3, "BlockData": b"x", "DataLength": 524288,
                                           "Checksum": "a" * 44, "ChecksumAlgorithm": "SHA256"}),
            ("ebs", "list_snapshot_blocks", {"SnapshotId": "snap-1", "MaxResults": 100}),
            ("sts", "assume_role", {"RoleArn": "arn:aws:iam::222222222222:role/publisher", "RoleSessionName": "walk",
                                    "PolicyArns": [{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}]}),
            ("ssm", "put_parameter", {"Name": "/a", "Value": "a", "Type": "String", "Tags": tags}),
            ("service-quotas", "list_service_quotas", {"ServiceCode": "ec2"}),
            ("marketplace-catalog", "list_change_sets", {"Catalog": "AWSMarketplace", "MaxResults": 5}),
            ("s3", "put_object", {"Bucket": "bucket", "Key": "a/b c", "Body": b"x", "Metadata": {"owner": "debian"},
                                  "Tagging": "a=b"}),
            ("s3", "create_multipart_upload", {"Bucket": "bucket", "Key": "a", "ChecksumAlgorithm": "SHA256"}),
            ("s3", "complete_multipart_upload", {"Bucket": "bucket", "Key": "a", "UploadId": "u", "MultipartUpload": {
                "Parts": [{"ETag": "e", "PartNumber": 1}, {"ETag": "f", "PartNumber": 2}]}}),
            ("s3", "list_objects_v2", {"Bucket": "bucket", "Prefix": "a/"}),
        ]
        for service, name, arguments in calls:
            try:
                getattr(client(service), name)(**arguments)
            except contract.botocore.exceptions.ClientError:
                continue

    def test_nothing_is_found_in_what_boto3_sends(self):
        self.ask_everybody()
        self.assertEqual(self.verdict(), (0, ""))

    def test_one_wrong_request_among_good_ones_fails_the_whole(self):
        self.ask_everybody()
        self.form("Action=DescribeImages&Version=2016-11-15&Owners.1=self")
        code, printed = self.verdict()
        self.assertEqual(code, 1)
        self.assertIn("ec2:DescribeImages .Owners: there is no such member", printed)

    def test_a_running_fake_is_judged_by_all_it_was_asked(self):
        self.form("Action=DescribeImages&Version=2016-11-15&Owners.1=self")
        control("reset", {})
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            self.assertEqual(contract.main([URL]), 1)

    def test_an_empty_log_proves_nothing(self):
        self.assertEqual(self.verdict()[0], 2)


if __name__ == "__main__":
    unittest.main()
