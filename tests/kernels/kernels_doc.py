#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""kernels_doc.py - docs/kernels.md from the baseline of tests/kernels, on stdout."""
import baseline

MARKS = {"fired": "●", "attached": "◐", "types": "○"}
ARCHES = (("amd64", "x86_64"), ("arm64", "arm64"))
HEAD = """<!-- Written by tests/kernels/kernels_doc.py. -->
# Kernels

What memswell hooks into on which kernel, as `sudo make test-kernels` found it on Debian's kernels. Which
variant serves a hook is decided by the running kernel's type information and by trying, never by its
version. `memswell check` says it for yours.

| mark | meaning |
|---|---|
| ● | booted: attached, made to fire on purpose, and the record was right |
| ◐ | booted: attached; nothing in the test makes it fire |
| ○ | not booted: the kernel's types suit: every field, helper, tracepoint and function is there. Whether the verifier takes the program and whether it can be attached is not known |
| ✗ | nothing serves this hook |
"""


def versions(rows):
    return sorted({row.version for row in rows}, key=baseline.in_order)


def variants(rows):
    """(hook, variant) in the order of the hooks; of one hook those first that new kernels have."""
    pairs = []
    hooks = list(dict.fromkeys(row.hook for row in rows))
    for hook in hooks:
        of_hook = [row for row in rows if row.hook == hook]
        of_hook.sort(key=lambda row: baseline.in_order(row.version), reverse=True)
        served = list(dict.fromkeys(row.variant for row in of_hook if row.variant != "-"))
        pairs += [(hook, variant) for variant in served or ["-"]]
    return pairs


def mark(rows, version, hook, variant):
    for row in rows:
        if (row.version, row.hook) == (version, hook):
            if row.variant == variant:
                return MARKS[row.evidence] if variant != "-" else "✗"
            return "✗" if row.variant == "-" else ""
    return ""


def table(head, lines):
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for line in lines:
        yield "| " + " | ".join(line) + " |"


def hook_table(rows):
    columns = versions(rows)
    shown = None
    lines = []
    for hook, variant in variants(rows):
        lines.append([f"`{hook}`" if hook != shown else "", f"`{variant}`"] +
                     [mark(rows, version, hook, variant) for version in columns])
        shown = hook
    return table(["hook", "served by"] + [baseline.series(version) for version in columns], lines)


def cost_table(rows):
    columns = versions(rows)
    cost = {(row.version, row.program): row for row in rows}
    lines = []
    for program in dict.fromkeys(row.program for row in rows):
        cells = []
        for version in columns:
            row = cost.get((version, program))
            cells.append("" if row is None else
                         (f"{int(row.verified):,} / {row.translated}" if row.verified != "0" else row.translated))
        lines.append([f"`{program}`"] + cells)
    return table(["program"] + [baseline.series(version) for version in columns], lines)


def main():
    hooks = baseline.read(baseline.HOOKS, baseline.Hook)
    programs = baseline.read(baseline.PROGRAMS, baseline.Program)
    print(HEAD)
    for arch, title in ARCHES:
        rows = [row for row in hooks if row.arch == arch]
        if rows:
            print(f"## {title}\n")
            print("\n".join(hook_table(rows)))
            print("\nKernels: " + ", ".join(versions(rows)) + ".\n")
    print("## What the programs cost the verifier\n")
    print("Instructions the verifier went through / instructions of the program before the JIT; one number where\n"
          "the kernel does not tell the first (before 5.16). The kernel's limit of the first is 1,000,000. A run\n"
          "fails where one is more than a quarter above these.")
    for arch, title in ARCHES:
        rows = [row for row in programs if row.arch == arch]
        if rows:
            print(f"\n### {title}\n")
            print("\n".join(cost_table(rows)))


if __name__ == "__main__":
    main()
