#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Fails when a field of the schema has no row in deploy/pipelines/fields.tsv, or docs/fields.md is not what
# tests/pipelines/check_fields.py makes of that. What the mappings do: tests/pipelines/test_fields.sh.
set -eu
cd "$(dirname "$0")/.."
fields=deploy/pipelines/fields.tsv

/usr/bin/python3 tests/pipelines/check_fields.py $fields docs/schema/memswell.schema.json >&2
/usr/bin/python3 tests/pipelines/check_fields.py $fields | diff -u docs/fields.md - >&2 && exit
echo "docs/fields.md is stale: run 'tests/pipelines/check_fields.py $fields > docs/fields.md'" >&2
exit 1
