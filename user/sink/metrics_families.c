/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_families.c - names, types and labels of what metrics say of others (of memswell itself:
 * metrics_self.c), and the answer made of all: docs/metrics.md. Families whose samples are values of rows
 * are a table; the others have a function.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sink/metrics_parts.h"

#define NS_PER_S 1e9
#define NR(a)	 (sizeof(a) / sizeof((a)[0]))

/* What the labels of a row are made from: the row, or NULL for `other`. */
typedef void (*labels_fn)(struct metrics_text *t, const struct metrics_row *row);

static void label_endpoint(struct metrics_text *t, const char *name, const struct endpoint *e)
{
	char text[64];

	metrics_endpoint_text(e, text, sizeof(text));
	metrics_text_label(t, name, text);
}

static void label_netns(struct metrics_text *t, const struct endpoint *e)
{
	char text[16] = "";

	if (e->netns)
		snprintf(text, sizeof(text), "%u", e->netns);
	metrics_text_label(t, "netns", text);
}

static void labels_gateway(struct metrics_text *t, const struct metrics_row *row)
{
	metrics_text_label(t, "gateway", row ? row->key.name : metrics_other);
}

static void labels_upstream(struct metrics_text *t, const struct metrics_row *row)
{
	labels_gateway(t, row);
	if (row)
		label_endpoint(t, "upstream", &row->key.endpoint);
	else
		metrics_text_label(t, "upstream", metrics_other);
}

static void labels_service(struct metrics_text *t, const struct metrics_row *row)
{
	const struct metrics_service_row *service = (const struct metrics_service_row *)row;

	if (!row || !row->key.endpoint.port) {
		metrics_text_label(t, "service_name", row ? row->key.name : metrics_other);
		metrics_text_label(t, "listener", row ? "" : metrics_other);
		metrics_text_label(t, "netns", row ? "" : metrics_other);
		return;
	}
	metrics_text_label(t, "service_name", service->who.service_name);
	label_endpoint(t, "listener", &row->key.endpoint);
	label_netns(t, &row->key.endpoint);
}

static void labels_listener(struct metrics_text *t, const struct metrics_row *row)
{
	label_endpoint(t, "address", &row->key.endpoint);
	label_netns(t, &row->key.endpoint);
}

/* Families made of rows ------------------------------------------------------------------------ */

static const char *status_word(unsigned int i)
{
	return flow_status_name((enum flow_status)i);
}

static const char *failure_word(unsigned int i)
{
	return flow_fail_name((enum flow_fail)metrics_failures[i]);
}

static const char *sign_word(unsigned int i)
{
	return flow_fail_name((enum flow_fail)metrics_signs[i]);
}

static const char *client_word(unsigned int i)
{
	static const char *const words[METRICS_CLIENT_KINDS] = {"502",	     "503",    "504",
								"5xx_other", "closed", "truncated"};

	return words[i];
}

static const char *death_word(unsigned int i)
{
	return death_kind_name((enum death_kind)i);
}

struct row_family {
	const char *name;
	const char *unit;
	const char *help;
	labels_fn labels;
	const char *kind;		     /* label of the kinds */
	const char *(*word)(unsigned int i); /* NULL: one value */
	uint8_t type;			     /* enum metrics_type */
	uint8_t table;			     /* enum metrics_table */
	uint8_t value;			     /* the first */
	uint8_t nr;			     /* kinds */
	bool has_other;
};

#define GATEWAY(n, v, h)                                                                           \
	{                                                                                          \
		.name = "memswell_gateway_" n, .unit = "", .help = h, .labels = labels_gateway,    \
		.type = METRICS_COUNTER, .table = TABLE_GATEWAYS, .value = v, .nr = 1,             \
		.has_other = true                                                                  \
	}
#define UPSTREAM(n, v, count, words, h)                                                            \
	{                                                                                          \
		.name = "memswell_gateway_" n, .unit = "", .help = h, .labels = labels_upstream,   \
		.kind = "kind", .word = words, .type = METRICS_COUNTER, .table = TABLE_UPSTREAMS,  \
		.value = v, .nr = count, .has_other = true                                         \
	}
#define SERVICE(n, u, t, v, o, h)                                                                  \
	{                                                                                          \
		.name = "memswell_service_" n, .unit = u, .help = h, .labels = labels_service,     \
		.type = t, .table = TABLE_SERVICES, .value = v, .nr = 1, .has_other = o            \
	}
#define LISTENER(n, u, t, v, h)                                                                    \
	{                                                                                          \
		.name = "memswell_listener_" n, .unit = u, .help = h, .labels = labels_listener,   \
		.type = t, .table = TABLE_LISTENERS, .value = v, .nr = 1                           \
	}
#define DEATHS(n, l, tbl, v, o, h)                                                                 \
	{                                                                                          \
		.name = n, .unit = "", .help = h, .labels = l, .kind = "kind", .word = death_word, \
		.type = METRICS_COUNTER, .table = tbl, .value = v, .nr = NR_DEATH_KINDS,           \
		.has_other = o                                                                     \
	}

static const struct row_family row_families[] = {
	GATEWAY("client_requests", GATEWAY_REQUESTS, "Requests of clients that could be read."),
	{.name = "memswell_gateway_client_responses",
	 .unit = "",
	 .help = "Answers to clients by status.",
	 .labels = labels_gateway,
	 .kind = "status",
	 .word = status_word,
	 .type = METRICS_COUNTER,
	 .table = TABLE_GATEWAYS,
	 .value = GATEWAY_STATUS,
	 .nr = NR_FLOW_STATUSES,
	 .has_other = true},
	UPSTREAM("upstream_requests", UPSTREAM_REQUESTS, 1, NULL, "Requests to the upstream."),
	UPSTREAM("upstream_responses", UPSTREAM_RESPONSES, 1, NULL, "Answers of the upstream."),
	UPSTREAM("upstream_failures", UPSTREAM_FAILURES, METRICS_FAILURE_KINDS, failure_word,
		 "Connects and requests to the upstream that got no whole answer."),
	UPSTREAM("upstream_signs", UPSTREAM_SIGNS, METRICS_SIGN_KINDS, sign_word,
		 "What is no failure of the upstream, or a part of one."),
	UPSTREAM("client_failures", UPSTREAM_CLIENTS, METRICS_CLIENT_KINDS, client_word,
		 "Clients failed because of the upstream."),
	{.name = "memswell_gateway_burst_open",
	 .unit = "",
	 .help = "Whether failures are more than chance.",
	 .labels = labels_upstream,
	 .type = METRICS_GAUGE,
	 .table = TABLE_UPSTREAMS,
	 .value = UPSTREAM_BURST,
	 .nr = 1},
	SERVICE("processes", "", METRICS_GAUGE, SERVICE_PROCESSES, true, "Living processes."),
	SERVICE("anon_bytes", "bytes", METRICS_GAUGE, SERVICE_ANON, true,
		"Anonymous memory of its processes."),
	SERVICE("file_bytes", "bytes", METRICS_GAUGE, SERVICE_FILE, true,
		"Resident file pages of its processes."),
	SERVICE("cgroup_usage_bytes", "bytes", METRICS_GAUGE, SERVICE_CGROUP_USAGE, false,
		"What its memory cgroup is charged with."),
	SERVICE("cgroup_limit_bytes", "bytes", METRICS_GAUGE, SERVICE_CGROUP_LIMIT, false,
		"Effective limit of its memory cgroup."),
	SERVICE("headroom_bytes", "bytes", METRICS_GAUGE, SERVICE_HEADROOM, true,
		"Room below the nearest ceiling."),
	SERVICE("growth_level", "", METRICS_GAUGE, SERVICE_LEVEL, true,
		"Growth: 0 none, 1 suspected, 2 probable, 3 imminent."),
	SERVICE("growth_bytes_per_second", "", METRICS_GAUGE, SERVICE_GROWTH, false,
		"Trend of the floor of anonymous memory."),
	SERVICE("time_to_ceiling_seconds", "seconds", METRICS_GAUGE, SERVICE_TIME_LEFT, true,
		"Predicted time to the ceiling."),
	SERVICE("requests", "", METRICS_COUNTER, SERVICE_REQUESTS, true, "HTTP requests answered."),
	SERVICE("requests_in_flight", "", METRICS_GAUGE, SERVICE_IN_FLIGHT, true,
		"Requests that wait for their answer."),
	SERVICE("reclaim_seconds", "seconds", METRICS_COUNTER, SERVICE_RECLAIM, true,
		"Time spent in reclaim within its memory cgroups."),
	SERVICE("restarts", "", METRICS_COUNTER, SERVICE_RESTARTED, true,
		"How often the listener came back."),
	DEATHS("memswell_service_deaths", labels_service, TABLE_SERVICES, SERVICE_DEATHS, true,
	       "Processes of the service that ended."),
	LISTENER("up", "", METRICS_GAUGE, LISTENER_IS_UP, "Whether somebody listens."),
	LISTENER("start_time_seconds", "seconds", METRICS_GAUGE, LISTENER_START,
		 "Since when the present or last listener was there."),
	DEATHS("memswell_listener_deaths", labels_listener, TABLE_LISTENERS, LISTENER_DEATHS, false,
	       "Processes behind the address that ended."),
	LISTENER("restarts", "", METRICS_COUNTER, LISTENER_RESTARTED,
		 "How often the listener came back."),
	LISTENER("growth_bytes_per_second", "", METRICS_GAUGE, LISTENER_GROWTH,
		 "Growth of the service behind the address."),
	LISTENER("time_to_ceiling_seconds", "seconds", METRICS_GAUGE, LISTENER_TIME_LEFT,
		 "Predicted time to the ceiling of the service behind the address."),
	LISTENER("headroom_bytes", "bytes", METRICS_GAUGE, LISTENER_HEADROOM,
		 "Room below the ceiling of the service behind the address."),
};

static void write_values(struct metrics_text *t, const struct row_family *f,
			 const struct metrics_row *row, const double *values)
{
	for (unsigned int i = 0; i < f->nr; i++) {
		if (isnan(values[f->value + i]))
			continue;
		metrics_text_begin(t, f->name, f->type);
		f->labels(t, row);
		if (f->word)
			metrics_text_label(t, f->kind, f->word(i));
		metrics_text_value(t, values[f->value + i]);
	}
}

/* The others show only where there are or were any. */
static bool has_other(const struct row_family *f, const struct metrics_rows *rows)
{
	bool any = rows->left_out > 0;

	for (unsigned int i = 0; i < METRICS_VALUES && !any; i++)
		any = rows->counters >> i & 1 && rows->other[i] > 0;
	return f->has_other && any;
}

static void write_row_family(struct metrics_text *t, const struct metrics *m,
			     const struct row_family *f)
{
	const struct metrics_rows *rows = &m->tables[f->table];

	metrics_text_family(t, f->name, f->type, f->unit, f->help);
	for (uint32_t i = 0; i < rows->rows.nr; i++) {
		const struct metrics_row *row = metrics_rows_at(rows, i);

		write_values(t, f, row, row->values);
	}
	if (has_other(f, rows))
		write_values(t, f, NULL, rows->other);
}

/* Facts that stand in labels ------------------------------------------------------------------- */

static void label_pod(struct metrics_text *t, const struct metrics_who *who, bool with_uid)
{
	metrics_text_label(t, "k8s_namespace_name", who->workload.pod_namespace);
	metrics_text_label(t, "k8s_pod_name", who->workload.pod_name);
	if (with_uid)
		metrics_text_label(t, "k8s_pod_uid", who->workload.pod_uid);
	/* The name of a container is that of its specification only within a pod. */
	metrics_text_label(t, "k8s_container_name",
			   who->workload.pod_name[0] ? who->workload.container_name : "");
}

static void label_container(struct metrics_text *t, const struct metrics_who *who)
{
	metrics_text_label(t, "container_id", who->workload.container_id);
	metrics_text_label(t, "container_image_name", who->workload.image);
}

static void info_gateway(struct metrics_text *t, const struct metrics_row *row)
{
	const struct metrics_gateway_row *gateway = (const struct metrics_gateway_row *)row;

	labels_gateway(t, row);
	metrics_text_label(t, "personality", gateway->personality ? gateway->personality : "");
	metrics_text_label(t, "process_executable_name", gateway->who.executable);
	label_pod(t, &gateway->who, false);
}

static void info_service(struct metrics_text *t, const struct metrics_row *row)
{
	const struct metrics_who *who = &((const struct metrics_service_row *)row)->who;
	enum runtime_kind runtime = (enum runtime_kind)who->runtime;

	labels_service(t, row);
	metrics_text_label(t, "process_executable_name", who->executable);
	metrics_text_label(t, "process_runtime_name",
			   runtime == RUNTIME_UNKNOWN ? "" : runtime_name(runtime));
	label_pod(t, who, true);
	label_container(t, who);
	metrics_text_label(t, "container_runtime",
			   container_runtime_name((enum container_runtime)who->workload.runtime));
	metrics_text_label(t, "systemd_unit", who->workload.systemd_unit);
}

static const char *scope_of(const struct endpoint *e)
{
	static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff}, zero[16];

	if (!memcmp(e->addr, v4, sizeof(v4))) {
		if (!memcmp(e->addr + 12, zero, 4))
			return "wildcard";
		return e->addr[12] == 127 ? "loopback" : "global";
	}
	if (memcmp(e->addr, zero, 15) != 0)
		return "global";
	return e->addr[15] == 0 ? "wildcard" : e->addr[15] == 1 ? "loopback" : "global";
}

static void info_listener(struct metrics_text *t, const struct metrics_row *row)
{
	const struct metrics_listener_row *listener = (const struct metrics_listener_row *)row;

	labels_listener(t, row);
	metrics_text_label(t, "scope", scope_of(&row->key.endpoint));
	label_endpoint(t, "listener", &listener->bound);
	metrics_text_label(t, "service_name", listener->who.service_name);
	label_pod(t, &listener->who, true);
	label_container(t, &listener->who);
	metrics_text_label(t, "process_executable_name", listener->who.executable);
}

struct info_family {
	const char *name;
	const char *help;
	labels_fn labels;
	enum metrics_table table;
};

static const struct info_family info_families[] = {
	{"memswell_gateway", "Who a gateway is.", info_gateway, TABLE_GATEWAYS},
	{"memswell_service", "Who a service is.", info_service, TABLE_SERVICES},
	{"memswell_listener", "Who answers on an address.", info_listener, TABLE_LISTENERS},
};

static void write_info_family(struct metrics_text *t, const struct metrics *m,
			      const struct info_family *f)
{
	const struct metrics_rows *rows = &m->tables[f->table];

	metrics_text_family(t, f->name, METRICS_INFO, "", f->help);
	for (uint32_t i = 0; i < rows->rows.nr; i++) {
		metrics_text_begin(t, f->name, METRICS_INFO);
		f->labels(t, metrics_rows_at(rows, i));
		metrics_text_value(t, 1);
	}
}

/* Families with a function of their own -------------------------------------------------------- */

static void write_ceilings(struct metrics_text *t, const struct metrics *m, const char *name)
{
	const struct metrics_rows *rows = &m->tables[TABLE_SERVICES];

	for (uint32_t i = 0; i < rows->rows.nr; i++) {
		const struct metrics_row *row = metrics_rows_at(rows, i);
		const struct metrics_service_row *service = (const struct metrics_service_row *)row;

		if (isnan(row->values[SERVICE_CEILING]))
			continue;
		metrics_text_begin(t, name, METRICS_GAUGE);
		labels_service(t, row);
		metrics_text_label(t, "ceiling",
				   ceiling_source_name((enum ceiling_source)service->ceiling));
		metrics_text_value(t, row->values[SERVICE_CEILING]);
	}
}

static void write_failure_times(struct metrics_text *t, const struct metrics *m, const char *name,
				size_t offset)
{
	const struct metrics_rows *rows = &m->tables[TABLE_UPSTREAMS];

	for (uint32_t i = 0; i < rows->rows.nr; i++) {
		const struct metrics_row *row = metrics_rows_at(rows, i);
		double when_s;

		memcpy(&when_s, (const char *)row + offset, sizeof(when_s));
		if (when_s <= 0)
			continue;
		metrics_text_begin(t, name, METRICS_GAUGE);
		labels_upstream(t, row);
		metrics_text_value(t, when_s);
	}
}

static void write_first_failures(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_failure_times(t, m, name, offsetof(struct metrics_upstream_row, failing_since_s));
}

static void write_last_failures(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_failure_times(t, m, name, offsetof(struct metrics_upstream_row, failed_s));
}

static void write_last_deaths(struct metrics_text *t, const struct metrics *m, const char *name)
{
	const struct metrics_rows *rows = &m->tables[TABLE_DEATHS];

	for (uint32_t i = 0; i < rows->rows.nr; i++) {
		const struct metrics_row *row = metrics_rows_at(rows, i);
		const struct metrics_who *who = &((const struct metrics_death_row *)row)->who;

		if (isnan(row->values[DEATH_TIME]))
			continue;
		metrics_text_begin(t, name, METRICS_GAUGE);
		labels_listener(t, row);
		metrics_text_label(t, "kind", death_word(row->key.word));
		metrics_text_label(t, "service_name", who->service_name);
		label_pod(t, who, false);
		metrics_text_value(t, row->values[DEATH_TIME]);
	}
}

static void write_verdicts(struct metrics_text *t, const struct metrics *m, const char *name,
			   bool ended)
{
	const struct metrics_incidents *in = &m->incidents;

	for (unsigned int class = 0; class < NR_VERDICT_CLASSES; class ++)
		for (unsigned int cause = 0; cause < NR_VERDICT_CAUSES; cause++) {
			uint64_t n = ended ? in->ended[class][cause] : in->open[class][cause];

			if (!n && !metrics_verdict_can_be(class, cause))
				continue;
			metrics_text_begin(t, name, ended ? METRICS_COUNTER : METRICS_GAUGE);
			metrics_text_label(t, "class", verdict_class_name(class));
			metrics_text_label(t, "cause", verdict_cause_name(cause));
			metrics_text_value(t, (double)n);
		}
}

static void write_incidents_ended(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_verdicts(t, m, name, true);
}

static void write_incidents_open(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_verdicts(t, m, name, false);
}

static void label_incident(struct metrics_text *t, const struct metrics_incident_row *row)
{
	if (!row) {
		static const char *const names[] = {"service_name", "gateway", "upstream", "class",
						    "cause"};

		for (size_t i = 0; i < NR(names); i++)
			metrics_text_label(t, names[i], metrics_other);
		return;
	}
	metrics_text_label(t, "service_name", row->service_name);
	metrics_text_label(t, "gateway", row->gateway);
	label_endpoint(t, "upstream", &row->upstream);
	metrics_text_label(t, "class", verdict_class_name((enum verdict_class)row->class));
	metrics_text_label(t, "cause", verdict_cause_name((enum verdict_cause)row->cause));
}

static void write_incident_rows(struct metrics_text *t, const struct metrics *m, const char *name,
				bool ended)
{
	for (int i = 0; i <= METRICS_INCIDENTS; i++) {
		const struct metrics_incident_row *row = &m->incidents.rows[i];

		if (!row->seen_ns || (!ended && !row->open))
			continue;
		metrics_text_begin(t, name, ended ? METRICS_COUNTER : METRICS_GAUGE);
		label_incident(t, i < METRICS_INCIDENTS ? row : NULL);
		metrics_text_value(t, ended ? (double)row->ended : (double)row->open);
	}
}

static void write_service_incidents(struct metrics_text *t, const struct metrics *m,
				    const char *name)
{
	write_incident_rows(t, m, name, true);
}

static void write_service_incidents_open(struct metrics_text *t, const struct metrics *m,
					 const char *name)
{
	write_incident_rows(t, m, name, false);
}

static void write_growths(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (int i = GROWTH_SUSPECTED; i < NR_GROWTH_LEVELS; i++)
		metrics_sample(t, name, METRICS_COUNTER, "level", growth_level_name(i),
			       (double)m->growths[i]);
}

static void write_bursts(struct metrics_text *t, const struct metrics *m, const char *name)
{
	metrics_sample(t, name, METRICS_COUNTER, NULL, NULL, (double)m->bursts);
}

static void write_oom_kills(struct metrics_text *t, const struct metrics *m, const char *name)
{
	metrics_sample(t, name, METRICS_COUNTER, "limit", "cgroup", (double)m->oom_kills[0]);
	metrics_sample(t, name, METRICS_COUNTER, "limit", "host", (double)m->oom_kills[1]);
}

static void write_exits(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (unsigned int i = 0; i < NR_DEATH_KINDS; i++)
		metrics_sample(t, name, METRICS_COUNTER, "kind", death_word(i),
			       (double)m->exits[i]);
}

static void write_gaps(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (unsigned int i = 0; i < NR_GAP_CAUSES; i++)
		metrics_sample(t, name, METRICS_COUNTER, "cause", gap_cause_name(i),
			       (double)m->gaps[i]);
}

static void write_gap_seconds(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (unsigned int i = 0; i < NR_GAP_CAUSES; i++)
		metrics_sample(t, name, METRICS_COUNTER, "cause", gap_cause_name(i),
			       (double)m->gap_ns[i] / NS_PER_S);
}

static const struct metrics_family families[] = {
	{"memswell_incidents", "", "Incidents that ended, by their last verdict.", METRICS_COUNTER,
	 write_incidents_ended},
	{"memswell_incidents_open", "", "Incidents that go on, by their present verdict.",
	 METRICS_GAUGE, write_incidents_open},
	{"memswell_service_incidents", "", "Incidents that ended, by who failed.", METRICS_COUNTER,
	 write_service_incidents},
	{"memswell_service_incident_open", "", "Incidents that go on, by who fails.", METRICS_GAUGE,
	 write_service_incidents_open},
	{"memswell_bursts", "", "Bursts of failures that opened.", METRICS_COUNTER, write_bursts},
	{"memswell_growth_warnings", "", "Growth reports by level.", METRICS_COUNTER,
	 write_growths},
	{"memswell_gateway_upstream_first_failure_timestamp_seconds", "seconds",
	 "When the present or last run of failures began.", METRICS_GAUGE, write_first_failures},
	{"memswell_gateway_upstream_last_failure_timestamp_seconds", "seconds",
	 "The newest failure.", METRICS_GAUGE, write_last_failures},
	{"memswell_service_ceiling_bytes", "bytes",
	 "What ends the service when it grows on; the nearest.", METRICS_GAUGE, write_ceilings},
	{"memswell_listener_last_death_timestamp_seconds", "seconds",
	 "When a process behind the address last ended so, and who that was.", METRICS_GAUGE,
	 write_last_deaths},
	{"memswell_oom_kills", "", "OOM kills of any process.", METRICS_COUNTER, write_oom_kills},
	{"memswell_process_exits", "", "Ends of processes that were reported.", METRICS_COUNTER,
	 write_exits},
	{"memswell_gaps", "", "Times without memswell.", METRICS_COUNTER, write_gaps},
	{"memswell_gap_seconds", "seconds", "Length of the times without memswell.",
	 METRICS_COUNTER, write_gap_seconds},
};

void metrics_sample(struct metrics_text *t, const char *name, enum metrics_type type,
		    const char *label, const char *word, double value)
{
	metrics_text_begin(t, name, type);
	if (label)
		metrics_text_label(t, label, word);
	metrics_text_value(t, value);
}

void metrics_write_families(struct metrics_text *t, const struct metrics *m,
			    const struct metrics_family *families_of, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct metrics_family *f = &families_of[i];

		metrics_text_family(t, f->name, f->type, f->unit, f->help);
		f->write(t, m, f->name);
	}
}

size_t metrics_render(struct metrics *m, enum metrics_format format, char *data, size_t size)
{
	struct metrics_text t;
	size_t len;

	metrics_text_init(&t, format, data, size);
	metrics_write_families(&t, m, families, NR(families));
	metrics_write_self(&t, m);
	for (size_t i = 0; i < NR(info_families); i++)
		write_info_family(&t, m, &info_families[i]);
	for (size_t i = 0; i < NR(row_families); i++)
		write_row_family(&t, m, &row_families[i]);
	len = metrics_text_end(&t);
	m->left_out = t.left_out;
	return len;
}
