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

static __always_inline int runtime_report(const void *location)
{
	struct wire_v8_oom *event = emit_reserve(WIRE_V8_OOM, sizeof(*event));

	if (!event)
		return 0;
	fill_current(&event->proc, current_task());
	bpf_probe_read_user_str(event->text, sizeof(event->text), location);
	emit_submit(WIRE_V8_OOM, event);
	return 0;
}

/* The location is the first argument of node::OOMErrorHandler. */
SEC("?uprobe")
int runtime_v8_oom_arg1(struct pt_regs *ctx)
{
	return runtime_report((const void *)PT_REGS_PARM1(ctx));
}

/* The location is the second argument of v8::internal::V8::FatalProcessOutOfMemory. */
SEC("?uprobe")
int runtime_v8_oom_arg2(struct pt_regs *ctx)
{
	return runtime_report((const void *)PT_REGS_PARM2(ctx));
}
