/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_report_json.c - whatever values a report has: its line is valid, a JSON parser of others reads
 * it, and each field says what the struct says. A line that had to be cut says so, and then may lack
 * fields but tells no other values. With MEMSWELL_FUZZ_LINES=FILE the lines go there, for run.sh to
 * hold them against the schema.
 *
 * The tables below say where each field of the struct stands in the line, once for filling it from the
 * input and once for comparing. A path's parts are separated by "/".
 */
#include <math.h>
#include <time.h>

#include "fuzz.h"
#include "fuzz_line.h"
#include "model/address.h"
#include "model/report_json.h"

#define MAX_TEXT 512

enum row_type {
	ROW_U64,
	ROW_KNOWN_U64, /* 0: null */
	ROW_U32,
	ROW_KNOWN_U32,
	ROW_U16,
	ROW_I32,
	ROW_BOOL,
	ROW_RATIO, /* 0 to 1 */
	ROW_DOUBLE,
	ROW_MEASURE,
	ROW_TIME, /* boot-clock ns as wall clock */
	ROW_KNOWN_TIME,
	ROW_NS, /* boot-clock ns as a string of digits */
	ROW_POINTER,
	ROW_KNOWN_POINTER, /* "" or NULL: null */
	ROW_ARRAY,	   /* char[size] */
	ROW_KNOWN_ARRAY,
	ROW_FIXED, /* char[27], an id: letters and digits */
	ROW_ADDRESS,
	ROW_WORD, /* enum of `size` values */
	ROW_LIST,
};

typedef const char *(*word_fn)(unsigned int value);

struct row {
	const char *path;
	enum row_type type;
	size_t at;
	size_t size; /* ROW_ARRAY: bytes, ROW_WORD: values, ROW_LIST: bytes of an element */
	word_fn word;
	size_t nr_at; /* of a list: where its length is, how much fits, and what an element is */
	uint32_t max;
	const struct row *rows;
};

#define AT(member) offsetof(struct report, member)
#define ROW(kind, field, place)                                                                    \
	{                                                                                          \
		.path = (field), .type = ROW_##kind, .at = (place)                                 \
	}
/* What a pointer points to is a name; a path where it says so. */
#define PATH(field, place)                                                                         \
	{                                                                                          \
		.path = (field), .type = ROW_KNOWN_POINTER, .at = (place), .size = RECORD_PATH_LEN \
	}
#define WORD(field, place, fn, nr)                                                                 \
	{                                                                                          \
		.path = (field), .type = ROW_WORD, .at = (place), .size = (nr),                    \
		.word = (word_fn)(fn)                                                              \
	}
#define TEXT(kind, field, holder, member)                                                          \
	{                                                                                          \
		.path = (field), .type = ROW_##kind, .at = offsetof(holder, member),               \
		.size = sizeof(((holder *)0)->member)                                              \
	}
#define LIST(field, list, nr, most, element)                                                       \
	{                                                                                          \
		.path = (field), .type = ROW_LIST, .at = AT(list),                                 \
		.size = sizeof(((struct report *)0)->list[0]), .nr_at = AT(nr), .max = (most),     \
		.rows = (element)                                                                  \
	}

#define PROC(prefix, p)                                                                            \
	ROW(U32, prefix "process.pid", AT(p.id.tgid)),                                             \
		ROW(KNOWN_U32, prefix "process.parent_pid", AT(p.parent_tgid)),                    \
		ROW(KNOWN_TIME, prefix "process.creation.time", AT(p.id.start_ns)),                \
		ROW(KNOWN_POINTER, prefix "process.executable.name", AT(p.comm)),                  \
		PATH(prefix "process.executable.path", AT(p.exe_path)),                            \
		PATH(prefix "process.linux.cgroup", AT(p.cgroup_path))

#define DEATH(prefix, d)                                                                           \
	ROW(KNOWN_TIME, prefix "process.exit.time", AT(d.ts_ns)),                                  \
		ROW(I32, prefix "process.exit.code", AT(d.exit_code)),                             \
		ROW(BOOL, prefix "oom_kill", AT(d.oom_kill)),                                      \
		ROW(BOOL, prefix "memcg_oom", AT(d.memcg_oom)),                                    \
		ROW(BOOL, prefix "v8_oom", AT(d.v8_oom)),                                          \
		ROW(BOOL, prefix "abort_ignored", AT(d.abort_ignored)),                            \
		ROW(KNOWN_U64, prefix "peak_rss_bytes", AT(d.peak_rss_bytes)),                     \
		ROW(MEASURE, prefix "anon_bytes", AT(d.anon_bytes))

#define IMPACT(i, u)                                                                               \
	ROW(ADDRESS, "impact/network.peer.address", AT(u.addr)),                                   \
		ROW(U16, "impact/network.peer.port", AT(u.port)),                                  \
		ROW(KNOWN_TIME, "impact/window/start", AT(i.first_failure_ns)),                    \
		ROW(KNOWN_TIME, "impact/window/end", AT(i.last_failure_ns)),                       \
		ROW(U64, "impact/client_requests", AT(i.client_requests)),                         \
		ROW(U64, "impact/upstream_requests", AT(i.upstream_requests)),                     \
		ROW(U64, "impact/upstream_responses", AT(i.upstream_responses)),                   \
		ROW(U64, "impact/upstream_failures/no_live", AT(i.no_live)),                       \
		ROW(U64, "impact/closed_without_response", AT(i.client_closed)),                   \
		ROW(U64, "impact/truncated", AT(i.truncated)),                                     \
		ROW(U64, "impact/app_answered", AT(i.app_answered)),                               \
		ROW(U64, "impact/masked_by_retry", AT(i.masked_by_retry)),                         \
		ROW(RATIO, "impact/failure_ratio", AT(i.failure_ratio))

#define PROXY(g)                                                                                   \
	PROC("impact/proxy/", g.proc),                                                             \
		ROW(KNOWN_POINTER, "impact/proxy/personality", AT(g.personality)),                 \
		ROW(U32, "impact/proxy/workers", AT(g.nr_workers))

static const struct row no_rows[] = {{.path = NULL}};

static const struct row heartbeat_rows[] = {
	ROW(KNOWN_U64, "agent/rss_bytes", AT(heartbeat.rss_bytes)),
	ROW(KNOWN_U64, "agent/map_bytes", AT(heartbeat.map_bytes)),
	ROW(U64, "agent/records", AT(heartbeat.records)),
	ROW(U64, "agent/processes", AT(heartbeat.processes)),
	ROW(U64, "agent/flows", AT(heartbeat.flows)),
	ROW(U64, "agent/open_incidents", AT(heartbeat.open_incidents)),
	{.path = NULL},
};

static const struct row exit_rows[] = {
	PROC("process/", process_exit.proc),
	DEATH("process/exit/", process_exit.death),
	{.path = NULL},
};

static const struct row oom_rows[] = {
	PROC("process/", oom_kill.victim),
	PROC("trigger/", oom_kill.trigger),
	ROW(BOOL, "oom/confirmed", AT(oom_kill.confirmed)),
	ROW(U64, "oom/anon_bytes", AT(oom_kill.oom.anon_bytes)),
	ROW(U64, "oom/file_bytes", AT(oom_kill.oom.file_bytes)),
	ROW(U64, "oom/shmem_bytes", AT(oom_kill.oom.shmem_bytes)),
	ROW(I32, "oom/oom_score_adj", AT(oom_kill.oom.oom_score_adj)),
	{.path = NULL},
};

static const struct row listener_rows[] = {
	PROC("process/", listener.owner),
	WORD("listener/state", AT(listener.state), listener_state_name, NR_LISTENER_STATES),
	ROW(ADDRESS, "listener/network.local.address", AT(listener.local.addr)),
	ROW(U16, "listener/network.local.port", AT(listener.local.port)),
	ROW(U32, "listener/network_namespace_inode", AT(listener.local.netns)),
	{.path = NULL},
};

static const struct row growth_rows[] = {
	PROC("process/", growth.proc),
	WORD("growth/level", AT(growth.level), growth_level_name, NR_GROWTH_LEVELS),
	ROW(U64, "growth/floor_bytes", AT(growth.floor_bytes)),
	ROW(DOUBLE, "growth/floor_slope_bytes_per_s", AT(growth.slope_bytes_per_s)),
	ROW(DOUBLE, "growth/floor_slope_p10_bytes_per_s", AT(growth.slope_p10)),
	ROW(DOUBLE, "growth/floor_slope_p90_bytes_per_s", AT(growth.slope_p90)),
	ROW(DOUBLE, "growth/mk_z", AT(growth.mk_z)),
	ROW(RATIO, "growth/window_s", AT(growth.window_s)),
	ROW(KNOWN_U64, "growth/ceiling_bytes", AT(growth.ceiling_bytes)),
	ROW(MEASURE, "growth/exhaustion_s", AT(growth.exhaustion_s)),
	ROW(MEASURE, "growth/exhaustion_p10_s", AT(growth.exhaustion_p10_s)),
	ROW(MEASURE, "growth/exhaustion_p90_s", AT(growth.exhaustion_p90_s)),
	{.path = NULL},
};

static const struct row burst_rows[] = {
	TEXT(FIXED, "burst/id", struct report, burst.id),
	ROW(RATIO, "burst/base_rate_per_s", AT(burst.base_rate_per_s)),
	ROW(DOUBLE, "burst/log10_p", AT(burst.log10_p)),
	PROXY(burst.gateway),
	IMPACT(burst.impact, burst.upstream),
	{.path = NULL},
};

static const struct row alternative_rows[] = {
	WORD("class", offsetof(struct report_alternative, class), verdict_class_name,
	     NR_VERDICT_CLASSES),
	ROW(RATIO, "confidence", offsetof(struct report_alternative, confidence)),
	{.path = NULL},
};

static const struct row score_rows[] = {
	ROW(POINTER, "rule", offsetof(struct report_score, rule)),
	ROW(POINTER, "for", offsetof(struct report_score, about)),
	ROW(DOUBLE, "weight", offsetof(struct report_score, weight)),
	ROW(DOUBLE, "value", offsetof(struct report_score, value)),
	{.path = NULL},
};

static const struct row victim_rows[] = {
	ROW(U32, "process.pid", offsetof(struct report_victim, tgid)),
	TEXT(KNOWN_ARRAY, "process.executable.name", struct report_victim, comm),
	ROW(KNOWN_U64, "anon_bytes", offsetof(struct report_victim, anon_bytes)),
	{.path = NULL},
};

static const struct row moment_rows[] = {
	ROW(TIME, "t", offsetof(struct report_moment, ts_ns)),
	WORD("kind", offsetof(struct report_moment, kind), moment_kind_name, NR_MOMENT_KINDS),
	{.path = NULL},
};

static const struct row evidence_rows[] = {
	ROW(POINTER, "source", offsetof(struct report_evidence, source)),
	ROW(NS, "boot_ns", offsetof(struct report_evidence, ts_ns)),
	{.path = NULL},
};

static const struct row action_rows[] = {
	ROW(U32, "priority", offsetof(struct report_action, priority)),
	WORD("kind", offsetof(struct report_action, kind), action_kind_name, NR_ACTION_KINDS),
	TEXT(ARRAY, "text", struct report_action, text),
	{.path = NULL},
};

static const struct row ceiling_rows[] = {
	ROW(U64, "bytes", offsetof(struct report_ceiling, bytes)),
	{.path = NULL},
};

static const struct row incident_rows[] = {
	TEXT(FIXED, "id", struct report, incident.id),
	ROW(U32, "revision", AT(incident.revision)),
	WORD("status", AT(incident.status), incident_status_name, NR_INCIDENT_STATUSES),
	TEXT(ARRAY, "summary", struct report, incident.summary),
	TEXT(KNOWN_ARRAY, "resource/service.name", struct report, incident.service_name),
	WORD("verdict/class", AT(incident.verdict.class), verdict_class_name, NR_VERDICT_CLASSES),
	ROW(RATIO, "verdict/confidence", AT(incident.verdict.confidence)),
	ROW(BOOL, "verdict/insufficient_history", AT(incident.verdict.insufficient_history)),
	LIST("verdict/alternatives", incident.verdict.alternatives,
	     incident.verdict.nr_alternatives, REPORT_MAX_ALTERNATIVES, alternative_rows),
	LIST("verdict/scores", incident.verdict.scores, incident.verdict.nr_scores,
	     REPORT_MAX_SCORES, score_rows),
	PROC("process/", incident.culprit),
	DEATH("process/exit/", incident.death),
	ROW(U32, "process/restarts_10m", AT(incident.restarts_10m)),
	ROW(U32, "process/deaths_10m", AT(incident.deaths_10m)),
	ROW(U32, "process/supervisor/process.pid", AT(incident.supervisor_tgid)),
	ROW(KNOWN_POINTER, "process/supervisor/process.executable.name",
	    AT(incident.supervisor_comm)),
	ROW(KNOWN_U32, "process/next_pid", AT(incident.next_tgid)),
	LIST("memory/ceilings", incident.memory.ceilings, incident.memory.nr_ceilings,
	     REPORT_MAX_CEILINGS, ceiling_rows),
	ROW(MEASURE, "memory/anon_bytes_at_death", AT(incident.memory.anon_bytes_at_death)),
	ROW(MEASURE, "memory/peak_anon_bytes", AT(incident.memory.peak_anon_bytes)),
	ROW(MEASURE, "memory/peak_rss_bytes", AT(incident.memory.peak_rss_bytes)),
	ROW(MEASURE, "memory/limit_bytes", AT(incident.memory.limit_bytes)),
	ROW(MEASURE, "memory/limit_usage_bytes", AT(incident.memory.limit_usage_bytes)),
	ROW(KNOWN_U64, "memory/ceiling_bytes", AT(incident.memory.ceiling_bytes)),
	ROW(MEASURE, "memory/mk_z", AT(incident.memory.mk_z)),
	ROW(MEASURE, "memory/concavity_ratio", AT(incident.memory.concavity)),
	ROW(MEASURE, "memory/bytes_per_request", AT(incident.memory.bytes_per_request)),
	ROW(MEASURE, "memory/native_share_ratio", AT(incident.memory.native_share)),
	ROW(MEASURE, "memory/reclaim_ms", AT(incident.memory.reclaim_ms)),
	LIST("victims", incident.victims, incident.nr_victims, REPORT_MAX_VICTIMS, victim_rows),
	LIST("timeline", incident.timeline, incident.nr_moments, REPORT_MAX_TIMELINE, moment_rows),
	LIST("evidence", incident.evidence, incident.nr_evidence, REPORT_MAX_EVIDENCE,
	     evidence_rows),
	LIST("actions", incident.actions, incident.nr_actions, REPORT_MAX_ACTIONS, action_rows),
	PROXY(incident.gateway),
	IMPACT(incident.impact, incident.upstream),
	ROW(U64, "data_quality/events_lost", AT(incident.events_lost)),
	{.path = NULL},
};

static const struct row sample_rows[] = {
	PROC("process/", sample.proc),
	ROW(U64, "sample/anon_bytes", AT(sample.task.anon_bytes)),
	ROW(U64, "sample/swap_bytes", AT(sample.task.swap_bytes)),
	ROW(U64, "sample/total_vm_bytes", AT(sample.task.total_vm_bytes)),
	ROW(KNOWN_U64, "sample/limit_bytes", AT(sample.task.memcg_limit_bytes)),
	ROW(U64, "sample/major_faults", AT(sample.task.major_faults)),
	{.path = NULL},
};

static const struct row gap_service_rows[] = {
	ROW(U32, "process/process.pid", offsetof(struct report_gap_service, proc.id.tgid)),
	ROW(KNOWN_POINTER, "process/process.executable.name",
	    offsetof(struct report_gap_service, proc.comm)),
	ROW(ADDRESS, "network.local.address", offsetof(struct report_gap_service, local.addr)),
	ROW(U16, "network.local.port", offsetof(struct report_gap_service, local.port)),
	ROW(U32, "successor/process.pid", offsetof(struct report_gap_service, successor.id.tgid)),
	PATH("successor/process.linux.cgroup",
	     offsetof(struct report_gap_service, successor.cgroup_path)),
	{.path = NULL},
};

static const struct row gap_incident_rows[] = {
	{.path = "", .type = ROW_POINTER},
	{.path = NULL},
};

/* The cause stays `unknown`, which has every section. */
static const struct row gap_rows[] = {
	ROW(KNOWN_U32, "gap/earlier_run/process.pid", AT(gap.gap.earlier_pid)),
	ROW(U64, "gap/earlier_run/lines", AT(gap.gap.earlier_lines)),
	ROW(U32, "gap/earlier_run/served", AT(gap.gap.nr_served)),
	ROW(U32, "gap/earlier_run/gone", AT(gap.gap.nr_gone)),
	LIST("services", gap.services, gap.nr_services, REPORT_MAX_GAP_SERVICES, gap_service_rows),
	LIST("open_incidents", gap.incidents, gap.nr_incidents, REPORT_MAX_GAP_INCIDENTS,
	     gap_incident_rows),
	{.path = NULL},
};

static const struct row *const kinds[NR_REPORT_KINDS] = {
	[REPORT_START] = no_rows,	   [REPORT_HEARTBEAT] = heartbeat_rows,
	[REPORT_PROCESS_EXIT] = exit_rows, [REPORT_OOM_KILL] = oom_rows,
	[REPORT_LISTENER] = listener_rows, [REPORT_GROWTH] = growth_rows,
	[REPORT_BURST] = burst_rows,	   [REPORT_INCIDENT] = incident_rows,
	[REPORT_SAMPLE] = sample_rows,	   [REPORT_GAP] = gap_rows,
};

/* Filling ------------------------------------------------------------------------------------- */

/* Texts that pointers point to; as many as a report can have, then over again. */
static char texts[64][MAX_TEXT + 1];
static unsigned int nr_texts;

/* Any bytes but NUL; a length byte, then that many. Repeated where the input is used up. */
static void fill_text(struct input *in, char *out, size_t size)
{
	size_t want = (size_t)input_u8(in) * 3, got;
	const uint8_t *at = input_take(in, want / 3, &got);

	if (want > size - 1)
		want = size - 1;
	for (size_t i = 0; i < want; i++)
		out[i] = got && at[i % got] ? (char)at[i % got] : 'x';
	out[want] = '\0';
}

static double fill_double(struct input *in)
{
	uint64_t bits = input_u64(in);
	double value;

	memcpy(&value, &bits, sizeof(value));
	return input_u8(in) & 1 ? value : (double)(int64_t)bits / 1e6;
}

static void fill_rows(struct input *in, const struct row *rows, char *base);

static void fill_list(struct input *in, const struct row *row, char *base)
{
	uint32_t nr = input_u8(in) % (row->max + 1);

	memcpy(base + row->nr_at, &nr, sizeof(nr));
	for (uint32_t i = 0; i < nr; i++)
		fill_rows(in, row->rows, base + row->at + i * row->size);
}

static void fill_row(struct input *in, const struct row *row, char *base)
{
	char *at = base + row->at;

	switch (row->type) {
	case ROW_U64:
	case ROW_KNOWN_U64:
	case ROW_TIME:
	case ROW_KNOWN_TIME:
	case ROW_NS:
		*(uint64_t *)at = input_u64(in) >> (input_u8(in) & 63);
		return;
	case ROW_U32:
		*(uint32_t *)at = (uint32_t)input_u64(in) | 1; /* pid 0: nobody, no section */
		return;
	case ROW_KNOWN_U32:
	case ROW_I32:
		*(uint32_t *)at = (uint32_t)input_u64(in);
		return;
	case ROW_U16:
		*(uint16_t *)at = (uint16_t)input_u64(in);
		return;
	case ROW_BOOL:
		*(bool *)at = input_u8(in) & 1;
		return;
	case ROW_RATIO:
		*(double *)at = input_u8(in) / 255.0;
		return;
	case ROW_DOUBLE:
		*(double *)at = fill_double(in);
		return;
	case ROW_MEASURE:
		*(struct measure *)at = (struct measure){input_u8(in) / 7.0, input_u8(in) & 1};
		return;
	case ROW_POINTER:
	case ROW_KNOWN_POINTER:
		nr_texts = (nr_texts + 1) % (sizeof(texts) / sizeof(texts[0]));
		fill_text(in, texts[nr_texts], row->size ?: RECORD_COMM_LEN);
		*(const char **)at = texts[nr_texts];
		return;
	case ROW_ARRAY:
	case ROW_KNOWN_ARRAY:
		fill_text(in, at, row->size);
		return;
	case ROW_FIXED:
		memcpy(at, "01JDZZZZZZ0123456789ABCDEF", row->size);
		return;
	case ROW_ADDRESS:
		input_copy(in, at, 16);
		return;
	case ROW_WORD:
		*(uint32_t *)at = input_u8(in) % (uint32_t)row->size;
		return;
	case ROW_LIST:
		fill_list(in, row, base);
		return;
	}
}

static void fill_rows(struct input *in, const struct row *rows, char *base)
{
	for (; rows->path; rows++)
		fill_row(in, rows, base);
}

/* Comparing ------------------------------------------------------------------------------------ */

static void compare_rows(const json_t *object, const struct row *rows, const char *base, bool cut,
			 const struct report *report);

/* NULL if it is not there. */
static const json_t *follow(const json_t *at, const char *path)
{
	char part[64];
	size_t len;

	for (; at && *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		EXPECT(len < sizeof(part));
		memcpy(part, path, len);
		part[len] = '\0';
		at = json_object_get(at, part);
	}
	return at;
}

static void compare_u64(const json_t *json, uint64_t value, bool zero_is_null)
{
	if (zero_is_null && !value) {
		EXPECT(json_is_null(json));
		return;
	}
	EXPECT(json_is_integer(json));
	/* What no 64-bit signed integer holds is no quantity of anything: the most is said. */
	EXPECT((uint64_t)json_integer_value(json) == (value > INT64_MAX ? INT64_MAX : value));
}

static void compare_double(const json_t *json, double value)
{
	if (!isfinite(value))
		EXPECT(json_is_null(json));
	else
		EXPECT(fabs(json_number_value(json) - value) <= fabs(value) * 1e-5);
}

static void compare_text(const json_t *json, const char *value, bool empty_is_null)
{
	char valid[3 * MAX_TEXT + 1];

	if (empty_is_null && (!value || !*value)) {
		EXPECT(json_is_null(json));
		return;
	}
	utf8_sanitize(valid, sizeof(valid), value, strlen(value));
	EXPECT(json_is_string(json));
	EXPECT(strcmp(json_string_value(json), valid) == 0);
}

/* Read back with the C library, which had no part in writing it beyond the calendar. */
static void compare_time(const json_t *json, uint64_t boot_ns, int64_t wall_offset_ns)
{
	int64_t wall_ns = (int64_t)(boot_ns + (uint64_t)wall_offset_ns);
	struct tm tm = {0};
	const char *rest;
	long ns;

	EXPECT(json_is_string(json));
	rest = strptime(json_string_value(json), "%Y-%m-%dT%H:%M:%S", &tm);
	EXPECT(rest && strlen(rest) == strlen(".123456789Z") && rest[0] == '.' && rest[10] == 'Z');
	ns = strtol(rest + 1, NULL, 10);
	EXPECT((__int128)timegm(&tm) * 1000000000 + ns == wall_ns);
}

static void compare_list(const json_t *json, const struct row *row, const char *base, bool cut,
			 const struct report *report)
{
	uint32_t nr;

	memcpy(&nr, base + row->nr_at, sizeof(nr));
	EXPECT(json_is_array(json));
	EXPECT(cut || json_array_size(json) == nr);
	if (json_array_size(json) != nr)
		return; /* rows may be missing in the middle: scores of silent rules */
	for (uint32_t i = 0; i < nr; i++)
		compare_rows(json_array_get(json, i), row->rows, base + row->at + i * row->size,
			     cut, report);
}

static void compare_row(const json_t *json, const struct row *row, const char *base, bool cut,
			const struct report *report)
{
	const char *at = base + row->at;
	char address[ADDRESS_TEXT_LEN], digits[24];

	switch (row->type) {
	case ROW_U64:
	case ROW_KNOWN_U64:
		compare_u64(json, *(const uint64_t *)at, row->type == ROW_KNOWN_U64);
		return;
	case ROW_U32:
	case ROW_KNOWN_U32:
		compare_u64(json, *(const uint32_t *)at, row->type == ROW_KNOWN_U32);
		return;
	case ROW_U16:
		compare_u64(json, *(const uint16_t *)at, false);
		return;
	case ROW_I32:
		EXPECT(json_is_integer(json) && json_integer_value(json) == *(const int32_t *)at);
		return;
	case ROW_BOOL:
		EXPECT(json_is_boolean(json) && json_is_true(json) == *(const bool *)at);
		return;
	case ROW_RATIO:
	case ROW_DOUBLE:
		compare_double(json, *(const double *)at);
		return;
	case ROW_MEASURE:
		EXPECT(json_is_null(json) == !((const struct measure *)at)->has);
		if (!json_is_null(json))
			compare_double(json, ((const struct measure *)at)->value);
		return;
	case ROW_KNOWN_TIME:
		if (!*(const uint64_t *)at) {
			EXPECT(json_is_null(json));
			return;
		}
		/* fall through */
	case ROW_TIME:
		compare_time(json, *(const uint64_t *)at, report->wall_offset_ns);
		return;
	case ROW_NS:
		snprintf(digits, sizeof(digits), "%llu", *(const unsigned long long *)at);
		compare_text(json, digits, false);
		return;
	case ROW_POINTER:
	case ROW_KNOWN_POINTER:
		compare_text(json, *(const char *const *)at, row->type == ROW_KNOWN_POINTER);
		return;
	case ROW_ARRAY:
	case ROW_FIXED:
	case ROW_KNOWN_ARRAY:
		compare_text(json, at, row->type == ROW_KNOWN_ARRAY);
		return;
	case ROW_ADDRESS:
		address_format((const uint8_t *)at, address);
		compare_text(json, address, false);
		return;
	case ROW_WORD:
		compare_text(json, row->word(*(const uint32_t *)at), false);
		return;
	case ROW_LIST:
		compare_list(json, row, base, cut, report);
		return;
	}
}

static void compare_rows(const json_t *object, const struct row *rows, const char *base, bool cut,
			 const struct report *report)
{
	for (; rows->path; rows++) {
		const json_t *json = follow(object, rows->path);
		bool empty = rows->type == ROW_LIST && !*(const uint32_t *)(base + rows->nr_at);

		if (!json && !cut && !empty)
			fprintf(stderr, "no %s\n", rows->path);
		EXPECT(json || cut || empty);
		if (json)
			compare_row(json, rows, base, cut, report);
	}
}

/* Where what is not in the tables must not be nothing. */
static void complete(struct report *report)
{
	if (report->kind != REPORT_INCIDENT)
		return;
	report->incident.has_culprit = true;
	report->incident.died = true;
	report->incident.severity_number = 9;
	report->incident.verdict.cause = CAUSE_NONE;
}

/* Whom the process belongs to, with what is left of the input. Only that the line bears it is looked at. */
static void fill_workload(struct input *in, struct report *report)
{
	static struct workload w;

	w.runtime = input_u8(in);
	w.qos = input_u8(in);
	fill_text(in, w.container_id, sizeof(w.container_id));
	fill_text(in, w.pod_uid, sizeof(w.pod_uid));
	fill_text(in, w.image, sizeof(w.image));
	fill_text(in, w.container_name, sizeof(w.container_name));
	fill_text(in, w.pod_name, sizeof(w.pod_name));
	fill_text(in, w.pod_namespace, sizeof(w.pod_namespace));
	fill_text(in, w.systemd_unit, sizeof(w.systemd_unit));
	if (report->kind == REPORT_PROCESS_EXIT)
		report->process_exit.proc.workload = &w;
	if (report->kind == REPORT_INCIDENT)
		report->incident.culprit.workload = report->incident.gateway.proc.workload = &w;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char line[REPORT_LINE_MAX + 1];
	static struct report report;
	static struct record_header header;
	struct input in = {data, size};
	size_t len;
	json_t *root;

	memset(&report, 0, sizeof(report));
	memset(&header, 0, sizeof(header));
	report.kind = (enum report_kind)(input_u8(&in) % NR_REPORT_KINDS);
	report.header = &header;
	report.seq = input_u64(&in) >> 1;
	report.ts_ns = input_u64(&in) >> 1;
	report.wall_offset_ns = (int64_t)input_u64(&in) >> 8;
	fill_text(&in, header.host_name, sizeof(header.host_name));
	fill_text(&in, header.kernel, sizeof(header.kernel));
	if (report.kind == REPORT_START)
		report.start.header = &header;
	fill_rows(&in, kinds[report.kind], (char *)&report);
	complete(&report);
	fill_workload(&in, &report);
	len = report_json(&report, line);
	fuzz_expect_line(line, len);
	root = fuzz_parse_line(line, len);
	EXPECT((uint64_t)json_integer_value(json_object_get(root, "seq")) == report.seq);
	compare_time(json_object_get(root, "timestamp"), report.ts_ns, report.wall_offset_ns);
	compare_text(follow(root, "resource/host.name"), header.host_name, true);
	compare_rows(root, kinds[report.kind], (const char *)&report,
		     json_object_get(root, "truncated") != NULL, &report);
	json_decref(root);
	return 0;
}
