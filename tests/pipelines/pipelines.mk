# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# pipelines.mk - part of the Makefile: what others make of recordings and lines. Merging, SQL, mappings and
# log shippers. Two minutes; what cannot be installed makes it skip.

.PHONY: test-pipelines
test-pipelines:
	@sh scripts/deps.sh pipelines || true
	@$(MAKE) --no-print-directory all
	@bash tests/pipelines/run.sh
