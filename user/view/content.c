/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* content.c - see content.h. The document, the head of each incident, and how times are spelled. */
#include "view/content.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

typedef unsigned long long ull;

#define TEXT_MAX 1024

const char *content_clock(struct document *d, int64_t wall_ns)
{
	const char *text = content_time(d, wall_ns, true);
	const char *space = strchr(text, ' ');

	return space ? space + 1 : text;
}

const char *content_time(struct document *d, int64_t wall_ns, bool with_ms)
{
	int64_t ns = wall_ns % (int64_t)NSEC_PER_SEC;
	time_t seconds = (time_t)(wall_ns / (int64_t)NSEC_PER_SEC);
	char text[40];
	struct tm tm;

	if (ns < 0) {
		ns += (int64_t)NSEC_PER_SEC;
		seconds--;
	}
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	return with_ms ? document_text(d, "%s.%03d", text, (int)(ns / 1000000))
		       : document_text(d, "%s", text);
}

const char *content_unit(struct document *d, enum unit unit, double value)
{
	char buffer[80];
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	text_add_unit(&t, unit, value);
	return document_text(d, "%s", buffer);
}

const char *content_offset(struct document *d, double ms)
{
	char buffer[80];
	struct text t;

	text_init(&t, buffer, sizeof(buffer));
	if (fabs(ms) < 0.05) /* what lines round to */
		return "0 ms";
	text_add(&t, ms < 0 ? "\xe2\x88\x92" : "+"); /* a minus sign, not a hyphen */
	if (fabs(ms) >= 1)
		text_add_duration(&t, u64_of(fabs(ms) * (double)NSEC_PER_MSEC));
	else
		text_add(&t, "under 1 ms");
	return document_text(d, "%s", buffer);
}

const char *content_shown(struct writing *w, const json_t *json, const char *const *path)
{
	return document_shown(w->d, json_text(json, path), TEXT_MAX);
}

/* The head of an incident --------------------------------------------------------------------- */

static const char *culprit_of(struct writing *w)
{
	const json_t *process = json_at(w->json, JSON_PATH("process"));
	const char *comm = content_shown(w, process, JSON_PATH("process.executable.name"));

	if (!process)
		return "";
	return document_text(w->d, "%s (pid %llu)", *comm ? comm : "a process",
			     (ull)json_u64(process, JSON_PATH("process.pid")));
}

/* The service, else the address that failed. */
static const char *service_of(struct writing *w)
{
	const char *name = content_shown(w, w->json, JSON_PATH("resource", "service.name"));
	const char *address =
		content_shown(w, w->json, JSON_PATH("impact", "network.peer.address"));
	uint64_t port = json_u64(w->json, JSON_PATH("impact", "network.peer.port"));

	if (*name)
		return name;
	if (!port)
		return content_shown(w, w->json,
				     JSON_PATH("impact", "proxy", "process.executable.name"));
	return document_text(w->d, strchr(address, ':') ? "[%s]:%llu" : "%s:%llu", address,
			     (ull)port);
}

static const char *verdict_of(struct writing *w)
{
	if (!*w->out->cause)
		return document_text(w->d, "%s", class_words(w->out->class));
	return document_text(w->d, "%s: %s", class_words(w->out->class),
			     cause_words(w->out->cause));
}

/* What clients got that they should not: bad answers, no answers, cut answers. */
static uint64_t failed_of(const json_t *json)
{
	const json_t *told = json_at(json, JSON_PATH("impact", "client_responses"));

	return json_u64(told, JSON_PATH("502")) + json_u64(told, JSON_PATH("503")) +
	       json_u64(told, JSON_PATH("504")) +
	       json_u64(json, JSON_PATH("impact", "clients_closed")) +
	       json_u64(json, JSON_PATH("impact", "truncated"));
}

static void fill_impact_head(struct writing *w)
{
	uint64_t all = json_u64(w->json, JSON_PATH("impact", "client_requests"));
	uint64_t masked = json_u64(w->json, JSON_PATH("impact", "masked_by_retry"));
	struct doc_incident *out = w->out;

	out->failed = failed_of(w->json);
	out->failed_text = all ? document_text(w->d, "%llu of %llu", (ull)out->failed, (ull)all)
			       : document_text(w->d, "%llu", (ull)out->failed);
	if (!out->failed && masked)
		out->failed_text = document_text(w->d, "none, %llu masked by retry", (ull)masked);
	out->duration = "";
	if (json_number_at(w->json, JSON_PATH("impact", "window", "duration_s"), &out->duration_s))
		out->duration = content_unit(w->d, UNIT_SECONDS, out->duration_s);
}

static void fill_times(struct writing *w)
{
	int64_t wall_ns = 0;

	if (!json_wall_ns(w->json, JSON_PATH("impact", "window", "start"), &wall_ns))
		json_wall_ns(w->json, JSON_PATH("timestamp"), &wall_ns);
	w->out->started_ns = wall_ns;
	w->out->started = wall_ns ? content_time(w->d, wall_ns, false) : "";
}

static void fill_head(struct writing *w, const struct feed_incident *incident)
{
	struct doc_incident *out = w->out;

	out->id = document_shown(w->d, incident->id, sizeof(incident->id));
	out->host = document_shown(w->d, *incident->host->name ? incident->host->name : "unknown",
				   TEXT_MAX);
	out->class = content_shown(w, w->json, JSON_PATH("verdict", "class"));
	out->cause = content_shown(w, w->json, JSON_PATH("verdict", "cause"));
	out->level = content_shown(w, w->json, JSON_PATH("verdict", "level"));
	out->status = content_shown(w, w->json, JSON_PATH("status"));
	out->status_words = status_words(out->status);
	out->memory = class_is_memory(out->class);
	json_number_at(w->json, JSON_PATH("verdict", "confidence"), &out->confidence);
	out->verdict = verdict_of(w);
	out->service = service_of(w);
	out->culprit = culprit_of(w);
	out->summary = content_shown(w, w->json, JSON_PATH("summary"));
	if (!*out->summary)
		out->summary = out->verdict;
	out->picture = incident->picture;
	fill_impact_head(w);
	fill_times(w);
}

/* The verdict in one sentence, and whether memory is to blame: that is what was asked. */
static void write_summary(struct writing *w)
{
	const struct doc_incident *out = w->out;
	struct block *b = document_block(w->out, BLOCK_TEXT, "summary", "What happened");
	const char *blame = "Memory is the cause.";

	b->explains = true;
	if (!out->memory)
		blame = strcmp(out->class, "unexplained") == 0 ? "Nothing that was seen says that "
								 "memory is the cause, nor what is."
							       : "Memory is not the cause.";
	block_add(w->d, b, document_text(w->d, "%s.", out->summary));
	block_add(w->d, b,
		  document_text(w->d, "%s Verdict: %s, %s (%s).", blame, out->verdict, out->level,
				content_unit(w->d, UNIT_PERCENT, out->confidence)));
}

/* Offsets of lines count from the death, or from the first failure; evidence shall do so, too. */
static int64_t zero_of(const struct writing *w)
{
	const json_t *first = json_array_get(json_at(w->json, JSON_PATH("timeline")), 0);
	int64_t wall_ns = 0;
	double offset_ms = 0;

	if (!json_wall_ns(first, JSON_PATH("t"), &wall_ns) ||
	    !json_number_at(first, JSON_PATH("offset_ms"), &offset_ms) || fabs(offset_ms) > 1e12)
		return w->out->started_ns;
	return wall_ns - (int64_t)(offset_ms * (double)NSEC_PER_MSEC);
}

static void write_incident(struct document *d, const struct feed_incident *incident,
			   const json_t *json, struct doc_incident *out)
{
	struct writing w = {.d = d, .out = out, .json = json};

	fill_head(&w, incident);
	w.zero_ns = zero_of(&w);
	write_summary(&w);
	content_moments(&w);
	content_picture(&w);
	content_why(&w);
	content_alternatives(&w);
	content_impact(&w);
	content_memory(&w);
	content_growth(&w);
	content_evidence(&w);
	content_actions(&w);
	content_quality(&w);
}

/* The document -------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct doc_incident *x = a, *y = b;

	if (x->started_ns != y->started_ns)
		return x->started_ns < y->started_ns ? -1 : 1;
	return strcmp(x->id, y->id);
}

/* 0 if it is in no feed at all; several ids may begin alike. */
static uint32_t count_wanted(const struct feed *feed, const char *only)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < feed->nr_incidents; i++)
		nr += strncmp(feed->incidents[i].id, only, strlen(only)) == 0;
	return nr;
}

static int write_incidents(const struct feed *feed, const char *only, struct document *d)
{
	d->incidents = calloc(feed->nr_incidents + 1, sizeof(*d->incidents));
	if (!d->incidents)
		return -ENOMEM;
	for (uint32_t i = 0; i < feed->nr_incidents; i++) {
		const struct feed_incident *incident = &feed->incidents[i];
		json_t *json;

		if (!incident->line || (only && strncmp(incident->id, only, strlen(only)) != 0))
			continue;
		json = json_loadb(incident->line, incident->len, JSON_ALLOW_NUL, NULL);
		if (json)
			write_incident(d, incident, json, &d->incidents[d->nr_incidents++]);
		json_decref(json);
	}
	qsort(d->incidents, d->nr_incidents, sizeof(*d->incidents), by_time);
	return 0;
}

static const char *hosts_of(const struct feed *feed, struct document *d)
{
	const char *all = "";

	for (uint32_t i = 0; i < feed->nr_hosts; i++) {
		const char *name = document_shown(
			d, *feed->hosts[i]->name ? feed->hosts[i]->name : "unknown", TEXT_MAX);
		bool again = false;

		for (uint32_t j = 0; j < i; j++)
			again |= strcmp(feed->hosts[i]->name, feed->hosts[j]->name) == 0;
		if (!again)
			all = *all ? document_text(d, "%s, %s", all, name) : name;
	}
	return all;
}

static void fill_subtitle(const struct feed *feed, struct document *d)
{
	int64_t first_ns = 0, last_ns = 0;

	for (uint32_t i = 0; i < feed->nr_hosts; i++) {
		const struct feed_host *host = feed->hosts[i];

		if (host->first_wall_ns && (!first_ns || host->first_wall_ns < first_ns))
			first_ns = host->first_wall_ns;
		if (host->last_wall_ns > last_ns)
			last_ns = host->last_wall_ns;
	}
	d->subtitle = first_ns ? document_text(d, "%s \xc2\xb7 %s to %s UTC", hosts_of(feed, d),
					       content_time(d, first_ns, false),
					       content_time(d, last_ns, false))
			       : hosts_of(feed, d);
}

/* What the reader has to know about what was read. */
static void fill_notes(const struct feed *feed, struct document *d)
{
	bool records = false;
	uint64_t growths = 0, refused = 0;

	d->notes = (struct block){
		.kind = BLOCK_LIST, .key = "notes", .title = "About the data", .explains = true};
	for (uint32_t i = 0; i < feed->nr_hosts; i++) {
		records |= history_has_records(feed->hosts[i]->history);
		growths += feed->hosts[i]->nr_growths;
		refused += history_refused(feed->hosts[i]->history);
	}
	if (!d->nr_incidents)
		block_add(d, &d->notes,
			  "There is no incident in it: no burst of failed requests at a gateway "
			  "that was worth a verdict. Single failures, clients that hang up and "
			  "growth "
			  "without failures are none.");
	if (!d->nr_incidents && growths)
		block_add(d, &d->notes,
			  document_text(d, "%llu lines report growth of memory, though.",
					(ull)growths));
	if (d->nr_incidents && !records)
		block_add(
			d, &d->notes,
			"No recording was given, only reports: pictures lack traffic, latency and "
			"reclaim, and memory where no samples were reported. `memswell record "
			"FILE` "
			"keeps what is needed.");
	if (feed->foreign_lines)
		block_add(d, &d->notes,
			  document_text(d, "%llu lines are no lines of memswell and were left out.",
					(ull)feed->foreign_lines));
	if (refused)
		block_add(
			d, &d->notes,
			document_text(d,
				      "%llu times a process or a flow found no room, or lost it to "
				      "a newer one: pictures may lack it.",
				      (ull)refused));
	if (feed->dropped_hosts)
		block_add(d, &d->notes,
			  document_text(d, "%llu lines of more than %d hosts were left out.",
					(ull)feed->dropped_hosts, FEED_MAX_HOSTS));
	if (feed->dropped_incidents)
		block_add(d, &d->notes,
			  document_text(d, "%llu older incidents were left out: %d are the most.",
					(ull)feed->dropped_incidents, FEED_MAX_INCIDENTS));
}

int content_fill(const struct feed *feed, const struct content_options *options,
		 struct document *out)
{
	uint32_t wanted = options->only ? count_wanted(feed, options->only) : 0;
	int err;

	document_init(out);
	if (options->only && !wanted)
		return -ENOENT;
	if (options->only && wanted > 1)
		return -EEXIST;
	err = write_incidents(feed, options->only, out);
	if (err)
		return err;
	out->title = "memswell report";
	out->version = options->version;
	fill_subtitle(feed, out);
	fill_notes(feed, out);
	return out->failed ? -ENOMEM : 0;
}
