#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# grafana.sh - prints the Grafana dashboard, deploy/prometheus/memswell.dashboard.json, from its one
# source, deploy/prometheus/dashboard.jq, where each panel is a row. `grafana.sh queries` prints the panels'
# expressions instead, and whether they must show something.
set -eu
cd "$(dirname "$0")/.."
exec jq -n -S --arg only "${1-dashboard}" -f deploy/prometheus/dashboard.jq
