#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""ports.py - loopback ports.

  ports.py free N              prints N free ports, from below the ephemeral range so that no
                               outgoing connection takes one before the service does
  ports.py wait PORT SECONDS   waits until somebody listens on PORT (without connecting to it)
"""
import random
import socket
import sys
import time


def ephemeral_floor():
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="utf-8") as file:
        return int(file.read().split()[0])


def free(count):
    top = min(ephemeral_floor(), 32768) - 1
    held = []
    for port in random.sample(range(10240, top), top - 10240):
        sock = socket.socket()
        try:
            sock.bind(("127.0.0.1", port))
            held.append(sock)
        except OSError:
            sock.close()
        if len(held) == count:
            return [sock.getsockname()[1] for sock in held]
    sys.exit("ports.py: not enough free ports")


def listens(port):
    """Read, not probed: a probe would be a connection that the test must then explain."""
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name, encoding="utf-8") as file:
                rows = [line.split() for line in file][1:]
        except OSError:
            continue
        if any(row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port for row in rows):
            return True
    return False


def wait(port, seconds):
    deadline = time.monotonic() + seconds
    while not listens(port):
        if time.monotonic() > deadline:
            sys.exit(f"ports.py: nobody listens on port {port}")
        time.sleep(0.02)


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "free":
        print(*free(int(sys.argv[2])))
    elif len(sys.argv) == 4 and sys.argv[1] == "wait":
        wait(int(sys.argv[2]), float(sys.argv[3]))
    else:
        sys.exit("usage: ports.py free N | wait PORT SECONDS")
