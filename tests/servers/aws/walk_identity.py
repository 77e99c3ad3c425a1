"""Walks the fake AWS's STS, IAM and Service Quotas with boto3, which parses every answer by AWS's service models.

    . FILE && python walk_identity.py       FILE is what `fake-aws --env FILE` wrote

Every test resets the fake: nobody else may use it meanwhile.
"""

import base64
import json
import time
import unittest

import boto3

from cases import Walk
from world import OTHER, OWN, client, control

CHINA = "333333333333"


def assumed(keys, service="sts", region="us-east-1"):
    """A client with what an assumed role was given."""
    return boto3.client(
        service,
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def jwt(**claims):
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
    return ".".join([part({"alg": "RS256"}), part(claims), "signature"])


class Identity(Walk):
    def test_an_access_key_names_its_account(self):
        identity = client("sts").get_caller_identity()
        self.assertEqual(identity["Account"], OWN)
        self.assertEqual(client("sts", "cn-north-1", CHINA).get_caller_identity()["Arn"][:10], "arn:aws-cn")

    def test_unknown_accounts_and_regions_that_are_off_are_refused(self):
        self.refuses("InvalidClientTokenId", client("sts", account="999999999999").get_caller_identity)
        self.refuses("AuthFailure", client("ec2", "af-south-1", OWN).describe_images)
        self.refuses("AuthFailure", client("ec2", "cn-north-1", OWN).describe_images)
        self.refuses("UnrecognizedClientException", client("ssm", "nowhere-1", OWN).get_parameter, Name="/a")
        self.refuses("InvalidAccessKeyId", client("s3", account="999999999999").list_buckets)

    def test_a_role_is_assumed_by_whom_it_trusts(self):
        arn = f"arn:aws:iam::{OTHER}:role/publisher"
        role = client("sts").assume_role(RoleArn=arn, RoleSessionName="walk")
        identity = assumed(role["Credentials"]).get_caller_identity()
        self.assertEqual(identity["Account"], OTHER)
        self.assertEqual(identity["Arn"], f"arn:aws:sts::{OTHER}:assumed-role/publisher/walk")
        self.assertTrue(identity["UserId"].endswith(":walk"))
        self.refuses("AccessDenied", client("sts", account=OTHER).assume_role, RoleArn=arn, RoleSessionName="walk")

    def test_roles_chain_for_an_hour(self):
        control("settings", {"accounts": {"111111111111": {"roles": {"inner": {
            "trusts": [f"arn:aws:iam::{OTHER}:role/publisher"], "max_session_seconds": 43200}}}}})
        outer = client("sts").assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/publisher", RoleSessionName="walk")
        chained = assumed(outer["Credentials"])
        inner = f"arn:aws:iam::{OWN}:role/inner"
        self.refuses("ValidationError", chained.assume_role, RoleArn=inner, RoleSessionName="walk", DurationSeconds=7200)
        inner = chained.assume_role(RoleArn=inner, RoleSessionName="walk")
        self.assertEqual(assumed(inner["Credentials"]).get_caller_identity()["Account"], OWN)

    def test_external_id_duration_partition_and_missing_role_count(self):
        control("settings", {"accounts": {OTHER: {"roles": {"secret": {"trusts": ["*"], "external_id": "word"}}}}})
        assume, arn = client("sts").assume_role, f"arn:aws:iam::{OTHER}:role/secret"
        self.refuses("AccessDenied", assume, RoleArn=arn, RoleSessionName="walk")
        self.refuses("AccessDenied", assume, RoleArn=arn, RoleSessionName="walk", ExternalId="other")
        assume(RoleArn=arn, RoleSessionName="walk", ExternalId="word")
        self.refuses("ValidationError", assume, RoleArn=arn, RoleSessionName="walk", ExternalId="word", DurationSeconds=7200)
        self.refuses("AccessDenied", assume, RoleArn=arn.replace("secret", "none"), RoleSessionName="walk")
        china = f"arn:aws-cn:iam::{CHINA}:role/publisher"
        self.refuses("AccessDenied", assume, RoleArn=china, RoleSessionName="walk")

    def test_a_session_needs_its_token_and_ends(self):
        arn = f"arn:aws:iam::{OTHER}:role/publisher"
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="walk", DurationSeconds=900)["Credentials"]
        self.refuses("InvalidClientTokenId", assumed(keys | {"SessionToken": "x"}).get_caller_identity)
        control("advance", {"ms": 901_000})
        self.refuses("ExpiredToken", assumed(keys).get_caller_identity)

    def test_a_web_identity_assumes_without_a_signature(self):
        roles = {"ci": {"web_identity": ["ci.example.org"]}}
        control("settings", {"accounts": {OWN: {"roles": roles}}})
        assume = client("sts").assume_role_with_web_identity
        wanted = {"RoleArn": f"arn:aws:iam::{OWN}:role/ci", "RoleSessionName": "walk"}
        token = jwt(iss="https://ci.example.org", sub="job:17", aud="sts.amazonaws.com", exp=time.time() + 1e6)
        role = assume(**wanted, WebIdentityToken=token)
        self.assertEqual(role["SubjectFromWebIdentityToken"], "job:17")
        self.assertEqual(assumed(role["Credentials"]).get_caller_identity()["Account"], OWN)
        self.refuses("InvalidIdentityToken", assume, **wanted, WebIdentityToken=jwt(iss="https://evil.example.org"))
        self.refuses("InvalidIdentityToken", assume, **wanted, WebIdentityToken="no token")
        old = jwt(iss="https://ci.example.org", sub="job:17", aud="a", exp=1)
        self.refuses("ExpiredTokenException", assume, **wanted, WebIdentityToken=old)
        other = {"RoleArn": f"arn:aws:iam::{OWN}:role/publisher", "RoleSessionName": "walk"}
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
        control("settings", {"accounts": {OWN: {"roles": {"vmimport": None}}}})
        self.refuses("NoSuchEntity", iam.get_role, RoleName="vmimport")

    def test_permissions_are_missing_by_account_role_action_and_region(self):
        control("settings", {"denied": [
            {"account": OTHER, "role": "publisher", "action": "ssm:Get*", "region": "eu-west-1"}]})
        arn = f"arn:aws:iam::{OTHER}:role/publisher"
        keys = client("sts").assume_role(RoleArn=arn, RoleSessionName="walk")["Credentials"]
        denied = assumed(keys, "ssm", "eu-west-1").get_parameter
        self.refuses("AccessDeniedException", denied, Name="/a")
        self.refuses("ParameterNotFound", assumed(keys, "ssm").get_parameter, Name="/a")
        self.refuses("ParameterNotFound", client("ssm", "eu-west-1", OTHER).get_parameter, Name="/a")


class Quotas(Walk):
    def test_quotas_are_those_of_the_settings(self):
        control("settings", {"quota_exceptions": [
            {"account": OWN, "region": "eu-west-1", "quotas": {"public_images": 7}}]})
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
        control("settings", {"page_size": 1})
        pages = list(client("service-quotas").get_paginator("list_service_quotas").paginate(ServiceCode="ec2"))
        self.assertEqual([len(page["Quotas"]) for page in pages], [1, 1])

    def test_access_can_be_missing(self):
        control("settings", {"no_service_quota_access": True})
        wanted = {"ServiceCode": "ec2", "QuotaCode": "L-0E3CBAB9"}
        self.refuses("AccessDeniedException", client("service-quotas").get_service_quota, **wanted)


if __name__ == "__main__":
    unittest.main()
