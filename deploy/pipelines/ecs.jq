# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# ecs.jq - lines of memswell in the Elastic Common Schema 8, one document each:
#
#   jq -c -L deploy/pipelines --rawfile fields deploy/pipelines/fields.tsv -f deploy/pipelines/ecs.jq
#
# Strings in place of objects in lists stay as they are; lists of objects want `flattened` or `nested`.
include "fields";

def categories: {
	"memswell.incident": {kind: "alert", category: ["web", "process"], type: ["error"], outcome: "failure"},
	"memswell.burst": {kind: "event", category: ["web"], type: ["error"], outcome: "failure"},
	"memswell.growth": {kind: "alert", category: ["process"], type: ["change"]},
	"memswell.oom_kill": {kind: "event", category: ["process"], type: ["end", "error"], outcome: "failure"},
	"memswell.process_exit": {kind: "event", category: ["process"], type: ["end"]},
	"memswell.listener": {kind: "event", category: ["network"], type: ["change"]},
	"memswell.sample": {kind: "metric", category: ["process"], type: ["info"]},
	"memswell.heartbeat": {kind: "metric", category: ["host"], type: ["info"]},
	"memswell.start": {kind: "state", category: ["host"], type: ["start"]},
	"memswell.gap": {kind: "state", category: ["host"], type: ["info"], outcome: "unknown"}
};

select(type == "object" and ((.schema? // "") | startswith("memswell.")))
| . as $line | found(2) as $values
| reduce $values[] as $v ({}; setpath($v.to | split("."); $v.value))
| .ecs.version = "8.17.0" | .event.module = "memswell" | .event += categories[$line.schema]
| if $line.impact.window.duration_s? then .event.duration = ($line.impact.window.duration_s * 1e9 | floor) else . end
