// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * test_probes.c - what is read from a kernel's types, and the table of hooks. The types are made
 * here; tests/kernels has those of real kernels.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>
#include <cmocka.h>

#include "source/probes.h"

static struct btf *kernel_with_helper(const char *name)
{
	struct btf *btf = btf__new_empty();

	btf__add_enum(btf, "bpf_func_id", 4);
	btf__add_enum_value(btf, "BPF_FUNC_unspec", 0);
	btf__add_enum_value(btf, name, 175);
	return btf;
}

static void local_storage_is_told_by_its_last_helper(void **state)
{
	struct btf *with = kernel_with_helper("BPF_FUNC_task_pt_regs");
	struct btf *without = kernel_with_helper("BPF_FUNC_sk_storage_get");
	struct btf *empty = btf__new_empty();

	(void)state;
	assert_true(probe_has_storage(with));
	assert_false(probe_has_storage(without));
	assert_false(probe_has_storage(empty));
	btf__free(with);
	btf__free(without);
	btf__free(empty);
}

static bool serves(const struct probe_hook *hook, enum probe_storage storage)
{
	for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES && hook->candidates[i].variant; i++)
		if (hook->candidates[i].storage == PROBE_ANY_STORAGE ||
		    hook->candidates[i].storage == storage)
			return true;
	return false;
}

static void every_hook_has_a_candidate_with_and_without_local_storage(void **state)
{
	uint32_t nr;
	const struct probe_hook *hooks = probes_table(&nr);

	(void)state;
	for (uint32_t i = 0; i < nr; i++) {
		assert_true(serves(&hooks[i], PROBE_WITH_STORAGE));
		assert_true(serves(&hooks[i], PROBE_WITHOUT_STORAGE));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(local_storage_is_told_by_its_last_helper),
		cmocka_unit_test(every_hook_has_a_candidate_with_and_without_local_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
