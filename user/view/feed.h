/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * feed.h - what views are fed with: records, and lines as every sink writes them, of one host or
 * several; and what they find there: a history per host, and the incidents.
 *
 * An incident is its newest line, so views say what every other reader is told. From a recording
 * lines are made by report_json(), from a file of lines they are read: one way in for both. While a
 * host's history still has it, a picture of each incident is kept aside, see picture.h.
 *
 * Limits: 64 hosts, then lines of further ones are not taken; 4096 incidents, then the one that
 * began first leaves. Both are counted.
 */
#ifndef MEMSWELL_FEED_H
#define MEMSWELL_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/report.h"
#include "view/history.h"

#define FEED_MAX_HOSTS	   64
#define FEED_MAX_INCIDENTS 4096

struct picture;

struct feed_host {
	char id[64]; /* machine-id, "" unknown: then the name tells hosts apart */
	char name[RECORD_TEXT_LEN];
	char boot_id[64]; /* after a boot times begin anew, and so does a history */
	char kernel[RECORD_TEXT_LEN];
	struct history *history;
	int64_t first_wall_ns; /* of what was read; 0 nothing yet */
	int64_t last_wall_ns;
	uint64_t nr_lines;
	uint64_t nr_growths; /* forecasts and suspicions */
};

struct feed_incident {
	char id[27];
	struct feed_host *host;
	char *line; /* newest revision, NUL-terminated */
	size_t len;
	uint32_t revision;
	bool open;
	struct picture *picture; /* NULL: none yet */
};

struct feed {
	struct feed_host *hosts[FEED_MAX_HOSTS];
	uint32_t nr_hosts;
	struct feed_incident *incidents; /* in order of their first line */
	uint32_t nr_incidents;
	uint32_t capacity;
	bool pictures; /* keep one per incident; a live view that draws nothing needs none */
	uint64_t dropped_incidents;
	uint64_t dropped_hosts; /* lines of */
	uint64_t foreign_lines; /* no line of memswell */
};

void feed_init(struct feed *feed, bool pictures);
void feed_free(struct feed *feed);

/* The host of a recording, from its header. NULL at the limit or without memory. */
struct feed_host *feed_host_of(struct feed *feed, const struct record_header *header);

/* A record of that host; lines it leads to come by feed_report(). */
void feed_record(struct feed_host *host, const struct record *record);

/* A report of the core: those that views want become lines. */
void feed_report(struct feed *feed, struct feed_host *host, const struct report *report);

/* A line of a file, of whatever host it says. 0, -EINVAL if it is no JSON, or -ENOMEM. */
int feed_line(struct feed *feed, const char *line, size_t len);

/* Nothing more comes: pictures of what is still open. */
void feed_end(struct feed *feed);

struct feed_incident *feed_find(const struct feed *feed, const char *id);

#endif
