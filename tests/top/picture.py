#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""picture.py OUT.png - a terminal's picture (tmux capture-pane -ep) on stdin as a PNG, drawn by
headless Chromium. Knows the attributes that memswell top uses: bold, dim, reverse, three colours."""

import html
import os
import re
import subprocess
import sys
import tempfile

COLORS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341"}
CELL_WIDTH, LINE_HEIGHT, MARGIN = 8.43, 18, 12
PAGE = """<!doctype html><meta charset="utf-8"><style>
html, body {{ margin: 0; background: #0d1117 }}
pre {{ margin: {margin}px; font: 14px/{line}px "DejaVu Sans Mono", monospace; color: #e6edf3 }}
</style><pre>{text}</pre>"""


def style(codes):
    out = []
    color, background = "inherit", "transparent"
    for code in codes:
        color = COLORS.get(code, color)
    if 7 in codes:
        color, background = "#0d1117", "#e6edf3" if color == "inherit" else color
    out.append(f"color: {color}; background: {background}")
    if 1 in codes:
        out.append("font-weight: bold")
    if 2 in codes:
        out.append("opacity: .6")
    return "; ".join(out)


def apply(codes, parameters):
    for code in [int(p or 0) for p in parameters.split(";")]:
        if code == 0:
            codes.clear()
        elif code == 27:
            codes.discard(7)
        elif code == 22:
            codes -= {1, 2}
        elif code == 39:
            codes -= set(COLORS)
        else:
            codes.add(code)


def to_html(text):
    codes, out = set(), []
    for part in re.split(r"(\x1b\[[0-9;]*m)", text):
        sgr = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if sgr:
            apply(codes, sgr.group(1))
        elif part:
            out.append(f'<span style="{style(codes)}">{html.escape(part)}</span>')
    return "".join(out)


def main():
    text = sys.stdin.read().rstrip("\n")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", text).split("\n")
    width = int(max(map(len, lines)) * CELL_WIDTH) + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    with tempfile.TemporaryDirectory() as scratch:
        page = os.path.join(scratch, "page.html")
        with open(page, "w", encoding="utf-8") as f:
            f.write(PAGE.format(text=to_html(text), margin=MARGIN, line=LINE_HEIGHT))
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-sync",
             "--disable-background-networking", "--disable-component-update", "--no-first-run",
             "--hide-scrollbars", f"--user-data-dir={scratch}/profile",
             f"--window-size={width},{height}", f"--screenshot={os.path.abspath(sys.argv[1])}",
             f"file://{page}"],
            check=True, timeout=60, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


main()
