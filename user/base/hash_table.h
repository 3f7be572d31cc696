/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * hash_table.h - a bounded map from fixed-size keys to fixed-size entries.
 *
 * Entries begin with their key and are moved by insert and remove: hold no pointer to one across
 * either. Keys are compared as bytes, so their padding must be zero. Memory grows with use, up to
 * `limit` entries; what happens then is the caller's to say.
 */
#ifndef MEMSWELL_HASH_TABLE_H
#define MEMSWELL_HASH_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct hash_table {
	uint8_t *entries; /* the first nr are in use */
	uint32_t *hashes; /* of each entry */
	uint32_t *places; /* by hash: number of the entry, from 1; 0: free */
	uint32_t entry_size;
	uint32_t key_size;
	uint32_t nr;
	uint32_t room;	    /* entries there is memory for */
	uint32_t nr_places; /* a power of two, or 0 before the first insert */
	uint32_t limit;
};

/* Bytes a table of so many entries never exceeds. */
size_t hash_table_memory_ceiling(size_t entry_size, uint32_t limit);

void hash_table_init(struct hash_table *table, size_t entry_size, size_t key_size, uint32_t limit);
/* Drop all entries and their memory; the table is as after hash_table_init. */
void hash_table_free(struct hash_table *table);

/* NULL if there is none. */
void *hash_table_find(const struct hash_table *table, const void *key);

/* The entry of `key`, new ones zero but for the key. NULL at the limit or without memory. */
void *hash_table_insert(struct hash_table *table, const void *key);

/* The entries in no order, by number from 0 to nr - 1, until the next insert or remove. */
static inline void *hash_table_at(const struct hash_table *table, uint32_t number)
{
	return table->entries + (size_t)number * table->entry_size;
}

void hash_table_remove(struct hash_table *table, const void *key);

/* Remove all entries `drop` says yes to; it must not touch the table. */
void hash_table_remove_if(struct hash_table *table, int (*drop)(void *arg, void *entry), void *arg);

#endif
