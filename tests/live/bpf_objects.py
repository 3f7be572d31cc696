#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""Which BPF objects exist that no process has open?

bpf_objects.py list > BEFORE      the ids of all programs, maps and links, as JSON
bpf_objects.py left BEFORE        those that came since and that nobody holds; exit status 1 if any

Objects of a process that ended go away a moment later, so `left` asks again for 10 s. Programs and
maps that others load in the meantime are held by them, so they are not ours to count. What only a
link or a program holds is found where that one is.
"""
import json
import os
import re
import subprocess
import sys
import time

KINDS = {"prog": "prog_id", "map": "map_id", "link": "link_id"}
BPFTOOL = "/usr/sbin/bpftool" if os.path.exists("/usr/sbin/bpftool") else "bpftool"


def ids():
    found = {}
    for kind in KINDS:
        text = subprocess.run([BPFTOOL, "-j", kind, "list"], capture_output=True, check=True).stdout
        found[kind] = {row["id"]: row.get("name", row.get("type", "")) for row in json.loads(text)}
    return found


def held():
    """Ids in the fdinfo of every process; a link names its program too."""
    found = {kind: set() for kind in KINDS}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            names = os.listdir(f"/proc/{pid}/fdinfo")
        except OSError:
            continue
        for name in names:
            try:
                with open(f"/proc/{pid}/fdinfo/{name}", encoding="utf-8", errors="replace") as file:
                    text = file.read()
            except OSError:
                continue
            for kind, key in KINDS.items():
                found[kind] |= {int(n) for n in re.findall(rf"^{key}:\s*(\d+)", text, re.M)}
    return found


def maps_of(programs):
    """What the programs that are held use: their maps are held by them."""
    text = subprocess.run([BPFTOOL, "-j", "prog", "list"], capture_output=True, check=True).stdout
    return {m for row in json.loads(text) if row["id"] in programs for m in row.get("map_ids", [])}


def left(before):
    now, holders = ids(), held()
    holders["map"] |= maps_of(holders["prog"])
    return [f"{kind} {number} {name}" for kind in KINDS for number, name in now[kind].items()
            if str(number) not in before[kind] and number not in holders[kind]]


def main():
    if sys.argv[1] == "list":
        json.dump(ids(), sys.stdout)
        return 0
    with open(sys.argv[2], encoding="utf-8") as file:
        before = json.load(file)
    for _ in range(20):
        rest = left(before)
        if not rest:
            return 0
        time.sleep(0.5)
    print("; ".join(rest[:10]), f"({len(rest)} in all)")
    return 1


if __name__ == "__main__":
    sys.exit(main())
