#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""mapper.py PORT FILE - a service that reads its answers out of a large mapped file: its resident
memory grows to the cgroup's limit, but only by pages that the kernel can take back."""
import http.server
import mmap
import sys

STEP = 1 << 20


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    data = None
    at = 0

    def do_GET(self):
        start = Handler.at % (len(self.data) - STEP)
        Handler.at += STEP
        seen = sum(self.data[i] for i in range(start, start + STEP, mmap.PAGESIZE))
        body = b"%d\n" % seen
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    with open(sys.argv[2], "rb") as file:
        Handler.data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    main()
