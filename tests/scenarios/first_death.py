#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""first_death.py SECONDS PID... - waits until one of the processes is gone and prints its pid; fails
when none is within that time. Waits on pidfds: a loop over /proc would be load of its own."""
import os
import select
import sys


def main():
    poll = select.poll()
    pid_of = {}
    for pid in map(int, sys.argv[2:]):
        fd = os.pidfd_open(pid)
        poll.register(fd, select.POLLIN)
        pid_of[fd] = pid
    ended = poll.poll(float(sys.argv[1]) * 1000)
    if not ended:
        sys.exit(f"first_death.py: nobody within {sys.argv[1]} s")
    print(pid_of[ended[0][0]])


if __name__ == "__main__":
    main()
