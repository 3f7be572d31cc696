#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_doubt.py NAME HARMED UNHARMED - is a verdict less sure where something was lost or unwatched?

HARMED: reports of a run with losses and a gap around its incident. UNHARMED: what the same records say
without those of losses and gaps. Prints one "ok"/"not ok" line per check.
"""
import json
import sys


def last_incident(path):
    with open(path, encoding="utf-8") as file:
        found = [r for r in map(json.loads, file) if r["schema"] == "memswell.incident"]
    return found[-1] if found else None


def main():
    name, harmed, unharmed = sys.argv[1], last_incident(sys.argv[2]), last_incident(sys.argv[3])
    if not harmed or not unharmed:
        print(f"not ok {name}: an incident to compare - there is none")
        return 1
    quality, before = harmed["data_quality"], unharmed["data_quality"]
    why = {s["rule"] for s in harmed["verdict"]["scores"] if s["for"] == "data_quality"}
    sure, unsure = unharmed["verdict"]["confidence"], harmed["verdict"]["confidence"]
    print(f"# {name}: confidence {sure} -> {unsure}, {quality}")
    checks = {"data_quality tells the loss": quality["events_lost"] > 0,
              "data_quality tells the gap": quality.get("unwatched_s", 0) >= 5,
              "both are among the reasons": {"events_lost", "unwatched_s"} <= why,
              "confidence is lower by both": 0.65 < unsure / sure < 0.8,
              "without them neither is told": not before["events_lost"] and "unwatched_s" not in before}
    for what, holds in checks.items():
        print(f"ok {name}: {what}" if holds else f"not ok {name}: {what} - {unsure}, {quality}, {why}")
    return int(not all(checks.values()))


if __name__ == "__main__":
    sys.exit(main())
