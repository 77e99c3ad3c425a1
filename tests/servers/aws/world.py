"""What the walks share: clients for any account and region, refusals, waiting, and the world's own control calls.

A walk is a script that goes through a service with boto3, which checks what it sends and parses what it gets by
AWS's own service models. It ends with an exception where the world differs from what AWS documents.
"""

import json
import os
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["AWS_ENDPOINT_URL"]
OWN, OTHER = "111111111111", "222222222222"
assert URL.startswith("http://127.0.0.1:"), URL


def client(service, region="us-east-1", account=OWN, **config):
    """A client that does not repeat what fails: a refusal is what most of these scripts look for."""
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=URL,
        aws_access_key_id=f"AKIA{account}TEST",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


def refused(code, call, **parameters):
    """Calls and expects a refusal of this code; gives its message."""
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, f"expected {code}: {error}"
        return error.response["Error"].get("Message", "")
    raise AssertionError(f"expected {code}, but it was done: {parameters}")


def until(probe, seconds=20):
    """Asks again until the answer is a true one, and gives it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := probe():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"still not after {seconds} s")


def control(path, body=None):
    """A control call: GET without a body, POST with one."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/_fake/{path}", data=data), timeout=20) as answer:
        return json.load(answer)


def reset(**settings):
    """Begins anew with these settings over the defaults."""
    control("reset", settings)
