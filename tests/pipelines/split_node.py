#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Makes the recording of one node out of one that saw two:
split_node.py RECORDS --netns INODE --tree PID --host NAME [--boot-shift S] [--wall-error S] > NODE

Two nodes are two network namespaces on one kernel here, so a recorder sees both. What a recorder on
one of them would have seen are the processes that descend from PID, the flows and listeners of the
namespace INODE, the cgroups of those processes, and what is about the recorder itself.

Nodes boot at different times and count from there: --boot-shift is how much later this one did. Its
wall clock may be wrong: --wall-error is by how much it is ahead. And each numbers its processes,
cgroups, namespaces and sockets for itself: here all from the same numbers on, so that on two nodes
every number means two things. Names of the host are replaced. It stays a valid recording.
"""
import argparse
import hashlib
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "replay"))
from make_story import PROC_KEYS, Scrub, ident  # pylint: disable=wrong-import-position

NS = 10**9
MARKS = ("fail_marks_ns", "ok_mark_ns")
FIRST = {"pid": 1000, "memcg": 300, "sock_id": 1}
NETNS = 4026531840  # the first namespace of any kernel


def tree(records, root):
    """Processes below `root`, as (pid, start)."""
    found = {ident(r) for r in records if r["k"] == "proc" and r["pid"] == root}
    grew = True
    while grew:
        more = {ident(r) for r in records if r["k"] == "proc" and ident(r, PROC_KEYS[1]) in found} - found
        found |= more
        grew = bool(more)
    return found


class Node:
    def __init__(self, options, records):
        self.options = options
        self.procs = tree(records, options.tree)
        self.groups = {r["memcg"] for r in records if r.get("memcg") and ident(r) in self.procs}
        self.numbers = {key: {} for key in FIRST}
        self.scrub = Scrub()

    def sees(self, record):
        if record["k"] in ("flow", "listener"):
            return record.get("netns") == self.options.netns and ident(record) in self.procs
        if record["k"] in ("cgroup", "reclaim"):
            return record.get("memcg") in self.groups
        return "pid" not in record or ident(record) in self.procs

    def number(self, kind, value):
        known = self.numbers[kind]
        return known.setdefault(value, FIRST[kind] + len(known))

    def move(self, time_ns):
        return time_ns - self.options.boot_shift if time_ns else 0

    def renumber(self, record):
        for pid, start in PROC_KEYS:
            if record.get(pid):
                record[pid] = self.number("pid", (record[pid], record.get(start, 0)))
            if start in record:
                record[start] = self.move(record[start])
        for key in ("memcg", "sock_id"):
            if record.get(key):
                record[key] = self.number(key, record[key])
        if "netns" in record:
            record["netns"] = NETNS

    def retime(self, record):
        record["t"] = self.move(record["t"])
        for key in MARKS:
            if key in record:
                record[key] = [self.move(time_ns) for time_ns in record[key]]
        if "wall_offset_ns" in record:
            record["wall_offset_ns"] += self.options.boot_shift + self.options.wall_error

    def line(self, record):
        self.renumber(record)
        self.retime(record)
        text = self.scrub(record)
        if record["k"] != "header":
            return text
        name = self.options.host
        record.update(host_name=name, host_id=hashlib.sha256(name.encode()).hexdigest()[:32],
                      boot_id=hashlib.sha256(name.encode()).hexdigest()[:8])
        return json.dumps(record, separators=(",", ":"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("records")
    parser.add_argument("--netns", type=int, required=True)
    parser.add_argument("--tree", type=int, required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--boot-shift", type=float, default=0)
    parser.add_argument("--wall-error", type=float, default=0)
    options = parser.parse_args()
    options.boot_shift = int(options.boot_shift * NS)
    options.wall_error = int(options.wall_error * NS)
    with open(options.records, encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    node = Node(options, records)
    for record in records:
        if node.sees(record):
            print(node.line(record))


if __name__ == "__main__":
    main()
