/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* ceiling.c - see ceiling.h. */
#include "core/ceiling.h"

#include <string.h>

#define GIB (1024 * MIB)

/*
 * V8 since 12: the old generation may have half of the memory there is, from 256 MiB to 2 GiB, or
 * to 4 GiB with 15.5 GiB and more; the young one three semi-spaces of at most 16 MiB. Measured with
 * v8.getHeapStatistics() on 20.20 in memory cgroups of 64 to 16384 MiB: 259 up to 512 MiB, 524,
 * 1048, 2096 from 4 to 15.3 GiB, 4144 MiB from 15.5 GiB on.
 */
#define V8_OLD_MIN	   (256 * MIB)
#define V8_OLD_MAX	   (2 * GIB)
#define V8_OLD_MAX_HUGE	   (4 * GIB)
#define V8_HUGE_MEMORY	   (31 * GIB / 2)
#define V8_SEMI_OF_OLD	   128
#define V8_SEMI_MAX	   (16 * MIB)
#define V8_YOUNG_SMALLEST  (3 * MIB)
#define V8_COMPUTES_SINCE  12
#define V8_FIXED_HEAP	   (1400 * MIB) /* before, on 64 bits */
#define NODE_SEES_V2_SINCE 20		/* 20.3: libuv 1.45 */

/*
 * Anonymous memory of a process that dies of a full heap, beyond its old generation: measured on
 * Node.js 20.20 as 9 (of 40) to 20 MiB (of 400), sixteen deaths of slow leaks, and on OpenJDK 17
 * with the serial collector as 14 MiB for heaps of 32 to 256 MiB.
 */
#define V8_BASE_BYTES  (8 * MIB)
#define V8_PART_OF_OLD 32
#define JVM_BASE_BYTES (14 * MIB)

/* What a process of V8 has in malloc's hands anyway counts as part of that base. */
#define NATIVE_BASE_BYTES (8 * MIB)

/* An estimate that the process has passed by this part was wrong. */
#define PASSED_PART 16
/* An observed ceiling this near to a computed one is the same, seen better. */
#define SAME_LOW  0.7
#define SAME_HIGH 1.4
/* Who died this near below the limit of its cgroup has shown nothing but that limit. */
#define AT_LIMIT 0.9

static uint64_t v8_young(uint64_t old)
{
	if (old <= V8_OLD_MIN)
		return V8_YOUNG_SMALLEST;
	return 3 * min_u64(old / V8_SEMI_OF_OLD, V8_SEMI_MAX);
}

static uint64_t v8_old(uint64_t memory)
{
	uint64_t most = memory >= V8_HUGE_MEMORY ? V8_OLD_MAX_HUGE : V8_OLD_MAX;

	return min_u64(max_u64(memory / 2, V8_OLD_MIN), most);
}

/* Memory V8 believes to have; 0 when neither is known. */
static uint64_t v8_memory(uint64_t cgroup_limit_bytes, uint64_t machine_bytes)
{
	if (!cgroup_limit_bytes || !machine_bytes)
		return max_u64(cgroup_limit_bytes, machine_bytes);
	return min_u64(cgroup_limit_bytes, machine_bytes);
}

static uint64_t v8_default_old(uint64_t memory, uint16_t version)
{
	if (!version || !memory)
		return 0;
	return version < V8_COMPUTES_SINCE ? V8_FIXED_HEAP : v8_old(memory);
}

uint64_t ceiling_v8_default(uint64_t cgroup_limit_bytes, uint64_t machine_bytes, uint16_t version)
{
	uint64_t old = v8_default_old(v8_memory(cgroup_limit_bytes, machine_bytes), version);

	return old ? old + v8_young(old) : 0;
}

uint64_t ceiling_heap_most(enum runtime_kind runtime, uint64_t heap_limit_bytes)
{
	if (!heap_limit_bytes || (runtime != RUNTIME_JVM && runtime != RUNTIME_NODEJS))
		return 0;
	/* V8 is told of its old generation only. */
	return runtime == RUNTIME_JVM ? heap_limit_bytes : heap_limit_bytes + 3 * V8_SEMI_MAX;
}

bool ceiling_is_heap(const struct ceilings *c, uint32_t i)
{
	enum ceiling_source source = c->all[i].source;

	return source == CEILING_HEAP_FLAG || source == CEILING_HEAP_COMPUTED ||
	       (source == CEILING_PREVIOUS_LIFE && c->heap_observed);
}

static uint64_t room(const struct ceilings *c, uint32_t i)
{
	return since_ns(c->all[i].bytes, c->used[i]);
}

/* Kept in order of the room left; of equals the one added first. */
static void add(struct ceilings *out, enum ceiling_source source, uint64_t bytes, uint64_t used)
{
	uint32_t i = out->nr;

	if (!bytes || out->nr == REPORT_MAX_CEILINGS)
		return;
	for (; i > 0 && room(out, i - 1) > since_ns(bytes, used); i--) {
		out->all[i] = out->all[i - 1];
		out->used[i] = out->used[i - 1];
	}
	out->all[i] = (struct report_ceiling){source, bytes};
	out->used[i] = used;
	out->nr++;
}

static void add_estimate(struct ceilings *out, enum ceiling_source source, uint64_t bytes,
			 uint64_t used)
{
	if (used <= bytes + bytes / PASSED_PART)
		add(out, source, bytes, used);
}

/* The heap limit as anonymous memory of the whole process; 0 if there is none to die at. */
static uint64_t heap_ceiling(const struct ceiling_inputs *in, enum ceiling_source *source)
{
	uint64_t seen = in->cgroup_limit_bytes;
	uint64_t old = in->heap_limit_bytes;

	*source = old ? CEILING_HEAP_FLAG : CEILING_HEAP_COMPUTED;
	if (in->runtime == RUNTIME_JVM)
		return old ? add_u64(old, JVM_BASE_BYTES) : 0;
	if (in->runtime != RUNTIME_NODEJS)
		return 0;
	if (in->cgroup_v2 && in->runtime_version < NODE_SEES_V2_SINCE)
		seen = 0;
	if (!old)
		old = v8_default_old(v8_memory(seen, in->machine_bytes), in->runtime_version);
	return old ? add_u64(old, old / V8_PART_OF_OLD + V8_BASE_BYTES) : 0;
}

static void add_heap(const struct ceiling_inputs *in, struct ceilings *out)
{
	uint64_t native = since_ns(in->native_bytes, NATIVE_BASE_BYTES);
	double observed = (double)in->memory_ceiling_bytes;
	enum ceiling_source source;
	uint64_t bytes = heap_ceiling(in, &source);

	out->heap_observed =
		observed > SAME_LOW * (double)bytes && observed < SAME_HIGH * (double)bytes;
	if (!out->heap_observed)
		add_estimate(out, source, bytes, since_ns(in->anon_bytes, native));
}

static void add_previous_life(const struct ceiling_inputs *in, struct ceilings *out)
{
	uint64_t bytes = in->memory_ceiling_bytes, limit = in->cgroup_limit_bytes;

	if (limit && (double)bytes > AT_LIMIT * (double)limit)
		return;
	add_estimate(out, CEILING_PREVIOUS_LIFE, bytes, in->anon_bytes);
}

void ceiling_find(const struct ceiling_inputs *in, struct ceilings *out)
{
	memset(out, 0, sizeof(*out));
	/* A collector that takes what it may before it collects says nothing by doing so. */
	out->heap_fills_anyway = in->runtime == RUNTIME_JVM;
	/* Page cache goes before anybody is killed, so anonymous memory is what counts. */
	add(out, CEILING_CGROUP, in->cgroup_limit_bytes,
	    max_u64(in->cgroup_anon_bytes, in->anon_bytes));
	add_heap(in, out);
	add_previous_life(in, out);
	/* Supervisors compare RSS, which counts mapped files too. */
	add(out, CEILING_SUPERVISOR_CONFIG, since_ns(in->supervisor_limit_bytes, in->file_bytes),
	    in->anon_bytes);
	if (!in->supervisor_limit_bytes)
		add_estimate(out, CEILING_SUPERVISOR_OBSERVED, in->supervisor_ceiling_bytes,
			     in->anon_bytes);
	out->used_bytes = out->used[0];
}
