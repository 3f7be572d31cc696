#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Makes a replay story out of a recording: make_story.py [--containers] RECORDS PORT... > STORY

A story holds what one incident needs and nothing else of the host it came from: flows and listeners
of the given ports, the processes behind them with their ancestors, and host-wide records. Names of
the host, its cgroups and directories are replaced; --containers keeps those that runtimes gave, which tests
have made up. It stays a valid recording.
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


def containers_of(records, procs):
    """The ids of containers that have a cgroup of one of the processes."""
    groups = {record["memcg"] for record in records if record.get("memcg") and ident(record) in procs}
    paths = [record.get("path", "") for record in records
             if record["k"] == "cgroup" and record["memcg"] in groups]
    return {record["id"] for record in records
            if record["k"] == "container" and any(record["id"] in path for path in paths)}


def kept(record, procs, ports, containers):
    if record["k"] == "container":
        return record["id"] in containers
    if record["k"] in ("flow", "listener", "gap_service"):
        return record.get("port") in ports
    return "pid" not in record or ident(record) in procs


class Scrub:
    """Replaces the names of a host, each by the same one every time."""

    def __init__(self, containers=()):
        self.groups = {}
        self.containers = containers

    def group(self, path):
        """Component by component: which group is inside which must stay to be seen."""
        parts = [part for part in path.split("/") if part]
        return "/" + "/".join(self.groups.setdefault(part, "group-%d" % len(self.groups)) for part in parts)

    def __call__(self, record):
        if record["k"] == "header":
            record.update({key: value for key, value in HOST.items() if key in record})
        if record["k"] == "exe" and "path" in record:
            record["path"] = "/usr/bin/" + record["path"].rsplit("/", 1)[-1].split(":")[0]
        if record["k"] == "cgroup" and not any(id in record.get("path", "") for id in self.containers):
            record["path"] = self.group(record.get("path", ""))
        for key in ("comm", "sender_comm", "victim_comm", "trigger_comm"):
            if "/" in record.get(key, ""):  # a title with the path of a script
                record[key] = re.sub(r"/\S*", "/srv/app", record[key])[:15]
        return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def main():
    arguments = sys.argv[1:]
    with_containers = arguments[0] == "--containers"
    if with_containers:
        del arguments[0]
    with open(arguments[0], encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    ports = {int(port) for port in arguments[1:]}
    procs = involved(records, ports)
    containers = containers_of(records, procs) if with_containers else ()
    scrub = Scrub(containers)
    for record in records:
        if kept(record, procs, ports, containers):
            print(scrub(record))


if __name__ == "__main__":
    main()
