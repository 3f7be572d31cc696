/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_ceiling.c - which limit comes first. Truth: v8.getHeapStatistics() and measured deaths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/ceiling.h"

#define GIB (1024 * MIB)

static struct ceiling_inputs node(uint64_t anon_bytes)
{
	return (struct ceiling_inputs){.anon_bytes = anon_bytes,
				       .cgroup_anon_bytes = anon_bytes,
				       .machine_bytes = 24 * GIB,
				       .runtime = RUNTIME_NODEJS,
				       .runtime_version = 20};
}

static struct ceilings find(const struct ceiling_inputs *in)
{
	struct ceilings out;

	ceiling_find(in, &out);
	return out;
}

static void assert_near(uint64_t bytes, uint64_t mib, uint64_t tolerance_mib)
{
	assert_in_range(bytes, (mib - tolerance_mib) * MIB, (mib + tolerance_mib) * MIB);
}

static void default_heap_is_what_v8_says(void **state)
{
	static const struct {
		uint64_t limit_mib, heap_mib;
	} measured[] = {{64, 259},     {200, 259},    {512, 259},   {1024, 524},
			{2048, 1048},  {4096, 2096},  {8192, 2096}, {15360, 2096},
			{15700, 2096}, {15872, 4144}, {16384, 4144}};

	(void)state;
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++)
		assert_int_equal(ceiling_v8_default(measured[i].limit_mib * MIB, 24 * GIB, 20),
				 measured[i].heap_mib * MIB);
	assert_int_equal(ceiling_v8_default(0, 24 * GIB, 20), 4144 * MIB);
	assert_int_equal(ceiling_v8_default(0, 0, 20), 0);
	assert_int_equal(ceiling_v8_default(512 * MIB, 24 * GIB, 0), 0);
}

/* Medians of two deaths each of slow leaks, anonymous memory. */
static void flag_is_turned_into_the_memory_processes_died_with(void **state)
{
	static const struct {
		uint64_t flag_mib, died_mib;
	} measured[] = {{40, 48},   {64, 68},	{80, 91},   {100, 108},
			{150, 157}, {200, 207}, {300, 315}, {400, 417}};

	(void)state;
	for (size_t i = 0; i < sizeof(measured) / sizeof(measured[0]); i++) {
		struct ceiling_inputs in = node(20 * MIB);
		struct ceilings c;

		in.heap_limit_bytes = measured[i].flag_mib * MIB;
		c = find(&in);
		assert_int_equal(c.nr, 1);
		assert_int_equal(c.all[0].source, CEILING_HEAP_FLAG);
		assert_near(c.all[0].bytes, measured[i].died_mib, 8);
	}
}

static void nearest_comes_first(void **state)
{
	struct ceiling_inputs in = node(100 * MIB);
	struct ceilings c;

	(void)state;
	in.cgroup_limit_bytes = 512 * MIB;
	c = find(&in);
	assert_int_equal(c.nr, 2);
	assert_int_equal(c.all[0].source, CEILING_HEAP_COMPUTED);
	assert_int_equal(c.all[1].source, CEILING_CGROUP);
	assert_int_equal(c.used_bytes, 100 * MIB);
	/* A neighbour in the same cgroup takes of its room, not of the heap's. */
	in.cgroup_anon_bytes = 480 * MIB;
	c = find(&in);
	assert_int_equal(c.all[0].source, CEILING_CGROUP);
	assert_int_equal(c.used_bytes, 480 * MIB);
	assert_int_equal(c.used[1], 100 * MIB);
}

static void small_container_ends_before_its_heap_does(void **state)
{
	struct ceiling_inputs in = node(100 * MIB);

	(void)state;
	in.cgroup_limit_bytes = 192 * MIB;
	assert_int_equal(find(&in).all[0].source, CEILING_CGROUP);
	assert_int_equal(find(&in).all[1].source, CEILING_HEAP_COMPUTED);
}

static void old_node_does_not_see_a_v2_limit(void **state)
{
	struct ceiling_inputs in = node(100 * MIB);

	(void)state;
	in.cgroup_limit_bytes = 512 * MIB;
	in.cgroup_v2 = true;
	in.runtime_version = 18;
	assert_int_equal(find(&in).all[0].source, CEILING_CGROUP);
	assert_true(find(&in).all[1].bytes > 4096 * MIB);
	in.cgroup_v2 = false;
	assert_int_equal(find(&in).all[0].source, CEILING_HEAP_COMPUTED);
}

static void memory_beside_the_heap_does_not_fill_it(void **state)
{
	struct ceiling_inputs in = node(200 * MIB);
	struct ceilings c;

	(void)state;
	in.heap_limit_bytes = 150 * MIB;
	in.native_bytes = 158 * MIB;
	c = find(&in);
	assert_int_equal(c.nr, 1);
	assert_int_equal(c.used_bytes, 50 * MIB);
}

static void passed_estimates_are_left_out(void **state)
{
	struct ceiling_inputs in = node(200 * MIB);

	(void)state;
	in.heap_limit_bytes = 100 * MIB;
	in.memory_ceiling_bytes = 120 * MIB;
	in.supervisor_ceiling_bytes = 150 * MIB;
	in.cgroup_limit_bytes = 180 * MIB; /* shrunk below its use: still the limit */
	assert_int_equal(find(&in).nr, 1);
	assert_int_equal(find(&in).all[0].source, CEILING_CGROUP);
}

static void what_earlier_lives_showed_beats_the_formula(void **state)
{
	struct ceiling_inputs in = node(50 * MIB);
	struct ceilings c;

	(void)state;
	in.heap_limit_bytes = 100 * MIB;
	in.memory_ceiling_bytes = 116 * MIB;
	c = find(&in);
	assert_int_equal(c.nr, 1);
	assert_int_equal(c.all[0].source, CEILING_PREVIOUS_LIFE);
	assert_true(ceiling_is_heap(&c, 0));
	in.memory_ceiling_bytes = 500 * MIB; /* of another configuration */
	c = find(&in);
	assert_int_equal(c.nr, 2);
	assert_int_equal(c.all[0].source, CEILING_HEAP_FLAG);
}

static void lives_that_ended_at_the_limit_show_just_that(void **state)
{
	struct ceiling_inputs in = node(50 * MIB);

	(void)state;
	in.runtime = RUNTIME_PYTHON;
	in.cgroup_limit_bytes = 300 * MIB;
	in.memory_ceiling_bytes = 292 * MIB;
	assert_int_equal(find(&in).nr, 1);
	assert_int_equal(find(&in).all[0].source, CEILING_CGROUP);
}

static void supervisor_compares_rss(void **state)
{
	struct ceiling_inputs in = node(90 * MIB);
	struct ceilings c;

	(void)state;
	in.supervisor_limit_bytes = 150 * MIB;
	in.supervisor_ceiling_bytes = 300 * MIB;
	in.file_bytes = 40 * MIB;
	c = find(&in);
	assert_int_equal(c.all[0].source, CEILING_SUPERVISOR_CONFIG);
	assert_int_equal(c.all[0].bytes, 110 * MIB);
	in.supervisor_limit_bytes = 0;
	c = find(&in);
	assert_int_equal(c.all[0].source, CEILING_SUPERVISOR_OBSERVED);
	assert_int_equal(c.all[0].bytes, 300 * MIB);
}

static void java_fills_its_heap_anyway_and_go_has_no_limit(void **state)
{
	struct ceiling_inputs in = node(50 * MIB);

	(void)state;
	in.runtime = RUNTIME_JVM;
	in.heap_limit_bytes = 64 * MIB;
	assert_true(find(&in).heap_fills_anyway);
	assert_near(find(&in).all[0].bytes, 78, 3); /* measured: 75 to 78 */
	in.runtime = RUNTIME_GO;
	assert_int_equal(find(&in).nr, 0);
}

static void all_ceilings_at_once_fit(void **state)
{
	struct ceiling_inputs in = node(50 * MIB);

	(void)state;
	in.heap_limit_bytes = 1000 * MIB;
	in.cgroup_limit_bytes = 800 * MIB;
	in.memory_ceiling_bytes = 300 * MIB;
	in.supervisor_limit_bytes = 200 * MIB;
	in.supervisor_ceiling_bytes = 180 * MIB;
	assert_int_equal(find(&in).nr, 4);
	for (uint32_t i = 1; i < find(&in).nr; i++)
		assert_true(find(&in).all[i].bytes > find(&in).all[i - 1].bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_heap_is_what_v8_says),
		cmocka_unit_test(flag_is_turned_into_the_memory_processes_died_with),
		cmocka_unit_test(nearest_comes_first),
		cmocka_unit_test(small_container_ends_before_its_heap_does),
		cmocka_unit_test(old_node_does_not_see_a_v2_limit),
		cmocka_unit_test(memory_beside_the_heap_does_not_fill_it),
		cmocka_unit_test(passed_estimates_are_left_out),
		cmocka_unit_test(what_earlier_lives_showed_beats_the_formula),
		cmocka_unit_test(lives_that_ended_at_the_limit_show_just_that),
		cmocka_unit_test(supervisor_compares_rss),
		cmocka_unit_test(java_fills_its_heap_anyway_and_go_has_no_limit),
		cmocka_unit_test(all_ceilings_at_once_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
