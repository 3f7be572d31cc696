#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""
make_day.py RECORDS [EPISODES] - a long recording from a short one, on standard output: the story is
told EPISODES times (default 100) within 24 hours, each time by processes of its own, and in between
its last second repeats, with memory that wobbles. Only for measuring: it is nobody's real day.
"""
import gzip
import json
import sys

SECOND = 10**9
DAY = 24 * 3600 * SECOND
TIMES = ("t", "start_ns", "parent_start_ns", "sender_start_ns", "trigger_start_ns")
PIDS = ("pid", "parent_pid", "sender_pid", "trigger_pid")


def shifted(value, by):
    if isinstance(value, list):
        return [shifted(v, by) for v in value]
    return value + by if value else value


def moved(record, episode, by):
    out = dict(record)
    for key, value in record.items():
        if key in TIMES or key.endswith("_mark_ns") or key.endswith("_marks_ns"):
            out[key] = shifted(value, by)
        elif key in PIDS:
            out[key] = value + 40000 * (episode % 50) if value > 1 else value
    return out


def put(record):
    sys.stdout.write(json.dumps(record, separators=(",", ":")) + "\n")


def last_second(records):
    """The batch before the last regular tick, without what happens only once."""
    ticks = [i for i, r in enumerate(records) if r["k"] == "tick" and not r.get("alarm")]
    batch = records[ticks[-2] + 1:ticks[-1] + 1]
    return [r for r in batch if r["k"] in ("task", "flow", "tick") and not r.get("fail")]


def main():
    name = sys.argv[1]
    episodes = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    opener = gzip.open if name.endswith(".gz") else open
    with opener(name, "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    begin = records[0]["t"]
    story = [r for r in records if r["k"] not in ("header", "probe", "clock", "stop")]
    quiet = last_second(records)
    end = story[-1]["t"]
    every = DAY // episodes
    for record in records:
        if record["k"] in ("header", "probe", "clock"):
            put(record)
    for episode in range(episodes):
        by = episode * every
        for record in story:
            put(moved(record, episode, by))
        for second in range(1, (every - (end - begin)) // SECOND):
            for record in quiet:
                out = moved(record, episode, by + second * SECOND)
                for key in TIMES[1:]:  # born when they were
                    if key in record:
                        out[key] = record[key] + by
                if "anon_bytes" in out:
                    out["anon_bytes"] += (second * 7919 % 64) * 4096
                put(out)


if __name__ == "__main__":
    main()
