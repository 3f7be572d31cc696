# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# otlp.jq - lines of memswell as OTLP/JSON, a LogsData for each, as a collector's OTLP/HTTP receiver
# takes it at /v1/logs:
#
#   jq -c -L deploy/pipelines --rawfile fields deploy/pipelines/fields.tsv -f deploy/pipelines/otlp.jq
#
# ObservedTimestamp is for whoever reads the line to set; here it is the time of the line.
include "fields";

def any_value:
	if type == "string" then {stringValue: .}
	elif type == "boolean" then {boolValue: .}
	elif type == "number" then (if . == floor and fabs < 9007199254740992
		then {intValue: tostring} else {doubleValue: .} end)
	elif type == "array" then {arrayValue: {values: map(any_value)}}
	elif type == "object" then {kvlistValue: {values: to_entries | map({key, value: (.value | any_value)})}}
	else {} end;

def unix_nano: # RFC 3339 with nine digits, as a string: numbers of jq have too few
	(.[0:19] + "Z" | fromdateiso8601 | tostring) + .[20:29];

def part($values; $prefix):
	[$values[] | select(.to | startswith($prefix))
		| {key: (.to | ltrimstr($prefix)), value: (.value | any_value)}];

select(type == "object" and ((.schema? // "") | startswith("memswell.")))
| . as $line | found(1) as $values
| ($values | map(select(.to | test(":") | not) | {key: .to, value}) | from_entries) as $record
| ($record.Timestamp | unix_nano) as $time
| {resourceLogs: [{
	resource: {attributes: part($values; "resource:")},
	scopeLogs: [{
		scope: {name: "memswell"},
		logRecords: [{
			timeUnixNano: $time, observedTimeUnixNano: $time,
			severityNumber: $record.SeverityNumber, eventName: $record.EventName,
			body: {stringValue: ($record.Body // $record.EventName)},
			attributes: part($values; "attributes:")
		}]
	}]
}]}
