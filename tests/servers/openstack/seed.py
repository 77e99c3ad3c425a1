"""Fills a fresh Keystone: projects, users, the service catalogue and quotas; then writes DIR/clouds.yaml and DIR/env.new.

    seed.py DIR VENV

Only an admin may make an image public, so `publisher-admin` has the admin role in project publisher; `member` is a
user of the same project without it.
"""

import os
import sys

import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3

REGIONS = {"RegionOne": os.environ["GLANCE_ONE_URL"], "RegionTwo": os.environ["GLANCE_TWO_URL"]}
KEYSTONE = os.environ["KEYSTONE_URL"]
ADMIN_PASSWORD = os.environ["ADMIN_PASSWORD"]
USER_PASSWORD = os.environ["USER_PASSWORD"]
APPLICATION_SECRET = "test-application-secret"
# MiB and counts, for every project of a region; and what project smallquota gets instead
LIMITS = {"image_size_total": 65536, "image_stage_total": 65536, "image_count_total": 10000, "image_count_uploading": 1000}
SMALL_LIMITS = {"image_size_total": 8, "image_stage_total": 8, "image_count_total": 3, "image_count_uploading": 2}

admin_session = session.Session(v3.Password(
    auth_url=KEYSTONE, username="admin", password=ADMIN_PASSWORD, user_domain_id="default",
    project_name="admin", project_domain_id="default"))


def call(method, path, **body):
    response = admin_session.request(KEYSTONE + path, method, raise_exc=False, **body)
    if response.status_code not in (200, 201, 204):
        raise SystemExit(f"{method} {path}: {response.status_code} {response.text}")
    return response.json() if response.text else {}


def create(kind, **fields):
    return call("POST", f"/{kind}s", json={kind: fields})[kind]["id"]


def project(name):
    return create("project", name=name, domain_id="default")


def user(name, password):
    return create("user", name=name, domain_id="default", password=password)


def seed_users(roles):
    """Creates projects and users; returns the ids of the projects by name."""
    projects = {name: project(name) for name in ("publisher", "consumer", "smallquota", "service")}
    members = (("publisher-admin", "publisher", "admin"), ("publisher", "publisher", "member"),
               ("consumer", "consumer", "member"), ("smallquota", "smallquota", "member"))
    for name, where, role in members:
        call("PUT", f"/projects/{projects[where]}/users/{user(name, USER_PASSWORD)}/roles/{roles[role]}")
    glance = user("glance", ADMIN_PASSWORD)
    for role in ("admin", "service"):
        call("PUT", f"/projects/{projects['service']}/users/{glance}/roles/{roles[role]}")
    # Glance reads the limits with a token of the whole system
    call("PUT", f"/system/users/{glance}/roles/{roles['reader']}")
    return projects


def seed_catalogue():
    """Registers both Glance endpoints; returns the id of the image service."""
    image = create("service", type="image", name="glance")
    identity = call("GET", "/services?type=identity")["services"][0]["id"]
    call("POST", "/regions", json={"region": {"id": "RegionTwo"}})
    for interface in ("public", "internal", "admin"):
        for region, url in REGIONS.items():
            create("endpoint", service_id=image, region_id=region, interface=interface, url=url)
        create("endpoint", service_id=identity, region_id="RegionTwo", interface=interface, url=KEYSTONE)
    return image


def seed_limits(image, small):
    for region in REGIONS:
        base = {"service_id": image, "region_id": region}
        call("POST", "/registered_limits", json={"registered_limits": [
            base | {"resource_name": name, "default_limit": value} for name, value in LIMITS.items()]})
        call("POST", "/limits", json={"limits": [
            base | {"project_id": small, "resource_name": name, "resource_limit": value}
            for name, value in SMALL_LIMITS.items()]})


def application_credential(project):
    """Makes one of publisher-admin's; returns its id and the id of the user."""
    own = session.Session(v3.Password(
        auth_url=KEYSTONE, username="publisher-admin", password=USER_PASSWORD, user_domain_id="default",
        project_id=project))
    user = own.get_user_id()
    answer = own.post(f"{KEYSTONE}/users/{user}/application_credentials", json={"application_credential": {
        "name": "ci", "secret": APPLICATION_SECRET}})
    return answer.json()["application_credential"]["id"], user


def signed_in_by(**auth):
    """An entry of clouds.yaml that signs in without a password."""
    return {"auth_type": "v3applicationcredential", "regions": list(REGIONS),
            "auth": {"auth_url": KEYSTONE, "application_credential_secret": APPLICATION_SECRET} | auth}


def behind_tls(keystone="TLS_KEYSTONE", **more):
    """An entry of clouds.yaml that goes through the fronts with TLS, past the catalogue."""
    def url(port):
        return f"https://127.0.0.1:{os.environ[port]}"
    entry = cloud("publisher-admin", "publisher") | more
    entry["auth"]["auth_url"] = url(keystone) + "/v3"
    fronts = zip(REGIONS, ("TLS_GLANCE_ONE", "TLS_GLANCE_TWO"))
    entry["regions"] = [{"name": region, "values": {"image_endpoint_override": url(port)}} for region, port in fronts]
    return entry


def cloud(username, where, password=USER_PASSWORD):
    """An entry of clouds.yaml that spans both regions; the client chooses one."""
    return {"auth_type": "password", "interface": "public", "identity_api_version": 3, "regions": list(REGIONS),
            "auth": {"auth_url": KEYSTONE, "username": username, "password": password, "project_name": where,
                     "user_domain_name": "Default", "project_domain_name": "Default"}}


def main():
    folder, venv = sys.argv[1:]
    projects = seed_users({role["name"]: role["id"] for role in call("GET", "/roles")["roles"]})
    seed_limits(seed_catalogue(), projects["smallquota"])
    credential, user_id = application_credential(projects["publisher"])
    authority = f"{folder}/tls/ca.pem"
    clouds = {
        "publisher-admin": cloud("publisher-admin", "publisher"),
        "member": cloud("publisher", "publisher"),
        "consumer": cloud("consumer", "consumer"),
        "smallquota": cloud("smallquota", "smallquota"),
        "denied": cloud("publisher", "publisher", "a wrong password"),
        "appcred": signed_in_by(application_credential_id=credential),
        "appcred-name": signed_in_by(application_credential_name="ci", user_id=user_id),
        "tls": behind_tls(cacert=authority),
        "tls-untrusted": behind_tls(),
        "tls-unverified": behind_tls(verify=False),
        "tls-client": behind_tls("TLS_CLIENT", cacert=authority, cert=f"{folder}/tls/client.pem",
                                 key=f"{folder}/tls/client.key"),
        "tls-no-client": behind_tls("TLS_CLIENT", cacert=authority),
    }
    with open(f"{folder}/clouds.yaml", "w") as file:
        yaml.safe_dump({"clouds": clouds}, file, sort_keys=False)
    variables = {
        "OS_CLIENT_CONFIG_FILE": f"{folder}/clouds.yaml",
        "OPENSTACK_TEST_CLI": f"{venv}/bin/openstack",
        "OPENSTACK_TEST_PYTHON": f"{venv}/bin/python",
        "OPENSTACK_TEST_KEYSTONE": KEYSTONE,
        "OPENSTACK_TEST_GLANCE_ONE": REGIONS["RegionOne"],
        "OPENSTACK_TEST_GLANCE_TWO": REGIONS["RegionTwo"],
        "OPENSTACK_TEST_PUBLISHER_PROJECT": projects["publisher"],
        "OPENSTACK_TEST_CONSUMER_PROJECT": projects["consumer"],
        "OPENSTACK_TEST_SMALLQUOTA_PROJECT": projects["smallquota"],
        "OPENSTACK_TEST_WEB_URL": f"http://127.0.0.1:{os.environ['WEB']}",
        "OPENSTACK_TEST_WEB_FOLDER": f"{folder}/web",
        "no_proxy": os.environ["no_proxy"],
        "NO_PROXY": os.environ["NO_PROXY"],
    }
    with open(f"{folder}/env.new", "w") as file:
        file.writelines(f"export {name}='{value}'\n" for name, value in variables.items())


main()
