/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* scope.c - see scope.h. */
#include "source/scope.h"

#include <string.h>

#include "source/decode.h"
#include "wire.h"

/* Flows and listeners of a process are read after its end. */
#define REMEMBER_NS (60ULL * 1000 * 1000 * 1000)

/* Keys are compared as bytes, so they hold no padding. */
struct scope_cgroup {
	struct wire_cgroup key;
};

struct scope_process {
	struct wire_proc key;
	struct proc_id parent;
	uint64_t exit_ns; /* 0: it lives */
	uint8_t origin;	  /* enum proc_origin */
	bool is_inside;
};

/* Whom a record is about, as offsets into struct record; 0: nobody. */
struct subject {
	uint16_t proc;
	uint16_t memcg;
};

#define AT(member) (offsetof(struct record, member))

/* Kinds without a row are about the host, or are names. */
static const struct subject subjects[NR_RECORD_KINDS] = {
	[RECORD_PROC] = {AT(proc.proc), AT(proc.memcg)},
	[RECORD_EXEC] = {AT(exec.proc), AT(exec.memcg)},
	[RECORD_EXE] = {AT(exe.proc), 0},
	[RECORD_EXIT] = {AT(exit.proc), 0},
	[RECORD_SIGNAL] = {AT(signal.target), 0},
	[RECORD_OOM] = {AT(oom.victim), 0},
	[RECORD_V8_OOM] = {AT(v8_oom.proc), 0},
	[RECORD_TASK] = {AT(task.proc), AT(task.memcg)},
	[RECORD_RSS] = {AT(rss.proc), 0},
	[RECORD_VM] = {AT(vm.proc), 0},
	[RECORD_RECLAIM] = {0, AT(reclaim.memcg)},
	[RECORD_LISTENER] = {AT(listener.owner), 0},
	[RECORD_FLOW] = {AT(flow.proc), 0},
};

static const void *at(const struct record *record, uint16_t offset)
{
	return (const uint8_t *)record + offset;
}

void scope_init(struct scope *scope, const struct scope_roots *roots)
{
	memset(scope, 0, sizeof(*scope));
	scope->roots = *roots;
	hash_table_init(&scope->cgroups, sizeof(struct scope_cgroup), sizeof(struct wire_cgroup),
			SCOPE_MAX_CGROUPS);
	hash_table_init(&scope->processes, sizeof(struct scope_process), sizeof(struct wire_proc),
			SCOPE_MAX_PROCESSES);
}

void scope_free(struct scope *scope)
{
	hash_table_free(&scope->cgroups);
	hash_table_free(&scope->processes);
}

size_t scope_memory_ceiling(void)
{
	return hash_table_memory_ceiling(sizeof(struct scope_cgroup), SCOPE_MAX_CGROUPS) +
	       hash_table_memory_ceiling(sizeof(struct scope_process), SCOPE_MAX_PROCESSES);
}

/* "/a" holds "/a" and "/a/b", not "/ab"; "/" holds everything. */
static bool holds(const char *root, const char *path)
{
	size_t length = strlen(root);

	while (length && root[length - 1] == '/')
		length--;
	return strncmp(root, path, length) == 0 && (!path[length] || path[length] == '/');
}

static void take_cgroup(struct scope *scope, const struct record_cgroup *cgroup)
{
	const struct wire_cgroup key = {.id = cgroup->memcg.id,
					.hierarchy = cgroup->memcg.hierarchy};

	if (cgroup->removed)
		hash_table_remove(&scope->cgroups, &key);
	for (uint32_t i = 0; i < scope->roots.nr && !cgroup->removed; i++)
		if (holds(scope->roots.paths[i], cgroup->path))
			hash_table_insert(&scope->cgroups, &key);
}

static bool is_cgroup_inside(const struct scope *scope, const struct cgroup_id *memcg)
{
	const struct wire_cgroup key = {.id = memcg->id, .hierarchy = memcg->hierarchy};

	return hash_table_find(&scope->cgroups, &key) != NULL;
}

static struct scope_process *process_get(struct scope *scope, const struct record *record,
					 const struct proc_id *proc)
{
	const struct wire_proc key = {.start_ns = proc->start_ns, .tgid = proc->tgid};
	struct scope_process *process = hash_table_insert(&scope->processes, &key);

	if (process && record->kind == RECORD_PROC) {
		process->parent = record->proc.parent;
		process->origin = record->proc.origin;
	}
	return process;
}

/* It was outside when it was born: whoever looks meets it here. */
static void introduce(const struct scope_process *process, const struct record *record,
		      record_fn fn, void *arg)
{
	struct record birth;

	record_init(&birth, RECORD_PROC, record->ts_ns);
	birth.proc.proc = *(const struct proc_id *)at(record, subjects[record->kind].proc);
	birth.proc.memcg = *(const struct cgroup_id *)at(record, subjects[record->kind].memcg);
	birth.proc.parent = process->parent;
	birth.proc.origin = process->origin;
	if (record->kind == RECORD_EXEC)
		memcpy(birth.proc.comm, record->exec.comm, sizeof(birth.proc.comm));
	fn(arg, &birth);
}

static bool is_process_inside(struct scope *scope, const struct record *record, record_fn fn,
			      void *arg)
{
	const struct subject *subject = &subjects[record->kind];
	const struct proc_id *proc = at(record, subject->proc);
	struct scope_process *process;

	if (!proc->tgid)
		return false;
	process = process_get(scope, record, proc);
	if (!process)
		return false;
	if (!process->is_inside && subject->memcg &&
	    is_cgroup_inside(scope, at(record, subject->memcg))) {
		process->is_inside = true;
		if (record->kind != RECORD_PROC)
			introduce(process, record, fn, arg);
	}
	if (record->kind == RECORD_EXIT)
		process->exit_ns = record->ts_ns;
	return process->is_inside;
}

static int is_long_dead(void *arg, void *entry)
{
	const struct scope *scope = arg;
	const struct scope_process *process = entry;

	return process->exit_ns && scope->swept_ns - process->exit_ns > REMEMBER_NS;
}

static void sweep(struct scope *scope, uint64_t now_ns)
{
	if (now_ns - scope->swept_ns < REMEMBER_NS)
		return;
	scope->swept_ns = now_ns;
	hash_table_remove_if(&scope->processes, is_long_dead, scope);
}

void scope_take(struct scope *scope, const struct record *record, record_fn fn, void *arg)
{
	const struct subject *subject = &subjects[record->kind];
	bool is_inside = true;

	if (!scope->roots.nr) {
		fn(arg, record);
		return;
	}
	if (record->kind == RECORD_CGROUP)
		take_cgroup(scope, &record->cgroup);
	else if (record->kind == RECORD_TICK)
		sweep(scope, record->ts_ns);
	if (subject->proc)
		is_inside = is_process_inside(scope, record, fn, arg);
	else if (subject->memcg)
		is_inside = is_cgroup_inside(scope, at(record, subject->memcg));
	if (is_inside)
		fn(arg, record);
}
