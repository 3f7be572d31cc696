/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* hash_table.c - see hash_table.h. Open addressing with linear probing and backward shift. */
#include "base/hash_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64U

void hash_table_init(struct hash_table *table, size_t entry_size, size_t key_size, uint32_t limit)
{
	*table = (struct hash_table){
		.entry_size = (uint32_t)entry_size,
		.key_size = (uint32_t)key_size,
		.limit = limit,
	};
}

void hash_table_free(struct hash_table *table)
{
	free(table->entries);
	free(table->hashes);
	hash_table_init(table, table->entry_size, table->key_size, table->limit);
}

/* Words are multiplied and folded (keys are mostly numbers). Never 0, which means free. */
static uint32_t hash_key(const struct hash_table *table, const uint8_t *key)
{
	uint64_t hash = 0, word;

	for (uint32_t at = 0; at < table->key_size; at += sizeof(word)) {
		uint32_t left = table->key_size - at;

		word = 0;
		memcpy(&word, key + at, left < sizeof(word) ? left : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
		hash ^= hash >> 32;
	}
	return (uint32_t)hash ? (uint32_t)hash : 1;
}

static uint8_t *entry_at(const struct hash_table *table, uint32_t place)
{
	return table->entries + (size_t)place * table->entry_size;
}

/* Where the key is, or the free place where it belongs. The table is never full. */
static uint32_t find_place(const struct hash_table *table, const void *key, uint32_t hash)
{
	uint32_t place = hash & (table->capacity - 1);

	while (table->hashes[place]) {
		if (table->hashes[place] == hash &&
		    memcmp(entry_at(table, place), key, table->key_size) == 0)
			break;
		place = (place + 1) & (table->capacity - 1);
	}
	return place;
}

void *hash_table_find(const struct hash_table *table, const void *key)
{
	uint32_t place;

	if (!table->nr)
		return NULL;
	place = find_place(table, key, hash_key(table, key));
	return table->hashes[place] ? entry_at(table, place) : NULL;
}

static int grow(struct hash_table *table)
{
	struct hash_table old = *table;

	table->capacity = old.capacity ? 2 * old.capacity : FIRST_CAPACITY;
	table->entries = malloc((size_t)table->capacity * table->entry_size);
	table->hashes = calloc(table->capacity, sizeof(*table->hashes));
	if (!table->entries || !table->hashes) {
		free(table->entries);
		free(table->hashes);
		*table = old;
		return -1;
	}
	for (uint32_t i = 0; i < old.capacity; i++) {
		uint32_t place;

		if (!old.hashes[i])
			continue;
		place = find_place(table, entry_at(&old, i), old.hashes[i]);
		table->hashes[place] = old.hashes[i];
		memcpy(entry_at(table, place), entry_at(&old, i), table->entry_size);
	}
	free(old.entries);
	free(old.hashes);
	return 0;
}

void *hash_table_insert(struct hash_table *table, const void *key)
{
	uint32_t hash = hash_key(table, key);
	void *entry = hash_table_find(table, key);
	uint32_t place;

	if (entry)
		return entry;
	if (table->nr >= table->limit)
		return NULL;
	/* Filled to three quarters at most, so that chains stay short and probing ends. */
	if (table->nr >= table->capacity / 4 * 3 && grow(table))
		return NULL;
	place = find_place(table, key, hash);
	table->hashes[place] = hash;
	table->nr++;
	entry = entry_at(table, place);
	memset(entry, 0, table->entry_size);
	memcpy(entry, key, table->key_size);
	return entry;
}

/* Close the hole, so that no search ends early: move back what was pushed past it. */
static void remove_at(struct hash_table *table, uint32_t hole)
{
	uint32_t mask = table->capacity - 1;

	for (uint32_t next = (hole + 1) & mask; table->hashes[next]; next = (next + 1) & mask) {
		uint32_t home = table->hashes[next] & mask;

		if (((next - home) & mask) < ((next - hole) & mask))
			continue;
		memcpy(entry_at(table, hole), entry_at(table, next), table->entry_size);
		table->hashes[hole] = table->hashes[next];
		hole = next;
	}
	table->hashes[hole] = 0;
	table->nr--;
}

void hash_table_remove(struct hash_table *table, const void *key)
{
	uint32_t place;

	if (!table->nr)
		return;
	place = find_place(table, key, hash_key(table, key));
	if (table->hashes[place])
		remove_at(table, place);
}

void hash_table_remove_if(struct hash_table *table, int (*drop)(void *arg, void *entry), void *arg)
{
	/*
	 * Removal moves entries into the hole, and around the end perhaps to a place already
	 * passed: such an entry is judged at the next call.
	 */
	for (uint32_t place = 0; place < table->capacity;) {
		if (table->hashes[place] && drop(arg, entry_at(table, place)))
			remove_at(table, place);
		else
			place++;
	}
}
