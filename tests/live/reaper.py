#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""reaper.py - cleans up after a live test, also when the test itself was killed.

  reaper.py watch RIG PID   waits until PID is gone, then cleans up (run in a session of its own)
  reaper.py now RIG         cleans up at once

RIG is the directory of one test run. It lists what the test made, one per line:
  processes  "PID STARTTIME"; each is ended, with every process of the session it leads
  cgroups    directories to remove, children before parents
  restore    "FILE VALUE" to write back
Processes are named by pid and start time, so a reused pid is never hit.
"""
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


def members(recorded):
    """Live processes that were recorded, and those in their sessions. The id of a session stays
    taken while it has members, so a member whose leader is gone is still one of ours."""
    alive = list(processes())
    start_of = {pid: start for pid, _, start in alive}

    def ours(pid):
        return pid in recorded and start_of.get(pid, recorded[pid]) == recorded[pid]

    return [pid for pid, session, _ in alive if ours(pid) or ours(session)]


def end_sessions(rig):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        recorded = {int(row[0]): row[1] for row in lines(rig, "processes") if len(row) == 2}
        found = members(recorded)
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


def clean_up(rig):
    if not os.path.isfile(os.path.join(rig, "processes")):
        return
    end_sessions(rig)
    for row in reversed(lines(rig, "cgroups")):
        remove_cgroup(row[0])
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
