#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""metrics_clients.py WHERE COMMAND - clients that no server would wish for, on 127.0.0.1:PORT or unix:PATH. Each command
prints nothing and ends with 0 if the server did as it should, else says what it did.

garbage    bytes that are no HTTP, heads that are too long, a request cut in half
slow       8 connections that send a byte of their head every 100 ms: all are cut off within 13 s
drip       4 readers that read a byte every 100 ms of a whole answer: after 13 s there is no more to come
flood N    N scrapes by 4 threads, one after the other: each is answered, whole or with 503
"""
import socket
import sys
import threading
import time

CUT_OFF_S = 13
REQUEST = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(where, receive_bytes=None):
    if where.startswith("unix:"):
        peer, address = socket.socket(socket.AF_UNIX), where[5:]
    else:
        peer, address = socket.socket(), (where.split(":")[0], int(where.split(":")[1]))
    if receive_bytes:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    peer.settimeout(20)
    peer.connect(address)
    return peer


def read_all(peer):
    data = b""
    while chunk := peer.recv(65536):
        data += chunk
    return data


def exchange(where, request):
    with connect(where) as peer:
        try:
            peer.sendall(request)
            return read_all(peer)
        except (BrokenPipeError, ConnectionResetError):
            return b""


def is_whole(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    length = [l.split(b":")[1] for l in head.split(b"\r\n") if l.lower().startswith(b"content-length")]
    return bool(length) and len(body) == int(length[0])


def garbage(where):
    cases = {
        "no HTTP": (b"\x16\x03\x01\x02\x00" + b"\xff" * 300 + b"\r\n\r\n", (b"", b"HTTP/1.1 4")),
        "a long head": (b"GET /metrics HTTP/1.1\r\nX: " + b"a" * 200000 + b"\r\n\r\n", (b"", b"HTTP/1.1 4")),
        "a long path": (b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n", (b"", b"HTTP/1.1 4")),
        "no host": (b"GET /metrics HTTP/1.1\r\n\r\n", (b"HTTP/1.1 400", b"HTTP/1.1 200")),
        "another path": (b"GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n", (b"HTTP/1.1 404",)),
        "another method": (b"DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n", (b"HTTP/1.1 405",)),
        "an upload": (b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000,
                      (b"HTTP/1.1 405", b"")),
        "a lie about its length": (b"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n",
                                   (b"HTTP/1.1 4", b"")),
        "a strange Accept": (b"GET /metrics HTTP/1.0\r\nAccept: " + b",;q=" * 500 + b"\r\n\r\n", (b"HTTP/1.", )),
    }
    for what, (request, expected) in cases.items():
        answer = exchange(where, request)
        if not any(answer.startswith(e) if e else not answer for e in expected):
            return f"{what}: answered {answer[:60]!r}"
    with connect(where) as peer:
        peer.sendall(REQUEST[:20])
    return None


def until_cut_off(peers, step):
    end = time.monotonic() + CUT_OFF_S
    left = list(peers)
    while left and time.monotonic() < end:
        for peer in list(left):
            try:
                if not step(peer):
                    left.remove(peer)
            except (BrokenPipeError, ConnectionResetError):
                left.remove(peer)
        time.sleep(0.1)
    return f"{len(left)} of {len(peers)} are still there after {CUT_OFF_S} s" if left else None


def slow(where):
    """Only so many are taken at a time: the others wait for their turn, and are then served or cut off too."""
    peers = [connect(where) for _ in range(8)]
    for peer in peers:
        peer.sendall(b"GET /metrics HTTP/1.1\r\n")
        peer.setblocking(False)

    def step(peer):
        peer.send(b"X: y\r\n")
        try:
            return peer.recv(100) != b""
        except BlockingIOError:
            return True
    return until_cut_off(peers, step)


def drip(where):
    peers = [connect(where, 2048) for _ in range(4)]
    for peer in peers:
        peer.sendall(REQUEST)
    end = time.monotonic() + CUT_OFF_S
    while time.monotonic() < end:
        for peer in peers:
            peer.recv(1)
        time.sleep(0.1)
    # What the kernel holds for a reader is no connection any more: it ends.
    for peer in peers:
        peer.settimeout(2)
        try:
            read_all(peer)
        except ConnectionResetError:
            pass
        except TimeoutError:
            return f"a connection goes on after {CUT_OFF_S} s"
    return None


def flood(where, count):
    wrong = []

    def scrape():
        for _ in range(count // 4):
            answer = exchange(where, REQUEST)
            if not (answer.startswith(b"HTTP/1.1 200") and is_whole(answer)) and \
                    not answer.startswith(b"HTTP/1.1 503"):
                wrong.append(answer[:60])
    threads = [threading.Thread(target=scrape) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"{len(wrong)} of {count}, such as {wrong[0]!r}" if wrong else None


def main():
    where, command = sys.argv[1:3]
    why = {"garbage": garbage, "slow": slow, "drip": drip}[command](where) if command != "flood" else \
        flood(where, int(sys.argv[3]))
    if why:
        print(f"{command}: {why}")
        sys.exit(1)


main()
