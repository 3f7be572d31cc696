#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# The configurations of shippers that cannot be had here: that they are YAML without doubled keys, and that
# they name the files we write and have room for our longest line. rsyslog's is run by test_rsyslog.sh.
. "$(dirname "$0")/check.sh"

yaml() { # FILE
	/usr/bin/python3 - "$1" <<-'PY'
	import sys, yaml
	class Strict(yaml.SafeLoader):
	    def construct_mapping(self, node, deep=False):
	        keys = [self.construct_object(key) for key, _ in node.value]
	        assert len(keys) == len(set(keys)), "a key twice: %s" % keys
	        return super().construct_mapping(node, deep)
	document = yaml.load(open(sys.argv[1]), Strict)
	assert isinstance(document, dict), "expected a mapping"
	PY
}
not() { ! "$@"; }
longest=$(sed -n 's/^#define REPORT_LINE_MAX[ \t]*\([0-9]*\).*/\1/p' user/model/*.h)

/usr/bin/python3 -c 'import yaml' 2>/dev/null || { echo "skip pipelines: configurations - python3-yaml is not installed"; exit 0; }
for config in deploy/pipelines/*.yaml; do
	name=$(basename "$config")
	check "$name is YAML" yaml "$config"
	check "$name follows the file of the host" grep -q '/var/log/memswell/reports\.jsonl\b' "$config"
	sizes=$(sed -nE 's/^ *(buffer_max_size|max_line_bytes|max_log_size): *([0-9]+) *([kK]?).*/\2 \3/p' "$config" |
		awk '{ print $2 == "" ? $1 : $1 * 1024 }' | sort -n | head -n 1)
	check "$name has room for a line of ${longest:-?} bytes" test "${sizes:-0}" -gt "${longest:-99999999}"
done
echo 'a: 1
a: 2' >"$TMP/twice"
check "a doubled key would be found" not yaml "$TMP/twice"
finish
