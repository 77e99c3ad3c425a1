"""Walks the fake AWS's Parameter Store with boto3, which parses every answer by AWS's service models.

    . FILE && python walk_parameters.py       FILE is what `fake-aws --env FILE` wrote

Every test resets the fake: nobody else may use it meanwhile.
"""

import unittest

from cases import Walk
from world import OTHER, OWN, client, control


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
        self.assertEqual(parameter["ARN"], f"arn:aws:ssm:us-east-1:{OWN}:parameter/debian/a")
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
        control("advance", {"ms": 1000})
        self.refuses("ParameterNotFound", client("ssm").get_parameter, Name="/image")
        self.assertEqual(control("state")["ssm"]["parameters"], [])

    def test_a_parameter_of_an_image_has_its_version_after_a_while(self):
        images = [{"name": "ours"}, {"name": "hidden", "account": OTHER}]
        control("reset", {"ec2": {"images": images}, "delays": {"parameter_validation": 3_600_000}})
        image = client("ec2").describe_images(Owners=["self"])["Images"][0]["ImageId"]
        hidden = client("ec2", account=OTHER).describe_images(Owners=["self"])["Images"][0]["ImageId"]
        self.put("/image", image, DataType="aws:ec2:image", Tags=[{"Key": "owner", "Value": "debian"}])
        self.refuses("ParameterNotFound", client("ssm").get_parameter, Name="/image")
        control("advance", {"ms": 3_600_000})
        names = lambda: client("ssm").get_parameters(Names=["/image"])["Parameters"]
        parameter = names()[0]
        self.assertEqual((parameter["Value"], parameter["DataType"]), (image, "aws:ec2:image"))
        tags = client("ssm").list_tags_for_resource(ResourceType="Parameter", ResourceId="/image")["TagList"]
        self.assertEqual(tags, [{"Key": "owner", "Value": "debian"}])
        self.put("/image", hidden, Overwrite=True)
        control("advance", {"ms": 3_600_000})
        self.assertEqual(names()[0]["Value"], image)

    def test_an_image_is_not_checked_without_permission_to_describe_images(self):
        control("reset", {"ec2": {"images": [{}]}, "denied": [{"region": "us-east-1", "action": "ec2:DescribeImages"}]})
        image = control("state")["ec2"]["images"][0]["id"]
        self.put("/image", image, DataType="aws:ec2:image")
        control("advance", {"ms": 1000})
        self.refuses("ParameterNotFound", client("ssm").get_parameter, Name="/image")

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
        self.refuses("ParameterNotFound", client("ssm", account=OTHER).get_parameter, Name="/a")
        self.refuses("ParameterNotFound", client("ssm", "eu-west-1", OWN).get_parameter, Name="/a")


if __name__ == "__main__":
    unittest.main()
