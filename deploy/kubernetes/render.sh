#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# render.sh [HELM] > memswell.yaml - the plain manifests, rendered from the chart with its own values and a
# namespace: change the chart, not them. tests/image/test_chart.sh holds the two together.
set -eu
cat <<-'END'
	# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
	# memswell on every node: kubectl apply -f memswell.yaml
	# Rendered from chart/ by render.sh. The image's name is the one thing to change: docs/kubernetes.md
END
"${1:-helm}" template memswell "$(dirname "$0")/chart" --namespace memswell --set namespace.create=true
