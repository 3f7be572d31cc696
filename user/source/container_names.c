/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* container_names.c - see container_names.h. */
#include "source/container_names.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "source/decode.h"

#define NS_PER_S 1000000000ULL

struct waiting {
	char id[WORKLOAD_ID_LEN];
	uint64_t next_ns;
	uint8_t runtime; /* as far as the path told */
	uint8_t nr_tries;
	uint8_t known; /* what was told already: see facts_of() */
};

void container_names_init(struct container_names *names, struct host_files *files)
{
	memset(names, 0, sizeof(*names));
	hash_table_init(&names->waiting, sizeof(struct waiting), WORKLOAD_ID_LEN,
			CONTAINER_NAMES_MAX);
	names->files = files;
	names->due_ns = UINT64_MAX;
}

void container_names_free(struct container_names *names)
{
	hash_table_free(&names->waiting);
}

/* One file at a time is read whole, and of one string at a time there is a copy; jansson doubles its room. */
size_t container_names_memory_ceiling(void)
{
	return hash_table_memory_ceiling(sizeof(struct waiting), CONTAINER_NAMES_MAX) +
	       CONTAINER_CONFIG_MAX_BYTES + 4 * CONTAINER_CONFIG_MAX_STRING;
}

/* All of it, or -errno. It may grow while it is read: what is behind the limit is cut, and no JSON then. */
static ssize_t read_whole(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, text + len, size - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && len < size);
	return got < 0 ? -errno : (ssize_t)len;
}

static int read_config(int fd, enum container_config kind, struct record_container *out,
		       bool *is_whole)
{
	char *text = malloc(CONTAINER_CONFIG_MAX_BYTES);
	ssize_t len;
	int err;

	if (!text)
		return -ENOMEM;
	len = read_whole(fd, text, CONTAINER_CONFIG_MAX_BYTES);
	err = len < 0 ? (int)len : container_config_parse(text, (size_t)len, kind, out, is_whole);
	free(text);
	return err;
}

/* Files that other runtimes write are not asked for, once it is known which one it is. */
static bool may_tell(const struct host_file *file, uint8_t runtime)
{
	if (!runtime)
		return file->kind != CONTAINER_CONFIG_LIST;
	if (file->kind == CONTAINER_CONFIG_STORAGE)
		return runtime == CONTAINER_RUNTIME_CRIO || runtime == CONTAINER_RUNTIME_PODMAN;
	return file->runtime == runtime;
}

static uint8_t facts_of(const struct record_container *told)
{
	const bool facts[] = {
		told->runtime != 0,   *told->name,	    *told->image,
		*told->pod_name != 0, *told->pod_namespace, *told->pod_uid,
	};
	uint8_t mask = 0;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		mask |= (uint8_t)(facts[i] << i);
	return mask;
}

/* The descriptor of a file, or -1. */
static int open_file(struct container_names *names, uint32_t row, const char *id)
{
	int fd = host_files_open(names->files, row, id);

	if (fd == -EPIPE && names->files->fd < 0 && !names->is_gone) {
		names->is_gone = true;
		log_warn("the process that opens files of container runtimes is gone: containers "
			 "that start from now on have no names");
	}
	return fd;
}

/* Is all that can be known known now? What became known goes into the batch. */
static bool ask(struct container_names *names, struct waiting *who, uint64_t now_ns,
		struct batch *batch)
{
	struct record record;
	struct record_container *told = &record.container;
	bool is_whole = false;
	uint32_t nr;
	const struct host_file *table = host_files_table(&nr);

	names->nr_asked++;
	record_init(&record, RECORD_CONTAINER, now_ns);
	memcpy(told->id, who->id, sizeof(told->id));
	told->runtime = who->runtime;
	for (uint32_t i = 0; i < nr && !is_whole; i++) {
		int fd = may_tell(&table[i], told->runtime) ? open_file(names, i, who->id) : -1;

		if (fd < 0)
			continue;
		(void)read_config(fd, table[i].kind, told, &is_whole);
		close(fd);
	}
	if (facts_of(told) & ~who->known) {
		who->known = facts_of(told);
		batch_add(batch, &record);
	}
	return is_whole;
}

static void wait_for(struct container_names *names, struct waiting *who, uint64_t now_ns)
{
	who->next_ns = now_ns + (NS_PER_S << who->nr_tries);
	who->nr_tries++;
	if (who->next_ns < names->due_ns)
		names->due_ns = who->next_ns;
}

void container_names_add(struct container_names *names, const struct workload *container,
			 uint64_t now_ns, struct batch *batch)
{
	struct waiting first = {.runtime = container->runtime, .known = container->runtime != 0};
	bool has_time = names->nr_asked < CONTAINER_NAMES_PER_TICK;
	struct waiting *who;

	if (names->files->fd < 0 || hash_table_find(&names->waiting, container->container_id))
		return;
	memcpy(first.id, container->container_id, sizeof(first.id));
	if (has_time && ask(names, &first, now_ns, batch))
		return;
	who = hash_table_insert(&names->waiting, first.id);
	if (!who)
		return;
	*who = first;
	if (has_time)
		wait_for(names, who, now_ns);
	else
		names->due_ns = now_ns;
}

struct turn {
	struct container_names *names;
	uint64_t now_ns;
	struct batch *batch;
};

/* Its turn, if it is; what needs none any more leaves. */
static int take_turn(void *arg, void *entry)
{
	struct turn *turn = arg;
	struct container_names *names = turn->names;
	struct waiting *who = entry;
	bool is_due = who->next_ns <= turn->now_ns;

	if (is_due && names->nr_asked < CONTAINER_NAMES_PER_TICK) {
		if (ask(names, who, turn->now_ns, turn->batch) ||
		    who->nr_tries + 1 >= CONTAINER_NAMES_TRIES)
			return 1;
		wait_for(names, who, turn->now_ns);
	} else if (who->next_ns < names->due_ns) {
		names->due_ns = who->next_ns;
	}
	return 0;
}

void container_names_tick(struct container_names *names, uint64_t now_ns, struct batch *batch)
{
	struct turn turn = {names, now_ns, batch};

	names->nr_asked = 0;
	if (names->due_ns > now_ns)
		return;
	names->due_ns = UINT64_MAX;
	hash_table_remove_if(&names->waiting, take_turn, &turn);
}
