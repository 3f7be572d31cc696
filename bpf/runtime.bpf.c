// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * runtime.bpf.c - language runtimes that end at their own heap limit: V8's fatal out-of-memory.
 *
 * A cold uprobe: it costs nothing until the process is about to die. It says that the heap gave up
 * and where; that the process died, or lived on without a worker thread, is lifecycle.bpf.c's to
 * tell.
 */
#include "state.bpf.h"

#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "task.bpf.h"

/*
 * Where the location string is, as user space puts it into the uprobe's cookie: first argument of
 * node::OOMErrorHandler, second of v8::internal::V8::FatalProcessOutOfMemory.
 */
enum { LOCATION_ARG1 = 1, LOCATION_ARG2 = 2 };

SEC("?uprobe")
int runtime_v8_oom(struct pt_regs *ctx)
{
	const void *location = (const void *)PT_REGS_PARM2(ctx);
	struct wire_v8_oom *event;

	if (bpf_get_attach_cookie(ctx) == LOCATION_ARG1)
		location = (const void *)PT_REGS_PARM1(ctx);
	event = emit_reserve(WIRE_V8_OOM, sizeof(*event));
	if (!event)
		return 0;
	fill_proc(&event->proc, bpf_get_current_task_btf());
	bpf_probe_read_user_str(event->text, sizeof(event->text), location);
	emit_submit(WIRE_V8_OOM, event);
	return 0;
}
