/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* batch.c - see batch.h. */
#include "source/batch.h"

#include <stdlib.h>
#include <string.h>

/* A batch may grow for one burst; what it keeps between ticks is at most this. */
#define KEEP_BYTES    (256U << 10)
#define FIRST_BYTES   (16U << 10)
#define FIRST_ENTRIES 256U
/* Of both, kept for records that speak of the stream itself: the tick, losses. */
#define KEPT_BYTES   (64U << 10)
#define KEPT_ENTRIES 512U

/*
 * Stored is the union, up to its last word that is not 0, but at least one: of each word a mask of the
 * bytes that are not 0, and these. Counters leave most of their bytes 0, and names of theirs.
 */
#define PAYLOAD_OFFSET offsetof(struct record, header)
#define PAYLOAD_WORDS  ((sizeof(struct record) - PAYLOAD_OFFSET) / sizeof(uint64_t))
#define PACKED_MAX     (PAYLOAD_WORDS * (1 + sizeof(uint64_t)))

struct head {
	uint64_t ts_ns;
	uint16_t kind;
	uint16_t size; /* of what follows */
} __attribute__((packed));

_Static_assert(PAYLOAD_OFFSET % sizeof(uint64_t) == 0 &&
		       sizeof(struct record) % sizeof(uint64_t) == 0,
	       "a record is whole words");

static uint64_t payload_word(const struct record *record, size_t word)
{
	uint64_t value;

	memcpy(&value, (const uint8_t *)record + PAYLOAD_OFFSET + word * sizeof(value),
	       sizeof(value));
	return value;
}

static size_t pack_word(uint64_t word, uint8_t *out)
{
	uint8_t bytes[sizeof(word)];
	size_t size = 1;

	out[0] = 0;
	if (!word)
		return size;
	memcpy(bytes, &word, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bool is_set = bytes[i];

		out[0] |= (uint8_t)(is_set << i);
		out[size] = bytes[i]; /* the next one takes the place of a 0 */
		size += is_set;
	}
	return size;
}

/* `out` has PACKED_MAX bytes and one more, which is scratch. */
static uint16_t pack(const struct record *record, uint8_t *out)
{
	size_t nr = PAYLOAD_WORDS, size = 0;

	while (nr > 1 && !payload_word(record, nr - 1))
		nr--;
	for (size_t i = 0; i < nr; i++)
		size += pack_word(payload_word(record, i), out + size);
	return (uint16_t)size;
}

/* Into a record that is all 0. */
static void unpack(const uint8_t *packed, uint16_t size, struct record *record)
{
	uint8_t *bytes = (uint8_t *)record + PAYLOAD_OFFSET;

	for (const uint8_t *end = packed + size; packed < end; bytes += sizeof(uint64_t)) {
		uint8_t mask = *packed++;

		for (size_t i = 0; mask; mask >>= 1, i++)
			if (mask & 1)
				bytes[i] = *packed++;
	}
}

static int grow_data(struct batch *batch, uint32_t need)
{
	uint32_t size = batch->size ? batch->size : FIRST_BYTES;
	uint8_t *data;

	while (size - batch->used < need)
		size *= 2;
	if (size == batch->size)
		return 0;
	data = realloc(batch->data, size);
	if (!data)
		return -1;
	batch->data = data;
	batch->size = size;
	return 0;
}

static int grow_entries(struct batch *batch)
{
	uint32_t capacity = batch->capacity ? 2 * batch->capacity : FIRST_ENTRIES;
	uint32_t *entries;

	if (batch->nr < batch->capacity)
		return 0;
	entries = realloc(batch->entries, capacity * sizeof(*entries));
	if (!entries)
		return -1;
	batch->entries = entries;
	batch->capacity = capacity;
	return 0;
}

/* Without these nothing is decided, or a loss is itself lost. */
static bool is_about_stream(enum record_kind kind)
{
	switch (kind) {
	case RECORD_HEADER:
	case RECORD_PROBE:
	case RECORD_CLOCK:
	case RECORD_LOSS:
	case RECORD_SELF:
	case RECORD_STREAM:
	case RECORD_TICK:
	case RECORD_STOP:
		return true;
	default:
		return false;
	}
}

static bool has_room(const struct batch *batch, const struct record *record, uint32_t size)
{
	bool keeps = !is_about_stream(record->kind);
	uint32_t bytes = BATCH_MAX_BYTES - (keeps ? KEPT_BYTES : 0);
	uint32_t entries = BATCH_MAX_ENTRIES - (keeps ? KEPT_ENTRIES : 0);

	return batch->nr < entries && batch->used + size <= bytes;
}

void batch_hand_on(struct batch *batch, record_fn to, void *arg)
{
	batch->to = to;
	batch->arg = arg;
}

void batch_add(struct batch *batch, const struct record *record)
{
	uint8_t packed[sizeof(struct head) + PACKED_MAX + 1];
	struct head *head = (struct head *)packed;
	uint32_t size;

	head->ts_ns = record->ts_ns;
	head->kind = (uint16_t)record->kind;
	head->size = pack(record, packed + sizeof(*head));
	size = (uint32_t)sizeof(*head) + head->size;
	batch->offered++;
	if (batch->to && !has_room(batch, record, size))
		batch_emit(batch, batch->to, batch->arg);
	if (!has_room(batch, record, size) || grow_data(batch, size) || grow_entries(batch)) {
		batch->dropped++;
		return;
	}
	memcpy(batch->data + batch->used, packed, size);
	batch->entries[batch->nr++] = batch->used;
	batch->used += size;
	if (record->ts_ns > batch->last_ns)
		batch->last_ns = record->ts_ns;
}

void batch_take_counts(struct batch *batch, uint64_t *offered, uint64_t *dropped)
{
	*offered = batch->offered;
	*dropped = batch->dropped;
	batch->offered = 0;
	batch->dropped = 0;
}

static const struct head *head_at(const uint8_t *data, uint32_t entry)
{
	return (const struct head *)(data + entry);
}

/* They lie in the order in which they came: of equal times the lower place is the first. */
static int compare(const void *left, const void *right, void *data)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
	uint64_t a_ns = head_at(data, a)->ts_ns, b_ns = head_at(data, b)->ts_ns;

	if (a_ns != b_ns)
		return a_ns < b_ns ? -1 : 1;
	return a < b ? -1 : a > b;
}

static void forget(struct batch *batch)
{
	batch->used = 0;
	batch->nr = 0;
	if (batch->size <= KEEP_BYTES && batch->capacity * sizeof(*batch->entries) <= KEEP_BYTES)
		return;
	free(batch->data);
	free(batch->entries);
	batch->data = NULL;
	batch->entries = NULL;
	batch->size = 0;
	batch->capacity = 0;
}

void batch_emit(struct batch *batch, record_fn fn, void *arg)
{
	struct record record;

	if (batch->nr)
		qsort_r(batch->entries, batch->nr, sizeof(*batch->entries), compare, batch->data);
	for (uint32_t i = 0; i < batch->nr; i++) {
		const struct head *head = head_at(batch->data, batch->entries[i]);

		memset(&record, 0, sizeof(record));
		record.ts_ns = head->ts_ns;
		record.kind = (enum record_kind)head->kind;
		unpack((const uint8_t *)(head + 1), head->size, &record);
		fn(arg, &record);
	}
	forget(batch);
}

_Static_assert(!(BATCH_MAX_BYTES & (BATCH_MAX_BYTES - 1)) &&
		       !(BATCH_MAX_ENTRIES & (BATCH_MAX_ENTRIES - 1)),
	       "doubling reaches them");

size_t batch_memory_ceiling(void)
{
	/* qsort of more than a few entries takes a copy of them. */
	return BATCH_MAX_BYTES + 2 * BATCH_MAX_ENTRIES * sizeof(uint32_t);
}

void batch_free(struct batch *batch)
{
	free(batch->data);
	free(batch->entries);
	memset(batch, 0, sizeof(*batch));
}
