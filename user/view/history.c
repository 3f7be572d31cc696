/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * history.c - see history.h. Who and what is known, and for how long. Tables of pointers, so that what a caller
 * holds stays where it is until it leaves its table.
 */
#include "view/history_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define MAX_MEMORIES  768
#define MAX_ANCESTORS 16

#define MEMORY_WORTH_KEEPING  (4 * MIB)
#define MEMORY_STEPS_PER_TICK 8 /* what kills between two ticks shall be seen to grow */
#define DEFAULT_TICK_NS	      NSEC_PER_SEC

/* Who has a number now. */
struct holder {
	uint32_t tgid;
	uint32_t place; /* in processes */
};

struct cgroup_entry {
	struct cgroup_id id;
	uint32_t place;
};

struct history *history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	if (!h)
		return NULL;
	h->tick_ns = DEFAULT_TICK_NS;
	hash_table_init(&h->holders, sizeof(struct holder), sizeof(uint32_t),
			HISTORY_MAX_PROCESSES);
	hash_table_init(&h->cgroup_places, sizeof(struct cgroup_entry), sizeof(struct cgroup_id),
			HISTORY_MAX_CGROUPS);
	return h;
}

static void series_drop(struct series *s)
{
	if (s)
		series_free(s);
	free(s);
}

static void free_process(struct history_process *p)
{
	if (!p)
		return;
	series_drop(p->memory);
	free(p->forecasts);
	free(p);
}

void history_free(struct history *h)
{
	if (!h)
		return;
	for (uint32_t i = 0; i < h->nr_places; i++)
		free_process(h->processes[i]);
	for (uint32_t i = 0; i < h->nr_flows; i++) {
		series_free(&h->flows[i]->series);
		free(h->flows[i]);
	}
	for (uint32_t i = 0; i < h->nr_cgroups; i++) {
		series_drop(h->cgroups[i]->reclaim);
		free(h->cgroups[i]);
	}
	hash_table_free(&h->holders);
	hash_table_free(&h->cgroup_places);
	free(h);
}

struct series *history_series_make(uint16_t nr_gauges, uint16_t nr_counts, uint64_t step_ns,
				   uint64_t phase_ns)
{
	struct series_shape shape = {nr_gauges, nr_counts, step_ns, phase_ns};
	struct series *s = malloc(sizeof(*s));

	if (s)
		series_init(s, &shape);
	return s;
}

/* Processes ----------------------------------------------------------------------------------- */

struct history_process *history_holder_of(const struct history *h, uint32_t tgid)
{
	const struct holder *holder = hash_table_find(&h->holders, &tgid);

	return holder ? h->processes[holder->place] : NULL;
}

/* It leaves its table, and the number it had, if it has that still. */
static void forget_process(struct history *h, uint32_t place)
{
	struct history_process *p = h->processes[place];
	struct holder *holder = hash_table_find(&h->holders, &p->id.tgid);

	if (holder && holder->place == place)
		hash_table_remove(&h->holders, &p->id.tgid);
	if (p->memory)
		h->nr_memories--;
	free_process(p);
	h->processes[place] = NULL;
	h->nr_processes--;
}

/* All dead ones nobody will ask for: those without a memory. */
static void forget_dead(struct history *h)
{
	for (uint32_t i = 0; i < h->nr_places; i++)
		if (h->processes[i] && h->processes[i]->exit_ns && !h->processes[i]->memory)
			forget_process(h, i);
}

static uint32_t free_place(struct history *h)
{
	if (h->nr_places < HISTORY_MAX_PROCESSES)
		return h->nr_places;
	for (uint32_t i = 0; i < HISTORY_MAX_PROCESSES; i++)
		if (!h->processes[i])
			return i;
	return HISTORY_MAX_PROCESSES;
}

struct history_process *history_add_process(struct history *h, const struct proc_id *id)
{
	struct history_process *p;
	struct holder *holder;
	uint32_t place;

	if (h->nr_processes == HISTORY_MAX_PROCESSES)
		forget_dead(h);
	place = free_place(h);
	p = place < HISTORY_MAX_PROCESSES ? calloc(1, sizeof(*p)) : NULL;
	holder = p ? hash_table_insert(&h->holders, &id->tgid) : NULL;
	if (!holder) {
		free(p);
		h->refused++;
		return NULL;
	}
	holder->place = place;
	p->id = *id;
	p->first_ns = h->now_ns;
	h->processes[place] = p;
	h->nr_processes++;
	if (place == h->nr_places)
		h->nr_places++;
	return p;
}

struct history_process *history_process_of(struct history *h, const struct proc_id *id)
{
	struct history_process *p = id->tgid ? history_holder_of(h, id->tgid) : NULL;

	if (!id->tgid)
		return NULL;
	if (p && (p->id.start_ns == id->start_ns || !id->start_ns))
		return p;
	if (p && !p->id.start_ns) {
		p->id.start_ns = id->start_ns;
		return p;
	}
	return history_add_process(h, id);
}

/* The memory of whoever is dead for longest makes room. */
static bool make_room_for_memory(struct history *h)
{
	struct history_process *oldest = NULL;

	if (h->nr_memories < MAX_MEMORIES)
		return true;
	for (uint32_t i = 0; i < h->nr_places; i++) {
		struct history_process *p = h->processes[i];

		if (p && p->memory && p->exit_ns && (!oldest || p->exit_ns < oldest->exit_ns))
			oldest = p;
	}
	if (!oldest)
		return false;
	series_drop(oldest->memory);
	oldest->memory = NULL;
	h->nr_memories--;
	return true;
}

static struct series *memory_of(struct history *h, struct history_process *p)
{
	if (p->memory || (p->anon_bytes < MEMORY_WORTH_KEEPING && !p->serves))
		return p->memory;
	if (!make_room_for_memory(h)) {
		h->refused++;
		return NULL;
	}
	p->memory = history_series_make(NR_MEMORY_GAUGES, 0, h->tick_ns / MEMORY_STEPS_PER_TICK, 0);
	if (p->memory)
		h->nr_memories++;
	return p->memory;
}

void history_note_memory(struct history *h, struct history_process *p, uint64_t ts_ns,
			 bool with_usage)
{
	struct series *memory = memory_of(h, p);

	if (!memory)
		return;
	series_set(memory, ts_ns, MEMORY_ANON, (double)p->anon_bytes);
	series_set(memory, ts_ns, MEMORY_RSS,
		   (double)p->anon_bytes + (double)p->file_bytes + (double)p->shmem_bytes);
	if (with_usage)
		series_set(memory, ts_ns, MEMORY_USAGE, (double)p->usage_bytes);
}

struct history_process *history_find(const struct history *h, uint32_t tgid, uint64_t ts_ns)
{
	struct history_process *best = history_holder_of(h, tgid);

	if (best && best->first_ns <= ts_ns)
		return best;
	for (uint32_t i = 0; i < h->nr_places; i++) {
		struct history_process *p = h->processes[i];

		if (p && p->id.tgid == tgid && p->first_ns <= ts_ns &&
		    (!best || best->first_ns > ts_ns || p->first_ns > best->first_ns))
			best = p;
	}
	return best;
}

struct proc_id history_program(const struct history *h, const struct history_process *p)
{
	for (int i = 0; i < MAX_ANCESTORS; i++) {
		const struct history_process *parent = history_holder_of(h, p->parent_tgid);

		if (!parent || parent == p || !*p->comm || strcmp(parent->comm, p->comm) != 0)
			break;
		p = parent;
	}
	return p->id;
}

/* Cgroups ------------------------------------------------------------------------------------- */

/* Of the table, which compares its padding, too. */
static void make_key(struct cgroup_id *key, const struct cgroup_id *id)
{
	memset(key, 0, sizeof(*key));
	key->id = id->id;
	key->hierarchy = id->hierarchy;
}

struct history_cgroup *history_find_cgroup(const struct history *h, const struct cgroup_id *id)
{
	struct cgroup_id key;
	const struct cgroup_entry *entry;

	make_key(&key, id);
	entry = hash_table_find(&h->cgroup_places, &key);
	return entry ? h->cgroups[entry->place] : NULL;
}

struct history_cgroup *history_cgroup_of(struct history *h, const struct cgroup_id *id)
{
	struct history_cgroup *c = id->id ? history_find_cgroup(h, id) : NULL;
	struct cgroup_entry *entry;
	struct cgroup_id key;

	if (c || !id->id)
		return c;
	make_key(&key, id);
	c = h->nr_cgroups < HISTORY_MAX_CGROUPS ? calloc(1, sizeof(*c)) : NULL;
	entry = c ? hash_table_insert(&h->cgroup_places, &key) : NULL;
	if (!entry) {
		free(c);
		h->refused++;
		return NULL;
	}
	c->id = key;
	entry->place = h->nr_cgroups;
	h->cgroups[h->nr_cgroups++] = c;
	return c;
}

/* Reading ------------------------------------------------------------------------------------- */

int64_t history_wall_offset(const struct history *h)
{
	return h->wall_offset_ns;
}

void history_set_wall_offset(struct history *h, int64_t offset_ns)
{
	h->wall_offset_ns = offset_ns;
}

uint64_t history_now(const struct history *h)
{
	return h->now_ns;
}

bool history_has_records(const struct history *h)
{
	return h->has_records;
}

uint64_t history_refused(const struct history *h)
{
	return h->refused;
}

struct history_process *history_next_process(const struct history *h, uint32_t *cursor)
{
	while (*cursor < h->nr_places) {
		struct history_process *p = h->processes[(*cursor)++];

		if (p)
			return p;
	}
	return NULL;
}

size_t history_bytes(const struct history *h)
{
	size_t bytes = sizeof(*h);

	for (uint32_t i = 0; i < h->nr_places; i++)
		if (h->processes[i])
			bytes += sizeof(*h->processes[i]) +
				 (h->processes[i]->memory ? series_bytes(h->processes[i]->memory)
							  : 0);
	for (uint32_t i = 0; i < h->nr_flows; i++)
		bytes += sizeof(*h->flows[i]) + series_bytes(&h->flows[i]->series);
	for (uint32_t i = 0; i < h->nr_cgroups; i++)
		bytes += sizeof(*h->cgroups[i]) +
			 (h->cgroups[i]->reclaim ? series_bytes(h->cgroups[i]->reclaim) : 0);
	return bytes;
}
