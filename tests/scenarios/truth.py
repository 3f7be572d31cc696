#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""truth.py SCENARIO RIG SEED LOAD - writes RIG/truth.json: what really happened in a run.

Its witnesses are the gateway's logs, wait(2) and the clock; nothing comes from memswell. A run in
which the phenomenon did not show ("witness" in the scenario's head) is marked invalid: it says
nothing about memswell.
"""
import collections
import json
import os
import re
import sys

import catalogue

sys.path.insert(0, os.path.join(catalogue.DIR, "..", "live"))
import check_incident  # noqa: E402  pylint: disable=wrong-import-position

FAILURES = (502, 503, 504)
# Beyond those of the live tests: an answer that broke off, a gateway that ran out of its own.
ERROR_KINDS = check_incident.ERROR_KINDS + (
    ("truncated", re.compile(r"(prematurely closed connection|failed \(104: .*) while reading upstream")),
    ("no_connections", re.compile(r"worker_connections are not enough")),
    ("no_port", re.compile(r"\(99: Cannot assign requested address\)")),
    ("no_route", re.compile(r"\((101|113): (Network is unreachable|No route to host)\)")),
)


def words(rig, name):
    try:
        with open(os.path.join(rig, name), encoding="utf-8") as file:
            return [line.split() for line in file if line.strip()]
    except FileNotFoundError:
        return []


def haproxy(rig):
    """Lines of our haproxy: begin in EPOCH_S and MS, duration in ms, status."""
    for row in words(rig, "haproxy.log"):
        if len(row) == 4 and row[0].isdigit():
            yield int(row[0]) * 1000 + int(row[1]) + max(0, int(row[2])), int(row[3])


def nginx(rig):
    for row in words(rig, "nginx/access.log"):
        yield float(row[0]) * 1000, int(row[1])


class Witnesses:
    def __init__(self, rig):
        self.answers = sorted([*nginx(rig), *haproxy(rig), *own_gateway(rig)])
        self.statuses = collections.Counter(status for _, status in self.answers)
        self.failures = [ms for ms, status in self.answers if status in FAILURES]
        self.lives = lives(words(rig, "service.lives"))
        self.errors = collections.Counter()
        error_log = os.path.join(rig, "nginx/error.log")
        if os.path.exists(error_log):
            with open(error_log, encoding="utf-8") as file:
                for line in file:
                    self.errors.update(kind for kind, text in ERROR_KINDS
                                       if text.search(line))

    def value(self, name, text, rig):
        """What a condition compares, and with what."""
        wanted = float(text)
        if name == "exit":
            return (wanted if any(life["status"] == wanted for life in self.lives) else -1), wanted
        if name == "deaths":
            return len(self.lives), wanted
        if name == "failures":
            return len(self.failures), wanted
        if name == "oom_kills":
            return sum(int(row[0]) for row in words(rig, "oom_kills")), wanted
        if name == "upstream_errors":
            return sum(self.errors.values()), wanted
        if name.isdigit():
            return self.statuses[int(name)], wanted
        rows = [row for row in words(rig, "witness") if row[0] == name]
        if rows:
            return float(rows[-1][1]), wanted
        return self.errors[name], wanted


def own_gateway(rig):
    """Lines of a gateway of ours: EPOCH_MS STATUS."""
    for row in words(rig, "gateway.log"):
        if len(row) == 2 and row[0].isdigit():
            yield int(row[0]), int(row[1])


def lives(rows):
    """Lives that ended, in order."""
    born = {row[1]: int(row[2]) for row in rows if row[0] == "start"}
    return [{"pid": int(row[1]), "start_ms": born[row[1]], "status": int(row[2]), "ms": int(row[3])}
            for row in rows if row[0] == "end"]


def unmet(scenario, seen, rig):
    for name, sign, holds, text in catalogue.conditions(scenario.witness):
        got, wanted = seen.value(name, text, rig)
        if not holds(got, wanted):
            yield f"{name} is {got:g}, not {sign}{text}"


def number(rig, name):
    rows = words(rig, name)
    return int(rows[0][0]) if rows else None


def main():
    path, rig, seed, load = sys.argv[1:5]
    scenario = catalogue.read(path)
    seen = Witnesses(rig)
    named = [int(row[0]) for row in words(rig, "culprits")]
    deaths = [{"pid": int(row[0]), "ms": int(row[1])} for row in words(rig, "deaths")]
    if scenario.culprit == "service":
        named += [life["pid"] for life in seen.lives]
        deaths += [{key: life[key] for key in ("pid", "ms", "start_ms", "status")}
                   for life in seen.lives]
    truth = {
        "scenario": scenario.name, "seed": int(seed), "load": float(load),
        "verdict": scenario.verdict, "cause": scenario.cause, "pids": sorted(set(named)),
        "ports": sorted({int(row[0]) for row in words(rig, "ports")}),
        "gateways": sorted({int(row[0]) for row in words(rig, "gateways")}),
        "t_fault_ms": number(rig, "fault"), "deaths": deaths,
        "t_death_ms": [death["ms"] for death in deaths],
        "t_first_failure_ms": round(min(seen.failures)) if seen.failures else None,
        "responses": {str(key): value for key, value in sorted(seen.statuses.items())},
        "invalid": list(unmet(scenario, seen, rig)),
        "options": sum(words(rig, "options"), []),
        "problems": [" ".join(row) for row in words(rig, "problems")],
    }
    with open(os.path.join(rig, "truth.json"), "w", encoding="utf-8") as file:
        json.dump(truth, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
