"""Walks through Keystone and Glance with openstacksdk, refusals included, and prints what was answered, one line a step.

    walk.py OWNER

Everything it makes has the property walk-owner=OWNER and is deleted at the end. The same lines must come from a fake
and from the real services: statuses, and the fields that are named. Run it with the Python of the virtual environment
and OS_CLIENT_CONFIG_FILE set to a clouds.yaml with the entries publisher-admin, member, consumer, smallquota, denied.
"""

import hashlib
import json
import sys
import time
import uuid

import keystoneauth1.exceptions
import openstack
import openstack.exceptions

OWNER = sys.argv[1]
REGION = "RegionOne"
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
DATA = {"Content-Type": "application/octet-stream"}
RAW = bytes(range(251)) * 4 + bytes(4096)
IDS = {}
MADE = []


def connect(cloud):
    return openstack.connect(cloud=cloud, region_name=REGION)


ADMIN, MEMBER, CONSUMER, SMALL = (connect(cloud) for cloud in ("publisher-admin", "member", "consumer", "smallquota"))


def told(value):
    """Ids differ from run to run; the same id has the same name in all lines."""
    text = json.dumps(value, sort_keys=True)
    for known, name in IDS.items():
        text = text.replace(known, name)
    return text.replace(OWNER, "OWNER")


def step(name, response, *fields):
    body = response.json() if fields else {}
    shown = {field: body.get(field) for field in fields}
    kind = response.headers.get("content-type", "").split(";")[0]
    print(name, response.status_code, kind if response.status_code >= 400 else "", told(shown) if fields else "", flush=True)
    return response


def create(connection, alias, **fields):
    fields = {"name": f"walk-{alias}-{OWNER}", "disk_format": "raw", "container_format": "bare", "visibility": "private",
              "walk-owner": OWNER, "id": str(uuid.uuid4())} | fields
    fields = {name: value for name, value in fields.items() if value is not None}
    IDS[fields["id"]] = f"ID-{alias}"
    response = connection.image.post("/images", json=fields)
    if response.status_code == 201:
        MADE.append((connection, fields["id"]))
    return fields["id"], response


def upload(connection, image, data=RAW, **headers):
    return connection.image.put(f"/images/{image}/file", data=data, headers=DATA | headers)


def patch(connection, image, *changes):
    return connection.image.patch(f"/images/{image}", data=json.dumps(list(changes)), headers=PATCH)


def show(connection, image):
    return connection.image.get(f"/images/{image}")


def until(connection, image, *statuses):
    for _ in range(600):
        found = show(connection, image).json()
        if found["status"] in statuses and not found.get("os_glance_importing_to_stores"):
            return found
        time.sleep(0.2)
    raise SystemExit(f"{image} is still {found['status']}")


def identity():
    token = ADMIN.session.auth.get_access(ADMIN.session)
    print("token", token.project_name, token.project_domain_name, token.username, sorted(token.role_names))
    print("regions", sorted({e["region_id"] for e in token.service_catalog.get_endpoints_data(
        service_type="image", interface="public")["image"] for e in [e.raw_endpoint]}))
    try:
        connect("denied").authorize()
        print("denied: not refused")
    except (keystoneauth1.exceptions.Unauthorized, openstack.exceptions.SDKException) as error:
        print("denied", type(error).__name__)
    user = MEMBER.current_user_id
    made = MEMBER.identity.create_application_credential(user, name=f"walk-{OWNER}")
    auth = {"auth_url": MEMBER.config.get_auth_args()["auth_url"]}
    for name, more in (("by id", {"application_credential_id": made.id}),
                       ("by name", {"application_credential_name": made.name, "user_id": user})):
        other = openstack.connect(auth_type="v3applicationcredential", region_name=REGION, load_yaml_config=False,
                                  load_envvars=False, auth=auth | more | {"application_credential_secret": made.secret})
        print("application credential", name, other.current_project_id == MEMBER.current_project_id)
    again = openstack.connect(auth_type="v3token", region_name=REGION, load_yaml_config=False, load_envvars=False,
                              auth=auth | {"token": MEMBER.auth_token, "project_id": MEMBER.current_project_id})
    print("token by token", again.current_project_id == MEMBER.current_project_id)
    nobody = {"name": "nobody", "domain": {"id": "default"}}
    for name, method, given in (
        ("credential with another secret", "application_credential", {"id": made.id, "secret": "another"}),
        ("unknown credential", "application_credential", {"id": "0123456789", "secret": "any"}),
        ("unknown credential by name", "application_credential", {"name": "no", "user": {"id": user}, "secret": "any"}),
        ("credential of nobody", "application_credential", {"name": "no", "user": nobody, "secret": "any"}),
        ("unknown token", "token", {"id": "gAAAAAunknown"}),
    ):
        body = {"auth": {"identity": {"methods": [method], method: given}}}
        step(name, MEMBER.session.post(auth["auth_url"].rstrip("/") + "/auth/tokens", json=body, authenticated=False,
                                       raise_exc=False))
    MEMBER.identity.delete_application_credential(user, made.id)


def life():
    image, response = create(ADMIN, "life", tags=["b", "a"], min_disk=1)
    step("create", response, "id", "status", "size", "checksum", "os_hash_value", "visibility", "min_disk", "protected",
         "os_hidden", "walk-owner", "self", "file", "schema")
    print("tags", sorted(response.json()["tags"]), response.headers["location"].endswith(f"/v2/images/{image}"))
    # Glance names its own staging areas too, once they were used
    stores = [store for store in response.headers["OpenStack-image-store-ids"].split(",") if not store.startswith("os_glance")]
    print("hints", response.headers.get("OpenStack-image-import-methods"), stores)
    step("create again", create(ADMIN, "life", id=image)[1])
    step("download of nothing", ADMIN.image.get(f"/images/{image}/file"))
    step("deactivate nothing", ADMIN.image.post(f"/images/{image}/actions/deactivate"))
    step("upload of another type", ADMIN.image.put(f"/images/{image}/file", data=RAW, headers={"Content-Type": "text/plain"}))
    step("upload to an unknown store", upload(ADMIN, image, **{"x-image-meta-store": "nowhere"}))
    step("upload", upload(ADMIN, image))
    found = step("show", show(ADMIN, image), "status", "size", "checksum", "os_hash_algo", "os_hash_value", "stores").json()
    print("hash", found["os_hash_value"] == hashlib.sha512(RAW).hexdigest())
    step("upload again", upload(ADMIN, image))
    got = step("download", ADMIN.image.get(f"/images/{image}/file"))
    print("same bytes", got.content == RAW, got.headers["Content-MD5"] == hashlib.md5(RAW).hexdigest())
    step("foreign show", show(CONSUMER, image))
    step("deactivate", ADMIN.image.post(f"/images/{image}/actions/deactivate"))
    step("deactivate again", ADMIN.image.post(f"/images/{image}/actions/deactivate"))
    step("download as member", MEMBER.image.get(f"/images/{image}/file"))
    step("show deactivated", show(MEMBER, image), "status")
    step("reactivate", MEMBER.image.post(f"/images/{image}/actions/reactivate"))
    step("protect", patch(MEMBER, image, {"op": "replace", "path": "/protected", "value": True}), "protected")
    step("delete protected", MEMBER.image.delete(f"/images/{image}"))
    step("unprotect", patch(MEMBER, image, {"op": "replace", "path": "/protected", "value": False}), "protected")
    step("add tag", MEMBER.image.put(f"/images/{image}/tags/c%20d"))
    step("remove no tag", MEMBER.image.delete(f"/images/{image}/tags/z"))
    step("delete", MEMBER.image.delete(f"/images/{image}"))
    step("show deleted", show(MEMBER, image))
    step("delete again", MEMBER.image.delete(f"/images/{image}"))
    step("create under a deleted id", create(ADMIN, "life", id=image)[1])


def records():
    for alias, fields in {
        "status": {"status": "active"}, "number": {"a-number": 5}, "format": {"disk_format": "floppy"},
        "word": {"visibility": "secret"}, "id": {"id": "x"}, "reserved": {"os_glance_x": "1"},
        "long": {"name": "n" * 256}, "negative": {"min_disk": -1}, "foreign": {"owner": "0" * 32},
    }.items():
        step(f"create with a bad {alias}", create(MEMBER, alias, **fields)[1])
    step("public as member", create(MEMBER, "public", visibility="public")[1])
    step("create without formats", create(MEMBER, "bare", disk_format=None, container_format=None)[1], "disk_format")
    step("upload without formats", upload(MEMBER, MADE[-1][1]))
    image, response = create(MEMBER, "patch", a="1")
    step("create for patches", response)
    step("patch", patch(
        MEMBER, image, {"op": "replace", "path": "/a", "value": "2"}, {"op": "add", "path": "/b~1c", "value": "3"},
        {"op": "replace", "path": "/tags", "value": ["t"]}, {"op": "replace", "path": "/name", "value": "new"},
        {"op": "replace", "path": "/os_hidden", "value": True}), "a", "b/c", "tags", "name", "os_hidden")
    for name, change in {
        "missing": {"op": "replace", "path": "/none", "value": "1"}, "no value": {"op": "add", "path": "/d"},
        "read-only": {"op": "replace", "path": "/status", "value": "active"}, "no text": {"op": "add", "path": "/d", "value": 1},
        "base": {"op": "remove", "path": "/name"}, "nothing to remove": {"op": "remove", "path": "/none"},
        "reserved": {"op": "add", "path": "/os_glance_x", "value": "1"}, "public": {"op": "replace", "path": "/visibility", "value": "public"},
        "operation": {"op": "move", "path": "/a"}, "format": {"op": "replace", "path": "/disk_format", "value": "qcow2"},
    }.items():
        step(f"patch with {name}", patch(MEMBER, image, {"op": "add", "path": "/all-or-none", "value": "1"}, change))
    step("shown", show(MEMBER, image), "all-or-none", "disk_format")
    step("patch of another type", MEMBER.image.patch(f"/images/{image}", data="[]", headers={"Content-Type": "application/json"}))
    step("foreign patch", patch(CONSUMER, image, {"op": "add", "path": "/x", "value": "1"}))
    step("raw uploaded as qcow2", upload(MEMBER, image))
    step("again an empty record", show(MEMBER, image), "status", "size")
    other, _ = create(MEMBER, "qcow2", disk_format="qcow2")
    step("format after upload", patch(ADMIN, MADE[0][1], {"op": "replace", "path": "/a", "value": "1"}))
    step("upload with length", upload(MEMBER, other, data=b"QFI\xfb" + bytes([0, 0, 0, 2]) + bytes(504)))


def listing():
    names = [create(MEMBER, f"list-{n}", tags=[OWNER])[0] for n in range(5)]
    hidden, _ = create(MEMBER, "list-hidden", os_hidden=True, tags=[OWNER])
    project = MEMBER.current_project_id

    def pages(connection, query):
        found, path = [], f"/images?{query}&limit=2"
        while path:
            page = connection.image.get(path.removeprefix("/v2")).json()
            assert len(page["images"]) <= 2
            found += [IDS.get(image["id"], "?") for image in page["images"]]
            path = page.get("next")
        return found

    mine = f"owner={project}&walk-owner={OWNER}&tag={OWNER}"
    print("newest first", pages(MEMBER, f"{mine}&sort=created_at:desc,id:desc") and sorted(pages(MEMBER, mine)))
    print("by name", pages(MEMBER, f"{mine}&sort_key=name&sort_dir=asc"))
    print("hidden", pages(MEMBER, f"{mine}&os_hidden=true"))
    print("by name and status", pages(MEMBER, f"{mine}&name=walk-list-3-{OWNER}&status=queued"))
    print("in", pages(MEMBER, f"{mine}&id=in:{names[0]}"))
    print("by a property that none has", pages(MEMBER, f"{mine}&colour=green"))
    print("foreign", pages(CONSUMER, f"walk-owner={OWNER}&tag={OWNER}"))
    for query in ("sort=colour:asc", "sort=name:up", "marker=" + str(uuid.uuid4()), "limit=x", "os_hidden=perhaps",
                  "created_at=gt:yesterday"):
        step("list with " + query.split("=")[0], MEMBER.image.get(f"/images?{query}"))
    print("created after", len(pages(MEMBER, f"{mine}&created_at=gt:2020-01-01T00:00:00Z")))
    assert hidden not in names


def sharing():
    image, _ = create(MEMBER, "share")
    upload(MEMBER, image)
    consumer = CONSUMER.current_project_id
    IDS[consumer] = "CONSUMER"
    step("member of a private image", MEMBER.image.post(f"/images/{image}/members", json={"member": consumer}))
    step("make shared", patch(MEMBER, image, {"op": "replace", "path": "/visibility", "value": "shared"}), "visibility")
    step("add member", MEMBER.image.post(f"/images/{image}/members", json={"member": consumer}), "member_id", "status")
    step("add member again", MEMBER.image.post(f"/images/{image}/members", json={"member": consumer}))
    step("consumer shows", show(CONSUMER, image), "status")
    query = f"/images?walk-owner={OWNER}&visibility=shared"
    print("listed for the consumer", len(CONSUMER.image.get(query).json()["images"]))
    print("pending", len(CONSUMER.image.get(f"{query}&member_status=pending").json()["images"]))
    step("owner accepts", MEMBER.image.put(f"/images/{image}/members/{consumer}", json={"status": "accepted"}))
    step("consumer thinks", CONSUMER.image.put(f"/images/{image}/members/{consumer}", json={"status": "perhaps"}))
    step("consumer accepts", CONSUMER.image.put(f"/images/{image}/members/{consumer}", json={"status": "accepted"}), "status")
    print("listed for the consumer", len(CONSUMER.image.get(query).json()["images"]))
    print("members", [m["member_id"] == consumer for m in MEMBER.image.get(f"/images/{image}/members").json()["members"]])
    step("consumer patches", patch(CONSUMER, image, {"op": "add", "path": "/x", "value": "1"}))
    step("consumer deletes", CONSUMER.image.delete(f"/images/{image}"))
    step("remove member", MEMBER.image.delete(f"/images/{image}/members/{consumer}"))
    step("remove member again", MEMBER.image.delete(f"/images/{image}/members/{consumer}"))
    step("consumer shows no more", show(CONSUMER, image))
    for visibility in ("community", "public"):
        step(f"make {visibility}", patch(ADMIN, image, {"op": "replace", "path": "/visibility", "value": visibility}), "visibility")
        print("listed", len(CONSUMER.image.get(f"/images?walk-owner={OWNER}").json()["images"]),
              len(CONSUMER.image.get(f"/images?walk-owner={OWNER}&visibility={visibility}").json()["images"]))
    got = step("stranger downloads", CONSUMER.image.get(f"/images/{image}/file"))
    print("same bytes", got.content == RAW)


def imports():
    print("methods", ADMIN.image.get("/info/import").json()["import-methods"]["value"])
    print("stores", told(ADMIN.image.get("/info/stores").json()))
    image, _ = create(MEMBER, "import")
    step("import before stage", MEMBER.image.post(f"/images/{image}/import", json={"method": {"name": "glance-direct"}}))
    step("stage", MEMBER.image.put(f"/images/{image}/stage", data=RAW, headers=DATA))
    step("staged", show(MEMBER, image), "status")
    step("stage again", MEMBER.image.put(f"/images/{image}/stage", data=RAW, headers=DATA))
    step("upload to staged", upload(MEMBER, image))
    step("unknown method", MEMBER.image.post(f"/images/{image}/import", json={"method": {"name": "carrier-pigeon"}}))
    step("unknown store", MEMBER.image.post(f"/images/{image}/import", json={"method": {"name": "glance-direct"}, "stores": ["nowhere"]}))
    step("import", MEMBER.image.post(f"/images/{image}/import", json={"method": {"name": "glance-direct"}, "all_stores": True}))
    found = until(MEMBER, image, "active")
    print("imported", sorted(found["stores"].split(",")), found["os_hash_value"] == hashlib.sha512(RAW).hexdigest(),
          repr(found.get("os_glance_failed_import")))
    step("import active", MEMBER.image.post(f"/images/{image}/import", json={"method": {"name": "glance-direct"}}))
    copied, _ = create(MEMBER, "copy")
    upload(MEMBER, copied)
    copy = {"method": {"name": "copy-image"}, "stores": ["slow"]}
    step("copy as member", MEMBER.image.post(f"/images/{copied}/import", json=copy))
    step("copy", ADMIN.image.post(f"/images/{copied}/import", json=copy))
    until(MEMBER, copied, "active")
    for _ in range(100):
        stores = show(MEMBER, copied).json()["stores"]
        if "slow" in stores:
            break
        time.sleep(0.2)
    print("copied", sorted(stores.split(",")))
    download, _ = create(MEMBER, "download")
    bad = {"method": {"name": "web-download", "uri": "file:///etc/passwd"}}
    step("download of a file", MEMBER.image.post(f"/images/{download}/import", json=bad))
    print("still", show(MEMBER, download).json()["status"])


def quotas():
    usage = SMALL.image.get("/info/usage").json()["usage"]
    print("usage", {name: entry["limit"] for name, entry in sorted(usage.items())})
    image, _ = create(SMALL, "quota")
    step("too large", upload(SMALL, image, data=bytes(9 << 20)))
    step("afterwards", show(SMALL, image), "status", "size")
    create(SMALL, "quota-2")
    create(SMALL, "quota-3")
    step("too many", create(SMALL, "quota-4")[1])


def main():
    try:
        for part in (identity, life, records, listing, sharing, imports, quotas):
            print(f"== {part.__name__}")
            part()
    finally:
        for connection, image in MADE:
            connection.image.delete(f"/images/{image}")


main()
