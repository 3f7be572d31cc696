#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""heir.py PID COMMAND... - waits until process PID is gone, then starts COMMAND with that very pid.

clone3(2) with set_tid asks for it, so that nobody has to fork through all pids. Prints the pid; ends
with 3 where the kernel refuses, with 4 where somebody else was faster.
"""
import ctypes
import errno
import os
import sys
import time

SYS_CLONE3 = 435  # the same on all architectures
SIGCHLD = 17


class CloneArgs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls",
        "set_tid", "set_tid_size", "cgroup")]


def main():
    wanted, command = int(sys.argv[1]), sys.argv[2:]
    tids = (ctypes.c_int32 * 1)(wanted)
    args = CloneArgs(exit_signal=SIGCHLD, set_tid=ctypes.addressof(tids), set_tid_size=1)
    libc = ctypes.CDLL(None, use_errno=True)
    while os.path.exists(f"/proc/{wanted}"):
        time.sleep(0.001)
    deadline = time.monotonic() + 1
    while True:
        pid = libc.syscall(SYS_CLONE3, ctypes.byref(args), ctypes.sizeof(args))
        if pid == 0:
            os.execvp(command[0], command)
        if pid > 0:
            break
        if ctypes.get_errno() != errno.EEXIST:
            sys.exit(3)
        if time.monotonic() > deadline:
            sys.exit(4)
    print(pid, flush=True)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
