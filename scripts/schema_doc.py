#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Print what documents a schema of docs/schema: README.md for memswell.schema.json (the default),
check.md for check.schema.json. A table per kind of line and per shared object. The schema is the
source; tests/check_schema_doc.sh keeps the two equal.
"""
import json
import pathlib
import sys

SCHEMAS = pathlib.Path(__file__).resolve().parent.parent / "docs/schema"

INTRO = {"memswell": """# Output of memswell

<!-- Made by scripts/schema_doc.py from memswell.schema.json. Do not edit. -->

{description}

Lines are JSON objects of at most 8 KiB in UTF-8, control characters escaped. `memswell schema`
prints the [JSON Schema](memswell.schema.json). A field marked "optional" is absent where it does
not apply; every other field is always there. What `memswell check -o json` prints is in
[check.md](check.md).
""", "check": """# Output of memswell check

<!-- Made by scripts/schema_doc.py from check.schema.json. Do not edit. -->

{description} Described by the [JSON Schema](check.schema.json). Every field is always there.
"""}


def resolve(schema, node):
    """The definition behind a $ref, and its name."""
    if "$ref" not in node:
        return node, None
    name = node["$ref"].removeprefix("#/$defs/")
    return schema["$defs"][name], name


def words(values):
    return ", ".join("null" if value is None else f"`{value}`" for value in values)


def limits(node):
    parts = []
    if "minimum" in node and "maximum" in node:
        parts.append(f"{node['minimum']} to {node['maximum']}")
    elif node.get("minimum") is not None:
        parts.append(f"at least {node['minimum']}")
    if "maxItems" in node:
        parts.append(f"at most {node['maxItems']}")
    if "maxLength" in node:
        parts.append(f"at most {node['maxLength']} characters")
    return ", ".join(parts)


def kind_of(schema, node):
    target, name = resolve(schema, node)
    if "anyOf" in target:
        return " or ".join(kind_of(schema, option) for option in target["anyOf"])
    if "const" in target:
        return f"`{json.dumps(target['const'])}`"
    if "enum" in target:
        return words(target["enum"])
    kinds = target["type"] if isinstance(target["type"], list) else [target["type"]]
    text = " or ".join(kinds)
    if name and "object" in kinds:
        text = text.replace("object", f"[{name}](#{name})")
    elif name:
        text += f" ({name})"
    return text + (f", {limits(target)}" if limits(target) else "")


def rows(schema, node, prefix=""):
    for key, value in node.get("properties", {}).items():
        optional = key not in node["required"]
        path = f"{prefix}{key}"
        yield path, kind_of(schema, value), optional, value["description"]
        if "$ref" in value:
            continue
        if "properties" in value:
            yield from rows(schema, value, f"{path} / ")
        if "properties" in value.get("items", {}):
            yield from rows(schema, value["items"], f"{path} / ")


def table(schema, node):
    yield "| field | type | | meaning |"
    yield "|---|---|---|---|"
    for path, kind, optional, text in rows(schema, node):
        cells = (f"`{path}`", kind, "optional" if optional else "", text)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def document(name, schema):
    kinds = [ref["$ref"].removeprefix("#/$defs/") for ref in schema["oneOf"]]
    shared = [name for name in schema["$defs"] if name not in kinds]
    yield INTRO[name].format(description=schema["description"])
    yield "## Kinds of lines\n"
    for name in kinds:
        yield f"### {name}\n\n{schema['$defs'][name]['description']}\n"
        yield from table(schema, schema["$defs"][name])
        yield ""
    if not shared:
        return
    yield "## Shared objects\n"
    for name in shared:
        node = schema["$defs"][name]
        if "properties" not in node:
            continue
        yield f"### {name}\n\n{node['description']}\n"
        yield from table(schema, node)
        yield ""
    yield "## Shared values\n"
    for name in shared:
        node = schema["$defs"][name]
        if "properties" in node:
            continue
        pattern = f" Pattern: `{node['pattern']}`." if "pattern" in node else ""
        choice = f" One of {words(node['enum'])}." if "enum" in node else ""
        yield f"- **{name}**: {node['description']}{choice}{pattern}"


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "memswell"
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    sys.stdout.write("\n".join(document(name, schema)) + "\n")


if __name__ == "__main__":
    main()
