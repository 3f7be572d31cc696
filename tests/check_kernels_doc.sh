#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Fails when docs/kernels.md is not what tests/kernels/kernels_doc.py makes of the committed results.
set -eu
cd "$(dirname "$0")/.."

if ! /usr/bin/python3 tests/kernels/kernels_doc.py | diff -u docs/kernels.md - >&2; then
	echo "docs/kernels.md is stale: run" \
		"'python3 tests/kernels/kernels_doc.py > docs/kernels.md'" >&2
	exit 1
fi
