# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# prometheus.mk - part of the Makefile: rules, alerts, dashboard and the join across nodes, asked of
# promtool and of a real Prometheus. A minute and a half; what cannot be installed makes it skip.

.PHONY: test-prometheus dashboard
test-prometheus:
	@sh scripts/deps.sh prometheus || true
	@$(MAKE) --no-print-directory all
	@bash tests/prometheus/run.sh

# The Grafana dashboard from its source.
dashboard: deploy/prometheus/memswell.dashboard.json
deploy/prometheus/memswell.dashboard.json: deploy/prometheus/dashboard.jq scripts/grafana.sh
	$(call say,DASHBOARD,$@)
	$(Q)sh scripts/grafana.sh >$@
