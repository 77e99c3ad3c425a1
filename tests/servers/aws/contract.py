"""Holds every request that the fake AWS has logged against AWS's own service models, which botocore ships.

    contract.py [SOURCE...]     SOURCE is a URL of the fake (AWS_ENDPOINT_URL if there is none), or a file or folder of
                                logs that it left in CLOUD_PUBLISH_TEST_AWS_LOGS

Prints what is wrong: unknown operations, members, query parameters and `x-amz-` headers, wrong types, missing required
members, values outside of enums, lengths, ranges and patterns. Exits 1 if anything is, 2 if nothing was recorded.
"""

import json
import os
import pathlib
import sys
import urllib.request
from collections import Counter

import botocore
import botocore.session

import forms
import rest
from shapes import check

# The names that signatures have for services, and those of their models.
MODELS = {
    "ec2": "ec2",
    "ebs": "ebs",
    "ssm": "ssm",
    "sts": "sts",
    "iam": "iam",
    "servicequotas": "service-quotas",
    "aws-marketplace": "marketplace-catalog",
    "s3": "s3",
}

# Where a model is narrower than AWS's own pages: all of them name products so.
# https://docs.aws.amazon.com/marketplace/latest/APIReference/work-with-single-ami-products.html
KNOWN_BETTER = "Entity.Type: 'AmiProduct@1.0' does not fit ^[a-zA-Z]+$"

SESSION = botocore.session.get_session()
LOADED = {}


def model_of(service):
    if service not in LOADED:
        LOADED[service] = SESSION.get_service_model(MODELS[service])
    return LOADED[service]


def violations(entry):
    """What is wrong with one logged request."""
    service = model_of(entry["service"])
    if entry["operation"] not in service.operation_names:
        return [f"{entry['method']} {entry['uri']} is no operation"]
    operation, problems = service.operation_model(entry["operation"]), []
    protocol = service.metadata["protocol"]
    if protocol in ("ec2", "query"):
        value = forms.read(service, operation, entry["params"], problems)
    elif protocol == "json":
        value = plain_json(service, operation, entry, problems)
    else:
        value = rest.read(operation, entry, problems)
    if operation.input_shape is not None and value is not None:
        check(operation.input_shape, value, "", problems)
    return [problem for problem in problems if not problem.endswith(KNOWN_BETTER)]


def plain_json(service, operation, entry, problems):
    target, kind = entry["headers"].get("x-amz-target"), entry["headers"].get("content-type")
    wanted = f"{service.metadata['targetPrefix']}.{operation.name}"
    if target != wanted:
        problems.append(f"X-Amz-Target is {target}, not {wanted}")
    if kind != f"application/x-amz-json-{service.metadata['jsonVersion']}":
        problems.append(f"Content-Type is {kind}")
    if not isinstance(entry["json"], dict):
        problems.append("the body is not a JSON object")
        return None
    return entry["json"]


def entries(source):
    if source.startswith("http://"):
        with urllib.request.urlopen(f"{source}/_fake/log/all") as answer:
            yield from json.load(answer)["requests"]
        return
    path = pathlib.Path(source)
    for file in sorted(path.glob("*.json")) if path.is_dir() else [path]:
        yield from json.loads(file.read_text(encoding="utf-8"))["requests"]


def main(sources):
    seen, wrong = Counter(), 0
    for source in sources or [os.environ["AWS_ENDPOINT_URL"]]:
        for entry in entries(source):
            name = f"{entry['service']}:{entry['operation']}"
            seen[name] += 1
            for problem in violations(entry):
                wrong += 1
                print(f"{entry['seq']} {name} {problem}")
    total = f"{seen.total()} requests of {len(seen)} operations against botocore {botocore.__version__}: {wrong} violations"
    print(total, file=sys.stderr)
    return 2 if not seen else 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
