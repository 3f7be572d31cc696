#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""movers.py N - N processes whose anonymous memory is a little different every 50 ms.
Mapped and unmapped directly: malloc would keep what it once had."""
import mmap
import os
import random
import sys
import time


def move():
    while True:
        size = random.randrange(64, 256) * mmap.PAGESIZE
        block = mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        block.write(bytes(size))
        time.sleep(0.05)
        block.close()


def main():
    for _ in range(int(sys.argv[1]) - 1):
        if os.fork() == 0:
            random.seed()
            move()
    move()


if __name__ == "__main__":
    main()
