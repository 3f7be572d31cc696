/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* processes.c - see processes.h. */
#include "source/processes.h"

#include <string.h>
#include <unistd.h>

#include "source/decode.h"
#include "source/task_filter.h"

struct process {
	struct wire_proc key;
	struct task_told told;
	struct cgroup_id memcg; /* the last one named */
	uint64_t flag_bytes;	/* heap limit on its command line, right after its last exec */
	int executable;		/* place of what it runs, for executables_used; 0: none */
	uint32_t sweep;		/* the last run it was seen in, or born before */
	bool is_met;		/* sampled at least once */
	bool is_told;		/* there was a RECORD_PROC */
	bool exe_is_told;	/* there was a RECORD_EXE since its last exec */
	bool is_sampled;	/* there was a RECORD_TASK */
	bool serves;		/* has listeners or flows */
	bool v8_is_told;	/* there was a RECORD_V8_OOM */
};

void processes_init(struct processes *processes, struct executables *executables,
		    struct cgroups *cgroups, uint64_t since_ns)
{
	memset(processes, 0, sizeof(*processes));
	hash_table_init(&processes->table, sizeof(struct process), sizeof(struct wire_proc),
			PROCESSES_MAX);
	processes->executables = executables;
	processes->cgroups = cgroups;
	processes->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	processes->machine_bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * processes->page_bytes;
	processes->since_ns = since_ns;
}

void processes_free(struct processes *processes)
{
	hash_table_free(&processes->table);
}

size_t processes_memory_ceiling(void)
{
	return hash_table_memory_ceiling(sizeof(struct process), PROCESSES_MAX);
}

static struct wire_proc key_of(const struct proc_id *proc)
{
	return (struct wire_proc){.start_ns = proc->start_ns, .tgid = proc->tgid};
}

static void on_birth(struct processes *processes, const struct wire_proc *key)
{
	struct process *process = hash_table_insert(&processes->table, key);

	if (!process)
		return;
	process->is_told = true;
	process->sweep = processes->sweep;
}

static void on_exec(struct processes *processes, const struct record_exec *exec)
{
	struct wire_proc key = key_of(&exec->proc);
	struct process *process = hash_table_find(&processes->table, &key);

	if (!process)
		return;
	process->flag_bytes = executables_heap_flag(&exec->proc, exec->comm);
	process->executable = 0;
	process->exe_is_told = false;
	process->v8_is_told = false;
}

static bool on_v8_oom(struct processes *processes, const struct wire_proc *key)
{
	struct process *process = hash_table_find(&processes->table, key);
	bool is_news = !process || !process->v8_is_told;

	if (process)
		process->v8_is_told = true;
	return is_news;
}

bool processes_event(struct processes *processes, const struct record *record)
{
	struct wire_proc key;

	switch (record->kind) {
	case RECORD_PROC:
		key = key_of(&record->proc.proc);
		on_birth(processes, &key);
		break;
	case RECORD_EXEC:
		on_exec(processes, &record->exec);
		break;
	case RECORD_EXIT:
		key = key_of(&record->exit.proc);
		hash_table_remove(&processes->table, &key);
		break;
	case RECORD_LISTENER:
		key = key_of(&record->listener.owner);
		processes_mark_serving(processes, &key);
		break;
	case RECORD_V8_OOM:
		key = key_of(&record->v8_oom.proc);
		return on_v8_oom(processes, &key);
	default:
		break;
	}
	return true;
}

/* What a runtime takes for the memory of its machine. */
static uint64_t usable_bytes(const struct processes *processes, const struct wire_task *task)
{
	if (task->memcg.limit_pages > processes->machine_bytes / processes->page_bytes)
		return processes->machine_bytes;
	return task->memcg.limit_pages * processes->page_bytes;
}

static void tell_exe(struct processes *processes, struct process *process,
		     const struct wire_task *task, struct batch *batch)
{
	struct executables_query query = {
		.memory_bytes = usable_bytes(processes, task),
		.flag_bytes_at_start = process->flag_bytes,
	};
	struct record record;
	int place;

	decode_proc_id(&task->proc, &query.proc);
	decode_proc_id(&task->parent, &query.parent);
	record_init(&record, RECORD_EXE, task->head.ts_ns);
	place = executables_describe(processes->executables, &query, &record);
	if (place < 0)
		return;
	process->executable = place;
	batch_add(batch, &record);
}

static void name_memcg(struct processes *processes, struct process *process,
		       const struct wire_task *task, struct batch *batch)
{
	struct cgroup_id memcg = {.id = task->memcg.id, .hierarchy = task->memcg.hierarchy};
	struct proc_id proc;

	if (cgroup_id_equal(&memcg, &process->memcg))
		return;
	process->memcg = memcg;
	decode_proc_id(&task->proc, &proc);
	cgroups_name(processes->cgroups, &memcg, &proc, task->head.ts_ns, batch);
}

static void tell_samples(struct processes *processes, struct process *process,
			 const struct wire_task *task, struct batch *batch)
{
	struct record record;

	if (!process->is_sampled ||
	    task_moved(&process->told, task, process->serves, processes->page_bytes)) {
		process->is_sampled = true;
		task_told_set(&process->told, task);
		if (decode_wire(task, sizeof(*task), processes->page_bytes, &record) ==
		    DECODE_RECORD)
			batch_add(batch, &record);
	}
	if (task_vm_moved(&process->told, &task->vm)) {
		struct wire_vm vm = {
			.head = {.kind = WIRE_VM, .size = sizeof(vm), .ts_ns = task->head.ts_ns},
			.proc = task->proc,
			.counters = task->vm,
		};

		task_told_set_vm(&process->told, &task->vm);
		if (decode_wire(&vm, sizeof(vm), processes->page_bytes, &record) == DECODE_RECORD)
			batch_add(batch, &record);
	}
}

bool processes_sample(struct processes *processes, const struct wire_task *task,
		      struct batch *batch)
{
	struct wire_proc key = {.start_ns = task->proc.start_ns, .tgid = task->proc.tgid};
	struct process *process = hash_table_insert(&processes->table, &key);
	struct record record;

	if (!process)
		return false;
	process->sweep = processes->sweep;
	processes->now_ns = task->head.ts_ns;
	if (process->executable)
		executables_used(processes->executables, process->executable);
	if (!process->is_told) {
		/* Younger than we are: its fork is on the way, unless the ring was full. */
		bool expect_fork = !process->is_met && task->proc.start_ns > processes->since_ns;

		process->is_met = true;
		if (expect_fork)
			return true;
		process->is_told = true;
		name_memcg(processes, process, task, batch);
		decode_found(task, &record);
		batch_add(batch, &record);
	}
	if (processes->defer_rest)
		return true;
	if (!process->exe_is_told) {
		process->exe_is_told = true;
		tell_exe(processes, process, task, batch);
	}
	name_memcg(processes, process, task, batch);
	tell_samples(processes, process, task, batch);
	return true;
}

static int was_missed(void *arg, void *entry)
{
	const struct processes *processes = arg;
	const struct process *process = entry;

	/* Born between the drain of the rings and the run: give it one more. */
	return processes->sweep - process->sweep > 1;
}

void processes_sweep(struct processes *processes)
{
	hash_table_remove_if(&processes->table, was_missed, processes);
	processes->sweep++;
	executables_sweep(processes->executables, processes->now_ns);
}

bool processes_has(const struct processes *processes, const struct wire_proc *proc)
{
	return hash_table_find(&processes->table, proc) != NULL;
}

void processes_mark_serving(struct processes *processes, const struct wire_proc *proc)
{
	struct process *process = hash_table_find(&processes->table, proc);

	if (process)
		process->serves = true;
}
