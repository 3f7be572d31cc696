#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Makes a replay story out of a recording: make_story.py RECORDS PORT... > STORY

A story holds what one incident needs and nothing else of the host it came from: flows and listeners
of the given ports, the processes behind them with their ancestors, and host-wide records. Names of
the host, its cgroups and directories are replaced. It stays a valid recording.
"""
import json
import re
import sys

PROC_KEYS = (("pid", "start_ns"), ("parent_pid", "parent_start_ns"), ("sender_pid", "sender_start_ns"),
             ("trigger_pid", "trigger_start_ns"), ("successor_pid", "successor_start_ns"))
HOST = {"host_name": "story", "host_id": "0" * 32, "boot_id": "0" * 8, "kernel": "6.18.0"}


def ident(record, keys=PROC_KEYS[0]):
    return (record.get(keys[0], 0), record.get(keys[1], 0))


def involved(records, ports, pids=()):
    """Processes behind the ports or among the pids, their ancestors, and who was signalled or chosen
    with them."""
    parents = {ident(r): ident(r, PROC_KEYS[1]) for r in records if r["k"] == "proc"}
    found = {ident(r) for r in records if r["k"] in ("flow", "listener") and r.get("port") in ports}
    found |= {proc for proc in parents if proc[0] in pids}
    found |= {ident(r, PROC_KEYS[2]) for r in records if r["k"] == "signal" and ident(r) in found}
    for proc in list(found):
        while proc in parents and parents[proc] not in found:
            proc = parents[proc]
            found.add(proc)
    return found


def kept(record, procs, ports):
    if record["k"] in ("flow", "listener", "gap_service"):
        return record.get("port") in ports
    return "pid" not in record or ident(record) in procs


class Scrub:
    """Replaces the names of a host, each by the same one every time."""

    def __init__(self):
        self.groups = {}

    def group(self, path):
        """Component by component: which group is inside which must stay to be seen."""
        parts = [part for part in path.split("/") if part]
        return "/" + "/".join(self.groups.setdefault(part, "group-%d" % len(self.groups)) for part in parts)

    def __call__(self, record):
        if record["k"] == "header":
            record.update({key: value for key, value in HOST.items() if key in record})
        if record["k"] == "exe" and "path" in record:
            record["path"] = "/usr/bin/" + record["path"].rsplit("/", 1)[-1].split(":")[0]
        if record["k"] == "cgroup":
            record["path"] = self.group(record["path"])
        for key in ("comm", "sender_comm", "victim_comm", "trigger_comm"):
            if "/" in record.get(key, ""):  # a title with the path of a script
                record[key] = re.sub(r"/\S*", "/srv/app", record[key])[:15]
        return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def main():
    with open(sys.argv[1], encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    ports = {int(port) for port in sys.argv[2:]}
    procs = involved(records, ports)
    scrub = Scrub()
    for record in records:
        if kept(record, procs, ports):
            print(scrub(record))


if __name__ == "__main__":
    main()
