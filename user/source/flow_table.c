/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* flow_table.c - see flow_table.h. */
#include "source/flow_table.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/decode.h"
#include "source/flow_delta.h"

#define MESSAGE_BYTES 16384
#define NS_PER_S      1000000000ULL
#define IDLE_NS	      (60 * NS_PER_S)
/* Between deleting the key and reuse: far longer than any program runs. */
#define QUARANTINE_NS (2 * NS_PER_S)
#define BATCH_KEYS    64U
/* Of the counters so much is mapped at a time: each page of a mapping is resident, used or not. */
#define WINDOW_BYTES (64U << 10)
/* Before each block, and to round it up. */
#define MALLOC_OVERHEAD 16U

struct flow {
	struct wire_flow_key key;
	struct flow_told told;
	uint64_t moved_ns;    /* when a counter last moved */
	uint64_t unlinked_ns; /* when its key was deleted; 0: in use */
};

static size_t slot_bytes(uint32_t nr_cpus)
{
	return nr_cpus * sizeof(struct wire_flow_stats);
}

static size_t whole_pages(size_t bytes)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* A slot may begin and end amid a page. */
size_t flow_table_window_bytes(uint32_t nr_cpus, uint32_t nr_slots)
{
	size_t bytes = whole_pages(slot_bytes(nr_cpus)) + whole_pages(1);
	size_t all = whole_pages(slot_bytes(nr_cpus) * nr_slots);

	bytes = bytes > WINDOW_BYTES ? bytes : whole_pages(WINDOW_BYTES);
	return bytes < all ? bytes : all;
}

static void unmap_window(struct flow_table *table)
{
	if (table->window)
		munmap(table->window, table->window_bytes);
	table->window = NULL;
}

static int move_window(struct flow_table *table, size_t offset)
{
	size_t all = whole_pages(slot_bytes(table->nr_cpus) * table->nr_slots);
	size_t begin = offset - offset % whole_pages(1);
	void *window;

	if (begin > all - table->window_bytes)
		begin = all - table->window_bytes;
	unmap_window(table);
	window = mmap(NULL, table->window_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      table->maps.stats_fd, (off_t)begin);
	if (window == MAP_FAILED)
		return -errno;
	table->window = window;
	table->window_begin = begin;
	return 0;
}

/* Valid until the rows of another slot are asked for. NULL without memory: it is tried again next time. */
static struct wire_flow_stats *rows_of(struct flow_table *table, uint32_t slot)
{
	size_t bytes = slot_bytes(table->nr_cpus), offset = slot * bytes;

	if ((!table->window || offset < table->window_begin ||
	     offset + bytes > table->window_begin + table->window_bytes) &&
	    move_window(table, offset))
		return NULL;
	return (struct wire_flow_stats *)(table->window + (offset - table->window_begin));
}

static int push_free(const struct flow_table *table, uint32_t slot)
{
	bool backend = slot >= table->nr_slots - table->nr_slots / FLOW_BACKEND_SHARE;

	return bpf_map_update_elem(backend ? table->maps.free_backends_fd
					   : table->maps.free_slots_fd,
				   NULL, &slot, BPF_ANY);
}

int flow_table_init(struct flow_table *table, const struct flow_maps *maps, uint32_t nr_cpus,
		    uint32_t nr_slots)
{
	int err;

	memset(table, 0, sizeof(*table));
	table->maps = *maps;
	table->nr_cpus = nr_cpus;
	table->nr_slots = nr_slots;
	table->window_bytes = flow_table_window_bytes(nr_cpus, nr_slots);
	err = move_window(table, 0);
	if (err)
		return err;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
	table->flows = calloc(nr_slots, sizeof(*table->flows));
	if (!table->flows)
		return -ENOMEM;
	for (uint32_t slot = WIRE_FLOW_OVERFLOW_SLOT + 1; slot < nr_slots && !err; slot++)
		err = push_free(table, slot);
	return err;
}

void flow_table_free(struct flow_table *table)
{
	unmap_window(table);
	for (uint32_t slot = 0; table->flows && slot < table->nr_slots; slot++)
		free(table->flows[slot]);
	free(table->flows);
	memset(table, 0, sizeof(*table));
}

size_t flow_table_memory_ceiling(uint32_t nr_slots)
{
	return nr_slots * (sizeof(struct flow *) + sizeof(struct flow) + MALLOC_OVERHEAD);
}

static void learn_key(struct flow_table *table, const struct wire_flow_key *key, uint32_t slot,
		      uint64_t now_ns)
{
	struct flow *flow;

	if (slot == WIRE_FLOW_OVERFLOW_SLOT || slot >= table->nr_slots || table->flows[slot])
		return;
	/* Out of memory: the slot stays unknown and is tried again at the next collection. */
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return;
	flow->key = *key;
	flow->moved_ns = now_ns;
	table->flows[slot] = flow;
}

static void learn_keys(struct flow_table *table, uint64_t now_ns)
{
	struct wire_flow_key keys[BATCH_KEYS];
	uint32_t slots[BATCH_KEYS];
	uint32_t cursor = 0, nr;
	int err = 0;

	for (uint32_t round = 0; !err && round <= table->nr_slots; round++) {
		nr = BATCH_KEYS;
		err = bpf_map_lookup_batch(table->maps.slots_fd, round ? &cursor : NULL, &cursor,
					   keys, slots, &nr, NULL);
		if (err && err != -ENOENT)
			return;
		for (uint32_t i = 0; i < nr; i++)
			learn_key(table, &keys[i], slots[i], now_ns);
	}
}

/* About so many packets went by: what is longer than a segment costs one per piece. */
static uint64_t messages_of(const struct record_flow *flow)
{
	return flow->requests + flow->responses +
	       (flow->request_bytes + flow->response_bytes) / MESSAGE_BYTES;
}

static void tell(struct flow_table *table, uint32_t slot, uint64_t now_ns, struct batch *batch)
{
	const struct wire_flow_stats *rows = rows_of(table, slot);
	struct flow *flow = table->flows[slot];
	struct wire_flow_stats now;
	struct record record;

	if (!rows)
		return;
	flow_sum(rows, table->nr_cpus, &now);
	record_init(&record, RECORD_FLOW, now_ns);
	if (!flow_delta(&flow->told, &now, &record))
		return;
	flow_told_set(&flow->told, &now);
	flow->moved_ns = now_ns;
	table->messages += messages_of(&record.flow);
	if (flow->key.role == WIRE_ROLE_NONE || flow->key.role > WIRE_ROLE_BACKEND)
		return;
	decode_proc_id(&flow->key.proc, &record.flow.proc);
	decode_endpoint(&flow->key.endpoint, &record.flow.endpoint);
	record.flow.role = (uint8_t)flow->key.role;
	batch_add(batch, &record);
}

void flow_table_collect(struct flow_table *table, uint64_t now_ns, struct batch *batch)
{
	learn_keys(table, now_ns);
	for (uint32_t slot = 0; slot < table->nr_slots; slot++)
		if (table->flows[slot])
			tell(table, slot, now_ns, batch);
}

uint32_t flow_table_used(const struct flow_table *table)
{
	uint32_t nr = 0;

	for (uint32_t slot = 0; slot < table->nr_slots; slot++)
		nr += table->flows[slot] != NULL;
	return nr;
}

void flow_table_each(const struct flow_table *table, flow_seen_fn fn, void *arg)
{
	for (uint32_t slot = 0; slot < table->nr_slots; slot++)
		if (table->flows[slot] && table->flows[slot]->key.role != WIRE_ROLE_BACKEND)
			fn(arg, &table->flows[slot]->key.proc);
}

static bool has_sockets(const struct flow *flow)
{
	return (int32_t)(flow->told.opened - flow->told.closed) > 0;
}

static bool is_unused(const struct flow *flow, uint64_t now_ns, bool is_alive)
{
	bool is_idle = now_ns - flow->moved_ns >= IDLE_NS;

	/* A close that was missed must not keep a dead process's slot for ever. */
	if (has_sockets(flow))
		return !is_alive && is_idle;
	return is_idle || (!is_alive && now_ns - flow->moved_ns >= QUARANTINE_NS);
}

static void give_back(struct flow_table *table, uint32_t slot)
{
	struct wire_flow_stats *rows = rows_of(table, slot);

	if (!rows)
		return;
	memset(rows, 0, table->nr_cpus * sizeof(*rows));
	free(table->flows[slot]);
	table->flows[slot] = NULL;
	push_free(table, slot);
}

void flow_table_release(struct flow_table *table, uint64_t now_ns, flow_alive_fn alive, void *arg)
{
	for (uint32_t slot = 0; slot < table->nr_slots; slot++) {
		struct flow *flow = table->flows[slot];

		if (!flow || !is_unused(flow, now_ns, alive(arg, &flow->key.proc)))
			continue;
		if (!flow->unlinked_ns) {
			bpf_map_delete_elem(table->maps.slots_fd, &flow->key);
			flow->unlinked_ns = now_ns;
		} else if (now_ns - flow->unlinked_ns >= QUARANTINE_NS) {
			give_back(table, slot);
		}
	}
}
