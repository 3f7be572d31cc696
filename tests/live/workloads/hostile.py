#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""hostile.py - a service whose every name is chosen to break whoever prints it.

  hostile.py prepare DIR CGROUP   copies this interpreter below DIR, where its path is 3.9 KB of line
                                  ends, escape sequences and bytes that are no UTF-8; makes a cgroup
                                  below CGROUP with such a name. Prints the path, ended by NUL.
  hostile.py serve PORT BYTES CGROUP [ANYTHING...]
                                  moves into that cgroup, calls itself such a name, serves HTTP/1.1
                                  and keeps BYTES for every request.
"""
import ctypes
import http.server
import os
import shutil
import sys

PR_SET_NAME = 15
EVIL = b'\x1b[31m\xff"\\\xc2\x9b2J'
COMM = b'\x1b[31m\n\xff"\\\x7f\xc2\x85e'  # 15 bytes at most are kept
CGROUP = EVIL + b"\xe2\x80\xa8" + b"c" * 200  # the kernel allows anything but a line end
PATH_BYTES = 3900


def prepare(base, cgroup):
    path = os.path.join(os.fsencode(base), EVIL + b"\n")
    while len(path) < PATH_BYTES - 260:
        path = os.path.join(path, EVIL + b"\n" + b"d" * 230)
    os.makedirs(path)
    path = os.path.join(path, b"python\n\x1b]0;owned\x07")
    shutil.copy(os.path.realpath(sys.executable), path)
    os.mkdir(os.path.join(os.fsencode(cgroup), CGROUP))
    sys.stdout.buffer.write(path + b"\0")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    kept = []
    size = 0

    def do_GET(self):
        self.kept.append(b"x" * self.size)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    do_POST = do_GET

    def log_message(self, *_):
        pass


def serve(port, size, cgroup):
    with open(os.path.join(os.fsencode(cgroup), CGROUP, b"cgroup.procs"), "w") as procs:
        procs.write("0")
    ctypes.CDLL(None).prctl(PR_SET_NAME, COMM, 0, 0, 0)
    Handler.size = int(size)
    http.server.ThreadingHTTPServer.request_queue_size = 512
    http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler).serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(*sys.argv[2:4])
    else:
        serve(*sys.argv[2:5])
