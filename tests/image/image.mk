# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# image.mk - part of the Makefile: the image, the chart, and the pod that the chart describes, run by podman.
# What cannot be installed makes it skip. ONLY=pod runs the tests whose names contain that.

.PHONY: test-image
test-image:
	@sh scripts/deps.sh test-image || true
	@$(MAKE) --no-print-directory all image
	@bash tests/run.sh --image $(ONLY)
