/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline_parts.h - what the files of pipeline.h share: a pipeline and its loop (pipeline.c), and what a live one
 * begins with (pipeline_live.c).
 */
#ifndef MEMSWELL_PIPELINE_PARTS_H
#define MEMSWELL_PIPELINE_PARTS_H

#include "base/notify.h"
#include "base/output_file.h"
#include "pipeline.h"
#include "pipeline_metrics.h"

struct continuity;
struct record_file;
struct sink;

struct pipeline {
	struct source *source;
	struct core *core;
	struct sink *sink;
	struct record_file *tap;    /* NULL unless recording */
	struct output_file *output; /* the sink's; NULL: stdout */
	bool torn_line;		    /* was found at the end of it */
	bool recording_failed;
	int hup_fd;
	struct continuity *continuity; /* NULL unless live */
	int state_error;	       /* why no state is kept, -errno */
	uint64_t nr_reports;
	struct pipeline_metrics *metrics; /* NULL: not asked for */
	struct notify notify;		  /* the service manager; without one unless live */
};

/* Core and sink; the source is the caller's. */
enum exit_code pipeline_init(struct pipeline *p, const struct options *options, bool lossless);
/* Until the source ends, for good or not, or the output breaks. */
enum exit_code pipeline_loop(struct pipeline *p, bool live);
void pipeline_free(struct pipeline *p);

/* Record from now on to that file. */
enum exit_code pipeline_open_tap(struct pipeline *p, const char *path);

uint64_t pipeline_now_ns(void);
uint32_t pipeline_count_attached(const struct source *source, uint32_t *nr);

#endif
