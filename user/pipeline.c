/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline.c - see pipeline.h. The only file that knows source, core and sink; it moves records and
 * reports between them and turns errors into exit codes. It decides nothing about the data. How a live run
 * begins is pipeline_live.c.
 */
#include "pipeline_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "signals.h"
#include "sink/check_view.h"
#include "sink/json_lines.h"
#include "sink/record_file.h"
#include "source/continuity.h"
#include "source/host_facts.h"
#include "source/merge.h"
#include "source/replay.h"
#include "source/syscall_filter.h"

static void on_report(void *arg, const struct report *report)
{
	struct pipeline *p = arg;

	if (p->continuity)
		continuity_report(p->continuity, report);
	p->nr_reports++;
	p->sink->ops->write(p->sink, report);
	if (p->metrics)
		pipeline_metrics_report(p->metrics, report);
}

static void on_record(void *arg, const struct record *record)
{
	struct pipeline *p = arg;

	if (p->tap)
		record_file_write(p->tap, record);
	core_feed(p->core, record);
	if (p->metrics && record->kind == RECORD_TICK)
		pipeline_metrics_tick(p->metrics, record->ts_ns);
}

static void on_live_record(void *arg, const struct record *record)
{
	struct pipeline *p = arg;

	continuity_take(p->continuity, record, on_record, p);
}

void pipeline_free(struct pipeline *p)
{
	notify_close(&p->notify);
	pipeline_metrics_free(p->metrics);
	if (p->continuity)
		continuity_close(p->continuity);
	free(p->continuity);
	source_free(p->source);
	core_free(p->core);
	record_file_free(p->tap);
	if (p->sink)
		p->sink->ops->free(p->sink);
}

/* The sink of the reports; NULL with a logged reason. */
static struct sink *open_sink(struct pipeline *p, const struct options *options, bool lossless)
{
	struct sink *sink;
	uint64_t torn = 0;
	char error[512];

	if (!options->output) {
		sink = json_lines_new(STDOUT_FILENO, lossless);
	} else if (output_file_open(options->output, &options->output_file, &p->output, &torn,
				    error, sizeof(error))) {
		log_error("--output %s", error);
		return NULL;
	} else {
		sink = json_lines_new_file(p->output, lossless);
	}
	if (!sink)
		log_error("out of memory at start");
	if (torn)
		log_warn("--output: the last line was torn; its %llu bytes were cut off",
			 (unsigned long long)torn);
	p->torn_line = torn > 0;
	return sink;
}

/* Core and sink; the source is the caller's. */
enum exit_code pipeline_init(struct pipeline *p, const struct options *options, bool lossless)
{
	p->sink = open_sink(p, options, lossless);
	if (!p->sink)
		return EXIT_CODE_FAILED;
	p->core = core_new(&options->core, on_report, p);
	if (!p->core) {
		log_error("out of memory at start: the core takes %zu bytes",
			  core_memory_ceiling());
		return EXIT_CODE_FAILED;
	}
	return EXIT_CODE_OK;
}

/* What broke for good: the reader of stdout went away, a replay cannot be written. */
static enum exit_code check_sink(const struct pipeline *p)
{
	int err = p->sink->ops->error(p->sink);

	if (!err)
		return EXIT_CODE_OK;
	log_error(err == EPIPE ? "the reader of the reports went away (%s)"
			       : "cannot write reports: %s",
		  strerror(err));
	return EXIT_CODE_FAILED;
}

/* A recording that cannot go on is over; the run is not. */
static void check_tap(struct pipeline *p)
{
	int err = record_file_error(p->tap);

	if (!err)
		return;
	log_error(
		"cannot write the recording: %s; it ends here, whole up to its last line, and the "
		"run goes on without it",
		strerror(err));
	bpf_source_add_loss(p->source, "recording", "ended", 1);
	record_file_free(p->tap);
	p->tap = NULL;
	p->recording_failed = true;
}

/* A gap in the list of what the run needs: not fatal, and not silent. */
static void tell_refused(struct pipeline *p)
{
	char name[32];
	uint32_t count;
	int nr;

	while ((nr = syscall_filter_take_refused(&count)) >= 0) {
		syscall_filter_name(nr, name, sizeof(name));
		log_warn(
			"the sandbox refused the system call %s (%d) %u times: please report this; "
			"--sandbox=off runs without it",
			name, nr, count);
		bpf_source_add_loss(p->source, "sandbox", name, count);
	}
}

static void end_batch(struct pipeline *p, bool live)
{
	const char *reason;
	uint64_t dropped, delivered;

	if (p->tap) {
		record_file_flush(p->tap);
		check_tap(p);
	}
	p->sink->ops->flush(p->sink, false);
	dropped = p->sink->ops->take_dropped(p->sink, &reason);
	delivered = p->sink->ops->take_delivered(p->sink);
	if (!live)
		return;
	if (dropped)
		bpf_source_add_loss(p->source, "output", reason, dropped);
	bpf_source_count_output(p->source, p->nr_reports, delivered);
	p->nr_reports = 0;
	tell_refused(p);
}

uint64_t pipeline_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint32_t pipeline_count_attached(const struct source *source, uint32_t *nr)
{
	const struct record_probe *probes = bpf_source_probes(source, nr);
	uint32_t attached = 0;

	for (uint32_t i = 0; i < *nr; i++)
		attached += probes[i].state == PROBE_ATTACHED;
	return attached;
}

/* A tick went through the core, whatever becomes of its reports: the loop moves. */
static void tell_alive(struct pipeline *p)
{
	uint64_t now = pipeline_now_ns();
	char status[128];
	uint32_t nr, attached;

	if (!notify_is_due(&p->notify, now))
		return;
	attached = pipeline_count_attached(p->source, &nr);
	snprintf(status, sizeof(status), "%u of %u hooks attached, %u incidents open", attached, nr,
		 p->continuity->now.nr_incidents);
	notify_alive(&p->notify, now, status);
}

/* SIGHUP: somebody may have renamed the file. */
static void reopen(struct pipeline *p)
{
	char error[512];

	notify_send(&p->notify, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
		    (unsigned long long)(pipeline_now_ns() / 1000));
	if (!p->output)
		log_info("SIGHUP: reports go to stdout, so there is nothing to open anew");
	else if (output_file_reopen(p->output, error, sizeof(error)))
		log_error("SIGHUP: cannot open %s; the old file is still in use", error);
	else
		log_info("SIGHUP: the file of the reports was opened anew");
	notify_send(&p->notify, "READY=1\n");
}

enum exit_code pipeline_loop(struct pipeline *p, bool live)
{
	enum exit_code code = EXIT_CODE_OK;
	int more;

	do {
		more = source_next(p->source, live ? on_live_record : on_record, p);
		if (more == SOURCE_WOKEN && signals_take(p->hup_fd))
			reopen(p);
		else if (more == 1 && live)
			tell_alive(p);
		if (p->metrics)
			pipeline_metrics_turn(p->metrics, more != SOURCE_WOKEN);
		end_batch(p, live);
		code = check_sink(p);
	} while (more > 0 && code == EXIT_CODE_OK);
	notify_send(&p->notify, "STOPPING=1\n");
	p->sink->ops->flush(p->sink, true);
	if (code == EXIT_CODE_OK)
		code = check_sink(p);
	if (code == EXIT_CODE_OK && p->recording_failed)
		code = EXIT_CODE_FAILED;
	if (more < 0) {
		log_error("%s", source_error(p->source));
		code = EXIT_CODE_FAILED;
	}
	return code;
}

enum exit_code pipeline_open_tap(struct pipeline *p, const char *path)
{
	char error[512];

	if (!record_file_open(path, &p->tap, error, sizeof(error)))
		return EXIT_CODE_OK;
	log_error("record %s", error);
	return EXIT_CODE_FAILED;
}

/* How each node was brought in: whoever reads times of several hosts wants to know. */
static void log_nodes(const struct source *source)
{
	struct merge_node node;

	for (uint32_t i = 0; i < merge_nr_nodes(source); i++) {
		merge_tell(source, i, &node);
		if (node.alone)
			log_warn("%s: host %s: no other recording is of that time", node.file,
				 node.host_name);
		if (i && node.nr_agree)
			log_info("%s: host %s: its clock is %+.3f ms off the first one's, within "
				 "%.3f ms, by %u events that both saw; times were set right",
				 node.file, node.host_name, -(double)node.correction_ns / 1e6,
				 (double)node.error_ns / 1e6, node.nr_agree);
		else if (i)
			log_warn(
				"%s: host %s: nothing it saw tells how its clock lies to the first "
				"one's: its wall clock is taken as it is, within %.0f s",
				node.file, node.host_name, (double)node.error_ns / 1e9);
	}
}

static enum exit_code open_recordings(struct pipeline *p, struct options *options)
{
	char error[512];
	int err;

	if (!options->merge)
		err = replay_new(options->file, &p->source, error, sizeof(error));
	else
		err = merge_new(options->arguments, options->nr_arguments, &p->source, error,
				sizeof(error));
	if (err) {
		log_error("%s", error);
		return EXIT_CODE_FAILED;
	}
	if (options->merge) {
		options->core.nr_nodes = merge_nr_nodes(p->source);
		log_nodes(p->source);
	}
	return EXIT_CODE_OK;
}

enum exit_code pipeline_replay(const struct options *asked)
{
	struct options options = *asked;
	struct pipeline p = {.notify.fd = -1};
	enum exit_code code;

	signals_set_manners();
	code = open_recordings(&p, &options);
	if (code == EXIT_CODE_OK)
		code = pipeline_init(&p, &options, true);
	if (code == EXIT_CODE_OK)
		code = pipeline_loop(&p, false);
	pipeline_free(&p);
	return code;
}

/* What the layers above the source never exceed. */
static void describe_memory(struct host *host, const struct options *options)
{
	struct memory_row core[CORE_MEMORY_ROWS];
	const struct memory_row sinks[] = {
		{"reports", 0, json_lines_memory_ceiling()},
		{"recording", 0, record_file_memory_ceiling()},
		{"metrics", 0, options->metrics ? pipeline_metrics_memory_ceiling() : 0},
	};

	host_add_memory(host, "core", core, core_memory(core));
	host_add_memory(host, "sink", sinks, sizeof(sinks) / sizeof(sinks[0]) - !options->metrics);
}

enum exit_code pipeline_check(const struct options *options)
{
	static struct host host;
	struct source *source = NULL;
	enum exit_code code;

	host_facts(&host);
	host_facts_metadata(&host, options->host_root ?: "/");
	code = pipeline_open_live(options, -1, &host, &source);
	host.exit_code = code;
	host.version = MEMSWELL_VERSION;
	describe_memory(&host, options);
	if (check_view_print(&host, options->json, stdout)) {
		log_error("cannot write to stdout: %s", strerror(errno));
		code = EXIT_CODE_FAILED;
	}
	source_free(source);
	return code;
}
