/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_json.c - the incident as text: verdict, process, impact, timeline, evidence, actions,
 * data quality. The order is that of reading on call; the core decided what is said. The story of
 * the memory is in incident_memory_json.c.
 */
#include <stdio.h>
#include <string.h>

#include "model/address.h"
#include "model/incident_json.h"
#include "model/incident_memory_json.h"

#define NS_PER_MS 1e6
#define NR(table) (sizeof(table) / sizeof((table)[0]))

static const char *const record_words[] = {
	[INCIDENT_OPEN] = "open",
	[INCIDENT_UPDATE] = "update",
	[INCIDENT_CLOSE] = "close",
};
_Static_assert(NR(record_words) == NR_INCIDENT_RECORDS, "a word for every record");

static const char *record_word(enum incident_record record)
{
	return (unsigned int)record < NR(record_words) ? record_words[record] : "unknown";
}

static void write_dedup_key(struct line *line, const struct report_incident *incident)
{
	const char *cause = verdict_cause_name(incident->verdict.cause);
	char address[ADDRESS_TEXT_LEN];
	char service[sizeof(incident->service_name) + ADDRESS_TEXT_LEN];
	char key[256]; /* the limit of PagerDuty; jw_string mends a character cut in two */

	address_format(incident->upstream.addr, address);
	if (*incident->service_name)
		snprintf(service, sizeof(service), "%s", incident->service_name);
	else
		snprintf(service, sizeof(service), "%s:%u", address, incident->upstream.port);
	snprintf(key, sizeof(key), "%.100s/%.100s/%s%s%s", line->report->header->host_name, service,
		 verdict_class_name(incident->verdict.class), *cause ? "." : "", cause);
	jw_string(&line->w, "dedup_key", key);
}

static void write_class(struct line *line, enum verdict_class class, enum verdict_cause cause)
{
	jw_string(&line->w, "class", verdict_class_name(class));
	if (cause != CAUSE_NONE)
		jw_string(&line->w, "cause", verdict_cause_name(cause));
}

static void write_scores(struct line *line, const struct report_verdict *verdict)
{
	struct json_writer *w = &line->w;

	jw_open_array(w, "alternatives");
	for (uint32_t i = 0; i < line_at_most(verdict->nr_alternatives, REPORT_MAX_ALTERNATIVES);
	     i++) {
		const struct report_alternative *alternative = &verdict->alternatives[i];

		jw_open_object(w, NULL);
		write_class(line, alternative->class, alternative->cause);
		jw_double(w, "confidence", alternative->confidence);
		jw_close_object(w);
	}
	jw_close_array(w);
	jw_open_array(w, "scores");
	for (uint32_t i = 0; i < line_at_most(verdict->nr_scores, REPORT_MAX_SCORES); i++) {
		const struct report_score *score = &verdict->scores[i];

		if (score->weight == 0 && line->trim >= TRIM_SILENT_RULES)
			continue;
		jw_open_object(w, NULL);
		jw_string(w, "rule", score->rule);
		jw_string(w, "for", score->about);
		jw_double(w, "weight", score->weight);
		jw_double(w, "value", score->value);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_verdict(struct line *line, const struct report_verdict *verdict)
{
	struct json_writer *w = &line->w;

	jw_open_object(w, "verdict");
	write_class(line, verdict->class, verdict->cause);
	jw_double(w, "confidence", verdict->confidence);
	jw_string(w, "level", verdict_level_name(verdict_level_of(verdict->confidence)));
	jw_bool(w, "insufficient_history", verdict->insufficient_history);
	if (line->trim < TRIM_SCORES)
		write_scores(line, verdict);
	jw_open_object(w, "detector");
	jw_string(w, "name", "memswell");
	line_known_string(line, "version", line->report->header->detector_version);
	jw_close_object(w);
	jw_close_object(w);
}

static void write_supervisor(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;

	if (!incident->supervisor_tgid) {
		jw_null(w, "supervisor");
		return;
	}
	jw_open_object(w, "supervisor");
	jw_u64(w, "process.pid", incident->supervisor_tgid);
	line_known_string(line, "process.executable.name", incident->supervisor_comm);
	jw_close_object(w);
}

static void write_culprit(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;

	jw_open_object(w, "process");
	line_process_fields(line, &incident->culprit);
	if (incident->died)
		line_exit(line, &incident->death);
	jw_u64(w, "restarts_10m", incident->restarts_10m);
	jw_u64(w, "deaths_10m", incident->deaths_10m);
	write_supervisor(line, incident);
	line_known_u64(line, "next_pid", incident->next_tgid);
	jw_close_object(w);
}

static void write_victims(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;

	if (!incident->nr_victims)
		return;
	jw_open_array(w, "victims");
	for (uint32_t i = 0; i < line_at_most(incident->nr_victims, REPORT_MAX_VICTIMS); i++) {
		const struct report_victim *victim = &incident->victims[i];

		jw_open_object(w, NULL);
		jw_u64(w, "process.pid", victim->tgid);
		line_known_string(line, "process.executable.name", victim->comm);
		line_known_u64(line, "anon_bytes", victim->anon_bytes);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_timeline(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;

	jw_open_array(w, "timeline");
	for (uint32_t i = 0; i < line_at_most(incident->nr_moments, REPORT_MAX_TIMELINE); i++) {
		const struct report_moment *moment = &incident->timeline[i];
		int64_t offset_ns = (int64_t)(moment->ts_ns - incident->zero_ns);

		jw_open_object(w, NULL);
		line_time(line, "t", moment->ts_ns);
		jw_double(w, "offset_ms", (double)offset_ns / NS_PER_MS);
		jw_string(w, "kind", moment_kind_name(moment->kind));
		if (moment->count)
			jw_u64(w, "count", moment->count);
		if (*moment->detail && line->trim < TRIM_DETAILS)
			jw_string(w, "detail", moment->detail);
		jw_close_object(w);
	}
	jw_close_array(w);
}

/* [-]digits[.digits]; by hand, because strtod() asks the locale what a decimal point is. */
static bool parse_number(const char *text, double *out)
{
	bool negative = *text == '-';
	double value = 0;
	double unit = 0; /* of the next decimal; 0 before the point */

	text += negative;
	if (*text < '0' || *text > '9')
		return false;
	for (; *text; text++) {
		if (*text == '.' && unit == 0) {
			unit = 0.1;
			continue;
		}
		if (*text < '0' || *text > '9')
			return false;
		value = unit > 0 ? value + unit * (*text - '0') : value * 10 + (*text - '0');
		unit /= 10;
	}
	*out = negative ? -value : value;
	return true;
}

/* "key=value key=value" as an object; numbers become numbers. */
static void write_evidence_fields(struct line *line, const char *fields)
{
	char text[sizeof(((struct report_evidence *)0)->fields)];
	char *rest = text;
	char *pair;

	snprintf(text, sizeof(text), "%s", fields);
	jw_open_object(&line->w, "fields");
	while ((pair = strsep(&rest, " "))) {
		char *value = strchr(pair, '=');
		double number;

		if (!value || value == pair)
			continue;
		*value++ = '\0';
		if (parse_number(value, &number))
			jw_double(&line->w, pair, number);
		else
			jw_string(&line->w, pair, value);
	}
	jw_close_object(&line->w);
}

static void write_evidence(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;
	size_t most = line->trim < TRIM_LATE_EVIDENCE ? REPORT_MAX_EVIDENCE : LINE_FIRST_EVIDENCE;
	char id[16];

	jw_open_array(w, "evidence");
	for (uint32_t i = 0; i < line_at_most(incident->nr_evidence, most); i++) {
		const struct report_evidence *evidence = &incident->evidence[i];

		snprintf(id, sizeof(id), "e%u", i + 1);
		jw_open_object(w, NULL);
		jw_string(w, "id", id);
		jw_string(w, "source", evidence->source);
		line_boot_ns(line, "boot_ns", evidence->ts_ns);
		if (evidence->count)
			jw_u64(w, "count", evidence->count);
		write_evidence_fields(line, evidence->fields);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_actions(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;

	jw_open_array(w, "actions");
	for (uint32_t i = 0; i < line_at_most(incident->nr_actions, REPORT_MAX_ACTIONS); i++) {
		const struct report_action *action = &incident->actions[i];

		jw_open_object(w, NULL);
		jw_u64(w, "priority", action->priority);
		jw_string(w, "kind", action_kind_name(action->kind));
		jw_string(w, "text", action->text);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_data_quality(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;

	uint32_t nr = line_at_most(incident->nr_missing_probes, NR(incident->missing_probes));

	jw_open_object(w, "data_quality");
	jw_u64(w, "events_lost", incident->events_lost);
	if (incident->unwatched_ns)
		jw_double(w, "unwatched_s", (double)incident->unwatched_ns / 1e9);
	if (incident->other_node)
		jw_double(w, "clock_error_ms", (double)incident->clock_error_ns / 1e6);
	jw_open_array(w, "missing_probes");
	for (uint32_t i = 0; i < nr && line->trim < TRIM_NAMES; i++)
		jw_string(w, NULL, incident->missing_probes[i]);
	jw_close_array(w);
	jw_close_object(w);
}

void incident_json(struct line *line, const struct report_incident *incident)
{
	struct json_writer *w = &line->w;
	struct line_impact impact = {&incident->gateway, &incident->upstream, &incident->impact};

	jw_string(w, "record", record_word(incident->record));
	jw_string(w, "id", incident->id);
	write_dedup_key(line, incident);
	jw_u64(w, "revision", incident->revision);
	jw_string(w, "status", incident_status_name(incident->status));
	if (line->trim < TRIM_SUMMARY)
		jw_string(w, "summary", incident->summary);
	write_verdict(line, &incident->verdict);
	if (incident->has_culprit) {
		write_culprit(line, incident);
		incident_memory_json(line, incident);
	}
	incident_forecast_json(line, &incident->forecast);
	incident_pool_json(line, &incident->pool);
	if (line->trim < TRIM_LISTS)
		write_victims(line, incident);
	line_impact(line, &impact);
	if (line->trim < TRIM_LISTS)
		write_timeline(line, incident);
	if (line->trim < TRIM_EVIDENCE)
		write_evidence(line, incident);
	if (line->trim < TRIM_LISTS)
		write_actions(line, incident);
	write_data_quality(line, incident);
}
