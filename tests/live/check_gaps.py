#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_gaps.py NAME DELIVERED COMPLETE - is everything a slow consumer missed accounted for?

DELIVERED: the lines that reached the consumer. COMPLETE: the replay of the same run, where nothing
is dropped. Prints one "ok"/"not ok" line per check.
"""
import json
import sys

FAILED = []


def check(scenario, name, holds, why):
    print(f"ok {scenario}: {name}" if holds else f"not ok {scenario}: {name} - {why}")
    if not holds:
        FAILED.append(name)


def output_losses(report):
    return sum(loss["count"] for loss in report["losses"] if loss["stream"] == "output")


def main():
    scenario, delivered_path, complete_path = sys.argv[1:4]
    with open(delivered_path, "rb") as file:
        delivered = file.read().splitlines(keepends=True)
    with open(complete_path, "rb") as file:
        complete = {json.loads(line)["seq"]: line for line in file}
    check(scenario, "no torn line", all(line.endswith(b"\n") for line in delivered), "no newline")

    reports = [json.loads(line) for line in delivered]
    seqs = [report["seq"] for report in reports]
    check(scenario, "seq rises", seqs == sorted(set(seqs)), "out of order or repeated")
    unequal = [seq for seq, line in zip(seqs, delivered) if complete.get(seq) != line]
    check(scenario, "each line equals its replay", not unequal, f"seq {unequal[:3]} differ")

    # Up to the last heartbeat that arrived, gaps and counted losses must agree exactly.
    beats = [r for r in reports if r["schema"] == "memswell.heartbeat"]
    check(scenario, "heartbeats arrive again", bool(beats), "no heartbeat")
    if not beats:
        return
    last = beats[-1]
    missing = last["seq"] - seqs[0] - (seqs.index(last["seq"]))
    check(scenario, "the consumer was too slow", missing > 0, "nothing was dropped: no test")
    counted = output_losses(last)
    check(scenario, "gaps in seq equal the counted losses", missing == counted,
          f"{missing} lines missing, {counted} counted")
    critical = [loss for loss in last["losses"] if loss["reason"] == "ring_full"
                and loss["stream"] not in ("rss", "vm", "alarm")]
    check(scenario, "no death or listener was crowded out", not critical, f"{critical}")


if __name__ == "__main__":
    main()
    sys.exit(bool(FAILED))
