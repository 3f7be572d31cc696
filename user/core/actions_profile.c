/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * actions_profile.c - how to see what fills the memory of a process, and what its threads wait for,
 * with the tools of its runtime. It knows tools; where to look is the verdict's.
 */
#include "core/actions.h"

uint32_t advice_pid(const struct advice *a)
{
	const struct report_incident *r = a->out;

	if (r->has_culprit && !r->died)
		return r->culprit.id.tgid;
	return r->next_tgid;
}

/* " 4711", or " PID" for whoever comes next. */
static void add_pid(struct text *t, const struct advice *a)
{
	uint32_t pid = advice_pid(a);

	if (pid)
		text_add(t, " %u", pid);
	else
		text_add(t, " PID");
}

static void profile_node(struct text *t, const struct advice *a)
{
	text_add(t, "Compare two heap snapshots some minutes apart: kill -USR2");
	add_pid(t, a);
	text_add(t, " writes one if node was started with --heapsnapshot-signal=SIGUSR2 (without "
		    "that flag the signal ends it).");
}

static void profile_jvm(struct text *t, const struct advice *a)
{
	text_add(t, "Compare two heap dumps some minutes apart: jcmd");
	add_pid(t, a);
	text_add(t, " GC.heap_dump /tmp/heap.hprof. -XX:+HeapDumpOnOutOfMemoryError writes one at "
		    "the end by itself.");
}

static void profile_python(struct text *t, const struct advice *a)
{
	text_add(t, "Run one instance with python3 -X tracemalloc and compare two snapshots some "
		    "minutes apart, or look at a running one: memray attach");
	add_pid(t, a);
	text_add(t, ".");
}

static void profile_go(struct text *t, const struct advice *a)
{
	(void)a;
	text_add(t,
		 "Fetch /debug/pprof/heap (net/http/pprof) twice some minutes apart and compare: "
		 "go tool pprof -base FIRST SECOND.");
}

static void profile_ruby(struct text *t, const struct advice *a)
{
	(void)a;
	text_add(t, "Call ObjectSpace.trace_object_allocations_start in one instance and compare "
		    "two dumps of ObjectSpace.dump_all some minutes apart.");
}

static void profile_malloc(struct text *t, const struct advice *a)
{
	text_add(t, "See which allocations stay: heaptrack -p");
	add_pid(t, a);
	text_add(t, ", or memleak -p");
	add_pid(t, a);
	text_add(t, " of bcc.");
}

void advise_profile(struct advice *a)
{
	static void (*const tools[])(struct text *, const struct advice *) = {
		[RUNTIME_UNKNOWN] = profile_malloc, [RUNTIME_NODEJS] = profile_node,
		[RUNTIME_JVM] = profile_jvm,	    [RUNTIME_PYTHON] = profile_python,
		[RUNTIME_GO] = profile_go,	    [RUNTIME_RUBY] = profile_ruby,
		[RUNTIME_NATIVE] = profile_malloc,
	};
	struct text t = action_add(a, ACTION_DIAGNOSE);

	_Static_assert(sizeof(tools) / sizeof(tools[0]) == NR_RUNTIMES, "a tool for every runtime");
	tools[a->out->culprit.runtime](&t, a);
}

static void native_node(struct text *t, const struct advice *a)
{
	(void)a;
	text_add(t, "Log process.memoryUsage(): external and arrayBuffers grow, heapUsed does not. "
		    "Look for Buffers that are kept and for native addons");
}

static void native_jvm(struct text *t, const struct advice *a)
{
	text_add(t, "Start with -XX:NativeMemoryTracking=summary, then jcmd");
	add_pid(t, a);
	text_add(t,
		 " VM.native_memory baseline, and later summary.diff. Look at direct buffers and, "
		 "with jcmd VM.classloader_stats, at classes that stay loaded");
}

void advise_native_profile(struct advice *a)
{
	const struct measure *share = &a->out->memory.native_share;
	struct text t = action_add(a, ACTION_DIAGNOSE);

	if (a->out->culprit.runtime == RUNTIME_NODEJS)
		native_node(&t, a);
	else if (a->out->culprit.runtime == RUNTIME_JVM)
		native_jvm(&t, a);
	else
		text_add(&t, "The managed heap is not what grows: look at native libraries");
	if (share->has)
		text_add(&t, " (%llu %% of the growth is outside the heap)",
			 (unsigned long long)u64_of(share->value * 100 + 0.5));
	text_add(&t, ".");
}

void advise_stacks(struct advice *a)
{
	static const struct {
		const char *command, *behind_pid;
	} tools[] = {
		[RUNTIME_UNKNOWN] = {"eu-stack -p", ""},
		[RUNTIME_NODEJS] = {"kill -USR1", ", then node inspect -p with the same number"},
		[RUNTIME_JVM] = {"jcmd", " Thread.print"},
		[RUNTIME_PYTHON] = {"py-spy dump --pid", ""},
		[RUNTIME_GO] = {"kill -QUIT", " (writes all goroutines to its log, and ends it)"},
		[RUNTIME_RUBY] = {"rbspy snapshot --pid", ""},
		[RUNTIME_NATIVE] = {"eu-stack -p", ""},
	};
	uint32_t pid = a->incident->culprit.death.proc.tgid;
	struct text t = action_add(a, ACTION_DIAGNOSE);

	_Static_assert(sizeof(tools) / sizeof(tools[0]) == NR_RUNTIMES, "a tool for every runtime");
	text_add(&t, "While it hangs, see what its threads wait for: %s ",
		 tools[a->server].command);
	if (pid)
		text_add(&t, "%u", pid);
	else
		text_add(&t, "PID");
	text_add(&t, "%s.", tools[a->server].behind_pid);
	if (a->server == RUNTIME_JVM)
		text_add(&t, " Threads that are missing may have ended on OutOfMemoryError: see "
			     "its log, "
			     "and let it end then, with -XX:+ExitOnOutOfMemoryError.");
}
