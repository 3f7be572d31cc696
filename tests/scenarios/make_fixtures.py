#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""make_fixtures.py RESULT... - puts the recordings of results (directories that run.sh left) into
fixtures/, each cut down to what concerns its scenario and without names of the host it came from.

Left out are: everybody who is neither behind the scenario's ports nor an ancestor of those, the
clients' own side of their requests, and the memory of shells. Says where a fixture no longer
leads to the verdicts of its recording.
"""
import gzip
import itertools
import json
import os
import sys

import catalogue
import runs

sys.path.insert(0, os.path.join(catalogue.DIR, "..", "replay"))
import make_story  # noqa: E402  pylint: disable=wrong-import-position

FIXTURES = os.path.join(catalogue.DIR, "fixtures")
SELDOM_MATTERS = {"self"}
OF_MEMORY = {"task", "rss", "vm"}
EVENTS = {"exit", "signal", "oom", "v8_oom", "listener"}
DELTAS = {"requests", "responses", "status", "request_bytes", "response_bytes", "opened", "closed",
          "latency_sum_ns", "latency"}
COARSE = {"t", "latency_sum_ns", "cpu_ns", "ok_mark_ns", "fail_marks_ns"}


def behind(records, ports):
    """Processes that serve at the ports or connect to them, the gateway first of all."""
    return {make_story.ident(r) for r in records if r["k"] in ("flow", "listener") and r.get("port") in ports}


def in_full_groups(records, pids):
    """Pids in or below the cgroups whose limit ended one of the pids: who grew there may be another."""
    path = {r["memcg"]: r["path"] for r in records if r["k"] == "cgroup"}
    full = {path.get(r.get("memcg"), "/") for r in records if r["k"] == "oom" and r["pid"] in pids} - {"/"}
    inside = {memcg for memcg, where in path.items()
              if any((where + "/").startswith(group + "/") for group in full)}
    return {r["pid"] for r in records if r["k"] in ("proc", "exec") and r.get("memcg") in inside}


def in_microseconds(record):
    """Digits that nobody needs and that do not compress. Order and identity stay as they are."""
    for key, value in record.items():
        if key in COARSE:
            record[key] = ([part // 1000 * 1000 for part in value] if isinstance(value, list)
                           else value // 1000 * 1000)
    return record


def summed(earlier, later):
    """Two deltas of one flow as one; gauges and marks are the later's."""
    for key in DELTAS & earlier.keys():
        ours, theirs = later.get(key, 0), earlier[key]
        if isinstance(theirs, list):
            ours = ours or []
            both = itertools.zip_longest(ours, theirs, fillvalue=0)
            later[key] = [mine + other for mine, other in both]
        else:
            later[key] = ours + theirs
    if "ok_mark_ns" in earlier:
        later.setdefault("ok_mark_ns", earlier["ok_mark_ns"])
    return later


def merged(batch):
    """A batch with one record per flow."""
    newest = {}
    for at, record in enumerate(batch):
        if record["k"] == "flow":
            flow = make_story.ident(record), record["role"], record.get("addr"), record["port"]
            if flow in newest:
                summed(batch[newest[flow]], record)
                batch[newest[flow]] = None
            newest[flow] = at
    return [record for record in batch if record]


def without_foreign_alarms(records):
    """An alarm that no failure of ours raised closed a batch in which nothing happened to us: it and
    the next are one."""
    batch = []
    for record in records:
        batch.append(record)
        if record["k"] != "tick":
            continue
        happened = any("fail" in r or r["k"] in EVENTS for r in batch)
        if record.get("alarm") and not happened:
            batch.pop()
            continue
        yield from merged(batch) if not happened else batch
        batch = []
    yield from batch


def cut(records, truth):
    ports, pids = set(truth["ports"]), set(truth["pids"]) | set(truth["gateways"])
    pids |= in_full_groups(records, pids)
    near = behind(records, ports)
    procs = make_story.involved(records, ports, pids) | near
    heavy = near | {proc for proc in procs if proc[0] in pids}
    groups = {r.get("memcg") for r in records if make_story.ident(r) in procs}
    for record in records:
        kind, proc = record["k"], make_story.ident(record)
        if kind == "container":  # names of the host it came from
            continue
        if kind in SELDOM_MATTERS or (kind in OF_MEMORY and proc not in heavy):
            continue
        if kind in ("flow", "listener") and proc not in near:
            continue
        if kind in ("cgroup", "reclaim") and record.get("memcg") not in groups:
            continue
        if "pid" not in record or proc in procs:
            yield record


def story(run):
    for record in without_foreign_alarms(cut(run.records(), run.truth)):
        yield in_microseconds(record)


def answers(reports, truth):
    incidents = runs.Run(truth, reports, "").incidents()
    return [(last[-1]["verdict"]["class"], last[-1]["verdict"].get("cause")) for last in incidents]


def main():
    truths_path = os.path.join(FIXTURES, "truth.json")
    truths = {}
    if os.path.exists(truths_path):
        with open(truths_path, encoding="utf-8") as file:
            truths = json.load(file)
    for directory in sys.argv[1:]:
        run = runs.from_directory(directory)
        if run.truth["invalid"]:
            print(f"{run.name}: left out, the phenomenon did not show")
            continue
        path = os.path.join(FIXTURES, run.name + runs.FIXTURE)
        scrub = make_story.Scrub()
        text = "".join(scrub(record) + "\n" for record in story(run))
        with open(path, "wb") as file:
            file.write(gzip.compress(text.encode(), 9, mtime=0))
        whole = answers(runs.replayed_result(run).reports, run.truth)
        part = answers(runs.replayed(path, run.truth).reports, run.truth)
        note = "" if whole == part else f"  NOT AS THE WHOLE: {part}, not {whole}"
        print(f"{run.name:34} {os.path.getsize(path):7} bytes{note}")
        truths[run.name] = dict(run.truth, problems=[])
    with open(truths_path, "w", encoding="utf-8") as file:
        json.dump(truths, file, indent=1, sort_keys=True)
        file.write("\n")


if __name__ == "__main__":
    main()
