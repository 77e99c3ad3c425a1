"""AMI products of the marketplace and the change sets that give them versions."""

import json

from world import OTHER, OWN, client, control, refused, reset, until

CATALOG = {"Catalog": "AWSMarketplace"}
PRODUCT = "prod-debian12"
ROLE = f"arn:aws:iam::{OWN}:role/AwsMarketplaceAmiIngestion"


def image(name, **more):
    """An image of an empty snapshot."""
    ec2, ebs = client("ec2"), client("ebs")
    snapshot = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    ebs.complete_snapshot(SnapshotId=snapshot, ChangedBlocksCount=0)
    ready = [{"Name": "snapshot-id", "Values": [snapshot]}, {"Name": "status", "Values": ["completed"]}]
    until(lambda: ec2.describe_snapshots(OwnerIds=["self"], Filters=ready)["Snapshots"])
    parameters = {"Architecture": "x86_64", "EnaSupport": True, "VirtualizationType": "hvm"} | more
    devices = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot}}]
    parameters |= {"Name": name, "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": devices}
    made = ec2.register_image(**parameters)["ImageId"]
    ready = [{"Name": "image-id", "Values": [made]}, {"Name": "state", "Values": ["available"]}]
    until(lambda: ec2.describe_images(Owners=["self"], Filters=ready)["Images"])
    return made


def version(ami, title="Second", **more):
    source = {
        "AmiId": ami,
        "AccessRoleArn": more.pop("role", ROLE),
        "UserName": "admin",
        "OperatingSystemName": "DEBIAN",
        "OperatingSystemVersion": "12",
    }
    group = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ["0.0.0.0/0"]}
    option = {"AmiSource": source, "UsageInstructions": "ssh admin@", "SecurityGroups": [group]}
    option |= {"RecommendedInstanceType": "t3.micro"} | more
    return {
        "Version": {"VersionTitle": title, "ReleaseNotes": "new"},
        "DeliveryOptions": [{"Details": {"AmiDeliveryOptionDetails": option}}],
    }


def change(details, kind="AddDeliveryOptions", product=PRODUCT):
    return {"ChangeType": kind, "Entity": {"Type": "AmiProduct@1.0", "Identifier": product}, "DetailsDocument": details}


def start(*changes, **more):
    return client("marketplace-catalog").start_change_set(**CATALOG, ChangeSet=list(changes), **more)["ChangeSetId"]


def status(change_set):
    return client("marketplace-catalog").describe_change_set(**CATALOG, ChangeSetId=change_set)


def ended(change_set):
    return until(lambda: (it := status(change_set)) and it["Status"] not in ("PREPARING", "APPLYING") and it)


def faults(details, kind="AddDeliveryOptions"):
    """The codes that a change fails with."""
    found = ended(start(change(details, kind)))
    assert found["Status"] == "FAILED" and found["FailureCode"] == "CLIENT_ERROR", found
    return [it["ErrorCode"] for it in found["ChangeSet"][0]["ErrorDetailList"]]


def versions():
    entity = client("marketplace-catalog").describe_entity(**CATALOG, EntityId=PRODUCT)
    assert json.loads(entity["Details"]) == entity["DetailsDocument"]
    return {it["VersionTitle"]: it for it in entity["DetailsDocument"]["Versions"]}


def option_of(title):
    return versions()[title]["DeliveryOptions"][0]


def refusals(ami):
    market = client("marketplace-catalog")
    begin, good = market.start_change_set, change(version(ami))
    refused("ResourceNotFoundException", market.describe_entity, **CATALOG, EntityId="prod-none")
    refused("ResourceNotFoundException", market.describe_change_set, **CATALOG, ChangeSetId="none")
    refused("ResourceNotFoundException", market.cancel_change_set, **CATALOG, ChangeSetId="none")
    refused("ValidationException", market.list_entities, **CATALOG, EntityType="SaaSProduct")
    refused("ValidationException", begin, Catalog="Other", ChangeSet=[good])
    refused("ResourceNotFoundException", begin, **CATALOG, ChangeSet=[change(version(ami), product="no")])
    stranger = client("marketplace-catalog", account=OTHER)
    refused("ResourceNotFoundException", stranger.start_change_set, **CATALOG, ChangeSet=[good])
    refused("ValidationException", begin, **CATALOG, ChangeSet=[good, good])
    refused("ValidationException", begin, **CATALOG, ChangeSet=[good | {"ChangeType": "Publish"}])
    refused("ValidationException", begin, **CATALOG, ChangeSet=[good | {"Details": json.dumps(version(ami))}])
    refused("ValidationException", begin, **CATALOG, ChangeSet=[change(version(ami), product=f"{PRODUCT}@9")])
    for details in (version(ami) | {"Extra": 1}, version(ami, UsageInstructions=1), {"Version": {}}):
        refused("ValidationException", begin, **CATALOG, ChangeSet=[change(details)])
    gone = version(ami)
    del gone["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"]["AmiSource"]["AccessRoleArn"]
    assert "AccessRoleArn" in refused("ValidationException", begin, **CATALOG, ChangeSet=[change(gone)])
    control("settings", {"denied": [{"action": "aws-marketplace:StartChangeSet"}]})
    refused("AccessDeniedException", begin, **CATALOG, ChangeSet=[good])
    control("settings", {"denied": []})
    assert market.list_change_sets(**CATALOG)["ChangeSetSummaryList"] == []


def a_new_version(ami):
    market = client("marketplace-catalog")
    dry = ended(start(change(version(ami)), Intent="VALIDATE"))
    assert dry["Status"] == "SUCCEEDED" and dry["Intent"] == "VALIDATE" and list(versions()) == ["First"]

    control("settings", {"delays": {"change_set": 400}})
    # as older programs do, the details are a text
    asked = change(version(ami)) | {"ChangeName": "add"}
    asked["Details"] = json.dumps(asked.pop("DetailsDocument"))
    begun = start(asked, ChangeSetName="debian 12", ClientRequestToken="one")
    assert start(asked, ChangeSetName="debian 12", ClientRequestToken="one") == begun
    again = {**CATALOG, "ChangeSet": [asked], "ChangeSetName": "other", "ClientRequestToken": "one"}
    refused("ValidationException", market.start_change_set, **again)
    other = [change(version(ami, "Third"))]
    message = refused("ResourceInUseException", market.start_change_set, **CATALOG, ChangeSet=other)
    assert f"entity: '{PRODUCT}' change sets: {begun}." in message
    seen = {status(begun)["Status"]}
    until(lambda: seen.add(status(begun)["Status"]) or "APPLYING" in seen)
    assert list(versions()) == ["First"]
    refused("ResourceInUseException", market.cancel_change_set, **CATALOG, ChangeSetId=begun)
    done = ended(begun)
    assert seen == {"PREPARING", "APPLYING"} and done["Status"] == "SUCCEEDED" and done["EndTime"] >= done["StartTime"]
    assert done["ChangeSet"][0]["ErrorDetailList"] == [] and done["ChangeSet"][0]["DetailsDocument"] == version(ami)

    entity = market.describe_entity(**CATALOG, EntityId=PRODUCT)
    assert entity["EntityIdentifier"] == f"{PRODUCT}@2" and entity["EntityType"] == "AmiProduct@1.0"
    added = versions()["Second"]
    assert added["Sources"][0]["Image"] == ami and added["Sources"][0]["OperatingSystem"]["ScanningPort"] == 22
    assert added["DeliveryOptions"][0]["Visibility"] == "Public"
    control("settings", {"delays": {"change_set": 10}})


def what_fails_later(ami):
    assert faults(version(ami)) == ["DUPLICATE_VERSION_TITLE"]
    assert faults(version(ami, " Third")) == ["INVALID_VERSION_TITLE"]
    huge = version(ami, "Third", RecommendedInstanceType="x9.huge")
    assert faults(huge) == ["RECOMMENDED_INSTANCE_TYPE_NOT_AVAILABLE"]
    assert faults(version("ami-0123456789abcdef0", "Third")) == ["ASSET_NOT_FOUND"]
    assert faults(version("image", "Third")) == ["INVALID_AMI_ID"]
    assert faults(version(ami, "Third", role=f"arn:aws:iam::{OWN}:role/vmimport")) == ["ASSET_NOT_FOUND"]
    assert faults(version(image("arm", Architecture="arm64", BootMode="uefi"), "Third")) == ["INVALID_AMI_ARCHITECTURE"]
    assert faults(version(image("slow", EnaSupport=False), "Third")) == ["INCOMPATIBLE_AMI"]
    group = {"IpProtocol": "icmp", "FromPort": 1, "ToPort": 1, "IpRanges": ["::/0"]}
    assert faults(version(ami, "Third", SecurityGroups=[group])) == ["INVALID_SECURITY_GROUP_PROTOCOL"]
    restrict = "RestrictDeliveryOptions"
    assert faults({"DeliveryOptionIds": ["none"]}, restrict) == ["INVALID_DELIVERY_OPTION_IDS"]
    both = [option_of(title)["Id"] for title in ("First", "Second")]
    assert faults({"DeliveryOptionIds": both}, restrict) == ["ALL_DELIVERY_OPTIONS_RESTRICTED"]
    assert faults({"DeliveryOptions": [{"Id": "none"}]}, "UpdateDeliveryOptions") == ["INVALID_DELIVERY_OPTION_IDS"]
    assert list(versions()) == ["First", "Second"]


def updates_and_restrictions():
    option = {"Id": option_of("Second")["Id"], "Details": {"AmiDeliveryOptionDetails": {"UsageInstructions": "later"}}}
    details = {"Version": {"ReleaseNotes": "fixed"}, "DeliveryOptions": [option]}
    first = option_of("First")["Id"]
    restriction = change({"DeliveryOptionIds": [first]}, "RestrictDeliveryOptions")
    assert ended(start(change(details, "UpdateDeliveryOptions"), restriction))["Status"] == "SUCCEEDED"
    assert versions()["Second"]["ReleaseNotes"] == "fixed" and option_of("Second")["Instructions"]["Usage"] == "later"
    assert option_of("First")["Visibility"] == "Restricted"
    assert faults({"DeliveryOptionIds": [first]}, "RestrictDeliveryOptions") == ["INVALID_DELIVERY_OPTION"]


def cancelled(ami):
    control("settings", {"delays": {"change_set": 60_000}})
    market = client("marketplace-catalog")
    begun = start(change(version(ami, "Third")))
    market.cancel_change_set(**CATALOG, ChangeSetId=begun)
    assert status(begun)["Status"] == "CANCELLED"
    refused("ResourceInUseException", market.cancel_change_set, **CATALOG, ChangeSetId=begun)
    control("settings", {"delays": {"change_set": 10}})
    assert ended(start(change(version(ami, "Third"))))["Status"] == "SUCCEEDED" and "Third" in versions()


def lists():
    market = client("marketplace-catalog")

    def listed(**more):
        pages = market.get_paginator("list_change_sets").paginate(**CATALOG, **more)
        return [it for page in pages for it in page["ChangeSetSummaryList"]]

    everything = listed()
    assert len(everything) > 15 and len(market.list_change_sets(**CATALOG)["ChangeSetSummaryList"]) == 5
    starts = [it["StartTime"] for it in everything]
    assert starts == sorted(starts, reverse=True)
    named = listed(FilterList=[{"Name": "ChangeSetName", "ValueList": ["debian 12"]}])
    assert [it["ChangeSetName"] for it in named] == ["debian 12"]
    bad = {"Name": "Status", "ValueList": ["FAILED", "CANCELLED"]}
    failed = listed(FilterList=[bad, {"Name": "EntityId", "ValueList": [PRODUCT]}])
    assert {it["Status"] for it in failed} == {"FAILED", "CANCELLED"} and failed[0]["EntityIdList"] == [PRODUCT]
    unknown = [{"Name": "Color", "ValueList": ["a"]}]
    refused("ValidationException", market.list_change_sets, **CATALOG, FilterList=unknown)
    entities = market.get_paginator("list_entities").paginate(**CATALOG, EntityType="AmiProduct")
    ids = [it["EntityId"] for page in entities for it in page["EntitySummaryList"]]
    assert ids == [f"prod-{n}" for n in range(6)] + [PRODUCT, "prod-draft"]
    title = {"AmiProductFilters": {"ProductTitle": {"WildCardValue": "bookworm"}}}
    only = market.list_entities(**CATALOG, EntityType="AmiProduct", EntityTypeFilters=title)["EntitySummaryList"]
    assert [it["EntityId"] for it in only] == [PRODUCT]
    draft = start(change(version("ami-0123456789abcdef0"), product="prod-draft"))
    assert ended(draft)["ChangeSet"][0]["ErrorDetailList"][0]["ErrorCode"] == "INVALID_PRODUCT"


if __name__ == "__main__":
    products = {PRODUCT: {"title": "Debian 12 bookworm"}, "prod-draft": {"visibility": "Draft"}}
    products |= {f"prod-{n}": {} for n in range(6)} | {"prod-other": {"account": OTHER}}
    reset(marketplace={"products": products}, delays={"change_set": 10})
    ami = image("debian-12")
    refusals(ami)
    a_new_version(ami)
    what_fails_later(ami)
    updates_and_restrictions()
    cancelled(ami)
    lists()
    print("marketplace: as documented")
