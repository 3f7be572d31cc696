#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest_cgroups.sh OUT - in a guest of boot.sh, whatever hierarchies it has mounted: `memswell check` tells
# them as they are, and an OOM kill in a memory cgroup behind nginx is one incident with its cause.
# The mode is the word cgroups=MODE of the kernel command line. Prints "ok" and "not ok" lines.
. "$(dirname "$0")/../live/lib.sh"
NAME=cgroups
cd "$TOP_DIR" || exit 1
OUT=$1
MEMSWELL_TEST_KEEP=$OUT/kept
SLOWNESS=16 # an emulated processor
ulimit -n 20000
mode=$(sed -n 's/.*\bcgroups=\([a-z0-9]*\).*/\1/p' /proc/cmdline)

./memswell check -o json >"$OUT/check.json" 2>"$OUT/check.log"
./memswell check >"$OUT/check.txt" 2>&1
/usr/bin/python3 - "${mode:-v2}" "$OUT/check.json" <<'PYTHON' || FAILED=1
import json
import sys

mode, document = sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8"))
cgroup, hooks = document["cgroup"], {h["name"]: h for h in document["hooks"]}
memory = cgroup["memory_controller"]
version = 2 if mode == "v2" else 1
results = {
    "the mode is told": cgroup["mode"] == mode,
    "the memory controller is found": (memory["state"], memory["version"]) == ("enabled", version),
    "its mount is told": bool(memory["mount"]),
    "cgroup2 is mounted where it should be": bool(cgroup["v2_mount"]) == (mode != "v1"),
    "hooks on cgroups attach": all(hooks[name]["state"] == "attached" for name in
                                   ("owner_create", "http_ingress", "http_egress")),
    "every hook attaches": document["hooks_attached"] == len(hooks),
}
for what, holds in results.items():
    print(f"ok cgroups: {what}" if holds else f"not ok cgroups: {what} - {cgroup}")
sys.exit(not all(results.values()))
PYTHON

# A death by few large requests, for what matters here is whose it is and by which limit; how well it is
# told is what the live tests check.
require_rig
rig_start
read -r PORT UPSTREAM <<<"$(free_ports 2)"
CGROUP=$(memory_cgroup service 120)
warm_page_cache
supervise service 2 "$CGROUP" "$NODE" "$WORKLOADS/leak.js" --port "$UPSTREAM" --bytes 4000000 --mode buffer
wait_port "$UPSTREAM" 30
gateway "$PORT" "$UPSTREAM" 1
require_watch --tick 1s
load load "$PORT" 32 180
CULPRIT=$(service_pid service)
death_and_recovery 150
/usr/bin/python3 - "$CULPRIT" "${CGROUP#"$(memory_root)"}" "$RIG/reports.jsonl" <<'PYTHON' || FAILED=1
import json
import sys

culprit, cgroup, reports = int(sys.argv[1]), sys.argv[2], sys.argv[3]
lines = [json.loads(line) for line in open(reports, encoding="utf-8")]
exits = [line["process"] for line in lines if line["schema"] == "memswell.process_exit"
         and line["process"]["process.pid"] == culprit]
verdicts = [(line["verdict"]["class"], (line.get("process") or {}).get("process.pid"))
            for line in lines if line["schema"] == "memswell.incident"]
exit = exits[0]["exit"] if exits else {}
results = {
    "the death is an OOM kill in its cgroup": exit.get("oom_kill") is exit.get("memcg_oom") is True,
    "its cgroup is named": bool(exits) and exits[0]["process.linux.cgroup"] == cgroup,
    "an incident says whose memory it was": ("memory_death", culprit) in verdicts,
    "no incident accuses anything but memory":
        {name for name, _ in verdicts} <= {"memory_death", "memory_stall", "unexplained"},
}
for what, holds in results.items():
    print(f"ok cgroups: {what}" if holds else f"not ok cgroups: {what} - {exits[:1]} {verdicts}")
sys.exit(not all(results.values()))
PYTHON
check_stream
finish
