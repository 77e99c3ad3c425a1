"""Hurts boto3 by the fake AWS's rules, and reads the log of what it was asked.

    . FILE && python walk_faults.py       FILE is what `fake-aws --env FILE` wrote

Every test resets the fake: nobody else may use it meanwhile.
"""

import unittest
import urllib.error
import urllib.request

from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError

from cases import Walk
from world import OTHER, OWN, URL, client, control

CUT = (ConnectionClosedError, EndpointConnectionError)


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
        control("faults", [{"what": "throttle"}])
        self.refuses("RequestLimitExceeded", client("ec2").describe_images)
        self.refuses("RequestThrottledException", client("ebs").list_snapshot_blocks, SnapshotId="snap-0123456789")
        self.refuses("ThrottlingException", client("ssm").get_parameter, Name="/a")
        self.refuses("SlowDown", client("s3").list_buckets)

    def test_the_nth_the_spared_and_the_last_are_counted(self):
        who = client("sts").get_caller_identity
        control("faults", [{"operation": "GetCaller*", "nth": 2, "what": "error500"}])
        self.assertEqual(self.outcomes(who, 3), ["done", "InternalFailure", "done"])
        control("faults", [{"service": "sts", "after": 1, "times": 1, "what": "error503"}])
        self.assertEqual(self.outcomes(who, 3), ["done", "ServiceUnavailable", "done"])
        control("faults", [{"what": {"refuse": {"status": 400, "code": "TooManyUpdates"}}}])
        self.assertEqual(self.outcomes(who, 1), ["TooManyUpdates"])

    def test_a_rule_holds_for_its_region_account_and_service(self):
        control("faults", [{"region": "eu-west-1", "account": OWN, "service": "sts", "what": "throttle"}])
        self.assertEqual(self.outcomes(client("sts").get_caller_identity, 1), ["done"])
        self.assertEqual(self.outcomes(client("sts", "eu-west-1", OTHER).get_caller_identity, 1), ["done"])
        self.refuses("ThrottlingException", client("sts", "eu-west-1", OWN).get_caller_identity)

    def test_a_rate_strikes_the_same_requests_each_time(self):
        who, rule = client("sts").get_caller_identity, {"rate": 0.3, "seed": 5, "what": "throttle"}
        control("faults", [rule])
        first = self.outcomes(who, 40)
        control("faults", [rule])
        self.assertEqual(self.outcomes(who, 40), first)
        self.assertIn("ThrottlingException", first)
        self.assertIn("done", first)

    def test_a_reset_does_nothing_and_a_lost_reply_has_done_it(self):
        ssm = client("ssm")
        put = lambda name: lambda: ssm.put_parameter(Name=name, Value="a", Type="String")
        control("faults", [{"what": "reset", "times": 1}])
        self.assertEqual(self.outcomes(put("/reset"), 1), ["cut"])
        control("faults", [{"what": "lost", "times": 1}])
        self.assertEqual(self.outcomes(put("/lost"), 1), ["cut"])
        names = [parameter["name"] for parameter in control("state")["ssm"]["parameters"]]
        self.assertEqual(names, ["/lost"])

    def test_silence_is_before_or_after_the_deed_and_slowness_answers(self):
        ssm = client("ssm", read_timeout=0.3)
        put = lambda name: lambda: ssm.put_parameter(Name=name, Value="a", Type="String")
        for what, seen in [("hang", "silence"), ("stall", "silence"), ("slow", "done")]:
            control("faults", [{"what": {what: 100 if what == "slow" else 2000}, "times": 1}])
            self.assertEqual(self.outcomes(put(f"/{what}"), 1), [seen])
        names = [parameter["name"] for parameter in control("state")["ssm"]["parameters"]]
        self.assertEqual(names, ["/slow", "/stall"])


class Log(Walk):
    def test_requests_are_logged_with_what_became_of_them(self):
        ssm = client("ssm")
        ssm.put_parameter(Name="/a", Value="a", Type="String")
        self.refuses("ParameterNotFound", ssm.get_parameter, Name="/none")
        control("faults", [{"what": "lost"}])
        with self.assertRaises(CUT):
            client("sts").get_caller_identity()
        put, get, who = control("log")["requests"]
        self.assertEqual((put["operation"], put["status"], put["write"], put["json"]["Name"]), ("PutParameter", 200, True, "/a"))
        self.assertEqual((get["status"], get["code"], get["write"]), (400, "ParameterNotFound", False))
        self.assertEqual((who["status"], who["fault"], who["params"]["Action"]), (None, "lost", "GetCallerIdentity"))
        self.assertNotIn("authorization", put["headers"])

    def test_a_policy_is_the_union_of_the_actions_of_all_calls(self):
        tags = [{"Key": "owner", "Value": "debian"}]
        client("ssm").put_parameter(Name="/a", Value="ami-1", Type="String", DataType="aws:ec2:image", Tags=tags)
        client("ebs").start_snapshot(VolumeSize=1, Tags=tags)
        client("sts").get_caller_identity()
        used = {action for request in control("log")["requests"] for action in request["actions"]}
        wanted = {"ssm:PutParameter", "ssm:AddTagsToResource", "ec2:DescribeImages", "ebs:StartSnapshot", "ec2:CreateTags"}
        self.assertEqual(used, wanted)
        control("settings", {"denied": [{"action": "ec2:CreateTags"}]})
        self.refuses("AccessDeniedException", client("ebs").start_snapshot, VolumeSize=1, Tags=tags)
        client("ebs").start_snapshot(VolumeSize=1)

    def test_a_request_without_signature_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(URL + "/")
        self.assertEqual(caught.exception.code, 403)

    def test_unknown_settings_are_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as caught:
            control("settings", {"page_sise": 3})
        self.assertEqual(caught.exception.code, 400)


if __name__ == "__main__":
    unittest.main()
