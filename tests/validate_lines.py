#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Validate memswell's output: JSON Lines against docs/schema/memswell.schema.json.

Also what a schema cannot say: a line is at most 8 KiB, is valid UTF-8 without raw control
characters, has no key twice, and `seq` has no gaps within a file (--allow-gaps: may have).
Prints the number of lines; exits with 1 after 5 errors, or at the end if there was one.
Needs Debian's python3-jsonschema.
"""
import argparse
import json
import pathlib
import sys

import jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parent.parent / "docs/schema/memswell.schema.json"
MAX_LINE_BYTES = 8192
MAX_ERRORS = 5


def unique_keys(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("a key twice in one object")
    return dict(pairs)


def reject_constant(word):
    raise ValueError(f"{word} is not JSON")


def is_control(char):
    return ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char in "\u2028\u2029"


class Validator:
    def __init__(self, schema_path, allow_gaps, max_line_bytes, many):
        schema = json.loads(schema_path.read_text(encoding="utf-8"))
        jsonschema.Draft202012Validator.check_schema(schema)
        # One validator per kind: `oneOf` alone would say no more than "none of nine".
        self.kinds = {}
        for name in schema["$defs"]:
            if name.startswith("memswell."):
                kind = {"$schema": schema["$schema"], "$ref": f"#/$defs/{name}",
                        "$defs": schema["$defs"]}
                self.kinds[name] = jsonschema.Draft202012Validator(kind)
        self.allow_gaps = allow_gaps
        self.max_line_bytes = max_line_bytes
        self.many = many
        self.nr_lines = 0
        self.nr_errors = 0

    def error(self, where, what):
        print(f"{where}: {what}", file=sys.stderr)
        self.nr_errors += 1
        if self.nr_errors >= MAX_ERRORS:
            print(f"{self.nr_lines} lines, stopped after {MAX_ERRORS} errors")
            sys.exit(1)

    def parse(self, raw):
        if not raw.endswith(b"\n"):
            raise ValueError("no newline at the end")
        if len(raw) > self.max_line_bytes:
            raise ValueError(f"{len(raw)} bytes, at most {self.max_line_bytes} expected")
        text = raw[:-1].decode("utf-8")
        if any(is_control(char) for char in text):
            raise ValueError("a raw control character")
        return json.loads(text, object_pairs_hook=unique_keys, parse_constant=reject_constant)

    def check_kind(self, where, line):
        kind = line.get("schema") if isinstance(line, dict) else None
        if kind not in self.kinds:
            self.error(where, f"schema {kind!r} is not one of {sorted(self.kinds)}")
            return
        for error in self.kinds[kind].iter_errors(line):
            self.error(where, f"{kind}: {error.json_path}: {error.message[:300]}")

    def check_file(self, path):
        last = None
        with (sys.stdin.buffer if path == "-" else open(path, "rb")) as lines:
            for number, raw in enumerate(lines, 1):
                self.nr_lines += 1
                where = f"{path}:{number}"
                try:
                    line = self.parse(raw)
                except ValueError as error:
                    self.error(where, error)
                    continue
                self.check_kind(where, line)
                last = self.check_seq(where, line, last)

    def check_seq(self, where, line, last):
        seq = line.get("seq") if isinstance(line, dict) else None
        if not isinstance(seq, int):
            return last
        if self.many and seq == 0:
            return seq
        if last is not None and (seq <= last if self.allow_gaps else seq != last + 1):
            self.error(where, f"seq {seq} after {last}")
        return seq


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--allow-gaps", action="store_true", help="seq may jump forward")
    parser.add_argument("--many", action="store_true", help="streams may follow each other: seq 0")
    parser.add_argument("--schema", type=pathlib.Path, default=SCHEMA)
    parser.add_argument("--max-line-bytes", type=int, default=MAX_LINE_BYTES)
    parser.add_argument("files", nargs="+", help="JSON Lines; - is standard input")
    options = parser.parse_args()
    validator = Validator(options.schema, options.allow_gaps, options.max_line_bytes, options.many)
    for path in options.files:
        validator.check_file(path)
    print(f"{validator.nr_lines} lines valid" if not validator.nr_errors
          else f"{validator.nr_lines} lines, {validator.nr_errors} errors")
    return 1 if validator.nr_errors else 0


if __name__ == "__main__":
    sys.exit(main())
