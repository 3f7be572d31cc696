#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# guest_cgroups.sh OUT - in a guest of boot.sh, whatever hierarchies it has mounted: `memswell check` tells
# them as they are, and an OOM kill in a memory cgroup behind nginx is one incident with its cause.
# The mode is the word cgroups=MODE of the kernel command line. Prints "ok" and "not ok" lines.
cd "$(dirname "$0")/../.." || exit 1
OUT=$1
export MEMSWELL_TEST_KEEP=$OUT/kept
export MEMSWELL_TEST_SLOWNESS=16 # an emulated processor
ulimit -n 20000
status=0
mode=$(sed -n 's/.*\bcgroups=\([a-z0-9]*\).*/\1/p' /proc/cmdline)

./memswell check -o json >"$OUT/check.json" 2>"$OUT/check.log"
./memswell check >"$OUT/check.txt" 2>&1
/usr/bin/python3 - "${mode:-v2}" "$OUT/check.json" <<'PYTHON' || status=1
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
    print(f"ok check: {what}" if holds else f"not ok check: {what} - {cgroup}")
sys.exit(not all(results.values()))
PYTHON
bash tests/live/test_oom_kill.sh || status=1
exit $status
