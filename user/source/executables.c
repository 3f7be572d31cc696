/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* executables.c - see executables.h. */
#include "source/executables.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "source/elf_symbols.h"
#include "source/losses.h"
#include "source/perf_attach.h"
#include "source/process_args.h"
#include "source/procfs.h"
#include "source/uprobe_broker.h"

/* No Node.js or other V8 embedder is smaller; most executables are. */
#define MIN_V8_BYTES (8 << 20)
/* Of a command line and of an environment as much is read; what is behind it is not seen. */
#define ARGS_BYTES (64 << 10)

#define UPROBE_LINK_BYTES 128 /* struct bpf_link_perf of libbpf, as malloc rounds it */
/* Not run in so many sweeps: whoever remembers the place is gone, too (processes_sweep). */
#define UNUSED_RUNS 3

struct file {
	struct file_key key;
	uint8_t runtime;
	uint8_t place;	  /* in watched, from 1; 0: not watched */
	bool is_read;	  /* what follows is known */
	bool wants_place; /* has a V8 that can be watched */
	bool is_lost;	  /* and was counted as a loss */
	uint16_t runtime_version;
};

void executables_init(struct executables *executables,
		      const struct bpf_program *const v8_programs[NR_V8_FATAL_KINDS],
		      struct uprobe_broker *broker, struct losses *losses)
{
	memset(executables, 0, sizeof(*executables));
	memcpy(executables->v8_programs, v8_programs, sizeof(executables->v8_programs));
	executables->broker = broker;
	executables->losses = losses;
	hash_table_init(&executables->files, sizeof(struct file), sizeof(struct file_key),
			EXECUTABLES_MAX);
}

/* The link holds the event, and its last close takes the kernel long: that is not ours. */
static void release_uprobes(struct executables *executables, struct watched_file *watched)
{
	struct file *file = hash_table_find(&executables->files, &watched->key);

	while (watched->nr_uprobes) {
		struct bpf_link *link = watched->uprobes[--watched->nr_uprobes];

		uprobe_broker_hold(executables->broker, bpf_link__fd(link));
		bpf_link__destroy(link);
		uprobe_broker_drop(executables->broker);
	}
	if (file)
		file->place = 0;
}

void executables_free(struct executables *executables)
{
	for (uint32_t i = 0; i < EXECUTABLES_MAX_WATCHED; i++)
		release_uprobes(executables, &executables->watched[i]);
	hash_table_free(&executables->files);
}

size_t executables_memory_ceiling(void)
{
	return hash_table_memory_ceiling(sizeof(struct file), EXECUTABLES_MAX) +
	       EXECUTABLES_MAX_WATCHED * ELF_MAX_V8_FATAL * UPROBE_LINK_BYTES;
}

static const struct {
	const char *name;
	bool is_prefix; /* "python3.11" */
	enum runtime_kind runtime;
} runtime_names[] = {
	{"node", false, RUNTIME_NODEJS}, /* V8 in a shared library: libnode.so */
	{"nodejs", false, RUNTIME_NODEJS}, {"java", false, RUNTIME_JVM},
	{"python", true, RUNTIME_PYTHON},  {"pypy", true, RUNTIME_PYTHON},
	{"ruby", true, RUNTIME_RUBY},
};

enum runtime_kind runtime_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < sizeof(runtime_names) / sizeof(runtime_names[0]); i++) {
		const char *known = runtime_names[i].name;

		if (runtime_names[i].is_prefix ? !strncmp(name, known, strlen(known))
					       : !strcmp(name, known))
			return runtime_names[i].runtime;
	}
	return RUNTIME_UNKNOWN;
}

static bool can_watch(const struct executables *executables)
{
	return executables->v8_programs[V8_FATAL_FIRST_ARG];
}

static int attach_uprobe(struct executables *executables, int exe_fd, const struct v8_fatal *fatal,
			 struct bpf_link **out)
{
	const struct bpf_program *program = executables->v8_programs[fatal->kind];
	int event_fd;

	if (!program)
		return -ENOENT;
	event_fd = uprobe_broker_open(executables->broker, exe_fd, fatal->offset);
	if (event_fd == -EPIPE) {
		log_warn(
			"the uprobe broker is gone: V8 executables that appear from now on are not "
			"watched");
		memset(executables->v8_programs, 0, sizeof(executables->v8_programs));
	}
	return event_fd < 0 ? event_fd : perf_attach_event(program, event_fd, out);
}

/* All or nothing: half of the functions watched would look like all. */
static bool attach_v8(struct executables *executables, int exe_fd, const struct elf_facts *facts,
		      struct watched_file *watched)
{
	for (uint32_t i = 0; i < facts->nr_v8_fatal; i++) {
		if (attach_uprobe(executables, exe_fd, &facts->v8_fatal[i], &watched->uprobes[i])) {
			release_uprobes(executables, watched);
			return false;
		}
		watched->nr_uprobes++;
	}
	return true;
}

static bool is_unused(const struct executables *executables, const struct watched_file *watched)
{
	return watched->nr_uprobes && executables->run - watched->used_run >= UNUSED_RUNS;
}

/* Of the files that nobody runs the one that was run longest ago; NULL if all are run. */
static struct watched_file *least_recently_used(struct executables *executables)
{
	struct watched_file *oldest = NULL;

	for (uint32_t i = 0; i < EXECUTABLES_MAX_WATCHED; i++) {
		struct watched_file *watched = &executables->watched[i];

		if (is_unused(executables, watched) &&
		    (!oldest || watched->used_ns < oldest->used_ns))
			oldest = watched;
	}
	return oldest;
}

static struct watched_file *find_place(struct executables *executables)
{
	struct watched_file *oldest;

	for (uint32_t i = 0; i < EXECUTABLES_MAX_WATCHED; i++)
		if (!executables->watched[i].nr_uprobes)
			return &executables->watched[i];
	oldest = least_recently_used(executables);
	if (oldest)
		release_uprobes(executables, oldest);
	return oldest;
}

static void watch_v8(struct executables *executables, int exe_fd, const struct elf_facts *facts,
		     struct file *file)
{
	struct watched_file *watched;

	file->wants_place = can_watch(executables);
	if (!file->wants_place)
		return;
	watched = find_place(executables);
	if (!watched) {
		if (!file->is_lost)
			losses_add(executables->losses, "executable", "uprobe_limit", 1);
		file->is_lost = true;
		return;
	}
	watched->key = file->key;
	file->wants_place = attach_v8(executables, exe_fd, facts, watched);
	if (file->wants_place)
		file->place = (uint8_t)(watched - executables->watched + 1);
}

void executables_used(struct executables *executables, int place)
{
	struct watched_file *watched = &executables->watched[place - 1];

	watched->used_run = executables->run;
	watched->used_ns = executables->now_ns;
}

void executables_sweep(struct executables *executables, uint64_t now_ns)
{
	struct watched_file *oldest;

	executables->run++;
	executables->now_ns = now_ns;
	oldest = least_recently_used(executables);
	if (oldest && now_ns - oldest->used_ns >= EXECUTABLES_GRACE_NS)
		release_uprobes(executables, oldest);
}

static void inspect(struct executables *executables, const char *link, const char *path,
		    struct file *file)
{
	struct elf_facts facts;
	int fd = open(link, O_RDONLY | O_CLOEXEC);

	file->runtime = (uint8_t)runtime_of_path(path);
	if (fd < 0)
		return;
	file->is_read = true;
	if (!elf_inspect(fd, file->key.size >= MIN_V8_BYTES, &facts)) {
		if (facts.nr_v8_fatal) {
			file->runtime = RUNTIME_NODEJS;
			file->runtime_version = facts.node_major;
			watch_v8(executables, fd, &facts, file);
		} else if (facts.is_go) {
			file->runtime = RUNTIME_GO;
		} else if (file->runtime == RUNTIME_UNKNOWN) {
			file->runtime = RUNTIME_NATIVE;
		}
	}
	close(fd);
}

/* A file that was not watched, or is not any more, is read again where there is a place for it. */
static bool is_worth_reading(struct executables *executables, const struct file *file)
{
	return !file->is_read ||
	       (file->wants_place && !file->place && find_place(executables) != NULL);
}

/* What may be forgotten when the table is full: never put a second uprobe on the same file. */
static int has_no_uprobe(void *arg, void *entry)
{
	const struct file *file = entry;

	(void)arg;
	return !file->place;
}

static struct file *find_file(struct executables *executables, const struct proc_id *proc,
			      const struct stat *st, const char *path)
{
	struct file_key key = {
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000ULL +
			    (uint64_t)st->st_mtim.tv_nsec,
	};
	struct file *file = hash_table_find(&executables->files, &key);
	char link[64];

	if (!file && executables->files.nr == EXECUTABLES_MAX)
		hash_table_remove_if(&executables->files, has_no_uprobe, NULL);
	if (!file)
		file = hash_table_insert(&executables->files, &key);
	if (!file || !is_worth_reading(executables, file))
		return file;
	/* Through the process, so that a file in a container's mount namespace is found. */
	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", proc->tgid);
	inspect(executables, link, path, file);
	return file;
}

/*
 * pm2 watches the process it started, not the children that inherit its environment: those have a
 * parent that was told the same.
 */
static bool inherits_supervisor(const struct proc_id *parent, char *env, size_t env_size)
{
	ssize_t len = procfs_environ(parent, env, env_size);

	return len > 0 && process_args_supervisor_limit(env, (size_t)len);
}

uint64_t executables_heap_flag(const struct proc_id *proc, const char *name)
{
	struct process_args_input in = {.runtime = runtime_of_path(name)};
	struct process_args told;
	char args[ARGS_BYTES];
	ssize_t len;

	if (in.runtime != RUNTIME_NODEJS)
		return 0;
	len = procfs_cmdline(proc, args, sizeof(args));
	if (len <= 0)
		return 0;
	in.args = args;
	in.args_len = (size_t)len;
	process_args_parse(&in, &told);
	explicit_bzero(args, sizeof(args));
	return told.heap_limit_bytes;
}

/* What cannot be read was not told. Only numbers stay behind, and what the service is called. */
static void read_told(const struct executables_query *query, struct record_exe *exe)
{
	char args[ARGS_BYTES], env[ARGS_BYTES];
	ssize_t args_len = procfs_cmdline(&query->proc, args, sizeof(args));
	ssize_t env_len = procfs_environ(&query->proc, env, sizeof(env));
	struct process_args_input in = {
		.runtime = exe->runtime,
		.args = args,
		.args_len = args_len > 0 ? (size_t)args_len : 0,
		.env = env,
		.env_len = env_len > 0 ? (size_t)env_len : 0,
		.memory_bytes = query->memory_bytes,
	};
	struct process_args told;

	process_args_parse(&in, &told);
	exe->oom_exit = told.oom_exit;
	exe->heap_limit_source = told.heap_limit_source;
	exe->heap_limit_bytes = told.heap_limit_bytes;
	exe->name_source = told.name_source;
	memcpy(exe->name, told.name, sizeof(exe->name));
	if (told.heap_limit_source != HEAP_LIMIT_FLAG && query->flag_bytes_at_start) {
		exe->heap_limit_source = HEAP_LIMIT_FLAG;
		exe->heap_limit_bytes = query->flag_bytes_at_start;
	}
	if (told.supervisor_limit_bytes && !inherits_supervisor(&query->parent, env, sizeof(env)))
		exe->supervisor_limit_bytes = told.supervisor_limit_bytes;
	explicit_bzero(args, sizeof(args));
	explicit_bzero(env, sizeof(env));
}

int executables_describe(struct executables *executables, const struct executables_query *query,
			 struct record *out)
{
	struct record_exe *exe = &out->exe;
	const struct file *file;
	struct stat st;
	int err = procfs_exe(&query->proc, exe->path, sizeof(exe->path), &st);

	if (err)
		return err;
	file = find_file(executables, &query->proc, &st, exe->path);
	if (!file)
		return -ENOMEM;
	exe->proc = query->proc;
	exe->runtime = file->runtime;
	exe->runtime_version = file->runtime_version;
	exe->v8_probe = file->place != 0;
	if (file->runtime != RUNTIME_UNKNOWN && file->runtime != RUNTIME_NATIVE)
		read_told(query, exe);
	if (file->place)
		executables_used(executables, file->place);
	return file->place;
}
