# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""leak_wsgi.py - a WSGI application that keeps LEAK_BYTES of each request, and answers
after DELAY_S. /hang never answers, and
with WEDGED=1 does not hear SIGABRT either."""
import os
import signal
import time

KEPT = []
ROWS = int(os.environ.get("LEAK_BYTES", "0")) // 200

DELAY_S = float(os.environ.get("DELAY_S", "0"))


def app(environ, start_response):
    if environ["PATH_INFO"] == "/hang":
        if os.environ.get("WEDGED") == "1":
            signal.signal(signal.SIGABRT, signal.SIG_IGN)
        time.sleep(3600)
    KEPT.append([{"id": i, "name": "row%d" % i} for i in range(ROWS)])
    time.sleep(DELAY_S)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
