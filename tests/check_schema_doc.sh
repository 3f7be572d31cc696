#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Fails when docs/schema/README.md and check.md are not what scripts/schema_doc.py makes of the schemas.
set -eu
cd "$(dirname "$0")/.."

same() { # SCHEMA DOCUMENT
	/usr/bin/python3 scripts/schema_doc.py "$1" | diff -u "docs/schema/$2" - >&2 && return
	echo "docs/schema/$2 is stale: run" \
		"'python3 scripts/schema_doc.py $1 > docs/schema/$2'" >&2
	exit 1
}
same memswell README.md
same check check.md
