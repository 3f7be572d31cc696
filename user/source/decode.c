/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* decode.c - see decode.h. */
#include "source/decode.h"

#include <string.h>

#include "base/utf8.h"

#define TCP_STATE_LISTEN     10
#define TRACE_SIGNAL_IGNORED 1 /* include/trace/events/signal.h */

_Static_assert((int)NR_FLOW_FAILS == NR_WIRE_FAILS, "flow_fail follows wire_fail");
_Static_assert((int)NR_FLOW_STATUSES == NR_WIRE_STATUSES, "flow_status follows wire_status");
_Static_assert((int)LISTENER_DOWN == WIRE_LISTENER_DOWN && (int)LISTENER_UP == WIRE_LISTENER_UP &&
		       (int)LISTENER_FOUND == WIRE_LISTENER_FOUND,
	       "listener_state follows wire_listener_state");
_Static_assert((int)FLOW_SERVER == WIRE_ROLE_SERVER && (int)FLOW_CLIENT == WIRE_ROLE_CLIENT &&
		       (int)FLOW_BACKEND == WIRE_ROLE_BACKEND,
	       "flow_role follows wire_role");
_Static_assert(RECORD_LATENCY_BUCKETS == WIRE_LATENCY_BUCKETS, "latency buckets");

void record_init(struct record *record, enum record_kind kind, uint64_t ts_ns)
{
	memset(record, 0, sizeof(*record));
	record->kind = kind;
	record->ts_ns = ts_ns;
}

uint64_t decode_pages(uint64_t pages, uint32_t page_bytes)
{
	if (page_bytes && pages > INT64_MAX / page_bytes)
		return INT64_MAX;
	return pages * page_bytes;
}

uint64_t decode_limit(uint64_t pages, uint32_t page_bytes)
{
	/* page_counter's own "unlimited" is LONG_MAX / PAGE_SIZE pages. */
	if (page_bytes && pages >= INT64_MAX / page_bytes)
		return RECORD_NO_LIMIT;
	return pages * page_bytes;
}

void decode_proc_id(const struct wire_proc *wire, struct proc_id *out)
{
	out->start_ns = wire->start_ns;
	out->tgid = wire->tgid;
}

void decode_endpoint(const struct wire_endpoint *wire, struct endpoint *out)
{
	memcpy(out->addr, wire->addr, sizeof(out->addr));
	out->netns = wire->netns;
	out->port = wire->port;
}

#define COPY_TEXT(dst, src) utf8_sanitize((dst), sizeof(dst), (src), sizeof(src))

static enum decode_result decode_fork(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_fork *wire = data;

	(void)page_bytes;
	record_init(out, RECORD_PROC, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->proc.proc);
	decode_proc_id(&wire->parent, &out->proc.parent);
	out->proc.memcg.id = wire->memcg_id;
	out->proc.memcg.hierarchy = wire->hierarchy;
	out->proc.origin = PROC_FORKED;
	COPY_TEXT(out->proc.comm, wire->comm);
	return DECODE_RECORD;
}

static enum decode_result decode_exec(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_exec *wire = data;

	(void)page_bytes;
	record_init(out, RECORD_EXEC, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->exec.proc);
	out->exec.memcg.id = wire->memcg_id;
	out->exec.memcg.hierarchy = wire->hierarchy;
	COPY_TEXT(out->exec.comm, wire->comm);
	return DECODE_RECORD;
}

static enum decode_result decode_exit(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_exit *wire = data;

	record_init(out, RECORD_EXIT, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->exit.proc);
	out->exit.peak_rss_bytes = decode_pages(wire->maxrss_pages, page_bytes);
	out->exit.anon_bytes = decode_pages(wire->anon_pages, page_bytes);
	out->exit.major_faults = wire->maj_flt;
	out->exit.status = wire->status;
	out->exit.oom_score_adj = wire->oom_score_adj;
	COPY_TEXT(out->exit.comm, wire->comm);
	return DECODE_RECORD;
}

static enum decode_result decode_signal(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_signal *wire = data;

	(void)page_bytes;
	record_init(out, RECORD_SIGNAL, wire->head.ts_ns);
	decode_proc_id(&wire->target, &out->signal.target);
	decode_proc_id(&wire->sender, &out->signal.sender);
	out->signal.sig = wire->sig;
	out->signal.code = wire->code;
	out->signal.ignored = wire->result == TRACE_SIGNAL_IGNORED;
	COPY_TEXT(out->signal.sender_comm, wire->sender_comm);
	return DECODE_RECORD;
}

static enum decode_result decode_oom(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_oom *wire = data;

	record_init(out, RECORD_OOM, wire->head.ts_ns);
	decode_proc_id(&wire->victim, &out->oom.victim);
	decode_proc_id(&wire->trigger, &out->oom.trigger);
	out->oom.memcg.id = wire->memcg.id;
	out->oom.memcg.hierarchy = wire->memcg.hierarchy;
	out->oom.usage_bytes = decode_pages(wire->memcg.usage_pages, page_bytes);
	out->oom.limit_bytes = decode_limit(wire->memcg.limit_pages, page_bytes);
	out->oom.anon_bytes = decode_pages(wire->anon_pages, page_bytes);
	out->oom.file_bytes = decode_pages(wire->file_pages, page_bytes);
	out->oom.shmem_bytes = decode_pages(wire->shmem_pages, page_bytes);
	out->oom.oom_score_adj = wire->oom_score_adj;
	COPY_TEXT(out->oom.victim_comm, wire->victim_comm);
	COPY_TEXT(out->oom.trigger_comm, wire->trigger_comm);
	return DECODE_RECORD;
}

static enum decode_result decode_listener(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_listener *wire = data;

	(void)page_bytes;
	if (wire->state >= NR_LISTENER_STATES)
		return DECODE_BAD;
	record_init(out, RECORD_LISTENER, wire->head.ts_ns);
	decode_proc_id(&wire->owner, &out->listener.owner);
	decode_endpoint(&wire->local, &out->listener.local);
	out->listener.sock_id = wire->sock_id;
	out->listener.state = wire->state;
	return DECODE_RECORD;
}

static enum decode_result decode_socket(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_socket *wire = data;

	(void)page_bytes;
	if (wire->state != TCP_STATE_LISTEN)
		return DECODE_NOTHING;
	record_init(out, RECORD_LISTENER, wire->head.ts_ns);
	decode_proc_id(&wire->owner, &out->listener.owner);
	decode_endpoint(&wire->local, &out->listener.local);
	out->listener.sock_id = wire->sock_id;
	out->listener.state = LISTENER_FOUND;
	return DECODE_RECORD;
}

static enum decode_result decode_v8_oom(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_v8_oom *wire = data;

	(void)page_bytes;
	record_init(out, RECORD_V8_OOM, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->v8_oom.proc);
	COPY_TEXT(out->v8_oom.text, wire->text);
	return DECODE_RECORD;
}

static enum decode_result decode_rss(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_rss *wire = data;

	record_init(out, RECORD_RSS, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->rss.proc);
	out->rss.anon_bytes = decode_pages(wire->anon_pages, page_bytes);
	out->rss.file_bytes = decode_pages(wire->file_pages, page_bytes);
	out->rss.shmem_bytes = decode_pages(wire->shmem_pages, page_bytes);
	return DECODE_RECORD;
}

static enum decode_result decode_vm(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_vm *wire = data;
	const struct wire_vm_counters *vm = &wire->counters;

	(void)page_bytes;
	record_init(out, RECORD_VM, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->vm.proc);
	out->vm.mmap_calls = vm->calls[WIRE_VM_MMAP];
	out->vm.munmap_calls = vm->calls[WIRE_VM_MUNMAP];
	out->vm.mremap_calls = vm->calls[WIRE_VM_MREMAP];
	out->vm.brk_calls = vm->calls[WIRE_VM_BRK];
	out->vm.mmap_failures = vm->failures[WIRE_VM_MMAP];
	out->vm.munmap_failures = vm->failures[WIRE_VM_MUNMAP];
	out->vm.mremap_failures = vm->failures[WIRE_VM_MREMAP];
	out->vm.brk_failures = vm->failures[WIRE_VM_BRK];
	out->vm.mapped_bytes = vm->mapped_bytes;
	out->vm.unmapped_bytes = vm->unmapped_bytes;
	out->vm.malloc_mapped_bytes = vm->malloc_mapped_bytes;
	out->vm.malloc_unmapped_bytes = vm->malloc_unmapped_bytes;
	return DECODE_RECORD;
}

static enum decode_result decode_alarm(const void *data, uint32_t page_bytes, struct record *out)
{
	(void)data;
	(void)page_bytes;
	(void)out;
	return DECODE_NOTHING;
}

static enum decode_result decode_task(const void *data, uint32_t page_bytes, struct record *out)
{
	const struct wire_task *wire = data;

	record_init(out, RECORD_TASK, wire->head.ts_ns);
	decode_proc_id(&wire->proc, &out->task.proc);
	out->task.memcg.id = wire->memcg.id;
	out->task.memcg.hierarchy = wire->memcg.hierarchy;
	out->task.anon_bytes = decode_pages(wire->anon_pages, page_bytes);
	out->task.file_bytes = decode_pages(wire->file_pages, page_bytes);
	out->task.shmem_bytes = decode_pages(wire->shmem_pages, page_bytes);
	out->task.swap_bytes = decode_pages(wire->swap_pages, page_bytes);
	out->task.total_vm_bytes = decode_pages(wire->total_vm_pages, page_bytes);
	out->task.data_vm_bytes = decode_pages(wire->data_vm_pages, page_bytes);
	out->task.brk_bytes = wire->brk_bytes;
	out->task.memcg_usage_bytes = decode_pages(wire->memcg.usage_pages, page_bytes);
	out->task.memcg_limit_bytes = decode_limit(wire->memcg.limit_pages, page_bytes);
	out->task.cpu_ns = wire->cpu_ns;
	out->task.major_faults = wire->maj_flt;
	return DECODE_RECORD;
}

void decode_found(const struct wire_task *task, struct record *out)
{
	record_init(out, RECORD_PROC, task->head.ts_ns);
	decode_proc_id(&task->proc, &out->proc.proc);
	decode_proc_id(&task->parent, &out->proc.parent);
	out->proc.memcg.id = task->memcg.id;
	out->proc.memcg.hierarchy = task->memcg.hierarchy;
	out->proc.origin = PROC_FOUND;
	COPY_TEXT(out->proc.comm, task->comm);
}

static const struct {
	uint32_t size;
	enum decode_result (*decode)(const void *data, uint32_t page_bytes, struct record *out);
} decoders[NR_WIRE_KINDS] = {
	[WIRE_FORK] = {sizeof(struct wire_fork), decode_fork},
	[WIRE_EXEC] = {sizeof(struct wire_exec), decode_exec},
	[WIRE_EXIT] = {sizeof(struct wire_exit), decode_exit},
	[WIRE_SIGNAL] = {sizeof(struct wire_signal), decode_signal},
	[WIRE_OOM] = {sizeof(struct wire_oom), decode_oom},
	[WIRE_LISTENER] = {sizeof(struct wire_listener), decode_listener},
	[WIRE_V8_OOM] = {sizeof(struct wire_v8_oom), decode_v8_oom},
	[WIRE_RSS] = {sizeof(struct wire_rss), decode_rss},
	[WIRE_VM] = {sizeof(struct wire_vm), decode_vm},
	[WIRE_ALARM] = {sizeof(struct wire_alarm), decode_alarm},
	[WIRE_TASK] = {sizeof(struct wire_task), decode_task},
	[WIRE_SOCKET] = {sizeof(struct wire_socket), decode_socket},
};

enum decode_result decode_wire(const void *data, size_t size, uint32_t page_bytes,
			       struct record *out)
{
	/* A copy, because nobody promised that `data` is aligned. */
	union {
		struct wire_head head;
		struct wire_task largest;
		struct wire_oom oom;
	} wire;

	if (size < sizeof(wire.head))
		return DECODE_BAD;
	memcpy(&wire.head, data, sizeof(wire.head));
	if (wire.head.kind == WIRE_NONE || wire.head.kind >= NR_WIRE_KINDS)
		return DECODE_BAD;
	if (wire.head.size > size || wire.head.size < decoders[wire.head.kind].size)
		return DECODE_BAD;
	memcpy(&wire, data, decoders[wire.head.kind].size);
	return decoders[wire.head.kind].decode(&wire, page_bytes, out);
}
