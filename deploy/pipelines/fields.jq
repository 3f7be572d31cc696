# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# fields.jq - rows of fields.tsv, and the values of a line that they name. Included by otlp.jq, ecs.jq.

def rows($column):
	$fields | split("\n") | map(select(length > 0 and (startswith("#") | not)) | split("\t")
		| {path: (.[0] | rtrimstr("[]") | split("/")), to: .[$column]})
	| map(select(.to != "-"));

# What a line has of them: null says that it is not known, which is the same as not being there.
def found($column):
	. as $line | [rows($column)[] | . as $row
		| (try ($line | getpath($row.path)) catch null) as $value
		| select($value != null) | {to: $row.to, value: $value}];
