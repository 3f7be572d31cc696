# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""baseline.py - the two tables that say what holds on which kernel, and their keys. Committed; judge.py
compares runs with them and writes them, kernels_doc.py makes docs/kernels.md of them.

hooks.tsv     what serves each hook, and how that is known: `fired` a booted kernel's record was right,
              `attached` it attached but nothing made it fire, `types` only the kernel's type information
              was read. A variant "-": nothing serves it.
programs.tsv  what each program costs on a booted kernel: instructions that the verifier went through (0:
              the kernel does not tell), and instructions before the JIT.
"""
import collections
import os
import re

DIR = os.path.dirname(os.path.abspath(__file__))
HEAD = "# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause\n# Written by run.sh --update; see baseline.py.\n"
HOOKS = os.path.join(DIR, "hooks.tsv")
PROGRAMS = os.path.join(DIR, "programs.tsv")

Hook = collections.namedtuple("Hook", "arch version hook variant evidence")
Program = collections.namedtuple("Program", "arch version program verified translated")


def series(version):
    """6.12.117+deb12 -> 6.12: within it nothing that we use is expected to change."""
    return re.match(r"\d+\.\d+", version).group()


def in_order(version):
    return [int(number) for number in re.findall(r"\d+", version)]


def machine(row):
    return row.arch, series(row.version)


def read(path, kind):
    try:
        with open(path, encoding="utf-8") as file:
            return [kind(*line.rstrip("\n").split("\t")) for line in file if not line.startswith("#")]
    except FileNotFoundError:
        return []


def write(path, kind, rows):
    ordered = sorted(rows, key=lambda row: (row.arch, in_order(row.version)))  # stable: hooks stay in order
    with open(path, "w", encoding="utf-8") as file:
        file.write(HEAD + "# " + "\t".join(kind._fields) + "\n")
        file.writelines("\t".join(map(str, row)) + "\n" for row in ordered)


def replace(path, kind, rows):
    """Puts the rows of one machine in the place of those it had."""
    machines = {machine(row) for row in rows}
    write(path, kind, [row for row in read(path, kind) if machine(row) not in machines] + rows)
