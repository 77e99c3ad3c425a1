"""Walks the fake AWS's STS, IAM, Service Quotas, Parameter Store, faults and log with boto3, which parses every answer by
AWS's own service models.

    . FILE && python walk_small.py       FILE is what `fake-aws --env FILE` wrote

Every test resets the fake: nobody else may use it meanwhile.
"""

import base64
import json
import os
import time
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

URL = os.environ["AWS_ENDPOINT_URL"]
OURS, OTHERS, CHINA = "111111111111", "222222222222", "333333333333"
CUT = (ConnectionClosedError, EndpointConnectionError)


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(URL + path, data=data)) as answer:
        return json.load(answer)


def client(service, account=OURS, region="us-east-1", credentials=None, attempts=1, timeout=10):
    keys = credentials or {"AccessKeyId": f"AKIA{account}WALK", "SecretAccessKey": "any", "SessionToken": None}
    return boto3.client(
        service,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=timeout),
    )


def jwt(**claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return ".".join([part({"alg": "RS256"}), part(claims), "signature"])


class Walk(unittest.TestCase):
    def setUp(self):
        control("/_fake/reset", {})

    def refuses(self, code, call, **arguments):
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        self.assertEqual(caught.exception.response["Error"]["Code"], code, caught.exception)
        return caught.exception.response


class Identity(Walk):
    def test_an_access_key_names_its_account(self):
        identity = client("sts").get_caller_identity()
        self.assertEqual(identity["Account"], OURS)
        self.assertEqual(client("sts", CHINA, "cn-north-1").get_caller_identity()["Arn"][:10], "arn:aws-cn")

    def test_unknown_accounts_and_regions_that_are_off_are_refused(self):
        self.refuses("InvalidClientTokenId", client("sts", "999999999999").get_caller_identity)
        self.refuses("AuthFailure", client("ec2", OURS, "af-south-1").describe_images)
        self.refuses("AuthFailure", client("ec2", OURS, "cn-north-1").describe_images)
        self.refuses("UnrecognizedClientException", client("ssm", OURS, "nowhere-1").get_parameter, Name="/a")
        self.refuses("InvalidAccessKeyId", client("s3", "999999999999").list_buckets)

    def test_a_role_is_assumed_by_whom_it_trusts(self):
        arn = f"arn:aws:iam::{OTHERS}:role/publisher"
        role = client("sts").assume_role(RoleArn=arn, RoleSessionName="walk")
        identity = client("sts", credentials=role["Credentials"]).get_caller_identity()
        self.assertEqual(identity["Account"], OTHERS)
        self.assertEqual(identity["Arn"], f"arn:aws:sts::{OTHERS}:assumed-role/publisher/walk")
        self.assertTrue(identity["UserId"].endswith(":walk"))
        self.refuses("AccessDenied", client("sts", OTHERS).assume_role, RoleArn=arn, RoleSessionName="walk")

    def test_roles_chain_for_an_hour(self):
        control("/_fake/settings", {"accounts": {"111111111111": {"roles": {"inner": {
            "trusts": [f"arn:aws:iam::{OTHERS}:role/publisher"], "max_session_seconds": 43200}}}}})
        outer = client("sts").assume_role(RoleArn=f"arn:aws:iam::{OTHERS}:role/publisher", RoleSessionName="walk")
        chained = client("sts", credentials=outer["Credentials"])
        inner = f"arn:aws:iam::{OURS}:role/inner"
        self.refuses("ValidationError", chained.assume_role, RoleArn=inner, RoleSessionName="walk", DurationSeconds=7200)
        inner = chained.assume_role(RoleArn=inner, RoleSessionName="walk")
        self.assertEqual(client("sts", credentials=inner["Credentials"]).get_caller_identity()["Account"], OURS)

    def test_external_id_duration_partition_and_missing_role_count(self):
        control("/_fake/settings", {"accounts": {OTHERS: {"roles": {"secret": {"trusts": ["*"], "external_id": "word"}}}}})
        assume, arn = client("sts").assume_role, f"arn:aws:iam::{OTHERS}:role/secret"
        self.refuses("AccessDenied", assume, RoleArn=arn, RoleSessionName="walk")
        self.refuses("AccessDenied", assume, RoleArn=arn, RoleSessionName="walk", ExternalId="other")
        assume(RoleArn=arn, RoleSessionName="walk", ExternalId="word")
        self.refuses("ValidationError", assume, RoleArn=arn, RoleSessionName="walk", ExternalId="word", DurationSeconds=7200)
        self.refuses("AccessDenied", assume, RoleArn=arn.replace("secret", "none"), RoleSessionName="walk")
        china = f"arn:aws-cn:iam::{CHINA}:role/publisher"
        self.refuses("AccessDenied", assume, RoleArn=china, RoleSessionName="walk")

    def test_a_session_needs_its_token_and_ends(self):
        arn = f"arn:aws:iam::{OTHERS}:role/publisher"
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="walk", DurationSeconds=900)["Credentials"]
        self.refuses("InvalidClientTokenId", client("sts", credentials=keys | {"SessionToken": "x"}).get_caller_identity)
        control("/_fake/advance", {"ms": 901_000})
        self.refuses("ExpiredToken", client("sts", credentials=keys).get_caller_identity)

    def test_a_web_identity_assumes_without_a_signature(self):
        roles = {"ci": {"web_identity": ["ci.example.org"]}}
        control("/_fake/settings", {"accounts": {OURS: {"roles": roles}}})
        assume = client("sts").assume_role_with_web_identity
        wanted = {"RoleArn": f"arn:aws:iam::{OURS}:role/ci", "RoleSessionName": "walk"}
        token = jwt(iss="https://ci.example.org", sub="job:17", aud="sts.amazonaws.com", exp=time.time() + 1e6)
        role = assume(**wanted, WebIdentityToken=token)
        self.assertEqual(role["SubjectFromWebIdentityToken"], "job:17")
        self.assertEqual(client("sts", credentials=role["Credentials"]).get_caller_identity()["Account"], OURS)
        self.refuses("InvalidIdentityToken", assume, **wanted, WebIdentityToken=jwt(iss="https://evil.example.org"))
        self.refuses("InvalidIdentityToken", assume, **wanted, WebIdentityToken="no token")
        old = jwt(iss="https://ci.example.org", sub="job:17", aud="a", exp=1)
        self.refuses("ExpiredTokenException", assume, **wanted, WebIdentityToken=old)
        other = {"RoleArn": f"arn:aws:iam::{OURS}:role/publisher", "RoleSessionName": "walk"}
        self.refuses("AccessDenied", assume, **other, WebIdentityToken=token)

    def test_the_import_role_is_described(self):
        iam = client("iam")
        role = iam.get_role(RoleName="vmimport")["Role"]
        statement = role["AssumeRolePolicyDocument"]["Statement"][0]
        self.assertEqual(statement["Principal"], {"Service": "vmie.amazonaws.com"})
        self.assertEqual(iam.list_role_policies(RoleName="vmimport")["PolicyNames"], ["vmimport"])
        policy = iam.get_role_policy(RoleName="vmimport", PolicyName="vmimport")["PolicyDocument"]
        self.assertIn("s3:GetObject", policy["Statement"][0]["Action"])
        self.assertEqual(iam.list_attached_role_policies(RoleName="vmimport")["AttachedPolicies"], [])
        control("/_fake/settings", {"accounts": {OURS: {"roles": {"vmimport": None}}}})
        self.refuses("NoSuchEntity", iam.get_role, RoleName="vmimport")

    def test_permissions_are_missing_by_account_role_action_and_region(self):
        control("/_fake/settings", {"denied": [
            {"account": OTHERS, "role": "publisher", "action": "ssm:Get*", "region": "eu-west-1"}]})
        arn = f"arn:aws:iam::{OTHERS}:role/publisher"
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="walk")["Credentials"]
        denied = client("ssm", credentials=keys, region="eu-west-1").get_parameter
        self.refuses("AccessDeniedException", denied, Name="/a")
        self.refuses("ParameterNotFound", client("ssm", credentials=keys).get_parameter, Name="/a")
        self.refuses("ParameterNotFound", client("ssm", OTHERS, "eu-west-1").get_parameter, Name="/a")


class Quotas(Walk):
    def test_quotas_are_those_of_the_settings(self):
        control("/_fake/settings", {"quota_exceptions": [
            {"account": OURS, "region": "eu-west-1", "quotas": {"public_images": 7}}]})
        wanted = {"ServiceCode": "ec2", "QuotaCode": "L-0E3CBAB9"}
        self.assertEqual(client("service-quotas").get_service_quota(**wanted)["Quota"]["Value"], 5.0)
        ireland = client("service-quotas", region="eu-west-1")
        self.assertEqual(ireland.get_service_quota(**wanted)["Quota"]["Value"], 7.0)
        self.assertEqual(ireland.get_aws_default_service_quota(**wanted)["Quota"]["Value"], 5.0)

    def test_what_cannot_be_raised_has_only_a_default(self):
        quotas, wanted = client("service-quotas"), {"ServiceCode": "ebs", "QuotaCode": "L-94D7AB7D"}
        self.refuses("NoSuchResourceException", quotas.get_service_quota, **wanted)
        self.assertEqual(quotas.get_aws_default_service_quota(**wanted)["Quota"]["Value"], 100.0)
        self.refuses("NoSuchResourceException", quotas.get_service_quota, ServiceCode="ec2", QuotaCode="L-00000000")

    def test_quotas_come_in_pages(self):
        control("/_fake/settings", {"page_size": 1})
        pages = list(client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="ec2"))
        self.assertEqual([len(page["Quotas"]) for page in pages], [1, 1])

    def test_access_can_be_missing(self):
        control("/_fake/settings", {"no_service_quota_access": True})
        wanted = {"ServiceCode": "ec2", "QuotaCode": "L-0E3CBAB9"}
        self.refuses("AccessDeniedException", client("service-quotas").get_service_quota, **wanted)


class Parameters(Walk):
    def put(self, name, value="a", ssm=None, **more):
        return (ssm or client("ssm")).put_parameter(Name=name, Value=value, Type="String", **more)

    def test_versions_count_and_are_kept(self):
        ssm = client("ssm")
        self.assertEqual(self.put("/debian/a", "one")["Version"], 1)
        self.refuses("ParameterAlreadyExists", self.put, name="/debian/a")
        self.assertEqual(ssm.put_parameter(Name="/debian/a", Value="two", Overwrite=True)["Version"], 2)
        parameter = ssm.get_parameter(Name="/debian/a")["Parameter"]
        self.assertEqual((parameter["Value"], parameter["Version"], parameter["Type"]), ("two", 2, "String"))
        self.assertEqual(parameter["ARN"], f"arn:aws:ssm:us-east-1:{OURS}:parameter/debian/a")
        old = ssm.get_parameter(Name="/debian/a:1")["Parameter"]
        self.assertEqual((old["Value"], old["Selector"]), ("one", ":1"))
        self.assertEqual(ssm.get_parameter(Name=parameter["ARN"])["Parameter"]["Value"], "two")
        self.refuses("ParameterVersionNotFound", ssm.get_parameter, Name="/debian/a:3")
        pages = ssm.get_paginator("get_parameter_history").paginate(Name="/debian/a")
        self.assertEqual([version["Value"] for page in pages for version in page["Parameters"]], ["one", "two"])

    def test_the_hundred_and_first_version_drives_out_the_first(self):
        ssm = client("ssm")
        for number in range(101):
            ssm.put_parameter(Name="/a", Value=str(number), Type="String", Overwrite=True)
        self.refuses("ParameterVersionNotFound", ssm.get_parameter, Name="/a:1")
        self.assertEqual(ssm.get_parameter(Name="/a")["Parameter"]["Version"], 101)

    def test_tags_and_overwrite_exclude_each_other(self):
        ssm, tags = client("ssm"), [{"Key": "owner", "Value": "debian"}]
        self.refuses("ValidationException", self.put, name="/a", Overwrite=True, Tags=tags)
        self.put("/a", Tags=tags)
        resource = {"ResourceType": "Parameter", "ResourceId": "/a"}
        self.assertEqual(ssm.list_tags_for_resource(**resource)["TagList"], tags)
        ssm.add_tags_to_resource(**resource, Tags=[{"Key": "suite", "Value": "bookworm"}])
        ssm.remove_tags_from_resource(**resource, TagKeys=["owner"])
        self.assertEqual(ssm.list_tags_for_resource(**resource)["TagList"], [{"Key": "suite", "Value": "bookworm"}])
        missing = resource | {"ResourceId": "/none"}
        self.refuses("InvalidResourceId", ssm.list_tags_for_resource, **missing)
        many = [{"Key": f"key-{number}", "Value": ""} for number in range(50)]
        self.refuses("TooManyTagsError", ssm.add_tags_to_resource, **resource, Tags=many)

    def test_names_types_and_values_have_rules(self):
        self.refuses("AccessDeniedException", self.put, name="/aws/debian")
        self.refuses("ValidationException", self.put, name="/ssm/debian")
        self.refuses("ValidationException", self.put, name="debian/12")
        self.refuses("HierarchyLevelLimitExceededException", self.put, name="/x" * 16)
        self.refuses("ValidationException", self.put, name="/a", value="x" * 4097)
        self.refuses("ValidationException", client("ssm").put_parameter, Name="/a", Value="no type")
        self.put("/a")
        again = {"Name": "/a", "Value": "a,b", "Type": "StringList", "Overwrite": True}
        self.refuses("HierarchyTypeMismatchException", client("ssm").put_parameter, **again)

    def test_a_parameter_of_an_image_that_does_not_exist_is_accepted_and_not_made(self):
        for value in ["ami-0123456789abcdef0", "no image"]:
            self.assertEqual(self.put("/image", value, DataType="aws:ec2:image")["Version"], 1)
        time.sleep(0.1)
        self.refuses("ParameterNotFound", client("ssm").get_parameter, Name="/image")
        self.assertEqual(control("/_fake/state")["ssm"]["parameters"], [])

    def test_a_path_is_read_in_pages_that_may_be_empty(self):
        for number in range(7):
            self.put(f"/a/deep/{number}")
        self.put("/b/near")
        ssm = client("ssm")
        pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/b", Recursive=True))
        self.assertEqual([len(page["Parameters"]) for page in pages], [0, 1])
        names = lambda **how: [
            parameter["Name"]
            for page in ssm.get_paginator("get_parameters_by_path").paginate(Path="/a", **how)
            for parameter in page["Parameters"]
        ]
        self.assertEqual(names(), [])
        self.assertEqual(len(names(Recursive=True)), 7)
        self.refuses("InvalidNextToken", ssm.get_parameters_by_path, Path="/a", NextToken="x")
        self.refuses("ValidationException", ssm.get_parameters_by_path, Path="a")

    def test_parameters_are_described_by_filters(self):
        self.put("/a/one", Tags=[{"Key": "owner", "Value": "debian"}], Description="first")
        self.put("/a/b/two")
        describe = lambda *filters: [
            parameter["Name"]
            for page in client("ssm").get_paginator("describe_parameters").paginate(ParameterFilters=list(filters))
            for parameter in page["Parameters"]
        ]
        self.assertEqual(describe({"Key": "tag:owner", "Values": ["debian"]}), ["/a/one"])
        self.assertEqual(describe({"Key": "Path", "Option": "OneLevel", "Values": ["/a"]}), ["/a/one"])
        self.assertEqual(describe({"Key": "Path", "Option": "Recursive", "Values": ["/a"]}), ["/a/b/two", "/a/one"])
        self.assertEqual(describe({"Key": "Name", "Option": "Contains", "Values": ["two"]}), ["/a/b/two"])
        self.refuses("InvalidFilterOption", client("ssm").describe_parameters,
                     ParameterFilters=[{"Key": "Name", "Option": "Ends", "Values": ["x"]}])

    def test_several_are_read_and_deleted_at_once(self):
        ssm = client("ssm")
        self.put("/b"), self.put("/a")
        got = ssm.get_parameters(Names=["/b", "/none", "/a"])
        self.assertEqual([parameter["Name"] for parameter in got["Parameters"]], ["/a", "/b"])
        self.assertEqual(got["InvalidParameters"], ["/none"])
        gone = ssm.delete_parameters(Names=["/a", "/none"])
        self.assertEqual((gone["DeletedParameters"], gone["InvalidParameters"]), (["/a"], ["/none"]))
        ssm.delete_parameter(Name="/b")
        self.refuses("ParameterNotFound", ssm.delete_parameter, Name="/b")

    def test_accounts_and_regions_are_apart(self):
        self.put("/a")
        self.refuses("ParameterNotFound", client("ssm", OTHERS).get_parameter, Name="/a")
        self.refuses("ParameterNotFound", client("ssm", OURS, "eu-west-1").get_parameter, Name="/a")


class Faults(Walk):
    def outcomes(self, call, count):
        seen = []
        for _ in range(count):
            try:
                call()
                seen.append("done")
            except ClientError as error:
                seen.append(error.response["Error"]["Code"])
            except CUT:
                seen.append("cut")
            except ReadTimeoutError:
                seen.append("silence")
        return seen

    def test_each_service_throttles_in_its_own_words(self):
        control("/_fake/faults", [{"what": "throttle"}])
        self.refuses("RequestLimitExceeded", client("ec2").describe_images)
        self.refuses("RequestThrottledException", client("ebs").list_snapshot_blocks, SnapshotId="snap-0123456789")
        self.refuses("ThrottlingException", client("ssm").get_parameter, Name="/a")
        self.refuses("SlowDown", client("s3").list_buckets)

    def test_the_nth_the_spared_and_the_last_are_counted(self):
        who = client("sts").get_caller_identity
        control("/_fake/faults", [{"operation": "GetCaller*", "nth": 2, "what": "error500"}])
        self.assertEqual(self.outcomes(who, 3), ["done", "InternalFailure", "done"])
        control("/_fake/faults", [{"service": "sts", "after": 1, "times": 1, "what": "error503"}])
        self.assertEqual(self.outcomes(who, 3), ["done", "ServiceUnavailable", "done"])
        control("/_fake/faults", [{"what": {"refuse": {"status": 400, "code": "TooManyUpdates"}}}])
        self.assertEqual(self.outcomes(who, 1), ["TooManyUpdates"])

    def test_a_rule_holds_for_its_region_account_and_service(self):
        control("/_fake/faults", [{"region": "eu-west-1", "account": OURS, "service": "sts", "what": "throttle"}])
        self.assertEqual(self.outcomes(client("sts").get_caller_identity, 1), ["done"])
        self.assertEqual(self.outcomes(client("sts", OTHERS, "eu-west-1").get_caller_identity, 1), ["done"])
        self.refuses("ThrottlingException", client("sts", OURS, "eu-west-1").get_caller_identity)

    def test_a_rate_strikes_the_same_requests_each_time(self):
        who, rule = client("sts").get_caller_identity, {"rate": 0.3, "seed": 5, "what": "throttle"}
        control("/_fake/faults", [rule])
        first = self.outcomes(who, 40)
        control("/_fake/faults", [rule])
        self.assertEqual(self.outcomes(who, 40), first)
        self.assertIn("ThrottlingException", first)
        self.assertIn("done", first)

    def test_a_reset_does_nothing_and_a_lost_reply_has_done_it(self):
        ssm = client("ssm")
        put = lambda name: lambda: ssm.put_parameter(Name=name, Value="a", Type="String")
        control("/_fake/faults", [{"what": "reset", "times": 1}])
        self.assertEqual(self.outcomes(put("/reset"), 1), ["cut"])
        control("/_fake/faults", [{"what": "lost", "times": 1}])
        self.assertEqual(self.outcomes(put("/lost"), 1), ["cut"])
        names = [parameter["name"] for parameter in control("/_fake/state")["ssm"]["parameters"]]
        self.assertEqual(names, ["/lost"])

    def test_silence_is_before_or_after_the_deed_and_slowness_answers(self):
        ssm = client("ssm", timeout=0.3)
        put = lambda name: lambda: ssm.put_parameter(Name=name, Value="a", Type="String")
        for what, seen in [("hang", "silence"), ("stall", "silence"), ("slow", "done")]:
            control("/_fake/faults", [{"what": {what: 100 if what == "slow" else 2000}, "times": 1}])
            self.assertEqual(self.outcomes(put(f"/{what}"), 1), [seen])
        names = [parameter["name"] for parameter in control("/_fake/state")["ssm"]["parameters"]]
        self.assertEqual(names, ["/slow", "/stall"])


class Log(Walk):
    def test_requests_are_logged_with_what_became_of_them(self):
        ssm = client("ssm")
        ssm.put_parameter(Name="/a", Value="a", Type="String")
        self.refuses("ParameterNotFound", ssm.get_parameter, Name="/none")
        control("/_fake/faults", [{"what": "lost"}])
        with self.assertRaises(CUT):
            client("sts").get_caller_identity()
        put, get, who = control("/_fake/log")["requests"]
        self.assertEqual((put["operation"], put["status"], put["write"], put["json"]["Name"]), ("PutParameter", 200, True, "/a"))
        self.assertEqual((get["status"], get["code"], get["write"]), (400, "ParameterNotFound", False))
        self.assertEqual((who["status"], who["fault"], who["params"]["Action"]), (None, "lost", "GetCallerIdentity"))
        self.assertNotIn("authorization", put["headers"])

    def test_a_request_without_signature_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(URL + "/")
        self.assertEqual(caught.exception.code, 403)

    def test_unknown_settings_are_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            control("/_fake/settings", {"page_sise": 3})
        self.assertEqual(caught.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
