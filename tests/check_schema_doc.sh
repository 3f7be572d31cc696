#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Fails when docs/schema/README.md is not what scripts/schema_doc.py makes of the schema.
set -eu
cd "$(dirname "$0")/.."

if ! /usr/bin/python3 scripts/schema_doc.py | diff -u docs/schema/README.md - >&2; then
	echo "docs/schema/README.md is stale: run" \
		"'python3 scripts/schema_doc.py > docs/schema/README.md'" >&2
	exit 1
fi
