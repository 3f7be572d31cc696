/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * report_sections.h - the objects that several kinds of report share, written into one line. Used
 * by report_json.c and incident_json.c only; report_json.h is the way in.
 *
 * In every section: null is not measurable or not known, an absent key is not applicable.
 */
#ifndef MEMSWELL_REPORT_SECTIONS_H
#define MEMSWELL_REPORT_SECTIONS_H

#include "base/json_writer.h"
#include "model/report.h"

/* What a line that is too long gives up, each step on top of the ones before. */
enum trim {
	TRIM_NOTHING = 0,
	TRIM_SILENT_RULES,  /* that looked and found nothing */
	TRIM_LATE_EVIDENCE, /* all but the first LINE_FIRST_EVIDENCE */
	TRIM_EVIDENCE,
	TRIM_DETAILS, /* free text of the timeline, reasons of probes */
	TRIM_SCORES,  /* and alternatives */
	TRIM_PATHS,   /* of executables and cgroups */
	TRIM_LISTS,   /* timeline, actions, victims, probes, losses */
	TRIM_SUMMARY,
	/* The names of missing hooks, and any name beyond LINE_NAME_MAX. What is left always fits. */
	TRIM_NAMES,
	NR_TRIMS
};

#define LINE_FIRST_EVIDENCE 6
#define LINE_NAME_MAX	    40 /* no word, id or time of ours is longer */

struct line {
	struct json_writer w;
	const struct report *report;
	enum trim trim;
};

/* The arrays of a report say how much of them is filled; a wrong count must not read beyond. */
static inline uint32_t line_at_most(uint32_t nr, size_t max)
{
	return nr < max ? nr : (uint32_t)max;
}

/* RFC 3339 in UTC with nanoseconds. */
void line_time(struct line *line, const char *key, uint64_t boot_ns);
/* Boot-clock nanoseconds as a string: they pass 2^53, where JSON readers begin to round. */
void line_boot_ns(struct line *line, const char *key, uint64_t boot_ns);
void line_measure(struct line *line, const char *key, struct measure measure);
/* 0 and "" mean "unknown" in the model: null here. */
void line_known_time(struct line *line, const char *key, uint64_t boot_ns);
void line_known_u64(struct line *line, const char *key, uint64_t value);
void line_known_string(struct line *line, const char *key, const char *value);

/* The attributes of a process, into the object that is open. */
void line_process_fields(struct line *line, const struct report_proc *proc);
/* Whom it belongs to, likewise; an incident says it of its culprit in `resource`. */
void line_process_workload(struct line *line, const struct report_proc *proc);
/* A whole section; null if the process is not known. */
void line_process(struct line *line, const char *key, const struct report_proc *proc);
void line_exit(struct line *line, const struct report_death *death);

struct line_impact {
	const struct report_gateway *gateway;
	const struct endpoint *upstream;
	const struct report_impact *impact;
};
void line_impact(struct line *line, const struct line_impact *what);

#endif
