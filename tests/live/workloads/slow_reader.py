#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""slow_reader.py FILE FIRST_S PAUSE_S - a consumer that falls asleep: copies standard input to FILE
for FIRST_S, reads nothing for PAUSE_S, then copies everything to the end."""
import os
import sys
import time


def copy(out, until):
    while time.monotonic() < until:
        data = os.read(0, 65536)
        if not data:
            return
        out.write(data)


def main():
    path, first_s, pause_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    with open(path, "wb", buffering=0) as out:
        copy(out, time.monotonic() + first_s)
        time.sleep(pause_s)
        copy(out, float("inf"))


if __name__ == "__main__":
    main()
