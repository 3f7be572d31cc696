/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* exetab.c - see exetab.h. */
#include "core/exetab.h"

#include <string.h>

#include "model/text.h"
#include "base/units.h"

static uint64_t hash_path(const char *path)
{
	uint64_t hash = 0;

	for (; *path; path++)
		hash = hash_u64(hash ^ (unsigned char)*path) + 1;
	return hash;
}

static uint16_t take_slot(struct exetab *t)
{
	uint16_t index = t->free_list;

	if (index) {
		t->free_list = t->exes[index].next;
		return index;
	}
	if (t->nr_touched == EXETAB_SIZE) {
		t->refused++;
		return 0;
	}
	return ++t->nr_touched;
}

uint16_t exetab_take(struct exetab *t, const char *path, uint32_t path_size)
{
	char copy[EXETAB_PATH_LEN];
	uint16_t *head, index;
	uint64_t hash;

	text_copy(copy, sizeof(copy), path, path_size);
	if (!copy[0])
		return 0;
	hash = hash_path(copy);
	head = &t->heads[hash % EXETAB_HEADS];
	for (index = *head; index; index = t->exes[index].next) {
		if (t->exes[index].hash == hash && strcmp(t->exes[index].path, copy) == 0) {
			t->exes[index].refs++;
			return index;
		}
	}
	index = take_slot(t);
	if (!index)
		return 0;
	memcpy(t->exes[index].path, copy, sizeof(copy));
	t->exes[index].hash = hash;
	t->exes[index].refs = 1;
	t->exes[index].next = *head;
	*head = index;
	return index;
}

void exetab_put(struct exetab *t, uint16_t index)
{
	struct exe *exe = &t->exes[index];
	uint16_t *link;

	if (!index || --exe->refs)
		return;
	link = &t->heads[exe->hash % EXETAB_HEADS];
	while (*link != index)
		link = &t->exes[*link].next;
	*link = exe->next;
	exe->path[0] = '\0';
	exe->next = t->free_list;
	t->free_list = index;
}
