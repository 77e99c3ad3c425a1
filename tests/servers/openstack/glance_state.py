"""Prints every image of project publisher in both regions as JSON, in any state, hidden ones too.

    glance_state.py --cloud CLOUD ...         those of another entry's project
    glance_state.py [--owner OWNER]           only images with the property cloud-publish-owner=OWNER
    glance_state.py [--owner OWNER] --wipe    deletes them instead, protected ones too, and prints what is left

It speaks through openstacksdk, so it judges what the publisher did with foreign eyes.
Run it with the Python of the virtual environment and OS_CLIENT_CONFIG_FILE set.
"""

import argparse
import concurrent.futures
import json
import sys

import openstack

REGIONS = ("RegionOne", "RegionTwo")
FIELDS = ("id", "name", "status", "visibility", "size", "disk_format", "container_format", "min_disk", "min_ram",
          "owner", "os_hidden", "protected", "os_hash_algo", "os_hash_value", "updated_at")


def connect(cloud, region):
    return openstack.connect(cloud=cloud, region_name=region)


def images_of(connection, owner):
    """All images of the project: Glance lists hidden ones separately, and an admin sees those of others too."""
    project = connection.current_project_id
    query = {"owner": project} | ({"cloud-publish-owner": owner} if owner else {})
    path = "/images?limit=500&" + "&".join(f"{key}={value}" for key, value in query.items())
    found = {}
    for hidden in ("false", "true"):
        following = f"{path}&os_hidden={hidden}"
        while following:
            page = connection.image.get(following.removeprefix("/v2"))
            openstack.exceptions.raise_from_response(page)
            found |= {image["id"]: image for image in page.json()["images"]}
            following = page.json().get("next")
    return found


def members(connection, image):
    return sorted(
        ({"project": member.member_id, "status": member.status} for member in connection.image.members(image["id"])),
        key=lambda member: member["project"]) if image["visibility"] == "shared" else []


# what Glance itself says about an image; everything else is a property that somebody set
BUILT_IN = {*FIELDS, "checksum", "tags", "virtual_size", "created_at", "self", "file", "schema", "stores"}


def describe(connection, region, image):
    return {
        "region": region,
        **{field: image.get(field) for field in FIELDS},
        "tags": sorted(image["tags"]),
        "properties": {name: value for name, value in sorted(image.items()) if name not in BUILT_IN},
        "members": members(connection, image),
    }


def state(region, given):
    connection, owner = connect(given.cloud, region), given.owner
    if given.wipe:
        for image in images_of(connection, owner).values():
            if image["protected"]:
                connection.image.update_image(image["id"], is_protected=False)
            connection.image.delete_image(image["id"], ignore_missing=True)
    return [describe(connection, region, image) for image in images_of(connection, owner).values()]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--cloud", default="publisher-admin")
    arguments.add_argument("--owner")
    arguments.add_argument("--wipe", action="store_true")
    given = arguments.parse_args()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        regions = pool.map(lambda region: state(region, given), REGIONS)
    images = [image for images in regions for image in images]
    json.dump(sorted(images, key=lambda image: (image["region"], image["name"] or "", image["id"])), sys.stdout, indent=1)
    print()


main()
