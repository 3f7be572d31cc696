#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Check the reports of a run without the hooks on HTTP: the death is there, as seen by the hooks that
were attached; nothing is there that only the missing ones tell. Prints one result per claim.
"""
import argparse
import json
import sys


def claims(lines, culprit, missing):
    """(what, holds, why not) for everything that must be so."""
    start = [line for line in lines if line["schema"] == "memswell.start"]
    states = {hook["name"]: hook["state"] for line in start for hook in line["hooks"]}
    yield ("the stream says which hooks are missing",
           all(states.get(name) == "unavailable" for name in missing), str(states))
    exits = [line for line in lines if line["schema"] == "memswell.process_exit"
             and line["process.pid"] == culprit]
    yield "the death is reported", len(exits) == 1, f"{len(exits)} reports"
    yield ("it is told as the OOM kill that it was",
           bool(exits) and exits[0]["death"]["oom_kill"] is True, json.dumps(exits)[:300])
    kills = [line for line in lines if line["schema"] == "memswell.oom_kill"
             and line["process.pid"] == culprit]
    yield "the kill itself is reported", len(kills) == 1, f"{len(kills)} reports"
    growths = [line for line in lines if line["schema"] == "memswell.growth"
               and line["process.pid"] == culprit]
    yield "the growth before it is reported", bool(growths), "no growth report"
    incidents = [line for line in lines if line["schema"] == "memswell.incident"]
    for line in incidents:
        verdict, quality = line["verdict"], line["data_quality"]
        yield ("an incident accuses nobody, or memory with less confidence",
               verdict["class"] == "unexplained" or
               (verdict["class"] == "memory_death" and verdict["confidence"] < 0.8),
               json.dumps(verdict)[:300])
        yield ("an incident names the missing hooks",
               set(missing) <= set(quality["missing_probes"]), json.dumps(quality))
    yield ("no HTTP status is claimed",
           all(count == 0 for line in incidents
               for key, count in flatten(line["impact"]) if "status" in key and
               isinstance(count, int)), json.dumps([i["impact"] for i in incidents])[:300])


def flatten(node, path=""):
    if isinstance(node, dict):
        for key, value in node.items():
            yield from flatten(value, f"{path}/{key}")
    else:
        yield path, node


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--culprit", type=int, required=True)
    parser.add_argument("--missing", required=True, help="hooks, separated by commas")
    parser.add_argument("reports")
    options = parser.parse_args()
    with open(options.reports, encoding="utf-8") as reports:
        lines = [json.loads(line) for line in reports]
    failed = False
    for what, holds, why in claims(lines, options.culprit, options.missing.split(",")):
        print(f"ok {options.name}: {what}" if holds else f"not ok {options.name}: {what} - {why}")
        failed |= not holds
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
