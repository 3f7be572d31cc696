#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Check the reports of a run in which hooks were missing: the death is there, as seen by the hooks that
were attached; nothing is there that only the missing ones tell. With --incident there has to be an
incident of it, with a confidence that is lowered and says so. Prints one result per claim.
"""
import argparse
import json
import sys


def of(lines, schema, pid):
    """The lines of that kind about a process."""
    return [line for line in lines if line["schema"] == schema
            and line["process"]["process.pid"] == pid]


def states_of(lines):
    """State of each hook, by name."""
    return {hook["name"]: hook["state"] for line in lines if line["schema"] == "memswell.start"
            for hook in line["probes"]}


def claims(lines, culprit, missing):
    """(what, holds, why not) for what must be so whatever is missing."""
    states = states_of(lines)
    yield ("the stream says which hooks are missing",
           all(states.get(name) in ("unavailable", "off") for name in missing), str(states))
    exits = [line["process"] for line in of(lines, "memswell.process_exit", culprit)]
    yield "the death is reported", len(exits) == 1, f"{len(exits)} reports"
    yield ("it is told as the OOM kill that it was",
           bool(exits) and exits[0]["exit"]["oom_kill"] is True, json.dumps(exits)[:300])
    kills = of(lines, "memswell.oom_kill", culprit)
    yield "the kill itself is reported", len(kills) == 1, f"{len(kills)} reports"
    growths = of(lines, "memswell.growth", culprit)
    yield "the growth before it is reported", bool(growths), "no growth report"
    incidents = [line for line in lines if line["schema"] == "memswell.incident"]
    yield ("every incident names the missing hooks",
           all(set(missing) <= set(line["data_quality"]["missing_probes"]) for line in incidents),
           json.dumps([line["data_quality"] for line in incidents])[:300])


def claims_without_http(lines):
    """Nobody counted requests: nothing may be said of them."""
    said = [line for line in lines if line["schema"] in ("memswell.incident", "memswell.burst")]
    yield ("nothing is said of requests, and nobody is accused", not said,
           json.dumps(said)[:300])


def claims_of_incident(lines, port, missing):
    """The death is explained; what the missing hooks bear on is less certain."""
    incidents = [line for line in lines if line["schema"] == "memswell.incident"
                 and line["impact"]["network.peer.port"] == port]
    verdict = incidents[-1]["verdict"] if incidents else {"class": None, "scores": []}
    yield "the incident is a memory death", verdict["class"] == "memory_death", json.dumps(verdict)[:300]
    quality = [score for score in verdict["scores"] if score["rule"] == "hooks_missing"]
    leak = verdict.get("cause") in ("heap_leak", "native_leak")
    yield ("its cause is less certain, and the scores say why",
           bool(quality) == leak and (not leak or (quality[0]["value"] == len(missing) and
                                                   verdict["confidence"] <= 0.9)),
           json.dumps(verdict)[:600])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--culprit", type=int, required=True)
    parser.add_argument("--missing", required=True, help="hooks, separated by commas")
    parser.add_argument("--incident", type=int, metavar="PORT", help="one there has to be")
    parser.add_argument("reports")
    options = parser.parse_args()
    with open(options.reports, encoding="utf-8") as reports:
        lines = [json.loads(line) for line in reports]
    missing = options.missing.split(",")
    failed = False
    more = (claims_of_incident(lines, options.incident, missing) if options.incident
            else claims_without_http(lines))
    for what, holds, why in [*claims(lines, options.culprit, missing), *more]:
        print(f"ok {options.name}: {what}" if holds else f"not ok {options.name}: {what} - {why}")
        failed |= not holds
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
