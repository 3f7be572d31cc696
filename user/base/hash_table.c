/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * hash_table.c - see hash_table.h. Entries lie one behind the other, so that a full table has no
 * memory for empty ones; an index of numbers leads to them, by linear probing and backward shift.
 */
#include "base/hash_table.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 32U

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
	free(table->places);
	hash_table_init(table, table->entry_size, table->key_size, table->limit);
}

/* Filled to three quarters at most, so that chains stay short and probing ends. */
static uint32_t places_for(uint32_t room)
{
	uint32_t nr = 2 * FIRST_ROOM;

	while (nr / 4 * 3 < room)
		nr *= 2;
	return nr;
}

size_t hash_table_memory_ceiling(size_t entry_size, uint32_t limit)
{
	size_t index = places_for(limit) * sizeof(uint32_t);

	/* While the index grows, the old one of half the size is still there. */
	return limit * (entry_size + sizeof(uint32_t)) + index + index / 2;
}

/* Words are multiplied and folded (keys are mostly numbers). */
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
	return (uint32_t)hash;
}

/* The place of the key's entry, or the free place where it belongs. The index is never full. */
static uint32_t find_place(const struct hash_table *table, const void *key, uint32_t hash)
{
	uint32_t place = hash & (table->nr_places - 1);

	for (uint32_t nr; (nr = table->places[place]); place = (place + 1) & (table->nr_places - 1))
		if (table->hashes[nr - 1] == hash &&
		    memcmp(hash_table_at(table, nr - 1), key, table->key_size) == 0)
			break;
	return place;
}

void *hash_table_find(const struct hash_table *table, const void *key)
{
	uint32_t nr;

	if (!table->nr)
		return NULL;
	nr = table->places[find_place(table, key, hash_key(table, key))];
	return nr ? hash_table_at(table, nr - 1) : NULL;
}

static int grow_index(struct hash_table *table, uint32_t room)
{
	uint32_t nr = places_for(room);
	uint32_t *places;

	if (nr == table->nr_places)
		return 0;
	places = calloc(nr, sizeof(*places));
	if (!places)
		return -1;
	for (uint32_t i = 0; i < table->nr; i++) {
		uint32_t place = table->hashes[i] & (nr - 1);

		while (places[place])
			place = (place + 1) & (nr - 1);
		places[place] = i + 1;
	}
	free(table->places);
	table->places = places;
	table->nr_places = nr;
	return 0;
}

/* Each step leaves a table that works, with more memory than it uses. */
static int grow(struct hash_table *table)
{
	uint32_t room = table->room ? 2 * table->room : FIRST_ROOM;
	uint8_t *entries;
	uint32_t *hashes;

	if (room > table->limit)
		room = table->limit;
	entries = realloc(table->entries, (size_t)room * table->entry_size);
	if (!entries)
		return -1;
	table->entries = entries;
	hashes = realloc(table->hashes, room * sizeof(*hashes));
	if (!hashes)
		return -1;
	table->hashes = hashes;
	if (grow_index(table, room))
		return -1;
	table->room = room;
	return 0;
}

void *hash_table_insert(struct hash_table *table, const void *key)
{
	uint32_t hash = hash_key(table, key);
	void *entry = hash_table_find(table, key);

	if (entry)
		return entry;
	if (table->nr >= table->limit || (table->nr == table->room && grow(table)))
		return NULL;
	table->places[find_place(table, key, hash)] = table->nr + 1;
	table->hashes[table->nr] = hash;
	entry = hash_table_at(table, table->nr++);
	memset(entry, 0, table->entry_size);
	memcpy(entry, key, table->key_size);
	return entry;
}

/* Close the hole, so that no search ends early: move back what was pushed past it. */
static void free_place(struct hash_table *table, uint32_t hole)
{
	uint32_t mask = table->nr_places - 1;

	for (uint32_t next = (hole + 1) & mask; table->places[next]; next = (next + 1) & mask) {
		uint32_t home = table->hashes[table->places[next] - 1] & mask;

		if (((next - home) & mask) < ((next - hole) & mask))
			continue;
		table->places[hole] = table->places[next];
		hole = next;
	}
	table->places[hole] = 0;
}

/* The last entry fills the gap. */
static void remove_at(struct hash_table *table, uint32_t place)
{
	uint32_t nr = table->places[place] - 1, last = table->nr - 1;

	free_place(table, place);
	table->nr--;
	if (nr == last)
		return;
	table->places[find_place(table, hash_table_at(table, last), table->hashes[last])] = nr + 1;
	memcpy(hash_table_at(table, nr), hash_table_at(table, last), table->entry_size);
	table->hashes[nr] = table->hashes[last];
}

void hash_table_remove(struct hash_table *table, const void *key)
{
	uint32_t place;

	if (!table->nr)
		return;
	place = find_place(table, key, hash_key(table, key));
	if (table->places[place])
		remove_at(table, place);
}

void hash_table_remove_if(struct hash_table *table, int (*drop)(void *arg, void *entry), void *arg)
{
	/* From the end: what fills a gap was judged already. */
	for (uint32_t nr = table->nr; nr-- > 0;) {
		uint8_t *entry = hash_table_at(table, nr);

		if (drop(arg, entry))
			remove_at(table, find_place(table, entry, table->hashes[nr]));
	}
}
