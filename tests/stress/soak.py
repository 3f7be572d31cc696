#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""soak.py watch PID SECONDS SAMPLES - sample what a process holds, for so long or until it ends.
soak.py judge NAME SAMPLES [--warm-up S] - does any of it grow?
soak.py test - does judge() see what it should, and nothing else?

A sample is one JSON line: time, resident bytes, open descriptors, entries in its BPF hash
maps. Each V8 that anybody on the host runs takes descriptors while it runs and for a minute after.

Two points would show how the process breathes, not whether it grows. So the slope is Theil and
Sen's: the median of the slopes between all pairs of samples, blind to outliers, with the confidence
interval of Kendall's statistic. Neighbouring samples resemble each other, which would make that
interval too narrow; they are merged to the medians of some sixty stretches first. It grows if the
lower end of the 99 % interval, over the time that was watched, comes to more than one breath.
"""
import bisect
import json
import math
import os
import random
import statistics
import subprocess
import sys
import time

Z_99 = 2.576
STRETCHES = 60
EVERY_S = 2
BPFTOOL = "/usr/sbin/bpftool" if os.path.exists("/usr/sbin/bpftool") else "bpftool"
# What is one breath of each: 32 pages; two descriptors; a quarter of the entries, which come and go with
# the processes of the churn. It makes over a hundred a second: one leaked of each hundred is more.
BREATH = {"rss_bytes": lambda _: 32 * 4096, "fds": lambda _: 2,
          "map_entries": lambda level: max(16, level / 4)}


def hash_maps(pid):
    """Ids of the hash maps the process has open."""
    found = set()
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{name}", encoding="utf-8") as file:
                rows = dict(row.split(":", 1) for row in file if ":" in row)
        except OSError:
            continue
        # include/uapi/linux/bpf.h: BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_PERCPU_HASH
        if rows.get("map_type", "").strip() in ("1", "5"):
            found.add(rows["map_id"].strip())
    return sorted(found)


def count_entries(map_id):
    dump = subprocess.run([BPFTOOL, "-j", "map", "dump", "id", map_id], capture_output=True, check=False)
    return len(json.loads(dump.stdout)) if dump.returncode == 0 else 0


def sample(pid, maps):
    with open(f"/proc/{pid}/statm", encoding="utf-8") as file:
        pages = int(file.read().split()[1])
    return {"t": time.monotonic(), "rss_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
            "fds": len(os.listdir(f"/proc/{pid}/fd")), "map_entries": sum(map(count_entries, maps))}


def watch(pid, seconds, path):
    end, maps = time.monotonic() + seconds, hash_maps(pid)
    with open(path, "w", encoding="utf-8") as file:
        while time.monotonic() < end:
            try:
                print(json.dumps(sample(pid, maps)), file=file, flush=True)
            except OSError:
                return
            time.sleep(EVERY_S)


def merge(points):
    """Medians of stretches of equal length in time."""
    first, last = points[0][0], points[-1][0]
    length = max((last - first) / STRETCHES, 1e-9)
    stretches = {}
    for t, value in points:
        stretches.setdefault(min(int((t - first) / length), STRETCHES - 1), []).append((t, value))
    return [(statistics.median(t for t, _ in part), statistics.median(v for _, v in part))
            for _, part in sorted(stretches.items())]


def slope(points):
    """Theil and Sen's slope per second: (lower end of the 99 % interval, median, upper end)."""
    points = merge(points)
    nr = len(points)
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1:]
                    if b[0] > a[0])
    spread = Z_99 * math.sqrt(nr * (nr - 1) * (2 * nr + 5) / 18)
    low = max(int((len(slopes) - spread) / 2), 0)
    high = min(int((len(slopes) + spread) / 2) + 1, len(slopes) - 1)
    return slopes[low], statistics.median(slopes), slopes[high]


def judge(points, breath):
    """(grows, lower end, median, upper end), the last three over the time watched."""
    span = points[-1][0] - points[0][0]
    low, middle, high = (span * s for s in slope(points))
    return low > breath, low, middle, high


def judge_file(name, path, warm_up_s):
    with open(path, encoding="utf-8") as file:
        samples = [json.loads(line) for line in file]
    start = samples[0]["t"] + warm_up_s if samples else 0
    samples = samples[bisect.bisect_left([s["t"] for s in samples], start):]
    if len(samples) < 20:
        print(f"not ok {name}: enough samples - {len(samples)} after {warm_up_s} s")
        return 1
    failed = 0
    span = samples[-1]["t"] - samples[0]["t"]
    for key, breath_of in BREATH.items():
        points = [(s["t"], s[key]) for s in samples]
        level = statistics.median(v for _, v in points)
        breath = breath_of(level)
        grows, low, middle, high = judge(points, breath)
        print(f"# {name}: {key} {level:.0f}; in {span:.0f} s it grew by {middle:.0f}, "
              f"99 % within {low:.0f} and {high:.0f}; a breath is {breath:.0f}")
        print(f"not ok {name}: {key} grows - by {middle:.0f} in {span:.0f} s" if grows else
              f"ok {name}: {key} does not grow")
        failed |= grows
    return int(failed)


def test():
    """Made-up processes of ten minutes, some of which leak."""
    rng = random.Random(1)
    breath, mib = 32 * 4096, 1 << 20
    flat = [(t, 20 * mib) for t in range(0, 600, 2)]
    noisy = [(t, 20 * mib + rng.gauss(0, mib)) for t in range(0, 600, 2)]
    wave = [(t, 20 * mib + mib * math.sin(t / 7)) for t in range(0, 600, 2)]
    step_back = [(t, 22 * mib if 200 < t < 300 else 20 * mib) for t in range(0, 600, 2)]
    leak = [(t, v + 1000 * t) for t, v in noisy]
    small_leak = [(t, v + 400 * t) for t, v in flat]
    stairs = [(t, 20 * mib + (t // 90) * 256 * 1024) for t in range(0, 600, 2)]
    cases = {"flat": (flat, False), "noisy": (noisy, False), "a wave": (wave, False),
             "up and back": (step_back, False), "a leak in noise": (leak, True),
             "a small leak": (small_leak, True), "stairs": (stairs, True)}
    wrong = [name for name, (points, grows) in cases.items() if judge(points, breath)[0] != grows]
    print(f"not ok soak: judges made-up processes - {wrong}" if wrong else
          "ok soak: judges made-up processes")
    return int(bool(wrong))


if __name__ == "__main__":
    if sys.argv[1:] == ["test"]:
        sys.exit(test())
    elif len(sys.argv) == 5 and sys.argv[1] == "watch":
        watch(int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
    elif len(sys.argv) in (4, 6) and sys.argv[1] == "judge":
        sys.exit(judge_file(sys.argv[2], sys.argv[3], float(sys.argv[5]) if len(sys.argv) == 6 else 0))
    else:
        sys.exit(__doc__)
