# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# package.mk - part of the Makefile: the Debian package and its tests.
.PHONY: deb test-package

# Without the network, where that can be taken away: what it takes is installed before.
WITHOUT_NETWORK = $(shell unshare -n true 2>/dev/null && echo unshare -n)

deb:
	@sh scripts/deps.sh package
	@$(WITHOUT_NETWORK) bash deploy/debian/build.sh $(VERSION)

# Three minutes; the guest needs a kernel, which is fetched once.
test-package: deb
	@sh scripts/deps.sh kernels || true
	@bash tests/package/run.sh $(VERSION)
