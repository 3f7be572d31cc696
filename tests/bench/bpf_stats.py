#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""bpf_stats.py - run counts and run time of the BPF programs that a process holds.

  bpf_stats.py snapshot PID...             prints them as JSON, by program id
  bpf_stats.py report {BEFORE AFTER REQUESTS}...  prints the cost per program and per request, net of
                                           the empty programs floor_skb and floor_tracing
  bpf_stats.py maps PID                    prints the bytes of all maps that PID holds
"""
import json
import os
import subprocess
import sys

BPFTOOL = next((path for path in ("/usr/sbin/bpftool", "/usr/local/sbin/bpftool")
                if os.path.exists(path)), "bpftool")


def held_ids(pid, key):
    """Ids of the programs or maps behind the file descriptors of a process."""
    found = set()
    folder = f"/proc/{pid}/fdinfo"
    for fd in os.listdir(folder):
        try:
            with open(f"{folder}/{fd}", encoding="utf-8") as file:
                rows = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:
            continue
        if key in rows:
            found.add(int(rows[key]))
    return found


def bpftool(*words):
    return json.loads(subprocess.run([BPFTOOL, "-j", *words], check=True, text=True,
                                     capture_output=True).stdout)


def snapshot(pids):
    wanted = set().union(*(held_ids(pid, "prog_id") for pid in pids))
    return {str(prog["id"]): {"name": prog["name"], "type": prog["type"],
                              "ns": prog.get("run_time_ns", 0), "runs": prog.get("run_cnt", 0)}
            for prog in bpftool("prog", "show") if prog["id"] in wanted}


def map_bytes(pid):
    wanted = held_ids(pid, "map_id")
    return sum(entry["bytes_memlock"] for entry in bpftool("map", "show") if entry["id"] in wanted)


class Window:
    """What the programs did between two snapshots, net of the empty programs."""

    def __init__(self, before, after, requests):
        self.requests = requests
        self.floors = {}
        self.rows = []
        for key, prog in after.items():
            earlier = before.get(key, {"ns": 0, "runs": 0})
            ns, runs = prog["ns"] - earlier["ns"], prog["runs"] - earlier["runs"]
            if prog["name"].startswith("floor_"):
                self.floors[prog["name"]] = ns / runs if runs else 0.0
            elif runs:
                self.rows.append((prog["name"], prog["type"], ns, runs))
        self.rows.sort(key=lambda row: -row[2])

    def net(self, row):
        _, kind, ns, runs = row
        return ns - runs * self.floors["floor_skb" if kind.startswith("cgroup") else "floor_tracing"]

    def total_us(self):
        return sum(self.net(row) for row in self.rows) / self.requests / 1000


def load_window(before, after, requests):
    with open(before, encoding="utf-8") as first, open(after, encoding="utf-8") as last:
        return Window(json.load(first), json.load(last), int(requests))


def report(windows):
    """The table of the median window; a shared machine slows whole windows down."""
    windows.sort(key=Window.total_us)
    window = windows[len(windows) // 2]
    print(f"  {'program':<26}{'runs':>10}{'runs/req':>10}{'ns/run':>9}{'net ns/run':>12}{'net ns/req':>12}")
    for row in window.rows:
        name, _, ns, runs = row
        print(f"  {name:<26}{runs:>10}{runs / window.requests:>10.2f}{ns / runs:>9.0f}"
              f"{window.net(row) / runs:>12.0f}{window.net(row) / window.requests:>12.1f}")
    print(f"  {'empty cgroup_skb program':<46}{window.floors['floor_skb']:>9.0f}")
    print(f"  {'empty tracing program':<46}{window.floors['floor_tracing']:>9.0f}")
    print(f"  total per proxied request, net of the empty programs: {window.total_us():.2f} us"
          f" (median of {len(windows)} windows, {windows[0].total_us():.2f} .. {windows[-1].total_us():.2f})")


def main():
    words = sys.argv[1:]
    if len(words) >= 2 and words[0] == "snapshot":
        print(json.dumps(snapshot([int(pid) for pid in words[1:]])))
    elif len(words) >= 4 and len(words) % 3 == 1 and words[0] == "report":
        report([load_window(*words[i:i + 3]) for i in range(1, len(words), 3)])
    elif len(words) == 2 and words[0] == "maps":
        print(map_bytes(int(words[1])))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
