#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Holds deploy/pipelines/fields.tsv against the schema, and what the jq programs make of lines against both.

check_fields.py FIELDS SCHEMA            every field of the schema has a row, and every row its field
check_fields.py FIELDS LINES OTLP ECS    what is in a line is in its record and its document; each has
                                         one line in each of the files
check_fields.py FIELDS                   prints docs/fields.md
"""
import json
import sys

HEAD = """# Fields in OTLP and ECS

<!-- Made by tests/pipelines/check_fields.py from deploy/pipelines/fields.tsv. Do not edit. -->

What `deploy/pipelines/otlp.jq` and `ecs.jq` make of each field; [pipelines.md](pipelines.md) says how to use
them, [schema](schema/README.md) what a field means. `-` is left out: `schema` says the same as the event
name. In OTLP `attributes:` are of the log record, `resource:` of its resource. Lists go over whole. ECS has
no names for most of this: those are below `memswell.`.

| field | OTLP | ECS |
|---|---|---|
"""


def rows(path):
    with open(path, encoding="utf-8") as lines:
        return [line.rstrip("\n").split("\t") for line in lines if line.strip() and not line.startswith("#")]


def leaves(schema, node, path):
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].split("/")[-1]]
    types = node.get("type")
    types = types if isinstance(types, list) else [types]
    if "object" in types and node.get("properties"):
        for key, value in node["properties"].items():
            yield from leaves(schema, value, path + [key])
    else:
        yield "/".join(path) + ("[]" if "array" in types else "")


def check_schema(table, path):
    with open(path, encoding="utf-8") as text:
        schema = json.load(text)
    fields = {leaf for kind in schema["oneOf"] for leaf in leaves(schema, kind, [])}
    known = [row[0] for row in table]
    for field in sorted(fields - set(known)):
        yield "%s: expected a row in fields.tsv: mapped, or left out by -" % field
    for field in sorted(set(known) - fields):
        yield "%s: has a row in fields.tsv, but is in no line" % field
    for field in sorted({field for field in known if known.count(field) > 1}):
        yield "%s: has two rows in fields.tsv" % field
    ecs = {row[2] for row in table}
    for name in sorted(ecs):
        for longer in ecs:
            if longer.startswith(name + "."):
                yield "ECS: %s is a value, and %s would be in it" % (name, longer)


def at(line, path):
    for key in path.removesuffix("[]").split("/"):
        line = line.get(key) if isinstance(line, dict) else None
    return line


def plain(value):
    """An OTLP AnyValue as what it stands for."""
    if not value:
        return None
    kind, inner = next(iter(value.items()))
    if kind == "arrayValue":
        return [plain(item) for item in inner["values"]]
    if kind == "kvlistValue":
        return {item["key"]: plain(item["value"]) for item in inner["values"]}
    return int(inner) if kind == "intValue" else inner


def otlp_values(document):
    logs = document["resourceLogs"][0]
    record = logs["scopeLogs"][0]["logRecords"][0]
    values = {"SeverityNumber": record["severityNumber"], "EventName": record["eventName"],
              "Body": record["body"]["stringValue"], "Timestamp": record["timeUnixNano"]}
    for prefix, attributes in (("resource:", logs["resource"]["attributes"]), ("attributes:", record["attributes"])):
        values.update((prefix + item["key"], plain(item["value"])) for item in attributes)
    return values


def ecs_value(document, name):
    return at(document, name.replace(".", "/"))


def check_line(table, line, otlp, ecs):
    values = otlp_values(otlp)
    for path, to_otlp, to_ecs in table:
        value = at(line, path)
        if value is None:
            continue
        if to_otlp == "Timestamp":
            if not values[to_otlp].endswith(value[20:29]):
                yield "%s: %s became %s" % (path, value, values[to_otlp])
        elif to_otlp != "-" and values.get(to_otlp) != value:
            yield "%s: OTLP %s is %r, expected %r" % (path, to_otlp, values.get(to_otlp), value)
        if to_ecs != "-" and ecs_value(ecs, to_ecs) != value:
            yield "%s: ECS %s is %r, expected %r" % (path, to_ecs, ecs_value(ecs, to_ecs), value)


def check_lines(table, paths):
    files = [open(path, encoding="utf-8").read().splitlines() for path in paths]
    if len({len(lines) for lines in files}) != 1 or not files[0]:
        yield "expected as many records and documents as lines: %s" % [len(lines) for lines in files]
    kinds = set()
    for texts in zip(*files):
        line, otlp, ecs = map(json.loads, texts)
        kinds.add(line["schema"])
        yield from check_line(table, line, otlp, ecs)
    print("# %d lines of %d kinds" % (len(files[0]), len(kinds)))
    if len(kinds) < 10:
        yield "expected lines of all ten kinds, got %s" % sorted(kinds)


def main():
    table = rows(sys.argv[1])
    if len(sys.argv) == 2:
        print(HEAD + "\n".join("| `%s` | %s | %s |" % (path, *("`%s`" % to if to != "-" else "-" for to in targets))
                               for path, *targets in table))
        return 0
    problems = list(check_schema(table, sys.argv[2]) if len(sys.argv) == 3 else check_lines(table, sys.argv[2:]))
    print("\n".join(problems[:20]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
