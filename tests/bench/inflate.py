#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""inflate.py RECORDING COPIES - a longer recording on stdout: the header once, then everything between
header and stop COPIES times, each time later by the length of the whole. Prints the number of
records on stderr. For measuring replay speed: real records, only more of them."""
import json
import sys


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        records = [json.loads(line) for line in file]
    header, body = records[0], [r for r in records[1:] if r["k"] != "stop"]
    times = [int(r["t"]) for r in body]
    span = max(times) - min(times) + 1_000_000_000
    text = type(body[0]["t"])
    out = sys.stdout
    out.write(json.dumps(header, separators=(",", ":")) + "\n")
    for copy in range(int(sys.argv[2])):
        for record, at in zip(body, times):
            record["t"] = text(at + copy * span)
            out.write(json.dumps(record, separators=(",", ":"), ensure_ascii=False) + "\n")
    print(1 + len(body) * int(sys.argv[2]), file=sys.stderr)


if __name__ == "__main__":
    main()
