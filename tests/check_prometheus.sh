#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# check_prometheus.sh - alerts and runbooks name each other; rules and dashboard use no metric that
# docs/metrics.md does not have; the committed dashboard is what its source makes. Asks no Prometheus.
set -u
cd "$(dirname "$0")/.." || exit 1
RULES=deploy/prometheus/memswell.rules.yml
SOURCE=deploy/prometheus/dashboard.jq
DASHBOARD=deploy/prometheus/memswell.dashboard.json
RUNBOOKS=docs/runbooks.md
FAILED=0

# same WHAT LEFT RIGHT: two sorted lists in files.
same() {
	local lacking
	lacking=$(diff <(echo "$2") <(echo "$3"))
	if [ -z "$lacking" ] && [ -n "$2" ]; then
		echo "ok prometheus: $1"
	else
		echo "not ok prometheus: $1 - $(grep '^[<>]' <<<"$lacking" | tr '\n' ' ')"
		FAILED=1
	fi
}

alerts=$(sed -n 's/^ *- alert: //p' $RULES | sort)
same "every alert has a runbook, every runbook an alert" "$alerts" "$(sed -n 's/^## //p' $RUNBOOKS | sort)"
same "every alert points to its own runbook" "$(tr '[:upper:]' '[:lower:]' <<<"$alerts" | sort)" \
	"$(sed -n 's/^ *runbook_url: .*runbooks.md#//p' $RULES | sort)"
same "every alert has a severity, a summary and a description" \
	"$(for field in severity summary description; do wc -l <<<"$alerts"; done)" \
	"$(for field in severity summary description; do grep -c "^ *$field:" $RULES; done)"

# Families that somebody uses, without those that rules record.
used() { grep -v '^ *#' "$1" | grep -oE '\bmemswell_[a-z0-9_]+' | sort -u; }
known=$(grep -oE '^\| `memswell_[a-z0-9_]+`' docs/metrics.md | tr -d '|` ' | sort -u)
for file in $RULES $SOURCE $RUNBOOKS docs/prometheus.md; do
	same "$file uses metrics that exist" "$(comm -12 <(used $file) <(echo "$known"))" "$(used $file)"
done
recorded=$(sed -n 's/^ *- record: //p' $RULES | sort)
for file in $SOURCE $RUNBOOKS docs/prometheus.md; do
	asked=$(grep -oE '\bmemswell:[a-z_]+:[a-z_]+' $file | sort -u)
	same "$file uses rules that exist" "$(comm -12 <(echo "$asked") <(echo "$recorded"))" "$asked"
done

if command -v jq >/dev/null; then
	if sh scripts/grafana.sh | cmp -s - $DASHBOARD; then
		echo "ok prometheus: the dashboard is what its source makes"
	else
		echo "not ok prometheus: $DASHBOARD is stale - run 'make dashboard'"
		FAILED=1
	fi
else
	echo "skip prometheus: the dashboard is what its source makes - jq is not installed"
fi
exit $FAILED
