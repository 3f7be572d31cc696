/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * content.h - from what was fed to what is said: fills a document. It words and orders what lines
 * say, and decides nothing of its own.
 */
#ifndef MEMSWELL_CONTENT_H
#define MEMSWELL_CONTENT_H

#include "view/document.h"
#include "view/feed.h"
#include "view/json_read.h"
#include "view/words.h"

struct content_options {
	const char *version;
	const char *only; /* id of the one incident wanted, or how it begins; NULL all */
};

/* 0; -ENOENT if `only` is no incident's, -EEXIST if it is several's; -ENOMEM. Free it in any case. */
int content_fill(const struct feed *feed, const struct content_options *options,
		 struct document *out);

/* Parts of it ---------------------------------------------------------------------------------- */

/* One incident being written. */
struct writing {
	struct document *d;
	struct doc_incident *out;
	const json_t *json;
	int64_t zero_ns; /* wall clock that offsets count from */
};

/* content_why.c: why, what else, how good the data is. */
void content_why(struct writing *w);
void content_alternatives(struct writing *w);
void content_quality(struct writing *w);

/* content_facts.c: impact, memory, growth, evidence, actions. */
void content_evidence(struct writing *w);
void content_impact(struct writing *w);
void content_memory(struct writing *w);
void content_growth(struct writing *w);
void content_actions(struct writing *w);

/* content_picture.c: moments, ceilings, and the data behind the picture. */
void content_moments(struct writing *w);
void content_picture(struct writing *w);

/* "2026-11-22 12:25:01", with milliseconds if wanted. */
const char *content_time(struct document *d, int64_t wall_ns, bool with_ms);
/* "12:25:01.818" */
const char *content_clock(struct document *d, int64_t wall_ns);
/* "+2.13 s", "-17.8 s", "+31 ms" */
const char *content_offset(struct document *d, double ms);
const char *content_unit(struct document *d, enum unit unit, double value);

/* Foreign text of the incident, shown. */
const char *content_shown(struct writing *w, const json_t *json, const char *const *path);

#endif
