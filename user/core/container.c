/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* container.c - see container.h. */
#include "core/container.h"

#include <string.h>

#include "base/units.h"
#include "model/cgroup_path.h"
#include "model/text.h"

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

static void unlink_entry(struct containers *t, uint16_t index)
{
	uint16_t *link = &t->heads[head_of(&t->all[index].id)];

	while (*link != index)
		link = &t->all[*link].next;
	*link = t->all[index].next;
}

static void free_entry(struct containers *t, uint16_t index)
{
	unlink_entry(t, index);
	memset(&t->all[index], 0, sizeof(t->all[index]));
	t->all[index].next = t->free_list;
	t->free_list = index;
}

/* The unreferenced one unused for longest; false if there is none. */
static bool evict(struct containers *t)
{
	uint16_t victim = 0;

	for (uint16_t i = 1; i <= t->nr; i++) {
		if (!t->all[i].refs && (!victim || t->all[i].used_ns < t->all[victim].used_ns))
			victim = i;
	}
	if (victim)
		free_entry(t, victim);
	return victim != 0;
}

/* 0: there is no room. */
static uint16_t take_entry(struct containers *t)
{
	uint16_t index;

	if (!t->free_list && t->nr < CONTAINER_MAX)
		return ++t->nr;
	if (!t->free_list && !evict(t)) {
		t->refused++;
		return 0;
	}
	index = t->free_list;
	t->free_list = t->all[index].next;
	return index;
}

uint16_t container_get(struct containers *t, const struct cgroup_id *id, uint64_t now_ns)
{
	uint16_t i = container_find(t, id);
	uint16_t *head = &t->heads[head_of(id)];

	if (!i && id->id) {
		i = take_entry(t);
		if (!i)
			return 0;
		memset(&t->all[i], 0, sizeof(t->all[i]));
		t->all[i].id = *id;
		t->all[i].next = *head;
		*head = i;
	}
	if (i)
		t->all[i].used_ns = now_ns;
	return i;
}

void container_put(struct containers *t, uint16_t index)
{
	struct container *c = &t->all[index];

	if (index && !--c->refs && c->removed)
		free_entry(t, index);
}

void container_remove(struct containers *t, const struct cgroup_id *id)
{
	uint16_t index = container_find(t, id);

	if (!index)
		return;
	t->all[index].removed = true;
	if (!t->all[index].refs)
		free_entry(t, index);
}

/* Whose it is ---------------------------------------------------------------------------------- */

static void take_text(char *out, size_t size, const char *news)
{
	if (*news)
		text_copy(out, size, news, size);
}

static bool is_of(const struct container *c, uint16_t node, const char *id)
{
	return c->is_hosts && c->id.node == node &&
	       strncmp(c->workload.container_id, id, WORKLOAD_ID_LEN) == 0;
}

/* All that another cgroup of the same container is known to be, but for the unit: each has its own. */
static void copy_names(struct workload *w, const struct workload *same)
{
	char unit[WORKLOAD_UNIT_LEN];

	memcpy(unit, w->systemd_unit, sizeof(unit));
	*w = *same;
	memcpy(w->systemd_unit, unit, sizeof(unit));
}

void container_set_path(struct containers *t, uint16_t index, const char *path, size_t path_size)
{
	struct container *c = &t->all[index];

	text_copy(c->path, sizeof(c->path), path, path_size);
	c->is_hosts = cgroup_path_parse(c->path, &c->workload);
	for (uint16_t i = 1; i <= t->nr && c->is_hosts; i++) {
		if (i == index || !is_of(&t->all[i], c->id.node, c->workload.container_id))
			continue;
		copy_names(&c->workload, &t->all[i].workload);
		return;
	}
}

static void tell_one(struct workload *w, const struct record_container *told)
{
	if (told->runtime && told->runtime < NR_CONTAINER_RUNTIMES)
		w->runtime = told->runtime;
	take_text(w->container_name, sizeof(w->container_name), told->name);
	take_text(w->image, sizeof(w->image), told->image);
	take_text(w->pod_name, sizeof(w->pod_name), told->pod_name);
	take_text(w->pod_namespace, sizeof(w->pod_namespace), told->pod_namespace);
	if (!*w->pod_uid)
		take_text(w->pod_uid, sizeof(w->pod_uid), told->pod_uid);
}

void container_tell(struct containers *t, uint16_t node, const struct record_container *told)
{
	for (uint16_t i = 1; i <= t->nr; i++)
		if (is_of(&t->all[i], node, told->id))
			tell_one(&t->all[i].workload, told);
}

/* What happened there -------------------------------------------------------------------------- */

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
