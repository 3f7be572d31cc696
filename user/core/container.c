/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* container.c - see container.h. */
#include "core/container.h"

#include <string.h>

#include "base/units.h"

static uint32_t head_of(const struct cgroup_id *id)
{
	return hash_u64(id->id ^ (uint64_t)id->hierarchy << 48) % CONTAINER_HEADS;
}

uint16_t container_find(const struct containers *t, const struct cgroup_id *id)
{
	uint16_t i = t->heads[head_of(id)];

	while (i && !cgroup_id_equal(&t->all[i].id, id))
		i = t->all[i].next;
	return i;
}

/* The unreferenced one unused for longest, out of its chain; 0 if there is none. */
static uint16_t evict(struct containers *t)
{
	uint16_t victim = 0;
	uint16_t *link;

	for (uint16_t i = 1; i <= t->nr; i++) {
		if (!t->all[i].refs && (!victim || t->all[i].used_ns < t->all[victim].used_ns))
			victim = i;
	}
	if (!victim)
		return 0;
	link = &t->heads[head_of(&t->all[victim].id)];
	while (*link != victim)
		link = &t->all[*link].next;
	*link = t->all[victim].next;
	return victim;
}

uint16_t container_get(struct containers *t, const struct cgroup_id *id, uint64_t now_ns)
{
	uint16_t i = container_find(t, id);
	uint16_t *head = &t->heads[head_of(id)];

	if (!i && id->id) {
		i = t->nr < CONTAINER_MAX ? ++t->nr : evict(t);
		if (!i) {
			t->refused++;
			return 0;
		}
		memset(&t->all[i], 0, sizeof(t->all[i]));
		t->all[i].id = *id;
		t->all[i].next = *head;
		*head = i;
	}
	if (i)
		t->all[i].used_ns = now_ns;
	return i;
}

/* Slices that have gone by since the newest one count nothing. */
static void advance(struct container *c, uint64_t slice)
{
	uint64_t gap = slice > c->reclaim_slice ? slice - c->reclaim_slice : 0;

	for (uint64_t i = 1; i <= min_u64(gap, RECLAIM_SLICES); i++)
		c->reclaim_ns[(c->reclaim_slice + i) % RECLAIM_SLICES] = 0;
	c->reclaim_slice += gap;
}

void container_reclaimed(struct container *c, uint64_t ns, uint64_t now_ns)
{
	uint64_t *slice;

	advance(c, now_ns / RECLAIM_SLICE_NS);
	slice = &c->reclaim_ns[c->reclaim_slice % RECLAIM_SLICES];
	*slice = add_u64(*slice, ns);
	c->reclaim_total_ns = add_u64(c->reclaim_total_ns, ns);
}

uint64_t container_reclaim_ns(struct container *c, uint64_t now_ns)
{
	uint64_t sum = 0;

	advance(c, now_ns / RECLAIM_SLICE_NS);
	for (int i = 0; i < RECLAIM_SLICES; i++)
		sum = add_u64(sum, c->reclaim_ns[i]);
	return sum;
}

static void advance_limit(struct container *c, uint64_t slice)
{
	if (slice <= c->limit_slice)
		return;
	c->limit_events[1] = slice == c->limit_slice + 1 ? c->limit_events[0] : 0;
	c->limit_events[0] = 0;
	c->limit_slice = slice;
}

void container_limit_hit(struct container *c, uint64_t count, uint64_t now_ns)
{
	advance_limit(c, now_ns / LIMIT_SLICE_NS);
	c->limit_events[0] = add_u64(c->limit_events[0], count);
}

uint64_t container_limit_events_per_s(struct container *c, uint64_t now_ns)
{
	uint64_t span_ns = LIMIT_SLICE_NS + now_ns % LIMIT_SLICE_NS;

	advance_limit(c, now_ns / LIMIT_SLICE_NS);
	return add_u64(c->limit_events[0], c->limit_events[1]) / max_u64(span_ns / NSEC_PER_SEC, 1);
}
