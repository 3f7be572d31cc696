#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""relay.py LISTEN_PORT TARGET_PORT DELAY_MS - a TCP relay that delays both directions.

It stands for the network between a gateway and its upstream: without flight time there is no
keep-alive race. End of stream travels like data; a reset is passed on as a reset.
"""
import asyncio
import socket
import struct
import sys


async def pump(reader, writer, delay_s):
    try:
        while True:
            data = await reader.read(65536)
            await asyncio.sleep(delay_s)
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
    except OSError:
        reset = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        writer.transport.abort()


async def relay(reader, writer, target_port, delay_s):
    try:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target_port)
    except OSError:
        writer.transport.abort()
        return
    await asyncio.gather(pump(reader, far_writer, delay_s), pump(far_reader, writer, delay_s))
    writer.close()
    far_writer.close()


async def main():
    listen_port, target_port = int(sys.argv[1]), int(sys.argv[2])
    delay_s = float(sys.argv[3]) / 1000
    server = await asyncio.start_server(
        lambda r, w: relay(r, w, target_port, delay_s), "127.0.0.1", listen_port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
