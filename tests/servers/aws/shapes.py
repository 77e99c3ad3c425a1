"""Checks values against the shapes of a service model."""

import base64
import binascii
import re
import sys
from datetime import datetime
from email.utils import parsedate_to_datetime

NUMBERS = {"integer": int, "long": int, "double": float, "float": float}

# Python's `re` knows no Unicode categories: these are wider, never narrower.
WIDER = [(r"\p{L}", r"\w"), (r"\p{N}", r"\w"), (r"\p{Z}", r"\s"), (r"\p{M}", r"\w"), (r"\p{P}", r"\W"), (r"\p{S}", r"\W")]
UNREADABLE = set()


def check(shape, value, path, problems):
    """Adds to `problems` what is wrong with a value, of JSON's types, at `path`."""
    if getattr(shape, "is_document_type", False):
        return
    checks = {"structure": structure, "list": sequence, "map": mapping, "string": string, "blob": blob}
    if shape.type_name in checks:
        checks[shape.type_name](shape, value, path, problems)
    elif shape.type_name == "boolean":
        if not isinstance(value, bool):
            wrong_type(shape, value, path, problems)
    elif shape.type_name in NUMBERS:
        number(shape, value, path, problems)
    elif shape.type_name == "timestamp" and not is_time(value):
        wrong_type(shape, value, path, problems)


def structure(shape, value, path, problems):
    if not isinstance(value, dict):
        return wrong_type(shape, value, path, problems)
    members = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
    given = {name: member for name, member in value.items() if member is not None}
    for name, member in given.items():
        if name not in members:
            problems.append(f"{path}.{name}: there is no such member of {shape.name}")
        else:
            check(members[name][1], member, f"{path}.{name}", problems)
    present = {members[name][0] for name in given if name in members}
    for name in set(shape.required_members) - present:
        problems.append(f"{path}.{name}: is required in {shape.name}")
    if getattr(shape, "is_tagged_union", False) and len(present) != 1:
        problems.append(f"{path}: {shape.name} has exactly one member, not {len(present)}")


def sequence(shape, value, path, problems):
    if not isinstance(value, list):
        return wrong_type(shape, value, path, problems)
    within(shape, len(value), "the number of items", path, problems)
    for place, item in enumerate(value, 1):
        check(shape.member, item, f"{path}[{place}]", problems)


def mapping(shape, value, path, problems):
    if not isinstance(value, dict):
        return wrong_type(shape, value, path, problems)
    within(shape, len(value), "the number of entries", path, problems)
    for key, item in value.items():
        check(shape.key, key, f"{path}.{key}", problems)
        check(shape.value, item, f"{path}.{key}", problems)


def string(shape, value, path, problems):
    if not isinstance(value, str):
        return wrong_type(shape, value, path, problems)
    within(shape, len(value), "the length", path, problems)
    if shape.enum and value not in shape.enum:
        problems.append(f"{path}: {value!r} is none of {', '.join(shape.enum)}")
    pattern = shape.metadata.get("pattern")
    if pattern and not fits(pattern, value):
        problems.append(f"{path}: {value!r} does not fit {pattern}")


def blob(shape, value, path, problems):
    try:
        within(shape, len(base64.b64decode(value, validate=True)), "the length", path, problems)
    except (TypeError, ValueError, binascii.Error):
        wrong_type(shape, value, path, problems)


def number(shape, value, path, problems):
    if isinstance(value, bool) or not isinstance(value, (int, NUMBERS[shape.type_name])):
        return wrong_type(shape, value, path, problems)
    within(shape, value, "the value", path, problems)


def within(shape, size, what, path, problems):
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        problems.append(f"{path}: {what} is {size}, at least {least} is wanted")
    if most is not None and size > most:
        problems.append(f"{path}: {what} is {size}, at most {most} is wanted")


def wrong_type(shape, value, path, problems):
    problems.append(f"{path}: {value!r} is no {shape.type_name}")


def fits(pattern, value):
    for category, wider in WIDER:
        pattern = pattern.replace(category, wider)
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        if pattern not in UNREADABLE:
            UNREADABLE.add(pattern)
            print(f"not checked, for Python cannot read it: {pattern}", file=sys.stderr)
        return True


def is_time(value):
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return True
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            read(value)
            return True
        except (TypeError, ValueError):
            continue
    return False


def typed(shape, text):
    """The value that a text stands for; the text itself if it stands for none, which `check` then finds wrong."""
    if shape.type_name == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if shape.type_name in NUMBERS:
        try:
            return NUMBERS[shape.type_name](text)
        except ValueError:
            return text
    return text
