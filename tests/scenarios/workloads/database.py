#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""database.py PORT FILE - answers each line with a row after as many seconds as FILE says just then."""
import asyncio
import sys


async def serve(reader, writer, path):
    try:
        while await reader.readline():
            with open(path, encoding="utf-8") as file:
                delay_s = float(file.read() or 0)
            await asyncio.sleep(delay_s)
            writer.write(b"row\n")
            await writer.drain()
    except OSError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(lambda r, w: serve(r, w, sys.argv[2]), "127.0.0.1",
                                        int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
