"""Reads the flattened parameters of the query protocols (EC2, STS, IAM) back into values."""

from shapes import typed


def read(service, operation, params, problems):
    """The value of the input shape; adds what the shape has no place for to `problems`."""
    rest = dict(params)
    for name, wanted in [("Action", operation.name), ("Version", service.api_version)]:
        if rest.pop(name, None) != wanted:
            problems.append(f"{name} is not {wanted}")
    is_ec2 = service.metadata["protocol"] == "ec2"
    tree = grow(rest, problems)
    if operation.input_shape is None:
        problems.extend(f".{name}: the operation has no members" for name in tree)
        return None
    return structure(operation.input_shape, tree, "", is_ec2, problems)


def grow(params, problems):
    tree = {}
    for name, value in params.items():
        node, parts = tree, name.split(".")
        for part in parts[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                problems.append(f".{name}: is a value and has members")
                break
        else:
            if isinstance(node.get(parts[-1]), dict):
                problems.append(f".{name}: is a value and has members")
            node[parts[-1]] = value
    return tree


def wire_name(name, member, is_ec2):
    """How a member is called in the form: https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html."""
    written = member.serialization.get("name", name)
    if not is_ec2:
        return written
    return member.serialization.get("queryName") or written[0].upper() + written[1:]


def structure(shape, tree, path, is_ec2, problems):
    if not isinstance(tree, dict):
        return tree
    members = {wire_name(name, member, is_ec2): (name, member) for name, member in shape.members.items()}
    value = {}
    for written, node in tree.items():
        if written not in members:
            problems.append(f"{path}.{written}: there is no such member of {shape.name}")
            continue
        name, member = members[written]
        value[member.serialization.get("name", name)] = read_node(member, node, f"{path}.{written}", is_ec2, problems)
    return value


def read_node(shape, node, path, is_ec2, problems):
    if shape.type_name == "structure":
        return structure(shape, node, path, is_ec2, problems)
    if shape.type_name == "list":
        return sequence(shape, node, path, is_ec2, problems)
    if shape.type_name == "map":
        problems.append(f"{path}: maps are not read from forms")
        return None
    if isinstance(node, dict):
        problems.append(f"{path}: is a {shape.type_name} and has members")
        return None
    return typed(shape, node)


def sequence(shape, node, path, is_ec2, problems):
    # An empty list is written as an empty text.
    if node == "":
        return []
    if isinstance(node, dict) and not is_ec2 and not shape.serialization.get("flattened"):
        inner = shape.member.serialization.get("name", "member")
        if set(node) != {inner}:
            problems.append(f"{path}: its items are not under {inner}")
            return None
        node = node[inner]
    if not isinstance(node, dict):
        return node
    numbers = sorted((int(number) for number in node if number.isdigit()))
    if len(numbers) != len(node) or numbers != list(range(1, len(numbers) + 1)):
        problems.append(f"{path}: its items are not numbered 1 to {len(node)}")
    return [read_node(shape.member, node[str(n)], f"{path}.{n}", is_ec2, problems) for n in numbers]
