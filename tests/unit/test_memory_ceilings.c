/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_memory_ceilings.c - every table filled beyond its limit takes no more than it says. Bytes are
 * counted by the sanitizer's allocator, and its hooks see the peak in between.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "base/hash_table.h"
#include "core/state.h"
#include "sink/json_lines.h"
#include "sink/metrics.h"
#include "sink/record_file.h"
#include "source/batch.h"
#include "source/decode.h"
#include "source/flow_table.h"
#include "source/map_memory.h"
#include "source/processes.h"
#include "scratch.h"
#include "source/self.h"

/* Of sanitizer/allocator_interface.h, which gcc does not bring. */
size_t __sanitizer_get_allocated_size(const volatile void *block);
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
					      void (*on_free)(const volatile void *));

static size_t in_use, peak;
static struct host_files no_files = {.fd = -1};

static void on_malloc(const volatile void *block, size_t size)
{
	(void)block;
	in_use += size;
	if (in_use > peak)
		peak = in_use;
}

static void on_free(const volatile void *block)
{
	in_use -= block ? __sanitizer_get_allocated_size(block) : 0;
}

/* From here on `in_use` and `peak` count what is allocated and not freed. */
static void count_from_here(void)
{
	in_use = peak = 0;
}

/* Tables of the base --------------------------------------------------------------------------- */

struct entry {
	uint64_t key;
	uint8_t value[120];
};

static void hash_table_at_its_limit(void **state)
{
	static const uint32_t limits[] = {1, 33, 1024, 8192, 16384, 20000};

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		size_t ceiling = hash_table_memory_ceiling(sizeof(struct entry), limits[i]);
		struct hash_table table;

		count_from_here();
		hash_table_init(&table, sizeof(struct entry), sizeof(uint64_t), limits[i]);
		for (uint64_t key = 1; key < 2 * limits[i] + 10; key++)
			hash_table_insert(&table, &key);
		assert_int_equal(table.nr, limits[i]);
		assert_in_range(in_use, limits[i] * sizeof(struct entry), ceiling);
		hash_table_free(&table);
		assert_int_equal(in_use, 0);
	}
}

/* Source --------------------------------------------------------------------------------------- */

static void processes_beyond_the_limit(void **state)
{
	struct processes processes;
	struct executables executables;
	struct cgroups cgroups;
	struct batch batch = {0};
	struct wire_task task = {.head = {.kind = WIRE_TASK, .size = sizeof(task)}};
	static const struct bpf_program *const no_programs[NR_V8_FATAL_KINDS];

	(void)state;
	executables_init(&executables, no_programs, NULL, NULL);
	cgroups_init(&cgroups, &no_files);
	processes_init(&processes, &executables, &cgroups, 0);
	processes.defer_rest = true;
	count_from_here();
	for (uint32_t i = 1; i < PROCESSES_MAX + 5000; i++) {
		task.proc.tgid = i;
		task.proc.start_ns = task.head.ts_ns = i;
		processes_sample(&processes, &task, &batch);
		if (i % 64 == 0)
			batch_free(&batch);
	}
	batch_free(&batch);
	assert_in_range(in_use, PROCESSES_MAX * 64, processes_memory_ceiling());
	processes_free(&processes);
	assert_int_equal(in_use, 0);
	cgroups_free(&cgroups);
	executables_free(&executables);
}

static void ignore_record(void *arg, const struct record *record)
{
	(void)arg;
	(void)record;
}

static void fill_batch(struct batch *batch, enum record_kind kind, bool large)
{
	struct record record;

	record_init(&record, kind, 1);
	if (large)
		memset(&record.flow, 0xff, sizeof(record.flow));
	while (!batch->dropped) {
		record.ts_ns = (record.ts_ns * 1103515245 + 12345) % 1000000007;
		batch_add(batch, &record);
	}
}

static void batch_of_many_records_and_of_large_ones(void **state)
{
	(void)state;
	for (int large = 0; large < 2; large++) {
		struct batch batch = {0};

		count_from_here();
		fill_batch(&batch, large ? RECORD_FLOW : RECORD_TICK, large);
		assert_in_range(in_use, batch_memory_ceiling() / 2, batch_memory_ceiling());
		peak = in_use; /* sorting takes its own */
		batch_emit(&batch, ignore_record, NULL);
		assert_true(peak <= batch_memory_ceiling());
		batch_free(&batch);
		assert_int_equal(in_use, 0);
	}
}

/* Sink ----------------------------------------------------------------------------------------- */

static void outputs_take_what_they_say(void **state)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct sink *sink;
	struct record_file *file;
	char error[256];

	(void)state;
	count_from_here();
	sink = json_lines_new(fd, false);
	assert_in_range(in_use, 1, json_lines_memory_ceiling());
	sink->ops->free(sink);
	assert_int_equal(in_use, 0);
	assert_int_equal(record_file_open(scratch_file, &file, error, sizeof(error)), 0);
	assert_in_range(in_use, 1, record_file_memory_ceiling());
	record_file_free(file);
	assert_int_equal(in_use, 0);
}

static void metrics_take_what_they_say(void **state)
{
	struct metrics *m;

	(void)state;
	count_from_here();
	m = metrics_new();
	assert_non_null(m);
	for (uint64_t round = 1; round <= 3; round++) {
		struct overview_sink sink = metrics_look_begin(m, round * NSEC_PER_SEC);

		for (uint32_t i = 1; i <= 5000; i++) {
			struct report_proc proc = {.id = {i, i}, .comm = "x", .memcg = {i, 0}};
			struct overview_listener l = {
				.local.port = (uint16_t)i, .up = true, .proc = proc};
			struct overview_death d = {
				.local = l.local, .ts_ns = NSEC_PER_SEC, .proc = proc};
			struct overview_leg leg = {.gateway = {proc, "nginx", 1},
						   .upstream = l.local};
			struct overview_gateway g = {.gateway = leg.gateway};
			struct overview_process p = {.proc = proc, .bound = l.local};

			l.bound = l.local;
			snprintf(g.gateway.proc.service_name, sizeof(g.gateway.proc.service_name),
				 "g%u", i);
			sink.process(sink.arg, &p);
			sink.leg(sink.arg, &leg);
			sink.gateway(sink.arg, &g);
			sink.listener(sink.arg, &l);
			sink.death(sink.arg, &d);
		}
		metrics_look_end(m);
	}
	assert_in_range(in_use, metrics_memory_ceiling() / 2, metrics_memory_ceiling());
	metrics_free(m);
	assert_int_equal(in_use, 0);
}

/* Core ----------------------------------------------------------------------------------------- */

static void ignore_report(void *arg, const struct report *report)
{
	++*(uint64_t *)arg;
	(void)report;
}

static void feed(struct core *core, enum record_kind kind, uint32_t i, uint64_t now_ns)
{
	struct proc_id proc = {.tgid = 1 + i, .start_ns = 1 + i};
	struct record r;

	record_init(&r, kind, now_ns);
	switch (kind) {
	case RECORD_PROC:
		r.proc.proc = proc;
		r.proc.parent.tgid = i / 2;
		r.proc.memcg.id = 1 + i;
		snprintf(r.proc.comm, sizeof(r.proc.comm), "p%u", i);
		break;
	case RECORD_EXE:
		r.exe.proc = proc;
		snprintf(r.exe.path, sizeof(r.exe.path), "/x/%u", i);
		break;
	case RECORD_CGROUP:
		r.cgroup.memcg.id = 1 + i;
		snprintf(r.cgroup.path, sizeof(r.cgroup.path), "/c/%u", i);
		break;
	case RECORD_TASK:
		r.task.proc = proc;
		r.task.anon_bytes = (64 + now_ns / NSEC_PER_SEC) * MIB;
		break;
	case RECORD_LISTENER:
		r.listener.owner = proc;
		r.listener.local.port = (uint16_t)(1 + i);
		r.listener.state = LISTENER_UP;
		break;
	case RECORD_FLOW:
		r.flow.proc = proc;
		r.flow.role = (i + now_ns / NSEC_PER_SEC) % 2 ? FLOW_SERVER : FLOW_CLIENT;
		r.flow.endpoint.port = (uint16_t)(1 + i * 7);
		r.flow.requests = r.flow.responses = 10;
		r.flow.fail[FLOW_FAIL_REFUSED] = i % 3;
		r.flow.fail_mark[FLOW_FAIL_REFUSED] = (struct flow_mark){now_ns, now_ns};
		break;
	case RECORD_EXIT:
		r.exit.proc = proc;
		r.exit.status = 9;
		break;
	default:
		break;
	}
	core_feed(core, &r);
}

static void core_never_allocates_whatever_comes(void **state)
{
	static const enum record_kind kinds[] = {RECORD_PROC, RECORD_EXE,      RECORD_CGROUP,
						 RECORD_TASK, RECORD_LISTENER, RECORD_FLOW};
	const uint32_t many = PROCTAB_SIZE + 2000;
	struct core_options options = {0};
	uint64_t reports = 0;
	struct core *core;

	(void)state;
	count_from_here();
	core = core_new(&options, ignore_report, &reports);
	assert_int_equal(in_use, core_memory_ceiling());
	feed(core, RECORD_HEADER, 0, 1);
	for (uint64_t second = 1; second < 6; second++) {
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			for (uint32_t i = 0; i < many; i++)
				feed(core, kinds[k], i, second * NSEC_PER_SEC);
		for (uint32_t i = 0; second == 4 && i < many; i++)
			feed(core, RECORD_EXIT, i, second * NSEC_PER_SEC);
		feed(core, RECORD_TICK, 0, second * NSEC_PER_SEC);
	}
	feed(core, RECORD_STOP, 0, 7 * NSEC_PER_SEC);
	/* the limits were met */
	assert_true(core->procs.refused && core->exes.refused && core->containers.refused);
	assert_true(core->growths.refused && core->traffics.refused && core->services.refused);
	assert_true(core->gateways.refused && core->deaths.lost);
	assert_true(reports > 100);
	assert_int_equal(in_use, core_memory_ceiling());
	assert_int_equal(peak, core_memory_ceiling());
	core_free(core);
}

static void rows_of_the_core_add_up_to_its_ceiling(void **state)
{
	struct memory_row rows[CORE_MEMORY_ROWS];
	size_t nr = core_memory(rows);

	(void)state;
	assert_in_range(nr, 5, CORE_MEMORY_ROWS);
	assert_int_equal(memory_rows_sum(rows, nr), core_memory_ceiling());
	for (size_t i = 0; i < nr; i++)
		assert_true(rows[i].bytes && rows[i].name);
	/* no large table hides in the rest */
	assert_true(rows[nr - 1].bytes < 64 * 1024);
}

/* Maps ----------------------------------------------------------------------------------------- */

static uint64_t bytes_of(struct map_size size, uint32_t nr_cpus)
{
	struct host_map map = {0};

	map_memory_of(&size, nr_cpus, 4096, &map);
	return map.bytes;
}

/* What kernel 6.18 charged for maps of these sizes, on 2 CPUs. */
static void maps_take_at_least_what_the_kernel_charges(void **state)
{
	static const struct {
		struct map_size size;
		uint64_t charged;
	} seen[] = {
		{{BPF_MAP_TYPE_HASH, 0, 48, 4, 4096}, 492640},
		{{BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, 4, 640, 8192}, 5246976},
		{{BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, 4, 16392, 1}, 24576},
		{{BPF_MAP_TYPE_QUEUE, 0, 0, 4, 4096}, 16700},
		{{BPF_MAP_TYPE_RINGBUF, 0, 0, 0, 1048576}, 1065288},
		{{BPF_MAP_TYPE_RINGBUF, 0, 0, 0, 262144}, 275784},
		{{BPF_MAP_TYPE_PERCPU_HASH, 0, 16, 32, 1024}, 156544},
		{{BPF_MAP_TYPE_PERCPU_ARRAY, 0, 4, 1120, 1}, 2560},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++) {
		uint64_t bytes = bytes_of(seen[i].size, 2);

		assert_true(bytes >= seen[i].charged);
		assert_true(bytes <= seen[i].charged + seen[i].charged / 20 + 4096);
	}
}

static void maps_grow_with_cpus_and_storage_is_per_owner(void **state)
{
	struct map_size size = {BPF_MAP_TYPE_PERCPU_HASH, 0, 16, 32, 1024};
	struct host_map map = {0};

	(void)state;
	assert_true(bytes_of(size, 64) >= bytes_of(size, 2) + 1024 * 32 * 62);
	size = (struct map_size){BPF_MAP_TYPE_SK_STORAGE, 0, 4, 136, 0};
	map_memory_of(&size, 2, 4096, &map);
	assert_string_equal(map.each, "socket");
	assert_in_range(map.each_bytes, 136, 1024);
}

/* On any number of CPUs: a slot and the page it begins in, and not much more. */
static void window_over_the_flows_holds_a_slot(void **state)
{
	static const uint32_t cpus[] = {1, 2, 3, 64, 128, 1024, 4096};

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		size_t slot = cpus[i] * sizeof(struct wire_flow_stats);

		assert_in_range(flow_table_window_bytes(cpus[i], 128), slot + 4096,
				slot + 128 * 1024);
	}
}

static void mapped_program_is_counted(void **state)
{
	(void)state;
	assert_in_range(self_program_bytes(), 1 << 20, 1 << 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_table_at_its_limit),
		cmocka_unit_test(processes_beyond_the_limit),
		cmocka_unit_test(batch_of_many_records_and_of_large_ones),
		cmocka_unit_test(outputs_take_what_they_say),
		cmocka_unit_test(metrics_take_what_they_say),
		cmocka_unit_test(core_never_allocates_whatever_comes),
		cmocka_unit_test(rows_of_the_core_add_up_to_its_ceiling),
		cmocka_unit_test(maps_take_at_least_what_the_kernel_charges),
		cmocka_unit_test(maps_grow_with_cpus_and_storage_is_per_owner),
		cmocka_unit_test(window_over_the_flows_holds_a_slot),
		cmocka_unit_test(mapped_program_is_counted),
	};

	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
