# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# containers.mk - part of the Makefile: containers of real runtimes. What cannot be installed makes it skip.
# ONLY=cri runs the tests whose names contain that.

.PHONY: test-containers test-containers-systemd
test-containers:
	@sh scripts/deps.sh containers || true
	@$(MAKE) --no-print-directory all
	@bash tests/run.sh --containers $(ONLY)

# The same where systemd makes the cgroups, in an emulated machine: some minutes, so not part of it.
test-containers-systemd:
	@sh scripts/deps.sh containers || true
	@$(MAKE) --no-print-directory all
	@bash tests/containers/systemd.sh
