# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# kubernetes.mk - part of the Makefile: the manifests before a real Kubernetes, which is built from Debian's
# source package the first time (five minutes, kept in build/kubernetes). What cannot be had makes it skip.

.PHONY: test-kubernetes
test-kubernetes:
	@sh scripts/deps.sh kubernetes || true
	@$(MAKE) --no-print-directory all image
	@nice -n 19 bash tests/kubernetes/build.sh build/kubernetes || true
	@bash tests/run.sh --kubernetes $(ONLY)
