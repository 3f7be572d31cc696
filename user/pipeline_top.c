/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline_top.c - pipeline_top (pipeline.h): source -> core -> the table of `memswell top`, a tick at
 * a time, for the loop in view/top.c. Knows source, core and view; decides nothing about the data.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "pipeline.h"
#include "source/replay.h"
#include "view/top.h"

struct top_pipeline {
	const struct options *options;
	struct source *source;
	struct core *core;
	struct top_table *table; /* while a batch is taken */
	bool hold;
	bool regular; /* the batch was a tick of its own, no early drain for an alarm */
	uint64_t now_ns;
};

static void on_report(void *arg, const struct report *report)
{
	struct top_pipeline *p = arg;

	top_table_report(p->table, report);
}

static void on_record(void *arg, const struct record *record)
{
	struct top_pipeline *p = arg;

	if (!p->hold)
		top_table_record(p->table, record);
	core_feed(p->core, record);
	p->now_ns = record->ts_ns;
	p->regular = record->kind == RECORD_TICK && !record->tick.alarm;
}

static void on_process(void *arg, const struct overview_process *process)
{
	top_table_process(arg, process);
}

static void on_leg(void *arg, const struct overview_leg *leg)
{
	top_table_leg(arg, leg);
}

static void look(struct top_pipeline *p)
{
	struct overview_sink sink = {.process = on_process, .leg = on_leg, .arg = p->table};

	top_table_begin(p->table, p->now_ns);
	core_overview(p->core, &sink);
	top_table_end(p->table);
}

/* Batches up to the next tick; alarms in between are the core's business alone. */
static int feed_next(void *arg, struct top_table *table, bool hold)
{
	struct top_pipeline *p = arg;
	int more;

	p->table = table;
	p->hold = hold;
	do {
		p->regular = false;
		more = source_next(p->source, on_record, p);
	} while (more == 1 && !p->regular);
	if (more < 0)
		log_error("%s", source_error(p->source));
	if (more < 0 || more == SOURCE_WOKEN)
		return more < 0 ? more : TOP_WOKEN;
	if (!hold && (more || p->regular))
		look(p);
	return more ? TOP_TICKED : TOP_ENDED;
}

static enum exit_code open_replay(struct top_pipeline *p)
{
	char error[512];

	if (!replay_new(p->options->recording, &p->source, error, sizeof(error)))
		return EXIT_CODE_OK;
	log_error("%s", error);
	return EXIT_CODE_FAILED;
}

/* Capabilities only: what the terminal's library calls is its own affair. */
static void lock_down(const struct top_pipeline *p)
{
	const struct lockdown lockdown = {
		.sandbox = SANDBOX_OFF, .output_dir_fd = -1, .metrics_dir_fd = -1};
	char error[256];

	if (!p->options->recording &&
	    bpf_source_lock_down(p->source, &lockdown, error, sizeof(error)))
		log_warn("%s: runs with more than it needs", error);
}

static enum exit_code start(struct top_pipeline *p)
{
	enum exit_code code = p->options->recording ? open_replay(p)
						    : pipeline_open_live(p->options, STDIN_FILENO,
									 NULL, &p->source);

	if (code != EXIT_CODE_OK)
		return code;
	lock_down(p);
	p->core = core_new(&p->options->core, on_report, p);
	if (p->core)
		return EXIT_CODE_OK;
	log_error("out of memory at start: the core takes %zu bytes", core_memory_ceiling());
	return EXIT_CODE_FAILED;
}

static void stop(struct top_pipeline *p)
{
	source_free(p->source);
	core_free(p->core);
	p->source = NULL;
	p->core = NULL;
}

/* A recording is read again from its begin: what stands at a tick is then the same as the first time. */
static int feed_rewind(void *arg, struct top_table *table)
{
	struct top_pipeline *p = arg;

	stop(p);
	memset(table, 0, sizeof(*table));
	return start(p) == EXIT_CODE_OK ? 0 : -EIO;
}

/* A pipe cannot be read twice. */
static bool can_rewind(const struct options *options)
{
	return !options->recording || strcmp(options->recording, "-") != 0;
}

enum exit_code pipeline_top(const struct options *options)
{
	struct top_pipeline p = {.options = options};
	struct top_feed feed = {
		.replay = options->recording != NULL,
		.next = feed_next,
		.rewind = feed_rewind,
		.arg = &p,
	};
	enum exit_code code;
	char error[256];

	if (!can_rewind(options)) {
		log_error("top: --replay '-': expected a file, which can be read back and forth");
		return EXIT_CODE_USAGE;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		log_error("top: expected a terminal on standard input and output; `memswell run` "
			  "writes to files and pipes");
		return EXIT_CODE_USAGE;
	}
	code = start(&p);
	if (code == EXIT_CODE_OK && top_run(&feed, error, sizeof(error))) {
		if (error[0])
			log_error("%s", error);
		code = EXIT_CODE_FAILED;
	}
	stop(&p);
	return code;
}
