/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* probes.c - see probes.h. */
#include "source/probes.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "model/record.h"

#define FIX_KERNEL "needs a kernel with this tracepoint"
#define FIX_CGROUP "mount cgroup2 where memswell sees it, and keep CAP_NET_ADMIN"

static const struct probe_hook hooks[] = {
	{
		.name = "fork",
		.group = BPF_GROUP_LIFECYCLE,
		.essential = true,
		.candidates = {{.variant = "tp_btf/sched_process_fork",
				.programs = {"lifecycle_fork"}}},
		.consequence = "births of processes are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "exec",
		.group = BPF_GROUP_LIFECYCLE,
		.essential = true,
		.candidates = {{.variant = "tp_btf/sched_process_exec",
				.programs = {"lifecycle_exec"}}},
		.consequence = "program starts are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "exit",
		.group = BPF_GROUP_LIFECYCLE,
		.essential = true,
		.candidates = {{.variant = "tp_btf/sched_process_exit",
				.programs = {"lifecycle_exit"}}},
		.consequence = "deaths are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "signal",
		.group = BPF_GROUP_LIFECYCLE,
		.essential = true,
		.candidates = {{.variant = "tp_btf/signal_generate",
				.programs = {"lifecycle_signal"}}},
		.consequence = "who killed a process is not known",
		.fix = FIX_KERNEL,
	},
	{
		.name = "tasks",
		.group = BPF_GROUP_MEMORY,
		.essential = true,
		.candidates = {{.variant = "iter/task", .programs = {"memory_tasks"}}},
		.consequence = "memory of processes is not sampled",
		.fix = FIX_KERNEL,
	},
	{
		.name = "oom",
		.group = BPF_GROUP_LIFECYCLE,
		.candidates = {{.variant = "tp_btf/mark_victim", .programs = {"oom_mark_victim"}}},
		.consequence = "kills by the OOM killer look like any SIGKILL from the kernel",
		.fix = FIX_KERNEL,
	},
	{
		.name = "tcp_state",
		.group = BPF_GROUP_SOCKETS,
		.candidates = {{.variant = "tp_btf/inet_sock_set_state",
				.programs = {"socket_set_state"},
				.storage = PROBE_WITH_STORAGE},
			       {.variant = "tp_btf/inet_sock_set_state (table)",
				.programs = {"socket_set_state", "table_new_socket",
					     "table_drop_socket"},
				.storage = PROBE_WITHOUT_STORAGE}},
		.consequence = "listeners, refused and timed out connects are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "owner_create",
		.group = BPF_GROUP_SOCKETS,
		.candidates = {{.variant = "cgroup/sock_create", .programs = {"socket_create"}}},
		.consequence = "sockets have no owner until they are read from",
		.fix = FIX_CGROUP,
	},
	{
		.name = "owner_recv",
		.group = BPF_GROUP_SOCKETS,
		/* only requests that die unanswered in a server of several workers lose their worker */
		.shed_turn = 2,
		.candidates = {{.variant = "tp_btf/tcp_rcv_space_adjust",
				.programs = {"socket_recv_owner"}}},
		.consequence =
			"requests may be put down to the process that listens, not to its worker",
		.fix = FIX_KERNEL,
	},
	{
		.name = "reset_sent",
		.group = BPF_GROUP_SOCKETS,
		.candidates = {{.variant = "tp_btf/tcp_send_reset (reason)",
				.programs = {"socket_send_reset_reason"},
				.min_args = 3,
				.max_args = 8},
			       {.variant = "tp_btf/tcp_send_reset",
				.programs = {"socket_send_reset"},
				.min_args = 2,
				.max_args = 2}},
		.consequence = "resets sent by this host are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "http_ingress",
		.group = BPF_GROUP_TRAFFIC,
		.traffic = true,
		.candidates = {{.variant = "cgroup_skb/ingress", .programs = {"http_ingress"}}},
		.consequence = "no HTTP requests or responses are counted",
		.fix = FIX_CGROUP,
	},
	{
		.name = "http_egress",
		.group = BPF_GROUP_TRAFFIC,
		.traffic = true,
		.candidates = {{.variant = "cgroup_skb/egress", .programs = {"http_egress"}}},
		.consequence = "no HTTP requests or responses are counted",
		.fix = FIX_CGROUP,
	},
	{
		.name = "sockets_at_start",
		.group = BPF_GROUP_SOCKETS,
		.candidates = {{.variant = "iter/task_file",
				.programs = {"socket_files"},
				.storage = PROBE_WITH_STORAGE},
			       {.variant = "iter/task_file (table)",
				.programs = {"table_files"},
				.storage = PROBE_WITHOUT_STORAGE}},
		.consequence = "sockets older than memswell have no owner until they are used",
		.fix = "before Linux 5.15 it cannot be had under lockdown=confidentiality",
	},
	{
		.name = "rss_step",
		.group = BPF_GROUP_MEMORY,
		/* the tick still samples: only growth within one is missed */
		.shed_turn = 4,
		.candidates = {{.variant = "tp_btf/hrtimer_expire_entry",
				.programs = {"memory_timer"},
				.storage = PROBE_WITH_STORAGE},
			       {.variant = "tp_btf/rss_stat",
				.programs = {"memory_rss_stat"},
				.storage = PROBE_WITHOUT_STORAGE}},
		.consequence = "growth and death between two ticks is not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "vm_events",
		.group = BPF_GROUP_VM,
		/* heap and native growth are no longer told apart; what grew and who died is */
		.shed_turn = 1,
		.candidates = {{.variant = "fexit",
				.programs = {"vm_mmap_fexit", "vm_munmap_fexit", "vm_mremap_fexit",
					     "vm_brk_fexit"},
				.storage = PROBE_WITH_STORAGE,
				.vm_events = VM_EVENTS_FENTRY},
			       {.variant = "fexit (bare registers)",
				.programs = {"vm_mmap_fexit", "vm_munmap_fexit",
					     "vm_mremap_fexit_bare", "vm_brk_fexit_bare"},
				.storage = PROBE_WITHOUT_STORAGE,
				.vm_events = VM_EVENTS_FENTRY},
			       /* with a third argument (until 6.12) it names the cgroup, dearly */
			       {.variant = "tp_btf/mmap_lock_released",
				.programs = {"vm_unlock"},
				.min_args = 2,
				.max_args = 2,
				.storage = PROBE_WITH_STORAGE,
				.vm_events = VM_EVENTS_LOCK},
			       {.variant = "tracepoint/sys_exit_*",
				.programs = {"vm_mmap_exit", "vm_munmap_exit", "vm_mremap_exit",
					     "vm_brk_exit"},
				.storage = PROBE_WITH_STORAGE,
				.vm_events = VM_EVENTS_SYSCALL,
				.cost = "every system call pays some 35 ns (--vm-events=off)"},
			       {.variant = "tp_btf/sys_exit",
				.programs = {"vm_sys_exit"},
				.vm_events = VM_EVENTS_SYSCALL,
				.cost = "every system call pays some 85 ns (--vm-events=off)"}},
		.consequence = "mmap, munmap, mremap and brk are not counted",
		.fix = "needs fentry, or tracefs with CAP_SYS_ADMIN",
	},
	{
		.name = "reclaim_direct",
		.group = BPF_GROUP_MEMORY,
		/* the machine's stalls show in response times and in the cgroup's reclaim too */
		.shed_turn = 3,
		.candidates = {{.variant = "tp_btf/mm_vmscan_direct_reclaim_*",
				.programs = {"reclaim_direct_begin", "reclaim_direct_end"}}},
		.consequence = "stalls by reclaim for the machine are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "reclaim_memcg",
		.group = BPF_GROUP_MEMORY,
		/* last: what shows a process stalled at its limit rather than leaking */
		.shed_turn = 5,
		.candidates = {{.variant = "tp_btf/mm_vmscan_memcg_reclaim_*",
				.programs = {"reclaim_memcg_begin", "reclaim_memcg_end"}}},
		.consequence = "stalls by reclaim at a cgroup limit are not seen",
		.fix = FIX_KERNEL,
	},
	{
		.name = "v8_oom",
		.group = BPF_GROUP_LIFECYCLE,
		.candidates = {{.variant = "uprobe",
				.programs = {"runtime_v8_oom_arg1", "runtime_v8_oom_arg2"}}},
		.consequence = "V8's own heap limit shows only as SIGABRT",
		.fix = "needs CAP_SYS_ADMIN and CONFIG_UPROBE_EVENTS",
	},
};

const struct probe_hook *probes_table(uint32_t *nr)
{
	*nr = sizeof(hooks) / sizeof(hooks[0]);
	return hooks;
}

/* The prototype behind `typedef void (*btf_trace_NAME)(void *, ...)`, or NULL. */
static const struct btf_type *tracepoint_proto(const struct btf *btf, const char *name)
{
	char type_name[128];
	const struct btf_type *type;
	int id;

	snprintf(type_name, sizeof(type_name), "btf_trace_%s", name);
	id = btf__find_by_name_kind(btf, type_name, BTF_KIND_TYPEDEF);
	if (id < 0)
		return NULL;
	type = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type);
	if (!type || !btf_is_ptr(type))
		return NULL;
	type = btf__type_by_id(btf, type->type);
	return type && btf_is_func_proto(type) ? type : NULL;
}

static int check_tracepoint(const struct btf *btf, const struct probe_candidate *candidate,
			    const char *name, char *reason, size_t reason_size)
{
	const struct btf_type *proto = tracepoint_proto(btf, name);
	uint32_t nr_args;

	if (!proto) {
		snprintf(reason, reason_size, "this kernel has no tracepoint %s", name);
		return -ENOENT;
	}
	/* The first parameter is the probe's own data. */
	nr_args = btf_vlen(proto) ? btf_vlen(proto) - 1U : 0;
	if (candidate->max_args &&
	    (nr_args < candidate->min_args || nr_args > candidate->max_args)) {
		snprintf(reason, reason_size, "tracepoint %s has %u arguments here", name, nr_args);
		return -ENOENT;
	}
	return 0;
}

static int check_function(const struct btf *btf, const char *prefix, const char *name, char *reason,
			  size_t reason_size)
{
	char function[128];

	snprintf(function, sizeof(function), "%s%s", prefix, name);
	if (btf__find_by_name_kind(btf, function, BTF_KIND_FUNC) >= 0)
		return 0;
	snprintf(reason, reason_size, "this kernel has no function %s", function);
	return -ENOENT;
}

static const char *after(const char *section, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(section, prefix, len) == 0 ? section + len : NULL;
}

int probe_check(const struct btf *btf, const struct probe_candidate *candidate, const char *section,
		char *reason, size_t reason_size)
{
	const char *name;

	if ((name = after(section, "tp_btf/")))
		return check_tracepoint(btf, candidate, name, reason, reason_size);
	if ((name = after(section, "fexit/")) || (name = after(section, "fentry/")))
		return check_function(btf, "", name, reason, reason_size);
	if ((name = after(section, "iter/")))
		return check_function(btf, "bpf_iter_", name, reason, reason_size);
	return 0;
}

bool probe_has_storage(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type = btf__type_by_id(btf, id > 0 ? (uint32_t)id : 0);

	for (uint32_t i = 0; id > 0 && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off),
			    "BPF_FUNC_task_pt_regs"))
			return true;
	return false;
}

bool probe_first_arg_is_pointer(const struct btf *btf, const char *tracepoint)
{
	const struct btf_type *proto = tracepoint_proto(btf, tracepoint);
	const struct btf_type *type;

	if (!proto || btf_vlen(proto) < 2)
		return false;
	type = btf__type_by_id(btf, btf_params(proto)[1].type);
	return type && btf_is_ptr(type);
}
