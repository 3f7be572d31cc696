#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""judge.py [--update] guest OUT ARCH RELEASE - what a guest wrote to OUT, against the baseline
judge.py [--update] types CHECK_TYPES OBJECT TYPES... - what check_types says of kernels, against the baseline

Prints "ok" and "not ok" lines. With --update it makes what it saw the baseline. A kernel that the baseline
does not have must serve every hook.
"""
import json
import os
import re
import subprocess
import sys

import baseline

# The verifier's count moves with stable kernels (how it prunes) and the translated one with the compiler.
# Beyond a quarter more somebody made a program larger, and should know.
GROWTH = 1.25
GROWTH_LEAST = 64
VERIFIER_LIMIT = 1000000  # BPF_COMPLEXITY_LIMIT_INSNS
failures = 0


def result(good, what, why=""):
    global failures
    failures += not good
    print(f"ok {what}" if good else f"not ok {what} - {why}")


# Hooks -------------------------------------------------------------------------------------------


def known_hooks(arch, version):
    return {row.hook: row for row in baseline.read(baseline.HOOKS, baseline.Hook)
            if baseline.machine(row) == (arch, baseline.series(version))}


def judge_hooks(rows, reasons):
    known = known_hooks(rows[0].arch, rows[0].version)
    bad = []
    for row in rows:
        wanted = known[row.hook].variant if row.hook in known else None
        if wanted is None and row.variant == "-":
            bad.append(f"{row.hook}: {reasons[row.hook]}")
        elif wanted is not None and row.variant != wanted:
            bad.append(f"{row.hook} is {row.variant}, was {wanted} {reasons[row.hook]}".rstrip())
    return bad


# Guests ------------------------------------------------------------------------------------------


def guest_hooks(out, arch, version):
    """Rows of this guest and the reasons of hooks that are missing."""
    with open(os.path.join(out, "check.json"), encoding="utf-8") as file:
        check = json.load(file)
    with open(os.path.join(out, "log"), encoding="utf-8") as file:
        log = file.read()
    fired = set(re.findall(r"^ok hooks: ([a-z_0-9]+): ", log, re.M))
    if not fired:  # a quick run: what was seen of the same variant before still holds
        fired = {row.hook for row in known_hooks(arch, version).values() if row.evidence == "fired" and
                 (row.hook, row.variant) in {(hook["name"], hook["variant"]) for hook in check["hooks"]}}
    rows = []
    for hook in check["hooks"]:
        attached = hook["state"] == "attached"
        evidence = "fired" if hook["name"] in fired else "attached"
        rows.append(baseline.Hook(arch, version, hook["name"], hook["variant"] if attached else "-",
                                  evidence if attached else "attached"))
    return rows, {hook["name"]: hook["why"] or "" for hook in check["hooks"]}


def read_programs(out, arch, version):
    """Programs that were loaded, and why the others were not."""
    loaded, refused = [], {}
    with open(os.path.join(out, "programs"), encoding="utf-8") as file:
        for line in file:
            name, verified, rest = line.rstrip("\n").split(" ", 2)
            if verified == "-":
                refused[name] = rest
            else:
                loaded.append(baseline.Program(arch, version, name, int(verified), int(rest)))
    return loaded, refused


def too_large(now, then):
    return now > max(then * GROWTH, then + GROWTH_LEAST)


def judge_programs(name, loaded, refused):
    known = {row.program: row for row in baseline.read(baseline.PROGRAMS, baseline.Program)
             if loaded and baseline.machine(row) == baseline.machine(loaded[0])}
    missing = [f"{program}: {refused.get(program, 'gone')}" for program in known
               if program not in {row.program for row in loaded}]
    result(not missing, f"{name} programs: all {len(loaded)} load", "; ".join(missing))
    grown = []
    for row in loaded:
        then = known.get(row.program)
        if row.verified > VERIFIER_LIMIT / 2:
            grown.append(f"{row.program}: verified {row.verified}, half of the kernel's limit")
        for what in ("verified", "translated"):
            if then and too_large(getattr(row, what), int(getattr(then, what))):
                grown.append(f"{row.program}: {what} {getattr(then, what)} -> {getattr(row, what)}")
    most = max(loaded, key=lambda row: row.verified)
    result(not grown, f"{name} programs: none grew (largest: {most.program}, verified {most.verified})",
           "; ".join(grown))


def judge_guest(update, out, arch, release):
    version = re.sub(r"-cloud-.*", "", release)
    name = os.path.basename(out)
    rows, reasons = guest_hooks(out, arch, version)
    loaded, refused = read_programs(out, arch, version)
    if update:
        baseline.replace(baseline.HOOKS, baseline.Hook, rows)
        if loaded:
            baseline.replace(baseline.PROGRAMS, baseline.Program, loaded)
    bad = judge_hooks(rows, reasons)
    attached = sum(row.variant != "-" for row in rows)
    result(not bad, f"{name} hooks: {attached} of {len(rows)} attached, by the variants expected", "; ".join(bad))
    if loaded:
        judge_programs(name, loaded, refused)
    else:
        result(False, f"{name} programs: they load", "see the log of `programs`")


# Types -------------------------------------------------------------------------------------------


def judge_types(update, program, build, files):
    booted = {baseline.machine(row) for row in baseline.read(baseline.HOOKS, baseline.Hook)
              if row.evidence != "types"}
    newest = {}
    for path in files:
        version, arch, _ = os.path.basename(path).rsplit(".", 2)
        objects = {"amd64": os.path.join(build, "memswell.bpf.o"),
                   "arm64": os.path.join(build, "arm64", "memswell.bpf.o")}
        if not os.path.exists(objects[arch]):
            print(f"skip types {version} {arch} - {objects[arch]} is not built")
            continue
        run = subprocess.run([program, objects[arch], path], capture_output=True, text=True, check=False)
        if run.returncode not in (0, 1):
            result(False, f"types {version} {arch}", run.stderr.strip())
            continue
        lines = [line.split(" ", 2) for line in run.stdout.splitlines()]
        rows = [baseline.Hook(arch, version, line[1], line[2] if line[0] == "hook" else "-", "types")
                for line in lines if line[0] in ("hook", "none")]
        reasons = {line[1]: line[2] if line[0] == "none" else "" for line in lines}
        guarded = {line[1] for line in lines if line[0] == "guarded"}
        key = (arch, baseline.series(version))
        if key not in newest or baseline.in_order(version) > baseline.in_order(newest[key][0].version):
            newest[key] = rows
        bad = judge_types_of(rows, reasons, key in booted)
        served = sum(row.variant != "-" for row in rows)
        result(not bad, f"types {version} {arch}: {served} of {len(rows)} hooks can be served, "
               f"{len(guarded)} absent fields are guarded", "; ".join(bad))
    if update:
        for key, rows in newest.items():
            if key not in booted:
                baseline.replace(baseline.HOOKS, baseline.Hook, rows)


def judge_types_of(rows, reasons, booted):
    """Of a kernel that was booted we know better: its types must only not rule out what served there."""
    if not booted:
        return judge_hooks(rows, reasons)
    known = known_hooks(rows[0].arch, rows[0].version)
    return [f"{row.hook}: {reasons[row.hook]}" for row in rows
            if row.variant == "-" and (row.hook not in known or known[row.hook].variant != "-")]


def main():
    arguments = sys.argv[1:]
    update = arguments[0] == "--update"
    what, *rest = arguments[update:]
    if what == "guest":
        judge_guest(update, *rest)
    else:
        judge_types(update, rest[0], rest[1], rest[2:])
    return failures > 0


if __name__ == "__main__":
    sys.exit(main())
