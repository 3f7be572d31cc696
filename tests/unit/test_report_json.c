/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_report_json.c - every kind of line, as it is kept in report_json.golden.jsonl beside this file,
 * which is also validated against the schema, and lines that would be too long. MEMSWELL_UPDATE_GOLDEN=1 writes them anew; look at the difference before you keep it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/utf8.h"
#include "model/report_json.h"

#define GOLDEN_NAME "report_json.golden.jsonl"
#define MAX_LINES   32

static char line[REPORT_LINE_MAX + 1];

static const struct record_header header = {
	.version = 1,
	.page_bytes = 4096,
	.tick_ns = 1000000000,
	.nr_cpus = 2,
	.host_name = "host-a",
	.host_id = "8f1d1c0e5a7b4a0f9a1e2b3c4d5e6f70",
	.boot_id = "5e0c7a1e-1111-2222-3333-444455556666",
	.kernel = "6.1.0-18-amd64",
	.arch = "x86_64",
	.detector_version = "0.1.0",
};

static const struct workload pod = {
	.runtime = CONTAINER_RUNTIME_CONTAINERD,
	.qos = POD_QOS_BURSTABLE,
	.container_id = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	.container_name = "api",
	.image = "registry.local:5000/shop/api:1.4.2@sha256:00",
	.pod_name = "shop-api-7d4b9c6f5d-x2x9k",
	.pod_namespace = "shop",
	.pod_uid = "1b9c3c39-ef6d-4c59-a9a1-6a5a7a9f8e3d",
};

/* Its path tells ids, its runtime's files are not readable. */
static const struct workload container_without_names = {
	.runtime = CONTAINER_RUNTIME_DOCKER,
	.container_id = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
	.systemd_unit = "docker.service",
};

static const struct workload made_by_id = {
	.runtime = CONTAINER_RUNTIME_PODMAN,
	.container_id = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
	.container_name = "web",
	.image = "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
};

static const struct workload unit = {.systemd_unit = "nginx.service"};

static const struct report_proc node = {
	.id = {.tgid = 17381, .start_ns = 4000000000000},
	.parent_tgid = 1,
	.runtime = RUNTIME_NODEJS,
	.comm = "node",
	.exe_path = "/usr/bin/node",
	.cgroup_path = "/kubepods/burstable/pod1/api",
	.memcg = {.id = 4711, .hierarchy = 5},
	.workload = &pod,
	.service_name = "shop-api",
};

static const struct report_proc nginx = {
	.id = {.tgid = 21, .start_ns = 1000000000},
	.parent_tgid = 1,
	.runtime = RUNTIME_NATIVE,
	.comm = "nginx",
	.exe_path = "/usr/sbin/nginx",
	.cgroup_path = "/system.slice/nginx.service",
	.workload = &unit,
};

static const struct report_proc nobody = {
	.comm = "", .exe_path = "", .cgroup_path = "", .workload = &workload_unknown};

static const struct endpoint upstream = {
	.addr = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [14] = 3, [15] = 7},
	.netns = 4026531840,
	.port = 3000,
};

static const struct report_impact impact = {
	.first_failure_ns = 4064347980000,
	.last_failure_ns = 4102447980000,
	.client_status = {[FLOW_STATUS_2XX] = 1108, [FLOW_STATUS_502] = 1210},
	.upstream_fail = {[FLOW_FAIL_REFUSED] = 1202,
			  [FLOW_FAIL_RST_BEFORE] = 7,
			  [FLOW_FAIL_FIN_BEFORE] = 1},
	.upstream_requests = 1116,
	.upstream_responses = 1108,
	.client_requests = 2318,
	.failure_ratio = 0.52201,
};

#define HAS(number) ((struct measure){.value = (number), .has = true})

static struct report new_report(enum report_kind kind, uint64_t seq)
{
	struct report report = {
		.kind = kind,
		.seq = seq,
		.ts_ns = 4064347961000,
		.wall_offset_ns = 1795300000000000000,
		.header = &header,
	};

	return report;
}

static void set_death(struct report_death *death)
{
	*death = (struct report_death){
		.ts_ns = 4064357161000,
		.exit_code = 134,
		.signal = 6,
		.signal_code = -6,
		.has_signal_code = true,
		.sender_tgid = 17381,
		.sender_comm = "node",
		.v8_oom = true,
		.peak_rss_bytes = 180000000,
		.anon_bytes = HAS(118325248),
	};
}

static void set_verdict(struct report_verdict *verdict)
{
	*verdict = (struct report_verdict){
		.class = VERDICT_MEMORY_DEATH,
		.cause = CAUSE_HEAP_LEAK,
		.confidence = 0.94,
		.alternatives = {{VERDICT_MEMORY_DEATH, CAUSE_UNKNOWN_GROWTH, 0.04},
				 {VERDICT_UPSTREAM_DOWN_NONMEMORY, CAUSE_NONE, 0.01}},
		.nr_alternatives = 2,
		.scores = {{"exit_sigabrt_self", "memory_death", 2.2, 1},
			   {"trend_floor_growing", "heap_leak", 1.6, 4.7}},
		.nr_scores = 2,
	};
}

static void set_memory(struct report_memory *memory)
{
	*memory = (struct report_memory){
		.anon_bytes_at_death = HAS(118325248),
		.peak_anon_bytes = HAS(119000000),
		.peak_rss_bytes = HAS(180000000),
		.ceiling_bytes = 104857600,
		.ceiling_source = CEILING_V8_OBSERVED,
		.floor_slope_bytes_per_s = HAS(6291456.25),
		.slope_p10 = HAS(6000000),
		.slope_p90 = HAS(6600000),
		.mk_z = HAS(6.9),
		.window_s = HAS(320),
		.bytes_per_request = HAS(6100.5),
		.native_share = HAS(0.03),
		.ceilings = {{CEILING_V8_OBSERVED, 104857600}, {CEILING_CGROUP, 167772160}},
		.nr_ceilings = 2,
		.concavity = HAS(0.98),
		.cgroup_version = 1,
	};
}

/* What only some incidents have. */
static void set_explanation(struct report_incident *incident)
{
	incident->forecast = (struct report_forecast){
		.first_ns = 4010000000000,
		.newest_ns = 4050000000000,
		.first_s = HAS(60.5),
		.newest_s = HAS(12),
		.lead_s = HAS(54.357161),
		.error_s = HAS(-2.357161),
	};
	incident->explanation = (struct report_explanation){
		.requests = HAS(0.9),
		.received = HAS(0.02),
		.in_flight = HAS(0.03),
		.background = HAS(0.05),
		.amplification = HAS(3.4),
		.largest_request_bytes = HAS(62914560),
		.cpu_per_request_ratio = HAS(7.6),
		.in_flight_peak = HAS(500),
		.stalled_s = HAS(0),
		.limit_events_per_s = HAS(80000),
		.major_faults_per_s = HAS(120),
	};
	incident->pool = (struct report_pool){
		.saturated = true,
		.backend = upstream,
		.connections = 10,
		.latency_ratio = 8.5,
		.since_ns = 4020000000000,
	};
	incident->victims[0] = (struct report_victim){17382, 4096000, "node"};
	incident->victims[1] = (struct report_victim){17383, 0, ""};
	incident->nr_victims = 2;
	incident->supervisor_tgid = 900;
	incident->supervisor_comm = "PM2 v5: God";
	incident->status = STATUS_CRASH_LOOP;
	incident->impact.truncated = 3;
	incident->impact.client_closed = 2;
	incident->impact.app_answered = 1;
	incident->impact.inferred = true;
}

static void set_incident(struct report_incident *incident)
{
	*incident = (struct report_incident){
		.id = "01JDA0B1C2D3E4F5G6H7J8K9MN",
		.record = INCIDENT_UPDATE,
		.forecast = {.newest_ns = 4050000000000, .newest_s = HAS(12)},
		.revision = 3,
		.status = STATUS_ONGOING,
		.severity_number = 17,
		.has_culprit = true,
		.culprit = node,
		.died = true,
		.next_tgid = 17999,
		.restarts_10m = 2,
		.deaths_10m = 3,
		.upstream = upstream,
		.gateway = {.proc = nginx, .personality = "nginx", .nr_workers = 2},
		.impact = impact,
		.timeline = {{4000000000000, MOMENT_GROWTH_ONSET, 0, "floor slope 6.0 MiB/s"},
			     {4064347961000, MOMENT_SIGNAL, 0, "SIGABRT self"},
			     {4064357161000, MOMENT_EXIT, 0, ""},
			     {4064366361000, MOMENT_FIRST_RESET, 7, ""}},
		.nr_moments = 4,
		.zero_ns = 4064357161000,
		.evidence = {{"tp_btf/signal_generate", 4064347961000, 0, "sig=6 code=-6"},
			     {"tp_btf/tcp_send_reset", 4064366361000, 7,
			      "reason=11 share=0.25 comm=node broken =1"}},
		.nr_evidence = 2,
		.actions = {{1, ACTION_MITIGATE, "restart before the ceiling is reached"},
			    {2, ACTION_DIAGNOSE, "take two heap snapshots 5 min apart"}},
		.nr_actions = 2,
		.missing_probes = {"rss_step"},
		.nr_missing_probes = 1,
		.summary = "checkout-api (node pid 17381) died at the V8 heap limit",
		.service_name = "checkout-api",
	};
	set_death(&incident->death);
	set_verdict(&incident->verdict);
	set_memory(&incident->memory);
}

/* Golden lines -------------------------------------------------------------------------------- */

static char made[MAX_LINES][REPORT_LINE_MAX + 1];
static size_t nr_made;

static struct report *golden(enum report_kind kind)
{
	static struct report report;

	report = new_report(kind, nr_made);
	return &report;
}

static void keep(const struct report *report)
{
	size_t len;

	assert_true(nr_made < MAX_LINES);
	len = report_json(report, made[nr_made]);
	assert_int_equal(len, strlen(made[nr_made]));
	nr_made++;
}

static void make_agent_lines(void)
{
	static const struct record_probe probes[] = {
		{"exit", "tp_btf/sched_process_exit", PROBE_ATTACHED, ""},
		{"v8_oom", "", PROBE_UNAVAILABLE, "perf_event_open: permission denied"},
		{"vm", "", PROBE_OFF, "--vm-events=off"},
		{"rss_step", "", PROBE_SHED, "shed: cost 1.2 % of a core"},
	};
	static const struct report_loss losses[] = {{"rss", "ring_full", 3}, {"output", "slow", 1}};
	static const struct record_stream streams[] = {{"exit", 7, 7, 0, 0}, {"rss", 12, 8, 3, 1}};
	static const struct record_self self = {
		.bpf_time = BPF_TIME_SAMPLED,
		.bpf_ns = {1000000, 2000000, 3000000, 4000000, 5000000},
		.bpf_runs = {1, 2, 3, 4, 5},
		.ring_bytes = {1048576, 262144},
		.ring_used_bytes = {64, 0},
		.ring_peak_bytes = {4096, 128},
		.flow_slots = 4096,
		.flow_slots_used = 7,
		.budget_ppm = 10000,
		.cost_ppm = 12500,
	};
	struct report *report = golden(REPORT_START);

	report->start = (struct report_start){&header, probes, 4};
	keep(report);
	report = golden(REPORT_HEARTBEAT);
	report->heartbeat = (struct report_heartbeat){
		.self = &self,
		.probes = probes,
		.nr_probes = 4,
		.uptime_ns = 60000000000,
		.cpu_ns = 123456789,
		.rss_bytes = 9000000,
		.map_bytes = 20000000,
		.records = 12345,
		.processes = 99,
		.flows = 7,
		.open_incidents = 1,
		.losses = losses,
		.nr_losses = 2,
		.streams = streams,
		.nr_streams = 2,
	};
	keep(report);
	report = golden(REPORT_HEARTBEAT);
	keep(report);
}

static void make_gap_lines(void)
{
	struct report *report = golden(REPORT_GAP);

	report->gap.gap = (struct record_gap){
		.cause = GAP_KILLED,
		.from_ns = report->ts_ns - 12500000000,
		.from_wall_ns = (int64_t)(report->ts_ns - 12500000000) + report->wall_offset_ns,
		.earlier_pid = 4242,
		.earlier_lines = 77,
		.nr_served = 3,
		.nr_gone = 2,
		.nr_incidents = 1,
	};
	report->gap.services[0] =
		(struct report_gap_service){node, {.netns = 4026531840, .port = 3000}, node};
	report->gap.services[0].successor.id.tgid = 17999;
	report->gap.services[1] =
		(struct report_gap_service){nginx, {.netns = 4026531840, .port = 80}, nobody};
	report->gap.nr_services = 2;
	report->gap.incidents[0] = "01K9ZWQ4ZJ8G4Z6Q6Z1M2R3S4T";
	report->gap.nr_incidents = 1;
	keep(report);
	report = golden(REPORT_GAP);
	report->gap.gap = (struct record_gap){
		.cause = GAP_SUSPENDED,
		.from_ns = report->ts_ns - 60000000000,
		.from_wall_ns = (int64_t)(report->ts_ns - 60000000000) + report->wall_offset_ns,
		.suspended_ns = 58000000000,
	};
	keep(report);
	report = golden(REPORT_GAP); /* of another boot, the clock was set back since */
	report->gap.gap = (struct record_gap){
		.cause = GAP_REBOOTED,
		.from_wall_ns = (int64_t)report->ts_ns + report->wall_offset_ns + 1000000000,
		.earlier_pid = 4242,
	};
	keep(report);
	report = golden(REPORT_GAP); /* nothing is known of it */
	keep(report);
}

static void make_growth_line(enum growth_level level)
{
	struct report *report = golden(REPORT_GROWTH);

	report->growth = (struct report_growth){
		.proc = node,
		.level = level,
		.floor_bytes = 90000000,
		.slope_bytes_per_s = 6291456,
		.slope_p10 = 6000000.5,
		.slope_p90 = 6600000,
		.mk_z = 6.9,
		.window_s = 320,
		.ceiling_bytes = 104857600,
		.ceiling_source = CEILING_CGROUP,
		.exhaustion_s = HAS(2.36),
		.exhaustion_p10_s = HAS(2.2),
	};
	keep(report);
}

static void make_process_lines(void)
{
	struct report *report = golden(REPORT_PROCESS_EXIT);

	report->process_exit.proc = node;
	report->process_exit.lifetime_ns = 64357161000;
	set_death(&report->process_exit.death);
	keep(report);
	report = golden(REPORT_PROCESS_EXIT);
	report->process_exit.proc = nginx;
	report->process_exit.death = (struct report_death){.ts_ns = 5, .sender_comm = ""};
	keep(report);
	report = golden(REPORT_PROCESS_EXIT);
	report->process_exit.proc = nobody;
	report->process_exit.proc.id.tgid = 9;
	report->process_exit.death = (struct report_death){.exit_code = 137, .signal = 9};
	keep(report);
	make_growth_line(GROWTH_NONE);
	make_growth_line(GROWTH_PROBABLE);
	make_growth_line(GROWTH_IMMINENT);
	report = golden(REPORT_SAMPLE);
	report->sample.proc = node;
	report->sample.task = (struct record_task){.anon_bytes = 4096, .cpu_ns = 1500000000};
	keep(report);
}

static void make_oom_and_listener_lines(void)
{
	struct report *report = golden(REPORT_OOM_KILL);

	report->oom_kill = (struct report_oom_kill){
		.victim = node,
		.trigger = nobody,
		.limit_cgroup_path = "/kubepods/burstable/pod1",
		.confirmed = true,
		.oom = {.memcg = {.id = 12, .hierarchy = 5},
			.usage_bytes = 104857600,
			.limit_bytes = 104857600,
			.anon_bytes = 100000000,
			.oom_score_adj = -5},
	};
	keep(report);
	report = golden(REPORT_OOM_KILL);
	report->oom_kill = (struct report_oom_kill){.victim = node, .trigger = nginx};
	keep(report);
	report = golden(REPORT_LISTENER);
	report->listener = (struct report_listener){.owner = node, .local = upstream};
	keep(report);
	report = golden(REPORT_LISTENER);
	report->listener = (struct report_listener){.owner = node, .local = upstream};
	report->listener.owner.workload = &container_without_names;
	keep(report);
	report = golden(REPORT_LISTENER);
	report->listener = (struct report_listener){.owner = node, .local = upstream};
	report->listener.owner.workload = &made_by_id;
	keep(report);
	report = golden(REPORT_LISTENER);
	report->listener = (struct report_listener){
		.owner = nobody,
		.local = {.addr = {[15] = 1}, .port = 65535},
		.state = LISTENER_UP,
		.outage_ms = HAS(2100.123456),
	};
	keep(report);
}

static void make_burst_and_incident_lines(void)
{
	struct report *report = golden(REPORT_BURST);

	report->burst = (struct report_burst){
		.id = "01JDA0B1C2D3E4F5G6H7J8K9MN",
		.open = true,
		.gateway = {.proc = nginx, .personality = "nginx", .nr_workers = 2},
		.upstream = upstream,
		.impact = impact,
		.base_rate_per_s = 0.001,
		.log10_p = -310.5,
	};
	keep(report);
	report = golden(REPORT_INCIDENT);
	set_incident(&report->incident);
	keep(report);
	report = golden(REPORT_INCIDENT);
	set_incident(&report->incident);
	set_explanation(&report->incident);
	keep(report);
	report = golden(REPORT_INCIDENT);
	report->incident = (struct report_incident){
		.id = "01JDA0B1C2D3E4F5G6H7J8K9MN",
		.record = INCIDENT_CLOSE,
		.status = STATUS_RECOVERED,
		.severity_number = 13,
		.upstream = upstream,
		.gateway = {.proc = nobody, .personality = ""},
	};
	keep(report);
}

static void golden_path(char *path, size_t size)
{
	const char *slash = strrchr(__FILE__, '/');

	snprintf(path, size, "%.*s%s", slash ? (int)(slash - __FILE__ + 1) : 0, __FILE__,
		 GOLDEN_NAME);
}

static void write_golden(const char *path)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < nr_made; i++)
		fputs(made[i], file);
	assert_int_equal(fclose(file), 0);
}

static void lines_are_the_golden_ones(void **state)
{
	char path[512];
	FILE *file;

	(void)state;
	nr_made = 0;
	make_agent_lines();
	make_process_lines();
	make_oom_and_listener_lines();
	make_burst_and_incident_lines();
	make_gap_lines();
	golden_path(path, sizeof(path));
	if (getenv("MEMSWELL_UPDATE_GOLDEN"))
		write_golden(path);
	file = fopen(path, "r");
	assert_non_null(file);
	for (size_t i = 0; i < nr_made; i++) {
		assert_non_null(fgets(line, sizeof(line), file));
		assert_string_equal(made[i], line);
	}
	assert_null(fgets(line, sizeof(line), file));
	fclose(file);
}

/* Length -------------------------------------------------------------------------------------- */

static void assert_well_formed(size_t len)
{
	json_error_t error;
	json_t *json;

	assert_true(len > 1 && len <= REPORT_LINE_MAX);
	assert_int_equal(line[len - 1], '\n');
	assert_int_equal(strlen(line), len);
	assert_null(memchr(line, '\n', len - 1));
	json = json_loadb(line, len, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
	if (!json)
		fail_msg("%s at %d", error.text, error.position);
	json_decref(json);
}

static void fill_text(char *text, size_t size, char byte)
{
	memset(text, byte, size - 1);
	text[size - 1] = '\0';
}

static char long_path[RECORD_PATH_LEN];
static char long_comm[RECORD_COMM_LEN];
static struct workload long_workload;

static struct report_proc hostile_proc(char byte)
{
	struct report_proc proc = {
		.id = {.tgid = UINT32_MAX, .start_ns = UINT64_MAX},
		.parent_tgid = UINT32_MAX,
		.runtime = RUNTIME_NODEJS,
		.comm = long_comm,
		.exe_path = long_path,
		.cgroup_path = long_path,
	};

	proc.workload = &long_workload;
	fill_text(proc.service_name, sizeof(proc.service_name), byte);
	fill_text(long_workload.container_id, sizeof(long_workload.container_id), byte);
	fill_text(long_workload.container_name, sizeof(long_workload.container_name), byte);
	fill_text(long_workload.image, sizeof(long_workload.image), byte);
	fill_text(long_workload.pod_name, sizeof(long_workload.pod_name), byte);
	fill_text(long_workload.pod_namespace, sizeof(long_workload.pod_namespace), byte);
	fill_text(long_workload.pod_uid, sizeof(long_workload.pod_uid), byte);
	fill_text(long_workload.systemd_unit, sizeof(long_workload.systemd_unit), byte);
	fill_text(long_path, sizeof(long_path), byte);
	fill_text(long_comm, sizeof(long_comm), byte);
	return proc;
}

static void fill_incident_lists(struct report_incident *incident, char byte)
{
	for (int i = 0; i < REPORT_MAX_TIMELINE; i++) {
		incident->timeline[i] = (struct report_moment){
			.ts_ns = UINT64_MAX, .count = UINT64_MAX, .kind = MOMENT_LISTENER_DOWN};
		fill_text(incident->timeline[i].detail, sizeof(incident->timeline[i].detail), byte);
	}
	for (int i = 0; i < REPORT_MAX_EVIDENCE; i++) {
		incident->evidence[i] = (struct report_evidence){.source = "tp_btf/signal_generate",
								 .count = UINT64_MAX};
		snprintf(incident->evidence[i].fields, sizeof(incident->evidence[i].fields),
			 "alpha=%0120d beta=2", 1);
	}
	for (int i = 0; i < REPORT_MAX_ACTIONS; i++)
		fill_text(incident->actions[i].text, sizeof(incident->actions[i].text), byte);
	for (int i = 0; i < REPORT_MAX_SCORES; i++)
		incident->verdict.scores[i] = (struct report_score){"a_rule_with_a_long_name",
								    "memory_death", -1e-9, 1e99};
	for (int i = 0; i < REPORT_MAX_VICTIMS; i++) {
		incident->victims[i] = (struct report_victim){UINT32_MAX, UINT64_MAX, ""};
		fill_text(incident->victims[i].comm, sizeof(incident->victims[i].comm), byte);
	}
	incident->nr_victims = UINT32_MAX;
	incident->memory.nr_ceilings = UINT32_MAX;
	incident->nr_moments = UINT32_MAX;
	incident->nr_evidence = UINT32_MAX;
	incident->nr_actions = UINT32_MAX;
	incident->verdict.nr_scores = UINT32_MAX;
	incident->verdict.nr_alternatives = UINT32_MAX;
}

/* `byte` 1 takes six bytes in JSON, 'a' one: the first needs every trim, the second some. */
static void make_hostile_incident(struct report *report, struct record_header *host, char byte)
{
	struct report_incident *incident = &report->incident;

	*host = header;
	fill_text(host->host_name, sizeof(host->host_name), byte);
	fill_text(host->host_id, sizeof(host->host_id), byte);
	fill_text(host->arch, sizeof(host->arch), byte);
	fill_text(host->detector_version, sizeof(host->detector_version), byte);
	*report = new_report(REPORT_INCIDENT, UINT64_MAX);
	report->header = host;
	set_incident(incident);
	set_explanation(incident);
	incident->supervisor_comm = long_comm;
	incident->culprit = hostile_proc(byte);
	incident->gateway.proc = incident->culprit;
	incident->death.sender_comm = long_comm;
	for (size_t i = 0; i < 8; i++)
		incident->missing_probes[i] = long_comm;
	incident->nr_missing_probes = UINT32_MAX;
	for (int i = 0; i < NR_FLOW_FAILS; i++)
		incident->impact.upstream_fail[i] = UINT64_MAX;
	for (int i = 0; i < NR_FLOW_STATUSES; i++)
		incident->impact.client_status[i] = UINT64_MAX;
	fill_incident_lists(incident, byte);
	fill_text(incident->summary, sizeof(incident->summary), byte);
	fill_text(incident->service_name, sizeof(incident->service_name), byte);
}

static void the_worst_incident_fits(void **state)
{
	struct record_header host;
	struct report report;

	(void)state;
	make_hostile_incident(&report, &host, 1);
	assert_well_formed(report_json(&report, line));
	assert_non_null(strstr(line, "\"truncated\":true"));
	assert_null(strstr(line, "process.executable.path"));
	assert_non_null(strstr(line, "\"impact\":{"));
	assert_non_null(strstr(line, "\"data_quality\":{"));
}

/* A long incident: so many scores of which so many say something, evidence, moments. */
static void make_long_incident(struct report *report, uint32_t nr_scores, uint32_t nr_speaking,
			       uint32_t nr_evidence)
{
	struct report_incident *incident = &report->incident;

	*report = new_report(REPORT_INCIDENT, 1);
	set_incident(incident);
	set_explanation(incident);
	fill_incident_lists(incident, 'a');
	for (uint32_t i = nr_speaking; i < REPORT_MAX_SCORES; i++)
		incident->verdict.scores[i].weight = 0;
	incident->verdict.nr_scores = nr_scores;
	incident->verdict.nr_alternatives = 2;
	incident->nr_evidence = nr_evidence;
	incident->nr_victims = 0;
	incident->nr_moments = 4;
	incident->nr_actions = 0;
}

static void rules_that_found_nothing_go_first(void **state)
{
	struct report report;

	(void)state;
	make_long_incident(&report, 40, 10, 3);
	assert_well_formed(report_json(&report, line));
	assert_non_null(strstr(line, "\"truncated\":true"));
	assert_null(strstr(line, "\"weight\":0,"));
	assert_non_null(strstr(line, "a_rule_with_a_long_name"));
	assert_non_null(strstr(line, "\"id\":\"e3\""));
}

static void evidence_goes_next_the_late_one_before(void **state)
{
	struct report report;

	(void)state;
	make_long_incident(&report, 22, 22, 16);
	assert_well_formed(report_json(&report, line));
	assert_non_null(strstr(line, "\"truncated\":true"));
	assert_non_null(strstr(line, "\"id\":\"e6\""));
	assert_null(strstr(line, "\"id\":\"e7\""));
	make_long_incident(&report, 30, 30, 16);
	assert_well_formed(report_json(&report, line));
	assert_null(strstr(line, "\"evidence\""));
	assert_non_null(strstr(line, "\"detail\""));
	assert_non_null(strstr(line, "\"scores\""));
}

static void details_scores_and_paths_go_last(void **state)
{
	struct record_header host;
	struct report report;

	(void)state;
	make_hostile_incident(&report, &host, 'a');
	report.incident.nr_moments = 6;
	report.incident.nr_actions = 0;
	report.incident.nr_victims = 0;
	assert_well_formed(report_json(&report, line));
	assert_null(strstr(line, "\"evidence\""));
	assert_null(strstr(line, "\"detail\""));
	assert_null(strstr(line, "\"scores\""));
	assert_null(strstr(line, "process.executable.path"));
	assert_non_null(strstr(line, "\"timeline\""));
	assert_non_null(strstr(line, "\"summary\""));
}

static void other_kinds_fit_with_hostile_names(void **state)
{
	static struct record_probe probes[REPORT_MAX_PROBES];
	static struct report_loss losses[500];
	struct report report = new_report(REPORT_START, 0);
	struct record_header host = header;

	(void)state;
	for (int i = 0; i < REPORT_MAX_PROBES; i++) {
		fill_text(probes[i].name, sizeof(probes[i].name), 1);
		fill_text(probes[i].reason, sizeof(probes[i].reason), 1);
	}
	fill_text(host.host_name, sizeof(host.host_name), 1);
	fill_text(host.host_id, sizeof(host.host_id), 1);
	fill_text(host.boot_id, sizeof(host.boot_id), 1);
	fill_text(host.kernel, sizeof(host.kernel), 1);
	fill_text(host.arch, sizeof(host.arch), 1);
	fill_text(host.detector_version, sizeof(host.detector_version), 1);
	report.header = &host;
	report.start = (struct report_start){&host, probes, REPORT_MAX_PROBES};
	assert_well_formed(report_json(&report, line));

	report = new_report(REPORT_OOM_KILL, 0);
	report.oom_kill.victim = hostile_proc(1);
	report.oom_kill.trigger = report.oom_kill.victim;
	report.oom_kill.limit_cgroup_path = long_path;
	report.oom_kill.oom.memcg.id = 1;
	assert_well_formed(report_json(&report, line));

	report = new_report(REPORT_GAP, 0);
	for (int i = 0; i < REPORT_MAX_GAP_SERVICES; i++) {
		report.gap.services[i].proc = hostile_proc(1);
		report.gap.services[i].successor = hostile_proc(1);
	}
	report.gap.nr_services = 500;
	assert_well_formed(report_json(&report, line));
	assert_non_null(strstr(line, "\"truncated\":true"));

	for (int i = 0; i < 500; i++)
		losses[i] = (struct report_loss){"stream", "reason", UINT64_MAX};
	report = new_report(REPORT_HEARTBEAT, 0);
	report.heartbeat.losses = losses;
	report.heartbeat.nr_losses = 500;
	assert_well_formed(report_json(&report, line));
	assert_non_null(strstr(line, "\"truncated\":true"));
}

static void a_kind_out_of_range_writes_nothing(void **state)
{
	struct report report = new_report(NR_REPORT_KINDS, 0);

	(void)state;
	assert_int_equal(report_json(&report, line), 0);
}

static void any_time_is_a_time(void **state)
{
	struct report report = new_report(REPORT_HEARTBEAT, 0);

	(void)state;
	report.wall_offset_ns = 0;
	report.ts_ns = 0;
	report_json(&report, line);
	assert_non_null(strstr(line, "\"timestamp\":\"1970-01-01T00:00:00.000000000Z\""));
	report.ts_ns = UINT64_MAX;
	report_json(&report, line);
	assert_non_null(strstr(line, "\"timestamp\":\"1969-12-31T23:59:59.999999999Z\""));
	assert_non_null(strstr(line, "\"boot_ns\":\"18446744073709551615\""));
	report.ts_ns = INT64_MAX;
	report_json(&report, line);
	assert_non_null(strstr(line, "\"timestamp\":\"2262-04-11T23:47:16.854775807Z\""));
	report.ts_ns = (uint64_t)INT64_MAX + 1;
	report_json(&report, line);
	assert_non_null(strstr(line, "\"timestamp\":\"1677-09-21T00:12:43.145224192Z\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_the_golden_ones),
		cmocka_unit_test(the_worst_incident_fits),
		cmocka_unit_test(rules_that_found_nothing_go_first),
		cmocka_unit_test(evidence_goes_next_the_late_one_before),
		cmocka_unit_test(details_scores_and_paths_go_last),
		cmocka_unit_test(other_kinds_fit_with_hostile_names),
		cmocka_unit_test(a_kind_out_of_range_writes_nothing),
		cmocka_unit_test(any_time_is_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
