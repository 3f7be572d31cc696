#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""paired.py FILE COLUMN LABEL - median and quartiles of paired ratios.

FILE has one line per pair: KIND FIRST_VALUES / SECOND_VALUES, where KIND is "on" (second with
memswell, first without) or "aa" (both without: the control, which shows what noise alone does).
COLUMN picks one of the values, from 0.
"""
import statistics
import sys


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0], values[0]
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def main():
    path, column, label = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    pairs = {"on": [], "aa": []}
    with open(path, encoding="utf-8") as file:
        for line in file:
            kind, _, values = line.partition(" ")
            first, _, second = values.partition("/")
            pairs[kind].append((float(first.split()[column]), float(second.split()[column])))
    for kind, name in (("on", "with / without"), ("aa", "A/A control")):
        low, median, high = quartiles([second / first for first, second in pairs[kind]])
        base = statistics.median(first for first, _ in pairs[kind])
        print(f"  {label:<24}{name:<16}{len(pairs[kind]):>4} pairs   median {median:.4f}"
              f"   quartiles {low:.4f} .. {high:.4f}   (without: {base:.1f})")


if __name__ == "__main__":
    main()
