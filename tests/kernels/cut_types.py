#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""cut_types.py IMAGE OUT - cuts the type information (BTF) out of a kernel image, compressed in whichever
way, and writes it to OUT.

No ELF is looked for: an arm64 image has none. BTF begins with a magic number and a header that says how
long it is, and no other data satisfies both.
"""
import lzma
import re
import struct
import subprocess
import sys
import zlib

HEADER = struct.Struct("<HBBIIIII")  # magic, version, flags, header, type offset, length, string offset, length
BEGIN = struct.pack("<HBBI", 0xEB9F, 1, 0, HEADER.size)
LEAST_BYTES = 1 << 20  # the kernel's own, not that of a module built in


def gunzip(data):
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(data)


def unxz(data):
    return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)


def by_program(*command):
    """What a program makes of data that goes on after its end: its complaint about that counts for nothing."""
    return lambda data: subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       check=False).stdout


COMPRESSIONS = (
    (b"\x1f\x8b\x08", gunzip),
    (b"\xfd7zXZ\x00", unxz),
    (b"\x28\xb5\x2f\xfd", by_program("zstd", "-dc")),
    (b"\x02\x21\x4c\x18", by_program("lz4", "-dc")),
)


def find_types(data):
    for match in re.finditer(re.escape(BEGIN), data):
        at = match.start()
        _, _, _, header, type_at, type_len, string_at, string_len = HEADER.unpack_from(data, at)
        end = at + header + string_at + string_len
        if type_at == 0 and string_at == type_len and type_len > LEAST_BYTES and end <= len(data):
            return data[at:end]
    return None


def unpacked(data):
    yield data
    for magic, decompress in COMPRESSIONS:
        for match in re.finditer(re.escape(magic), data):
            try:
                content = decompress(data[match.start():])
            except (zlib.error, lzma.LZMAError):
                continue
            if len(content) > LEAST_BYTES:
                yield content


def main():
    with open(sys.argv[1], "rb") as file:
        image = file.read()
    for content in unpacked(image):
        types = find_types(content)
        if types:
            with open(sys.argv[2], "wb") as file:
                file.write(types)
            return 0
    print(f"{sys.argv[1]}: no type information found")
    return 1


if __name__ == "__main__":
    sys.exit(main())
