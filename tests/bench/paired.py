#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""paired.py FILE COLUMN LABEL [percent] - median and quartiles of paired ratios.

FILE has one line per pair: KIND FIRST_VALUES / SECOND_VALUES, where KIND is "on" (second with
memswell, first without) or "aa" (both without: the control, which shows what noise alone does).
COLUMN picks one of the values, from 0. With "percent" it is a share that only "with" has: that is
printed as it is.
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
    if sys.argv[4:] == ["percent"]:
        low, median, high = quartiles([second for _, second in pairs["on"]])
        print(f"  {label:<34}{'with':<16}{len(pairs['on']):>4} pairs   median {median:.2f} %"
              f"   quartiles {low:.2f} .. {high:.2f} of one core")
        return
    for kind, name in (("on", "with / without"), ("aa", "A/A control")):
        low, median, high = quartiles([second / first for first, second in pairs[kind]])
        base = statistics.median(first for first, _ in pairs[kind])
        print(f"  {label:<34}{name:<16}{len(pairs[kind]):>4} pairs   median {median:.4f}"
              f"   quartiles {low:.4f} .. {high:.4f}   (without: {base:.2f})")


if __name__ == "__main__":
    main()
