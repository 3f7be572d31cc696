#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""hog.py MIB SECONDS - takes so much memory within that time, by equal steps, and
ends a second later."""
import mmap
import sys
import time

STEPS = 200


def main():
    mib, seconds = int(sys.argv[1]), float(sys.argv[2])
    held = []
    for _ in range(STEPS):
        size = (mib << 20) // STEPS // mmap.PAGESIZE * mmap.PAGESIZE
        block = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        for at in range(0, size, mmap.PAGESIZE):
            block[at] = 1
        held.append(block)
        time.sleep(seconds / STEPS)
    time.sleep(1)


if __name__ == "__main__":
    main()
