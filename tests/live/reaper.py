#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""reaper.py - cleans up after a live test, also when the test itself was killed.

  reaper.py watch RIG PID   waits until PID is gone, then cleans up (run in a session of its own)
  reaper.py now RIG         cleans up at once

RIG is the directory of one test run. It lists what the test made, one per line:
  processes  "PID STARTTIME"; each is ended, with every process of the session it leads
  cgroups    directories to remove, children before parents
  machines   "PID STARTTIME" of the holder of a mount namespace; everything in it is ended
  pods       paths of cgroups below every hierarchy; everything in them is ended, they are removed,
             and their parents if nothing else is in them
  restore    "FILE VALUE" to write back
Processes are named by pid and start time, so a reused pid is never hit.
"""
import glob
import os
import select
import shutil
import signal
import sys
import time


def lines(rig, name):
    try:
        with open(os.path.join(rig, name), encoding="utf-8") as file:
            return [line.split() for line in file if line.strip()]
    except OSError:
        return []


def processes():
    """Yield (pid, session, start time) of every process."""
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            yield int(entry), int(fields[3]), fields[19]


def mount_namespace(pid):
    try:
        return os.stat(f"/proc/{pid}/ns/mnt").st_ino
    except OSError:
        return None


def members(recorded, namespaces):
    """Live processes that were recorded, those in their sessions, and those in the namespaces. The id
    of a session stays taken while it has members, so a member whose leader is gone is still ours."""
    alive = list(processes())
    start_of = {pid: start for pid, _, start in alive}

    def ours(pid):
        return pid in recorded and start_of.get(pid, recorded[pid]) == recorded[pid]

    return [pid for pid, session, _ in alive
            if ours(pid) or ours(session) or namespaces and mount_namespace(pid) in namespaces]


def open_machines(rig):
    """Files of their mount namespaces: while one is open, its number is given to no other."""
    start_of = {pid: start for pid, _, start in processes()}
    return [os.open(f"/proc/{row[0]}/ns/mnt", os.O_RDONLY) for row in lines(rig, "machines")
            if start_of.get(int(row[0])) == row[1]]


def pod_cgroups(rig):
    return [path for row in lines(rig, "pods")
            for path in glob.glob(f"/sys/fs/cgroup/{row[0]}") + glob.glob(f"/sys/fs/cgroup/*/{row[0]}")]


def in_pods(rig):
    for path in pod_cgroups(rig):
        for directory, _, _ in os.walk(path):
            try:
                with open(os.path.join(directory, "cgroup.procs"), encoding="ascii") as file:
                    yield from (pid for line in file if (pid := int(line)) > 0)
            except OSError:
                continue


def end_processes(rig, machines):
    namespaces = {os.fstat(fd).st_ino for fd in machines}
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        recorded = {int(row[0]): row[1] for row in lines(rig, "processes") if len(row) == 2}
        found = members(recorded, namespaces) + list(in_pods(rig))
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)


def remove_cgroup(path):
    for _ in range(100):
        try:
            # Children that a test made go with it; their names may be any bytes.
            for directory, _, _ in os.walk(os.fsencode(path), topdown=False):
                os.rmdir(directory)
            return
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.05)
    print(f"reaper: could not remove {path}", file=sys.stderr)


def remove_pods(rig):
    for path in pod_cgroups(rig):
        remove_cgroup(path)
        try:
            while (path := os.path.dirname(path)) != "/sys/fs/cgroup":
                os.rmdir(path)
        except OSError:
            continue  # the root of a hierarchy, or somebody else is in it


def clean_up(rig):
    if not os.path.isfile(os.path.join(rig, "processes")):
        return
    machines = open_machines(rig)
    end_processes(rig, machines)
    for fd in machines:
        os.close(fd)
    for row in reversed(lines(rig, "cgroups")):
        remove_cgroup(row[0])
    remove_pods(rig)
    for row in lines(rig, "restore"):
        with open(row[0], "w", encoding="utf-8") as file:
            file.write(row[1])
    shutil.rmtree(rig, ignore_errors=True)


def watch(rig, pid):
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        clean_up(rig)
        return
    with open(os.path.join(rig, "watched"), "w", encoding="utf-8"):
        pass
    select.select([fd], [], [])
    clean_up(rig)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "now":
        clean_up(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "watch":
        watch(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit("usage: reaper.py watch RIG PID | now RIG")
