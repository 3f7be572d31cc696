#!/bin/bash
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# Reads the type information of other kernels and fails where one lacks a field, helper or tracepoint that
# a hook needs. Nothing is booted and nothing downloaded: it takes the kernels that tests/kernels/types.sh
# has put into build/kernels/types (`make test-kernels` and `make kernel-types` do), and some seconds.
cd "$(dirname "$0")/.." || exit 1
shopt -s nullglob
types=(build/kernels/types/*.btf)
check=build/tests/kernels/check_types
[ -x $check ] || { echo "skip kernel types - $check is not built"; exit; }
[ ${#types[@]} -gt 0 ] || { echo "skip kernel types - run 'make kernel-types' to fetch them"; exit; }

# That it can fail: programs for x86_64 read registers that arm64 does not have.
for arm64 in build/kernels/types/*.arm64.btf; do
	if $check build/memswell.bpf.o "$arm64" | grep -q '^missing pt_regs\.di vm_brk_exit'; then
		echo "ok types: what is missing is found"
	else
		echo "not ok types: what is missing is found - $arm64 shall have the registers of x86_64"
		failed=1
	fi
	break
done
/usr/bin/python3 tests/kernels/judge.py ${1+"$1"} types $check build "${types[@]}" && [ -z "${failed-}" ]
