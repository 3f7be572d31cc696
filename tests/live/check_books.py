#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_books.py NAME REPORTS RECORDS [OPTION...] - does produced = delivered + lost hold, and does
what was delivered equal what is there?

REPORTS: the report lines of one run, RECORDS: its recording, - for none. Three counts are held against each
other: the kernel's (produced), the source's (delivered, lost) and our own, of the recorded events.

  --forks PID=N     PID forked N times: as many births of its children were delivered or lost
  --lost STREAM     something of this stream was lost, or the test shows nothing
  --nothing-lost    nothing was lost anywhere
  --lines          REPORTS has every line that was not dropped, and no other
  --gap CAUSE       one gap of this cause, and no other

Prints one "ok"/"not ok" line per check.
"""
import argparse
import collections
import json
import sys

FAILED = []
RINGS = ("fork", "exec", "exit", "signal", "oom", "listener", "v8_oom", "rss", "vm", "alarm")
# More cannot be in the rings: their bytes by the size of the smallest event.
MOST_PENDING = (1 << 20) // 72


def check(scenario, name, holds, why):
    print(f"ok {scenario}: {name}" if holds else f"not ok {scenario}: {name} - {why}")
    if not holds:
        FAILED.append(name)


def read(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def unbalanced(beat):
    """Streams whose books do not balance, or whose losses have not all a reason."""
    reasons = collections.Counter()
    for loss in beat["losses"]:
        reasons[loss["stream"]] += loss["count"]
    return [s["stream"] for s in beat["streams"]
            if s["produced"] != s["delivered"] + s["lost"] + s["pending"]
            or s["lost"] != reasons[s["stream"]] or s["pending"] > MOST_PENDING]


def arrived(records):
    """Events of each ring stream that are in the recording. Alarms make no record; memory counters
    come from samples too, so of these more may be there."""
    counts = collections.Counter()
    for record in records:
        kind = record["k"]
        if kind == "proc" and record.get("origin") == "forked":
            kind = "fork"
        if kind == "listener" and record.get("state") == "found":
            continue
        if kind in RINGS and kind != "vm":
            counts[kind] += 1
    return counts


def fed(records):
    """Records the books speak of: all that came before the last books, without what stands for
    times when nobody counted."""
    closed = max((r["t"] for r in records if r["k"] == "stream"), default=0)
    last = sum(1 for r in records if r["k"] in ("stream", "loss") and r["t"] == closed)
    stop = sum(1 for r in records if r["k"] == "stop")
    gaps = sum(1 for r in records if r["k"].startswith("gap"))
    return len(records) - last - stop - gaps


def check_books(args, beats, records):
    name = args.name
    with_books = [beat for beat in beats if beat.get("streams")]
    check(name, "heartbeats show the books", bool(with_books), "no heartbeat has streams")
    if not with_books:
        return {}
    wrong = [(beat["seq"], unbalanced(beat)) for beat in with_books if unbalanced(beat)]
    check(name, "produced = delivered + lost + pending, in every heartbeat", not wrong, str(wrong[:2]))
    books = {s["stream"]: s for s in with_books[-1]["streams"]}
    open_rings = [s for s in RINGS if books.get(s, {"pending": 0})["pending"]]
    check(name, "at the end nothing is pending in a ring", not open_rings, str(open_rings))
    if records is None:
        return books
    here = arrived(records)
    wrong = [(s, books.get(s, {}).get("delivered", 0), here[s]) for s in RINGS
             if s not in ("alarm", "vm") and books.get(s, {}).get("delivered", 0) != here[s]
             and not (s == "v8_oom" and books[s]["delivered"] > here[s])]
    check(name, "what was delivered is in the recording", not wrong, f"stream, books, there: {wrong}")
    delivered = books["records"]["delivered"]
    check(name, "every record was taken in", delivered == fed(records),
          f"{delivered} in the books, {fed(records)} in the recording")
    return books


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("reports")
    parser.add_argument("records")
    parser.add_argument("--forks")
    parser.add_argument("--lost", action="append", default=[])
    parser.add_argument("--nothing-lost", action="store_true")
    parser.add_argument("--lines", action="store_true")
    parser.add_argument("--gap")
    args = parser.parse_args()
    reports, records = read(args.reports), None if args.records == "-" else read(args.records)
    books = check_books(args, [r for r in reports if r["schema"] == "memswell.heartbeat"], records)
    lost = {stream: row["lost"] for stream, row in books.items() if row["lost"]}
    for stream in args.lost:
        check(args.name, f"events of {stream} were lost and counted", stream in lost, f"lost: {lost}")
    if args.nothing_lost:
        check(args.name, "nothing was lost", not lost, f"lost: {lost}")
    if args.forks:
        pid, made = (int(part) for part in args.forks.split("="))
        seen = sum(1 for r in records if r["k"] == "proc" and r.get("parent_pid") == pid
                   and r.get("origin") == "forked")
        missed = lost.get("fork", 0)
        check(args.name, f"of {made} forks each was delivered or lost",
              seen <= made <= seen + missed and (missed or seen == made),
              f"{seen} delivered, {missed} lost of all processes")
        print(f"# {args.name}: {made} forks: {seen} delivered; lost: {lost}")
    if args.lines:
        missing = reports[-1]["seq"] + 1 - len(reports)
        check(args.name, "lines are missing where losses say so", missing == lost.get("output", 0),
              f"{missing} missing, {lost.get('output', 0)} lost")
        print(f"# {args.name}: {reports[-1]['seq'] + 1} lines: {len(reports)} written, {missing} missing")
    if args.gap:
        causes = [r["gap"]["cause"] for r in reports if r["schema"] == "memswell.gap"]
        check(args.name, f"one gap is reported: {args.gap}", causes == [args.gap], str(causes))


if __name__ == "__main__":
    main()
    sys.exit(bool(FAILED))
