/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* content_facts.c - the numbers of an incident, each with its name and unit. */
#include <string.h>

#include "base/units.h"
#include "view/content.h"

typedef unsigned long long ull;

/* Tables of facts: a path to a number, its name, its unit. */
struct fact {
	const char *key;
	const char *label;
	enum unit unit;
};

static void add_facts(struct writing *w, struct block *b, const json_t *json,
		      const struct fact *facts, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		double value;

		if (!json_number_at(json, JSON_PATH(facts[i].key), &value))
			continue;
		block_fact(w->d, b, facts[i].key, facts[i].label,
			   content_unit(w->d, facts[i].unit, value), value);
	}
}

#define ADD_FACTS(w, b, json, facts)                                                               \
	add_facts(w, b, json, facts, sizeof(facts) / sizeof((facts)[0]))

static void add_text_fact(struct writing *w, struct block *b, const char *key, const char *label,
			  const char *text)
{
	struct row *row = *text ? block_row(w->d, b) : NULL;

	if (!row)
		return;
	row->key = key;
	row->cells[0].text = label;
	row->cells[1].text = text;
}

/* Evidence ------------------------------------------------------------------------------------ */

static const char *evidence_words(struct writing *w, const json_t *fields)
{
	char buffer[512];
	struct text t;
	const char *key;
	json_t *value;

	text_init(&t, buffer, sizeof(buffer));
	json_object_foreach((json_t *)fields, key, value)
	{
		enum unit unit;
		const char *words = field_words(key, &unit);

		if (json_is_number(value) && unit == UNIT_YES && json_number_value(value) == 0)
			continue;
		text_add(&t, "%s%s", t.len ? ", " : "", document_shown(w->d, words, 80));
		if (json_is_number(value) && unit != UNIT_YES) {
			text_add(&t, " ");
			text_add_unit(&t, unit, json_number_value(value));
		} else if (json_is_string(value)) {
			text_add(&t, " %s", document_shown(w->d, json_string_value(value), 120));
		}
	}
	return document_text(w->d, "%s", buffer);
}

static void add_evidence(struct writing *w, struct block *b, const json_t *json)
{
	uint64_t count = json_u64(json, JSON_PATH("count"));
	uint64_t boot_ns = strtoull(json_text(json, JSON_PATH("boot_ns")), NULL, 10);
	uint64_t line_boot_ns = strtoull(json_text(w->json, JSON_PATH("boot_ns")), NULL, 10);
	struct row *row = block_row(w->d, b);
	int64_t wall_ns = 0;

	if (!row)
		return;
	row->cells[0].text = content_shown(w, json, JSON_PATH("source"));
	if (json_wall_ns(w->json, JSON_PATH("timestamp"), &wall_ns) && boot_ns) {
		wall_ns -= (int64_t)(line_boot_ns - boot_ns);
		row->cells[1].text = content_clock(w->d, wall_ns);
		row->cells[2].text = content_offset(w->d, (double)(wall_ns - w->zero_ns) /
								  (double)NSEC_PER_MSEC);
	}
	if (count)
		row_number(row, 3, document_text(w->d, "%llu", (ull)count), (double)count);
	row->cells[4].text = evidence_words(w, json_at(json, JSON_PATH("fields")));
}

void content_evidence(struct writing *w)
{
	const json_t *evidence = json_at(w->json, JSON_PATH("evidence"));
	struct block *b = document_block(w->out, BLOCK_TABLE, "evidence", "Evidence");
	const json_t *json;
	size_t i;

	block_column(b, "probe", "Probe", false);
	block_column(b, "time", "Time (UTC)", false);
	block_column(b, "offset", "Offset", true);
	block_column(b, "count", "Count", true);
	block_column(b, "seen", "What was seen", false);
	json_array_foreach(evidence, i, json) add_evidence(w, b, json);
	if (!b->nr_rows)
		b->note = "The line carries none.";
}

/* Impact -------------------------------------------------------------------------------------- */

static const struct fact impact_facts[] = {
	{"client_requests", "requests of clients", UNIT_NUMBER},
	{"upstream_requests", "requests to the upstream", UNIT_NUMBER},
	{"upstream_responses", "answers of the upstream", UNIT_NUMBER},
	{"clients_closed", "clients closed on without an answer", UNIT_NUMBER},
	{"masked_by_retry", "failures masked by a retry", UNIT_NUMBER},
	{"truncated", "answers cut off", UNIT_NUMBER},
	{"app_answered", "errors the upstream answered itself", UNIT_NUMBER},
	{"failure_ratio", "share of requests that failed", UNIT_PERCENT},
};

static void add_counts(struct writing *w, struct block *b, const json_t *counts,
		       const char *(*words)(const char *), const char *prefix)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)counts, key, value)
	{
		double nr = json_number_value(value);
		const char *shown = document_shown(w->d, words ? words(key) : key, 80);

		if (nr > 0)
			block_fact(w->d, b, document_shown(w->d, key, 80),
				   document_text(w->d, "%s%s", prefix, shown),
				   content_unit(w->d, UNIT_NUMBER, nr), nr);
	}
}

static const char *gateway_of(struct writing *w)
{
	const json_t *proxy = json_at(w->json, JSON_PATH("impact", "proxy"));

	if (!proxy)
		return "";
	return document_text(w->d, "%s (pid %llu), %llu workers",
			     content_shown(w, proxy, JSON_PATH("process.executable.name")),
			     (ull)json_u64(proxy, JSON_PATH("process.pid")),
			     (ull)json_u64(proxy, JSON_PATH("workers")));
}

static const char *upstream_of(struct writing *w)
{
	const char *address =
		content_shown(w, w->json, JSON_PATH("impact", "network.peer.address"));
	uint64_t port = json_u64(w->json, JSON_PATH("impact", "network.peer.port"));

	if (!port)
		return "";
	return document_text(w->d, strchr(address, ':') ? "[%s]:%llu" : "%s:%llu", address,
			     (ull)port);
}

void content_impact(struct writing *w)
{
	const json_t *impact = json_at(w->json, JSON_PATH("impact"));
	struct block *b = document_block(w->out, BLOCK_FACTS, "impact", "Impact");

	add_text_fact(w, b, "gateway", "gateway", gateway_of(w));
	add_text_fact(w, b, "upstream", "upstream", upstream_of(w));
	add_text_fact(w, b, "duration", "from first to last failure", w->out->duration);
	ADD_FACTS(w, b, impact, impact_facts);
	add_counts(w, b, json_at(impact, JSON_PATH("client_responses")), NULL, "clients got ");
	add_counts(w, b, json_at(impact, JSON_PATH("upstream_failures")), failure_words,
		   "upstream: ");
}

/* Memory -------------------------------------------------------------------------------------- */

static const struct fact memory_facts[] = {
	{"anon_bytes_at_death", "anonymous memory at its end", UNIT_BYTES},
	{"peak_anon_bytes", "peak of anonymous memory", UNIT_BYTES},
	{"peak_rss_bytes", "peak RSS", UNIT_BYTES},
	{"limit_usage_bytes", "usage of its cgroup", UNIT_BYTES},
	{"floor_slope_bytes_per_s", "floor grows by", UNIT_BYTES_PER_S},
	{"floor_slope_p10_bytes_per_s", "at least (p10)", UNIT_BYTES_PER_S},
	{"floor_slope_p90_bytes_per_s", "at most (p90)", UNIT_BYTES_PER_S},
	{"window_s", "trend over", UNIT_SECONDS},
	{"bytes_per_request", "kept per request", UNIT_BYTES},
	{"native_share_ratio", "share of growth outside its managed heap", UNIT_PERCENT},
	{"payload_amplification_ratio", "memory per byte received", UNIT_TIMES},
	{"largest_request_bytes", "largest request", UNIT_BYTES},
	{"inflight_peak", "most requests in flight", UNIT_NUMBER},
	{"cpu_per_request_ratio", "CPU per request, to its past", UNIT_TIMES},
	{"stalled_s", "no answer for", UNIT_SECONDS},
	{"limit_events_per_s", "limit events per second", UNIT_NUMBER},
	{"majflt_per_s", "major faults per second", UNIT_NUMBER},
	{"reclaim_ms", "reclaim in its cgroup in the last minute", UNIT_MS},
};

static const struct fact forecast_facts[] = {
	{"first_exhaustion_s", "first forecast: ceiling in", UNIT_SECONDS},
	{"lead_s", "first forecast came before its end by", UNIT_SECONDS},
	{"exhaustion_s", "newest forecast: ceiling in", UNIT_SECONDS},
};

static const struct fact process_facts[] = {
	{"deaths_10m", "deaths of the service in ten minutes", UNIT_NUMBER},
	{"restarts_10m", "restarts in ten minutes", UNIT_NUMBER},
};

static void add_ceilings(struct writing *w, struct block *b)
{
	for (uint32_t i = 0; i < w->out->nr_ceilings; i++) {
		const struct ceiling *c = &w->out->ceilings[i];

		block_fact(w->d, b, document_text(w->d, "ceiling_%s", c->source),
			   document_text(w->d, "ceiling: %s%s", c->words,
					 c->nearest ? " (nearest)" : ""),
			   content_unit(w->d, UNIT_BYTES, (double)c->bytes), (double)c->bytes);
	}
}

/* "1.8 s late": minus is before the real end. */
static void add_forecast_error(struct writing *w, struct block *b, const json_t *forecast)
{
	double error;
	const char *span;

	if (!json_number_at(forecast, JSON_PATH("error_s"), &error))
		return;
	span = content_unit(w->d, UNIT_SECONDS, error < 0 ? -error : error);
	block_fact(w->d, b, "error_s", "newest forecast was off by",
		   document_text(w->d, "%s (%s)", span, error < 0 ? "too early" : "too late"),
		   error);
}

static const char *end_of(struct writing *w)
{
	const json_t *exit = json_at(w->json, JSON_PATH("process", "exit"));
	const char *sig = content_shown(w, exit, JSON_PATH("signal_name"));
	const char *sender = content_shown(w, exit, JSON_PATH("sender_name"));
	uint64_t sender_pid = json_u64(exit, JSON_PATH("sender_pid"));
	uint64_t code = json_u64(exit, JSON_PATH("process.exit.code"));

	if (!exit)
		return "";
	if (!*sig)
		return document_text(w->d, "exit code %llu", (ull)code);
	if (sender_pid && sender_pid != json_u64(w->json, JSON_PATH("process", "process.pid")))
		return document_text(w->d, "%s from %s (pid %llu), exit code %llu", sig, sender,
				     (ull)sender_pid, (ull)code);
	return document_text(w->d, "%s, exit code %llu", sig, (ull)code);
}

static const char *victims_of(struct writing *w)
{
	const json_t *victims = json_at(w->json, JSON_PATH("victims"));
	const char *all = "";
	const json_t *json;
	size_t i;

	json_array_foreach(victims, i, json) all =
		document_text(w->d, "%s%s%s (pid %llu)", all, *all ? ", " : "",
			      content_shown(w, json, JSON_PATH("process.executable.name")),
			      (ull)json_u64(json, JSON_PATH("process.pid")));
	return all;
}

static const struct {
	const char *key;
	const char *label;
} workload_facts[] = {
	{"k8s.pod.name", "pod"},
	{"k8s.namespace.name", "namespace"},
	{"k8s.container.name", "container"},
	{"container.name", "container"},
	{"container.image.name", "image"},
	{"container.id", "container id"},
	{"systemd.unit", "unit"},
};

/* Whom it belongs to. */
static void add_workload(struct writing *w, struct block *b)
{
	for (size_t i = 0; i < sizeof(workload_facts) / sizeof(workload_facts[0]); i++)
		add_text_fact(
			w, b, workload_facts[i].key, workload_facts[i].label,
			content_shown(w, w->json, JSON_PATH("resource", workload_facts[i].key)));
}

static void add_process(struct writing *w, struct block *b)
{
	const json_t *process = json_at(w->json, JSON_PATH("process"));
	const char *supervisor =
		content_shown(w, process, JSON_PATH("supervisor", "process.executable.name"));

	add_text_fact(w, b, "process", "process", w->out->culprit);
	add_text_fact(w, b, "executable", "executable",
		      content_shown(w, process, JSON_PATH("process.executable.path")));
	add_text_fact(w, b, "runtime", "runtime",
		      content_shown(w, process, JSON_PATH("process.runtime.name")));
	add_text_fact(w, b, "cgroup", "cgroup",
		      content_shown(w, process, JSON_PATH("process.linux.cgroup")));
	add_workload(w, b);
	add_text_fact(w, b, "end", "ended by", end_of(w));
	add_text_fact(w, b, "supervisor", "supervisor", supervisor);
	add_text_fact(w, b, "victims", "died with it", victims_of(w));
	ADD_FACTS(w, b, process, process_facts);
}

void content_memory(struct writing *w)
{
	const json_t *memory = json_at(w->json, JSON_PATH("memory"));
	const json_t *forecast = json_at(w->json, JSON_PATH("forecast"));
	struct block *b;

	if (!*w->out->culprit)
		return;
	b = document_block(w->out, BLOCK_FACTS, "memory", "The process and its memory");
	add_process(w, b);
	ADD_FACTS(w, b, memory, memory_facts);
	add_ceilings(w, b);
	ADD_FACTS(w, b, forecast, forecast_facts);
	add_forecast_error(w, b, forecast);
}

/* Growth -------------------------------------------------------------------------------------- */

void content_growth(struct writing *w)
{
	static const struct fact shares[] = {
		{"requests", "requests", UNIT_PERCENT},
		{"rx_bytes", "bytes received", UNIT_PERCENT},
		{"inflight", "requests in flight", UNIT_PERCENT},
		{"background", "time alone", UNIT_PERCENT},
	};
	const json_t *explained = json_at(w->json, JSON_PATH("memory", "growth_explained"));
	struct block *b;

	if (!explained)
		return;
	b = document_block(w->out, BLOCK_SHARES, "growth", "What the growth went with");
	ADD_FACTS(w, b, explained, shares);
}

void content_actions(struct writing *w)
{
	const json_t *actions = json_at(w->json, JSON_PATH("actions"));
	struct block *b = document_block(w->out, BLOCK_STEPS, "actions", "What to do now");
	const json_t *json;
	size_t i;

	b->explains = true;
	block_column(b, "text", "What", false);
	block_column(b, "kind", "Kind", false);
	json_array_foreach(actions, i, json)
	{
		struct row *row = block_row(w->d, b);

		if (!row)
			return;
		row->cells[0].text = content_shown(w, json, JSON_PATH("text"));
		row->cells[1].text = content_shown(w, json, JSON_PATH("kind"));
	}
	if (!b->nr_rows)
		b->note = "memswell has no advice for this.";
}
