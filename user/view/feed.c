/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* feed.c - see feed.h. Lines of kinds that no view shows are counted and not parsed. */
#include "view/feed.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "model/report_json.h"
#include "view/json_read.h"
#include "view/picture.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

void feed_init(struct feed *feed, bool pictures)
{
	*feed = (struct feed){.pictures = pictures};
}

static void free_incident(struct feed_incident *incident)
{
	free(incident->line);
	picture_free(incident->picture);
}

void feed_free(struct feed *feed)
{
	for (uint32_t i = 0; i < feed->nr_hosts; i++) {
		history_free(feed->hosts[i]->history);
		free(feed->hosts[i]);
	}
	for (uint32_t i = 0; i < feed->nr_incidents; i++)
		free_incident(&feed->incidents[i]);
	free(feed->incidents);
	*feed = (struct feed){0};
}

/* Hosts --------------------------------------------------------------------------------------- */

/* What tells hosts, and boots of one, apart; "" where it is not told. */
struct host_name {
	const char *id;
	const char *name;
	const char *boot_id;
};

static bool is_host(const struct feed_host *host, const struct host_name *n)
{
	if (*n->boot_id && *host->boot_id && strcmp(host->boot_id, n->boot_id) != 0)
		return false;
	if (*n->id && *host->id)
		return strcmp(host->id, n->id) == 0;
	return strcmp(host->name, n->name) == 0;
}

/* The newest that fits: lines after a boot belong to that one. */
static struct feed_host *host_of(struct feed *feed, const struct host_name *n)
{
	struct feed_host *host;

	for (uint32_t i = feed->nr_hosts; i > 0; i--)
		if (is_host(feed->hosts[i - 1], n))
			return feed->hosts[i - 1];
	host = feed->nr_hosts < FEED_MAX_HOSTS ? calloc(1, sizeof(*host)) : NULL;
	if (host)
		host->history = history_new();
	if (!host || !host->history) {
		free(host);
		feed->dropped_hosts++;
		return NULL;
	}
	utf8_sanitize(host->id, sizeof(host->id), n->id, strlen(n->id));
	utf8_sanitize(host->name, sizeof(host->name), n->name, strlen(n->name));
	utf8_sanitize(host->boot_id, sizeof(host->boot_id), n->boot_id, strlen(n->boot_id));
	feed->hosts[feed->nr_hosts++] = host;
	return host;
}

struct feed_host *feed_host_of(struct feed *feed, const struct record_header *header)
{
	struct host_name name = {header->host_id, header->host_name, header->boot_id};
	struct feed_host *host = host_of(feed, &name);

	if (host)
		memcpy(host->kernel, header->kernel, sizeof(host->kernel));
	return host;
}

static void note_time(struct feed_host *host, int64_t wall_ns)
{
	if (!host->first_wall_ns || wall_ns < host->first_wall_ns)
		host->first_wall_ns = wall_ns;
	if (wall_ns > host->last_wall_ns)
		host->last_wall_ns = wall_ns;
}

void feed_record(struct feed_host *host, const struct record *record)
{
	history_record(host->history, record);
	if (record->kind == RECORD_TICK || record->kind == RECORD_HEADER)
		note_time(host, (int64_t)record->ts_ns + history_wall_offset(host->history));
}

/* Incidents ----------------------------------------------------------------------------------- */

struct feed_incident *feed_find(const struct feed *feed, const char *id)
{
	for (uint32_t i = feed->nr_incidents; i > 0; i--)
		if (strcmp(feed->incidents[i - 1].id, id) == 0)
			return &feed->incidents[i - 1];
	return NULL;
}

/* One and the same host may appear in two files; ids of different hosts never meet. */
static struct feed_incident *incident_of(struct feed *feed, struct feed_host *host, const char *id)
{
	struct feed_incident *incident = feed_find(feed, id);

	if (incident && incident->host == host)
		return incident;
	if (feed->nr_incidents == FEED_MAX_INCIDENTS) {
		free_incident(&feed->incidents[0]);
		memmove(&feed->incidents[0], &feed->incidents[1],
			(FEED_MAX_INCIDENTS - 1) * sizeof(*feed->incidents));
		feed->nr_incidents--;
		feed->dropped_incidents++;
	} else if (feed->nr_incidents == feed->capacity) {
		uint32_t capacity = feed->capacity ? 2 * feed->capacity : 16;
		struct feed_incident *all =
			realloc(feed->incidents, capacity * sizeof(*feed->incidents));

		if (!all)
			return NULL;
		feed->incidents = all;
		feed->capacity = capacity;
	}
	incident = &feed->incidents[feed->nr_incidents++];
	*incident = (struct feed_incident){.host = host};
	snprintf(incident->id, sizeof(incident->id), "%s", id);
	return incident;
}

static void take_picture(struct feed_incident *incident, const json_t *json)
{
	struct picture *picture = picture_take(incident->host->history, json);

	if (!picture)
		return;
	/* A later file of lines alone must not take away what a recording showed. */
	if (incident->picture && !picture_better(picture, incident->picture)) {
		picture_free(picture);
		return;
	}
	picture_free(incident->picture);
	incident->picture = picture;
}

/* What is parsed of a line, and where it came from. */
struct parsed {
	struct feed *feed;
	struct feed_host *host;
	const json_t *json;
	const char *line;
	size_t len;
	uint64_t boot_ns;
};

static int take_incident(const struct parsed *p)
{
	const char *id = json_text(p->json, JSON_PATH("id"));
	uint32_t revision = (uint32_t)json_u64(p->json, JSON_PATH("revision"));
	struct feed_incident *incident;
	char *line;

	if (!*id || strlen(id) >= sizeof(incident->id))
		return 0;
	incident = incident_of(p->feed, p->host, id);
	line = incident && (!incident->line || revision >= incident->revision)
		       ? strndup(p->line, p->len)
		       : NULL;
	if (!line)
		return incident ? 0 : -ENOMEM;
	free(incident->line);
	incident->line = line;
	incident->len = p->len;
	incident->revision = revision;
	incident->open = strcmp(json_text(p->json, JSON_PATH("record")), "close") != 0;
	if (p->feed->pictures && !incident->open)
		take_picture(incident, p->json);
	return 0;
}

/* Growth and samples -------------------------------------------------------------------------- */

static struct history_process *process_of(const struct parsed *p)
{
	const json_t *process = json_at(p->json, JSON_PATH("process"));
	uint32_t tgid = (uint32_t)json_u64(process, JSON_PATH("process.pid"));
	int64_t start_ns = 0;

	json_wall_ns(process, JSON_PATH("process.creation.time"), &start_ns);
	start_ns -= history_wall_offset(p->host->history);
	return tgid ? history_process_of_line(
			      p->host->history, tgid,
			      json_text(process, JSON_PATH("process.executable.name")),
			      start_ns > 0 ? (uint64_t)start_ns : 0)
		    : NULL;
}

static double seconds_or_none(const json_t *json, const char *key)
{
	double value = -1;

	json_number_at(json, JSON_PATH(key), &value);
	return value;
}

static int take_growth(const struct parsed *p)
{
	const json_t *growth = json_at(p->json, JSON_PATH("growth"));
	struct history_process *process = process_of(p);
	struct history_forecast f = {
		.ts_ns = p->boot_ns,
		.floor_bytes = json_u64(growth, JSON_PATH("floor_bytes")),
		.ceiling_bytes = json_u64(growth, JSON_PATH("ceiling_bytes")),
		.exhaustion_s = seconds_or_none(growth, "exhaustion_s"),
		.exhaustion_p10_s = seconds_or_none(growth, "exhaustion_p10_s"),
		.exhaustion_p90_s = seconds_or_none(growth, "exhaustion_p90_s"),
	};

	p->host->nr_growths++;
	if (process)
		history_forecast(process, &f);
	return 0;
}

static int take_sample(const struct parsed *p)
{
	const json_t *sample = json_at(p->json, JSON_PATH("sample"));
	struct history_process *process = process_of(p);
	struct record_task task = {
		.anon_bytes = json_u64(sample, JSON_PATH("anon_bytes")),
		.file_bytes = json_u64(sample, JSON_PATH("file_bytes")),
		.shmem_bytes = json_u64(sample, JSON_PATH("shmem_bytes")),
		.memcg_usage_bytes = json_u64(sample, JSON_PATH("limit_usage_bytes")),
		.memcg_limit_bytes = json_u64(sample, JSON_PATH("limit_bytes")),
	};

	if (process)
		history_sample(p->host->history, process, p->boot_ns, &task);
	return 0;
}

static int take_start(const struct parsed *p)
{
	const char *kernel = json_text(p->json, JSON_PATH("agent", "kernel"));

	utf8_sanitize(p->host->kernel, sizeof(p->host->kernel), kernel, strlen(kernel));
	return 0;
}

/* Lines --------------------------------------------------------------------------------------- */

static const struct taker {
	const char *schema;
	int (*take)(const struct parsed *p);
} takers[NR_REPORT_KINDS] = {
	[REPORT_START] = {"memswell.start", take_start},
	[REPORT_GROWTH] = {"memswell.growth", take_growth},
	[REPORT_INCIDENT] = {"memswell.incident", take_incident},
	[REPORT_SAMPLE] = {"memswell.sample", take_sample},
};

static const struct taker *taker_of(const char *schema)
{
	for (size_t i = 0; i < NR(takers); i++)
		if (takers[i].take && strcmp(takers[i].schema, schema) == 0)
			return &takers[i];
	return NULL;
}

/* Lines as we write them tell their kind first: no need to parse those that no view shows. */
static bool plainly_not_wanted(const char *line, size_t len)
{
	static const char begin[] = "{\"schema\":\"memswell.";
	size_t prefix = sizeof(begin) - 1;

	if (len < prefix || memcmp(line, begin, prefix) != 0)
		return false;
	for (size_t i = 0; i < NR(takers); i++) {
		const char *rest =
			takers[i].take ? takers[i].schema + sizeof("memswell.") - 1 : NULL;

		if (rest && len > prefix + strlen(rest) &&
		    memcmp(line + prefix, rest, strlen(rest)) == 0 &&
		    line[prefix + strlen(rest)] == '"')
			return false;
	}
	return true;
}

static int take_parsed(struct parsed *p)
{
	const struct taker *taker = taker_of(json_text(p->json, JSON_PATH("schema")));
	int64_t wall_ns = 0;

	p->host->nr_lines++;
	p->boot_ns = strtoull(json_text(p->json, JSON_PATH("boot_ns")), NULL, 10);
	if (json_wall_ns(p->json, JSON_PATH("timestamp"), &wall_ns)) {
		note_time(p->host, wall_ns);
		history_set_wall_offset(p->host->history, wall_ns - (int64_t)p->boot_ns);
	}
	return taker ? taker->take(p) : 0;
}

static struct feed_host *host_of_line(struct feed *feed, const json_t *json)
{
	struct host_name name = {json_text(json, JSON_PATH("resource", "host.id")),
				 json_text(json, JSON_PATH("resource", "host.name")),
				 json_text(json, JSON_PATH("agent", "boot_id"))};

	return host_of(feed, &name);
}

static bool is_ours(const json_t *json)
{
	return strncmp(json_text(json, JSON_PATH("schema")), "memswell.", 9) == 0;
}

/* `host` NULL: the line says which. */
static int take_line(struct feed *feed, struct feed_host *host, const char *line, size_t len)
{
	struct parsed p = {.feed = feed, .host = host, .line = line, .len = len};
	json_t *json = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
	int err = 0;

	if (!json)
		return -EINVAL;
	p.json = json;
	if (!is_ours(json))
		feed->foreign_lines++;
	else if (p.host || (p.host = host_of_line(feed, json)))
		err = take_parsed(&p);
	json_decref(json);
	return err;
}

void feed_report(struct feed *feed, struct feed_host *host, const struct report *report)
{
	char line[REPORT_LINE_MAX + 1];
	size_t len;

	if ((unsigned int)report->kind >= NR(takers) || !takers[report->kind].take ||
	    report->kind == REPORT_SAMPLE) /* the records tell already */
		return;
	len = report_json(report, line);
	if (len > 0)
		take_line(feed, host, line, len - 1);
}

int feed_line(struct feed *feed, const char *line, size_t len)
{
	if (plainly_not_wanted(line, len))
		return 0;
	return take_line(feed, NULL, line, len);
}

void feed_end(struct feed *feed)
{
	for (uint32_t i = 0; feed->pictures && i < feed->nr_incidents; i++) {
		struct feed_incident *incident = &feed->incidents[i];
		bool wanted = incident->line && (incident->open || !incident->picture);
		json_t *json = wanted ? json_loadb(incident->line, incident->len, 0, NULL) : NULL;

		if (json)
			take_picture(incident, json);
		json_decref(json);
	}
}
