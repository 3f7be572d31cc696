#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""keepalive_server.py PORT IDLE_S - an HTTP/1.1 server that closes connections after IDLE_S idle.

The classic half of the keep-alive race: it closes just when the gateway sends the next request.
It stays alive and keeps listening throughout.
"""
import socket
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def body_length(head):
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def serve(connection, idle_s):
    connection.settimeout(idle_s)
    pending = b""
    with connection:
        try:
            while True:
                while b"\r\n\r\n" not in pending:
                    data = connection.recv(65536)
                    if not data:
                        return
                    pending += data
                head, _, pending = pending.partition(b"\r\n\r\n")
                missing = body_length(head) - len(pending)
                while missing > 0:
                    data = connection.recv(missing)
                    if not data:
                        return
                    missing -= len(data)
                pending = b""
                connection.sendall(ANSWER)
        except OSError:
            pass


def main():
    port, idle_s = int(sys.argv[1]), float(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", port), backlog=256)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection, idle_s), daemon=True).start()


if __name__ == "__main__":
    main()
