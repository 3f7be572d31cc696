#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""bodies.py PORT COUNT MIB CONCURRENT - posts COUNT JSON bodies of MIB each, CONCURRENT at a time, and
prints the statuses."""
import collections
import http.client
import sys
import threading


def main():
    port, count, mib, concurrent = map(int, sys.argv[1:5])
    rows = (mib << 20) // 30
    body = ("[" + ",".join('{"id":%d,"v":"abcdefghij"}' % i for i in range(rows)) + "]").encode()
    seen = collections.Counter()
    left = iter(range(count))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            try:
                client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                client.request("POST", "/", body=body)
                answer = client.getresponse().status
            except OSError as error:
                answer = type(error).__name__
            with lock:
                seen[answer] += 1

    threads = [threading.Thread(target=work) for _ in range(concurrent)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(dict(seen))


if __name__ == "__main__":
    main()
