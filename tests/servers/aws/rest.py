"""Reads the requests of the REST protocols (EBS direct, Marketplace Catalog, S3) back into values."""

import re
from urllib.parse import parse_qsl, unquote
from xml.etree import ElementTree

from shapes import typed

# What signatures, retries and checksums of a whole body add to any request.
TRANSPORT = {
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-target",
    "x-amz-trailer",
    "x-amz-user-agent",
}


def read(operation, entry, problems):
    """The value of the input shape; adds what the shape has no place for to `problems`."""
    if entry["method"] != operation.http["method"]:
        problems.append(f"{entry['method']} instead of {operation.http['method']}")
    shape = operation.input_shape
    members = shape.members if shape is not None else {}
    path, _, query = entry["uri"].partition("?")
    value = of_path(operation, path, problems)
    value |= of_query(operation, members, parse_qsl(query, keep_blank_values=True), problems)
    value |= of_headers(members, entry["headers"], problems)
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload is None:
        inside = {m.serialization.get("name", n) for n, m in members.items() if "location" not in m.serialization}
        return value | of_json(entry, inside, problems)
    member = members[payload]
    if member.type_name == "structure" and entry["xml"]:
        try:
            root = ElementTree.fromstring(entry["xml"])
            value[member.serialization.get("name", payload)] = of_xml(member, root, problems)
        except ElementTree.ParseError as error:
            problems.append(f"the body is no XML: {error}")
    if member.type_name == "blob" and entry["body_bytes"] > 0:
        # The log keeps the length of data only: it is there, and the services' checksums say that it is right.
        value[member.serialization.get("name", payload)] = ""
    return value


def of_path(operation, path, problems):
    template = operation.http["requestUri"].partition("?")[0]
    pattern = re.sub(r"\{(\w+)\+\}", r"(?P<\1>.+)", template)
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern)
    found = re.fullmatch(pattern + "/?", path)
    if found is None:
        problems.append(f"{path} is not {template}")
        return {}
    labels = {member.serialization["name"]: member for member in of_location(operation.input_shape, "uri")}
    return {name: typed(labels[name], unquote(text)) for name, text in found.groupdict().items()}


def of_location(shape, location):
    members = shape.members.values() if shape is not None else []
    return [member for member in members if member.serialization.get("location") == location]


def of_query(operation, members, pairs, problems):
    # Smithy's newer clients name the operation in `x-id`.
    fixed = dict(parse_qsl(operation.http["requestUri"].partition("?")[2], keep_blank_values=True)) | {
        "x-id": operation.name
    }
    known = {m.serialization["name"]: m for m in members.values() if m.serialization.get("location") == "querystring"}
    value = {}
    for name, text in pairs:
        if name in known and known[name].type_name == "list":
            value.setdefault(name, []).append(typed(known[name].member, text))
        elif name in known:
            value[name] = typed(known[name], text)
        elif name in fixed and text != fixed[name]:
            problems.append(f"?{name}: {text!r} is not {fixed[name]!r}")
        elif name not in fixed and not name.startswith("X-Amz-"):
            problems.append(f"?{name}: there is no such query parameter")
    return value


def of_headers(members, headers, problems):
    known, prefixes = {}, {}
    for member in members.values():
        name = member.serialization.get("name", "")
        if member.serialization.get("location") == "header":
            known[name.lower()] = (name, member)
        elif member.serialization.get("location") == "headers":
            prefixes[name.lower()] = name
    value = {}
    for header, text in headers.items():
        prefix = next((prefix for prefix in prefixes if prefix and header.startswith(prefix)), None)
        if header in known:
            name, member = known[header]
            is_list = member.type_name == "list"
            value[name] = [part.strip() for part in text.split(",")] if is_list else typed(member, text)
        elif prefix is not None:
            value.setdefault(prefixes[prefix], {})[header.removeprefix(prefix)] = text
        elif header.startswith("x-amz-") and header not in TRANSPORT:
            problems.append(f"{header}: there is no such header")
    return value


def of_json(entry, inside, problems):
    body = entry["json"]
    if body is None and entry["body_bytes"] == 0:
        return {}
    if inside and not isinstance(body, dict):
        problems.append("the body is not a JSON object")
        return {}
    for name in set(body or {}) - inside:
        problems.append(f".{name}: there is no such member of the body")
    return {name: member for name, member in (body or {}).items() if name in inside}


def of_xml(shape, element, problems):
    if shape.type_name == "structure":
        return of_children(shape, element, problems)
    if shape.type_name == "list":
        return [of_xml(shape.member, child, problems) for child in element]
    return typed(shape, element.text or "")


def of_children(shape, element, problems):
    members = {m.serialization.get("name", n): m for n, m in shape.members.items()}
    value = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name not in members:
            problems.append(f".{name}: there is no such element in {shape.name}")
        elif members[name].type_name == "list" and members[name].serialization.get("flattened"):
            value.setdefault(name, []).append(of_xml(members[name].member, child, problems))
        else:
            value[name] = of_xml(members[name], child, problems)
    return value
