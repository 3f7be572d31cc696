/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record.c - every field of every record, described once: name in JSON, place in the struct, type.
 * The codec, and tests that fill or compare whole records, work from these tables; they hold no
 * meaning beyond the shape. Types and sizes come from the struct itself, so they cannot disagree.
 */
#include <stddef.h>

#include "model/record.h"

#define NR(table)	     (sizeof(table) / sizeof((table)[0]))
#define HOLDS_ALL(table, nr) _Static_assert(NR(table) == (nr), "a word for every value of " #nr)

/* Changing a name breaks every recording that exists: raise RECORD_FORMAT_VERSION with it. */

/* clang-format off: one row per line, and it cannot read _Generic */

static const char *const probe_states[] = {
	[PROBE_ATTACHED] = "attached",
	[PROBE_UNAVAILABLE] = "unavailable",
	[PROBE_OFF] = "off",
	[PROBE_SHED] = "shed",
};
HOLDS_ALL(probe_states, NR_PROBE_STATES);

static const char *const bpf_times[] = {
	[BPF_TIME_NONE] = "none",
	[BPF_TIME_SAMPLED] = "sampled",
	[BPF_TIME_ESTIMATED] = "estimated",
};
HOLDS_ALL(bpf_times, NR_BPF_TIMES);

static const char *const bpf_groups[] = {
	[BPF_GROUP_LIFECYCLE] = "lifecycle", [BPF_GROUP_MEMORY] = "memory",   [BPF_GROUP_VM] = "vm",
	[BPF_GROUP_SOCKETS] = "sockets",     [BPF_GROUP_TRAFFIC] = "traffic",
};
HOLDS_ALL(bpf_groups, NR_BPF_GROUPS);

static const char *const rings[] = {
	[RING_CRITICAL] = "critical",
	[RING_BULK] = "bulk",
};
HOLDS_ALL(rings, NR_RINGS);

static const char *const proc_origins[] = {
	[PROC_FOUND] = "found",
	[PROC_FORKED] = "forked",
};
HOLDS_ALL(proc_origins, NR_PROC_ORIGINS);

static const char *const runtimes[] = {
	[RUNTIME_UNKNOWN] = "unknown", [RUNTIME_NODEJS] = "nodejs", [RUNTIME_JVM] = "jvm",
	[RUNTIME_PYTHON] = "python",   [RUNTIME_GO] = "go",	    [RUNTIME_RUBY] = "ruby",
	[RUNTIME_NATIVE] = "native",
};
HOLDS_ALL(runtimes, NR_RUNTIMES);

static const char *const listener_states[] = {
	[LISTENER_DOWN] = "down",
	[LISTENER_UP] = "up",
	[LISTENER_FOUND] = "found",
};
HOLDS_ALL(listener_states, NR_LISTENER_STATES);

static const char *const gap_causes[] = {
	[GAP_UNKNOWN] = "unknown",   [GAP_STOPPED] = "stopped",	    [GAP_KILLED] = "killed",
	[GAP_REBOOTED] = "rebooted", [GAP_SUSPENDED] = "suspended", [GAP_STALLED] = "stalled",
};
HOLDS_ALL(gap_causes, NR_GAP_CAUSES);

static const char *const heap_limit_sources[] = {
	[HEAP_LIMIT_NONE] = "none",
	[HEAP_LIMIT_FLAG] = "flag",
	[HEAP_LIMIT_ENV] = "env",
};
HOLDS_ALL(heap_limit_sources, NR_HEAP_LIMIT_SOURCES);

static const char *const oom_exits[] = {
	[OOM_EXIT_NONE] = "none",
	[OOM_EXIT_CODE] = "code",
	[OOM_EXIT_ABORT] = "abort",
};
HOLDS_ALL(oom_exits, NR_OOM_EXITS);

static const char *const name_sources[] = {
	[NAME_SOURCE_NONE] = "none",
	[NAME_SOURCE_OTEL] = "otel",
	[NAME_SOURCE_PM2] = "pm2",
};
HOLDS_ALL(name_sources, NR_NAME_SOURCES);

static const char *const container_runtimes[] = {
	[CONTAINER_RUNTIME_UNKNOWN] = "unknown", [CONTAINER_RUNTIME_CONTAINERD] = "containerd",
	[CONTAINER_RUNTIME_CRIO] = "cri-o",	 [CONTAINER_RUNTIME_DOCKER] = "docker",
	[CONTAINER_RUNTIME_PODMAN] = "podman",
};
HOLDS_ALL(container_runtimes, NR_CONTAINER_RUNTIMES);

static const char *const flow_roles[] = {
	[FLOW_SERVER] = "server",
	[FLOW_CLIENT] = "client",
	[FLOW_BACKEND] = "backend",
};
HOLDS_ALL(flow_roles, NR_FLOW_ROLES);

static const char *const flow_statuses[] = {
	[FLOW_STATUS_1XX] = "1xx", [FLOW_STATUS_2XX] = "2xx",	    [FLOW_STATUS_3XX] = "3xx",
	[FLOW_STATUS_4XX] = "4xx", [FLOW_STATUS_5XX] = "5xx_other", [FLOW_STATUS_502] = "502",
	[FLOW_STATUS_503] = "503", [FLOW_STATUS_504] = "504",
};
HOLDS_ALL(flow_statuses, NR_FLOW_STATUSES);

static const char *const flow_fails[] = {
	[FLOW_FAIL_REFUSED] = "connect_refused",
	[FLOW_FAIL_CONNECT_TIMEOUT] = "connect_timeout",
	[FLOW_FAIL_RST_BEFORE] = "rst_before_response",
	[FLOW_FAIL_FIN_BEFORE] = "fin_before_response",
	[FLOW_FAIL_RST_MID] = "rst_mid_response",
	[FLOW_FAIL_RST_REUSED] = "rst_before_response_reused",
	[FLOW_FAIL_FIN_REUSED] = "fin_before_response_reused",
	[FLOW_FAIL_ABANDONED] = "abandoned",
	[FLOW_FAIL_STATUS] = "gateway_status",
	[FLOW_FAIL_RST_SENT] = "rst_sent",
	[FLOW_FAIL_FIN_MID] = "fin_mid_response",
	[FLOW_FAIL_ACCEPT_FULL] = "accept_queue_full",
	[FLOW_FAIL_UNREACHABLE] = "unreachable",
	[FLOW_FAIL_NO_PORT] = "no_local_port",
};
HOLDS_ALL(flow_fails, NR_FLOW_FAILS);

#define MEMBER(path) (((struct record *)0)->path)
#define AT(path)     .offset = offsetof(struct record, path)
#define NUMBER_TYPE(value)                                                                         \
	_Generic((value), uint64_t                                                                 \
		 : FIELD_U64, int64_t                                                              \
		 : FIELD_I64, uint32_t                                                             \
		 : FIELD_U32, int32_t                                                              \
		 : FIELD_I32, uint16_t                                                             \
		 : FIELD_U16, uint8_t                                                              \
		 : FIELD_U8)

#define NUMBER(key, path) NUMBER_OF(key, path, SCOPE_ANYWHERE)
#define NUMBER_OF(key, path, in)                                                                   \
	{                                                                                          \
		.name = key, AT(path), .type = NUMBER_TYPE(MEMBER(path)), .scope = in              \
	}
#define STRING(key, path)                                                                          \
	{                                                                                          \
		.name = key, AT(path), .type = FIELD_STRING, .size = sizeof(MEMBER(path))          \
	}
#define ENUM(key, path, words)                                                                     \
	{                                                                                          \
		.name = key, AT(path), .type = FIELD_ENUM, .names = words, .count = NR(words)      \
	}
#define ADDRESS(key, path)                                                                         \
	{                                                                                          \
		.name = key, AT(path), .type = FIELD_ADDRESS, .scope = SCOPE_ENDPOINT              \
	}
#define ARRAY(key, path)                                                                           \
	{                                                                                          \
		.name = key, AT(path), .count = NR(MEMBER(path)),                                  \
		.type = _Generic(MEMBER(path)[0], uint64_t                                         \
				 : FIELD_U64_ARRAY, uint32_t                                       \
				 : FIELD_U32_ARRAY)                                                \
	}
/* first_ns, last_ns of each element, one after the other. */
#define MARKS(key, path, nr)                                                                       \
	{                                                                                          \
		.name = key, AT(path), .type = FIELD_U64_ARRAY, .count = 2 * (nr),                 \
		.scope = SCOPE_TIME                                                                \
	}
_Static_assert(sizeof(struct flow_mark) == 2 * sizeof(uint64_t), "marks are pairs of u64");

#define PROC(prefix, path)                                                                         \
	NUMBER(prefix "pid", path.tgid), NUMBER_OF(prefix "start_ns", path.start_ns, SCOPE_PROC)
#define ENDPOINT(path)                                                                             \
	ADDRESS("addr", path.addr), NUMBER("port", path.port), NUMBER("netns", path.netns)
#define MEMCG(path)                                                                                \
	NUMBER_OF("memcg", path.id, SCOPE_CGROUP), NUMBER("memcg_hierarchy", path.hierarchy)
_Static_assert(!offsetof(struct proc_id, start_ns) && !offsetof(struct endpoint, addr) &&
		       !offsetof(struct cgroup_id, id),
	       "the scoped field begins what it names");

static const struct record_field header_fields[] = {
	NUMBER("version", header.version),
	NUMBER("page_bytes", header.page_bytes),
	NUMBER("tick_ns", header.tick_ns),
	NUMBER("memory_bytes", header.memory_bytes),
	NUMBER("wall_offset_ns", header.wall_offset_ns),
	NUMBER("cpus", header.nr_cpus),
	STRING("host_name", header.host_name),
	STRING("host_id", header.host_id),
	STRING("boot_id", header.boot_id),
	STRING("kernel", header.kernel),
	STRING("arch", header.arch),
	STRING("detector_version", header.detector_version),
};

static const struct record_field probe_fields[] = {
	STRING("name", probe.name),
	STRING("variant", probe.variant),
	ENUM("state", probe.state, probe_states),
	STRING("reason", probe.reason),
};

static const struct record_field clock_fields[] = {
	NUMBER("wall_offset_ns", clock.wall_offset_ns),
};

static const struct record_field proc_fields[] = {
	PROC("", proc.proc),	   PROC("parent_", proc.parent),
	MEMCG(proc.memcg),	   ENUM("origin", proc.origin, proc_origins),
	STRING("comm", proc.comm),
};

static const struct record_field exec_fields[] = {
	PROC("", exec.proc),
	MEMCG(exec.memcg),
	STRING("comm", exec.comm),
};

static const struct record_field exe_fields[] = {
	PROC("", exe.proc),
	ENUM("runtime", exe.runtime, runtimes),
	NUMBER("v8_probe", exe.v8_probe),
	ENUM("oom_exit", exe.oom_exit, oom_exits),
	ENUM("heap_limit_source", exe.heap_limit_source, heap_limit_sources),
	NUMBER("runtime_version", exe.runtime_version),
	NUMBER("heap_limit_bytes", exe.heap_limit_bytes),
	NUMBER("supervisor_limit_bytes", exe.supervisor_limit_bytes),
	ENUM("name_source", exe.name_source, name_sources),
	STRING("name", exe.name),
	STRING("path", exe.path),
};

static const struct record_field exit_fields[] = {
	PROC("", exit.proc),
	NUMBER("peak_rss_bytes", exit.peak_rss_bytes),
	NUMBER("anon_bytes", exit.anon_bytes),
	NUMBER("major_faults", exit.major_faults),
	NUMBER("status", exit.status),
	NUMBER("oom_score_adj", exit.oom_score_adj),
	STRING("comm", exit.comm),
};

static const struct record_field signal_fields[] = {
	PROC("", signal.target),	   PROC("sender_", signal.sender),
	NUMBER("sig", signal.sig),	   NUMBER("code", signal.code),
	NUMBER("ignored", signal.ignored), STRING("sender_comm", signal.sender_comm),
};

static const struct record_field oom_fields[] = {
	PROC("", oom.victim),
	PROC("trigger_", oom.trigger),
	MEMCG(oom.memcg),
	NUMBER("usage_bytes", oom.usage_bytes),
	NUMBER("limit_bytes", oom.limit_bytes),
	NUMBER("anon_bytes", oom.anon_bytes),
	NUMBER("file_bytes", oom.file_bytes),
	NUMBER("shmem_bytes", oom.shmem_bytes),
	NUMBER("oom_score_adj", oom.oom_score_adj),
	STRING("comm", oom.victim_comm),
	STRING("trigger_comm", oom.trigger_comm),
};

static const struct record_field v8_oom_fields[] = {
	PROC("", v8_oom.proc),
	STRING("text", v8_oom.text),
};

static const struct record_field task_fields[] = {
	PROC("", task.proc),
	MEMCG(task.memcg),
	NUMBER("anon_bytes", task.anon_bytes),
	NUMBER("file_bytes", task.file_bytes),
	NUMBER("shmem_bytes", task.shmem_bytes),
	NUMBER("swap_bytes", task.swap_bytes),
	NUMBER("total_vm_bytes", task.total_vm_bytes),
	NUMBER("data_vm_bytes", task.data_vm_bytes),
	NUMBER("brk_bytes", task.brk_bytes),
	NUMBER("memcg_usage_bytes", task.memcg_usage_bytes),
	NUMBER("memcg_limit_bytes", task.memcg_limit_bytes),
	NUMBER("cpu_ns", task.cpu_ns),
	NUMBER("major_faults", task.major_faults),
};

static const struct record_field rss_fields[] = {
	PROC("", rss.proc),
	NUMBER("anon_bytes", rss.anon_bytes),
	NUMBER("file_bytes", rss.file_bytes),
	NUMBER("shmem_bytes", rss.shmem_bytes),
};

static const struct record_field vm_fields[] = {
	PROC("", vm.proc),
	NUMBER("mmap_calls", vm.mmap_calls),
	NUMBER("munmap_calls", vm.munmap_calls),
	NUMBER("mremap_calls", vm.mremap_calls),
	NUMBER("brk_calls", vm.brk_calls),
	NUMBER("mmap_failures", vm.mmap_failures),
	NUMBER("munmap_failures", vm.munmap_failures),
	NUMBER("mremap_failures", vm.mremap_failures),
	NUMBER("brk_failures", vm.brk_failures),
	NUMBER("mapped_bytes", vm.mapped_bytes),
	NUMBER("unmapped_bytes", vm.unmapped_bytes),
	NUMBER("malloc_mapped_bytes", vm.malloc_mapped_bytes),
	NUMBER("malloc_unmapped_bytes", vm.malloc_unmapped_bytes),
};

static const struct record_field cgroup_fields[] = {
	MEMCG(cgroup.memcg),
	NUMBER("removed", cgroup.removed),
	STRING("path", cgroup.path),
};

static const struct record_field container_fields[] = {
	STRING("id", container.id),
	ENUM("runtime", container.runtime, container_runtimes),
	STRING("name", container.name),
	STRING("image", container.image),
	STRING("pod_name", container.pod_name),
	STRING("pod_namespace", container.pod_namespace),
	STRING("pod_uid", container.pod_uid),
};

static const struct record_field reclaim_fields[] = {
	MEMCG(reclaim.memcg),
	NUMBER("direct_ns", reclaim.direct_ns),
	NUMBER("memcg_ns", reclaim.memcg_ns),
	NUMBER("direct_count", reclaim.direct_count),
	NUMBER("memcg_count", reclaim.memcg_count),
};

static const struct record_field listener_fields[] = {
	PROC("", listener.owner),
	ENDPOINT(listener.local),
	NUMBER("sock_id", listener.sock_id),
	ENUM("state", listener.state, listener_states),
};

static const struct record_field flow_fields[] = {
	PROC("", flow.proc),
	ENDPOINT(flow.endpoint),
	ENUM("role", flow.role, flow_roles),
	NUMBER("requests", flow.requests),
	NUMBER("responses", flow.responses),
	NUMBER("in_flight", flow.in_flight),
	ARRAY("status", flow.status),
	NUMBER("request_bytes", flow.request_bytes),
	NUMBER("response_bytes", flow.response_bytes),
	NUMBER("opened", flow.opened),
	NUMBER("closed", flow.closed),
	NUMBER("latency_sum_ns", flow.latency_sum_ns),
	NUMBER("max_request_bytes", flow.max_request_bytes),
	ARRAY("fail", flow.fail),
	MARKS("fail_marks_ns", flow.fail_mark, NR_FLOW_FAILS),
	MARKS("ok_mark_ns", flow.ok_mark, 1),
	ARRAY("latency", flow.latency),
	NUMBER("rst_reason", flow.rst_reason),
};

static const struct record_field loss_fields[] = {
	STRING("stream", loss.stream),
	STRING("reason", loss.reason),
	NUMBER("count", loss.count),
};

static const struct record_field self_fields[] = {
	NUMBER("cpu_ns", self.cpu_ns),
	NUMBER("rss_bytes", self.rss_bytes),
	NUMBER("map_bytes", self.map_bytes),
	ENUM("bpf_time", self.bpf_time, bpf_times),
	ARRAY("bpf_ns", self.bpf_ns),
	ARRAY("bpf_runs", self.bpf_runs),
	ARRAY("ring_bytes", self.ring_bytes),
	ARRAY("ring_used_bytes", self.ring_used_bytes),
	ARRAY("ring_peak_bytes", self.ring_peak_bytes),
	NUMBER("flow_slots", self.flow_slots),
	NUMBER("flow_slots_used", self.flow_slots_used),
	NUMBER("budget_ppm", self.budget_ppm),
	NUMBER("cost_ppm", self.cost_ppm),
};

static const struct record_field stream_fields[] = {
	STRING("stream", stream.stream),       NUMBER("produced", stream.produced),
	NUMBER("delivered", stream.delivered), NUMBER("lost", stream.lost),
	NUMBER("pending", stream.pending),
};

static const struct record_field gap_fields[] = {
	ENUM("cause", gap.cause, gap_causes),
	NUMBER_OF("from_ns", gap.from_ns, SCOPE_TIME),
	NUMBER("from_wall_ns", gap.from_wall_ns),
	NUMBER("earlier_pid", gap.earlier_pid),
	NUMBER("earlier_lines", gap.earlier_lines),
	NUMBER("suspended_ns", gap.suspended_ns),
	NUMBER("served", gap.nr_served),
	NUMBER("gone", gap.nr_gone),
	NUMBER("incidents", gap.nr_incidents),
};

static const struct record_field gap_service_fields[] = {
	PROC("", gap_service.proc),
	ENDPOINT(gap_service.local),
	PROC("successor_", gap_service.successor),
	STRING("comm", gap_service.comm),
};

static const struct record_field gap_incident_fields[] = {
	STRING("id", gap_incident.id),
};

static const struct record_field tick_fields[] = {
	NUMBER("alarm", tick.alarm),
};

#define LAYOUT(key, table)                                                                         \
	{                                                                                          \
		.name = key, .fields = table, .nr_fields = NR(table)                               \
	}

static const struct record_layout layouts[] = {
	[RECORD_HEADER] = LAYOUT("header", header_fields),
	[RECORD_PROBE] = LAYOUT("probe", probe_fields),
	[RECORD_CLOCK] = LAYOUT("clock", clock_fields),
	[RECORD_PROC] = LAYOUT("proc", proc_fields),
	[RECORD_EXEC] = LAYOUT("exec", exec_fields),
	[RECORD_EXE] = LAYOUT("exe", exe_fields),
	[RECORD_EXIT] = LAYOUT("exit", exit_fields),
	[RECORD_SIGNAL] = LAYOUT("signal", signal_fields),
	[RECORD_OOM] = LAYOUT("oom", oom_fields),
	[RECORD_V8_OOM] = LAYOUT("v8_oom", v8_oom_fields),
	[RECORD_TASK] = LAYOUT("task", task_fields),
	[RECORD_RSS] = LAYOUT("rss", rss_fields),
	[RECORD_VM] = LAYOUT("vm", vm_fields),
	[RECORD_CGROUP] = LAYOUT("cgroup", cgroup_fields),
	[RECORD_RECLAIM] = LAYOUT("reclaim", reclaim_fields),
	[RECORD_LISTENER] = LAYOUT("listener", listener_fields),
	[RECORD_FLOW] = LAYOUT("flow", flow_fields),
	[RECORD_LOSS] = LAYOUT("loss", loss_fields),
	[RECORD_SELF] = LAYOUT("self", self_fields),
	[RECORD_STREAM] = LAYOUT("stream", stream_fields),
	[RECORD_GAP] = LAYOUT("gap", gap_fields),
	[RECORD_GAP_SERVICE] = LAYOUT("gap_service", gap_service_fields),
	[RECORD_GAP_INCIDENT] = LAYOUT("gap_incident", gap_incident_fields),
	[RECORD_CONTAINER] = LAYOUT("container", container_fields),
	[RECORD_TICK] = LAYOUT("tick", tick_fields),
	[RECORD_STOP] = {.name = "stop"},
};
HOLDS_ALL(layouts, NR_RECORD_KINDS);

/* clang-format on */

const struct record_layout *record_layout(enum record_kind kind)
{
	if ((unsigned int)kind >= NR(layouts) || !layouts[kind].name)
		return NULL;
	return &layouts[kind];
}

static const char *word(const char *const *names, size_t nr, unsigned int value)
{
	return value < nr && names[value] ? names[value] : "unknown";
}

const char *runtime_name(enum runtime_kind runtime)
{
	return word(runtimes, NR(runtimes), runtime);
}

bool runtime_is_managed(enum runtime_kind runtime)
{
	return runtime == RUNTIME_NODEJS || runtime == RUNTIME_JVM;
}

const char *container_runtime_name(enum container_runtime runtime)
{
	return runtime && runtime < NR(container_runtimes) ? container_runtimes[runtime] : "";
}

const char *flow_fail_name(enum flow_fail fail)
{
	return word(flow_fails, NR(flow_fails), fail);
}

const char *flow_status_name(enum flow_status status)
{
	return word(flow_statuses, NR(flow_statuses), status);
}

const char *bpf_time_name(enum bpf_time time)
{
	return word(bpf_times, NR(bpf_times), time);
}

const char *bpf_group_name(enum bpf_group group)
{
	return word(bpf_groups, NR(bpf_groups), group);
}

const char *ring_name(enum ring ring)
{
	return word(rings, NR(rings), ring);
}

const char *probe_state_name(enum probe_state state)
{
	return word(probe_states, NR(probe_states), state);
}

const char *listener_state_name(enum listener_state state)
{
	return word(listener_states, NR(listener_states), state);
}

const char *gap_cause_name(enum gap_cause cause)
{
	return word(gap_causes, NR(gap_causes), cause);
}
