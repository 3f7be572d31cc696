/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline.c - see pipeline.h. The only file that knows source, core and sink; it moves records and
 * reports between them and turns errors into exit codes. It decides nothing about the data.
 */
#include "pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/notify.h"
#include "base/output_file.h"
#include "pipeline_metrics.h"
#include "signals.h"
#include "sink/check_view.h"
#include "sink/json_lines.h"
#include "sink/record_file.h"
#include "source/continuity.h"
#include "source/host_facts.h"
#include "source/merge.h"
#include "source/replay.h"
#include "source/syscall_filter.h"

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

static void pipeline_free(struct pipeline *p)
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
static enum exit_code pipeline_init(struct pipeline *p, const struct options *options,
				    bool lossless)
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

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint32_t count_attached(const struct source *source, uint32_t *nr)
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
	uint64_t now = now_ns();
	char status[128];
	uint32_t nr, attached;

	if (!notify_is_due(&p->notify, now))
		return;
	attached = count_attached(p->source, &nr);
	snprintf(status, sizeof(status), "%u of %u hooks attached, %u incidents open", attached, nr,
		 p->continuity->now.nr_incidents);
	notify_alive(&p->notify, now, status);
}

/* SIGHUP: somebody may have renamed the file. */
static void reopen(struct pipeline *p)
{
	char error[512];

	notify_send(&p->notify, "RELOADING=1\nMONOTONIC_USEC=%llu\n",
		    (unsigned long long)(now_ns() / 1000));
	if (!p->output)
		log_info("SIGHUP: reports go to stdout, so there is nothing to open anew");
	else if (output_file_reopen(p->output, error, sizeof(error)))
		log_error("SIGHUP: cannot open %s; the old file is still in use", error);
	else
		log_info("SIGHUP: the file of the reports was opened anew");
	notify_send(&p->notify, "READY=1\n");
}

static enum exit_code pipeline_loop(struct pipeline *p, bool live)
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

static enum exit_code exit_code_of(int err)
{
	switch (err) {
	case -EPERM:
		return EXIT_CODE_PRIVILEGE;
	case -ENOTSUP:
		return EXIT_CODE_UNSUPPORTED;
	case -EUNATCH:
		return EXIT_CODE_DEGRADED;
	default:
		return EXIT_CODE_FAILED;
	}
}

/* With `host`, what was found out goes there, a failure too. */
static enum exit_code open_live(const struct options *options, int wake_fd, struct host *host,
				struct source **out)
{
	struct bpf_source_options source_options = {
		.tick_ns = options->tick_ns,
		.vm_events = options->vm_events,
		.strict = options->strict,
		.budget_ppm = options->budget_ppm,
		.stats_every = options->stats_every,
		.scope = options->scope,
		.host_root = options->host_root,
		.stop_fd = signals_stop_fd(),
		.wake_fd = wake_fd,
		.version = MEMSWELL_VERSION,
		.host_name = options->host_name,
		.host = host,
	};
	char error[512];
	int err;

	signals_set_manners();
	if (source_options.stop_fd < 0) {
		log_error("cannot watch for signals: %s", strerror(-source_options.stop_fd));
		return EXIT_CODE_FAILED;
	}
	err = bpf_source_new(&source_options, out, error, sizeof(error));
	if (!err)
		return EXIT_CODE_OK;
	log_error("%s", error);
	if (host)
		snprintf(host->error, sizeof(host->error), "%s", error);
	close(source_options.stop_fd);
	return exit_code_of(err);
}

enum exit_code pipeline_open_live(const struct options *options, int wake_fd, struct source **out)
{
	return open_live(options, wake_fd, NULL, out);
}

static enum exit_code open_tap(struct pipeline *p, const char *path)
{
	char error[512];

	if (!record_file_open(path, &p->tap, error, sizeof(error)))
		return EXIT_CODE_OK;
	log_error("record %s", error);
	return EXIT_CODE_FAILED;
}

static bool is_socket(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISSOCK(st.st_mode);
}

/* What is attached stays attached; the privilege that it took does not. */
static enum exit_code lock_down(const struct pipeline *p, const struct options *options)
{
	const struct lockdown lockdown = {
		.sandbox = options->sandbox,
		.output_dir_fd = p->output ? output_file_dir_fd(p->output) : -1,
		.serves = p->metrics != NULL,
		.metrics_dir_fd = p->metrics ? pipeline_metrics_dir_fd(p->metrics) : -1,
		.writes_socket = !p->output && is_socket(STDOUT_FILENO),
		.bpf_stats = options->stats_every || options->budget_ppm,
	};
	char error[256];

	if (!bpf_source_lock_down(p->source, &lockdown, error, sizeof(error)))
		return EXIT_CODE_OK;
	if (options->strict) {
		log_error("--strict: %s", error);
		return EXIT_CODE_DEGRADED;
	}
	log_warn("%s: runs with more than it needs", error);
	return EXIT_CODE_OK;
}

/* What about the host takes from what can be told, before that can no longer be asked. */
static void log_limitations(void)
{
	static struct host host;

	host_facts(&host);
	for (uint32_t i = 0; i < host.nr_limitations; i++)
		log_warn("%s: %s; %s", host.limitations[i].what, host.limitations[i].consequence,
			 host.limitations[i].fix);
	for (uint32_t i = 0; i < host.nr_capabilities; i++) {
		const struct host_capability *c = &host.capabilities[i];

		if (!c->held && !c->implied && !c->required && strcmp(c->kernels, "all") == 0)
			log_info("without %s: %s", c->name, c->without);
	}
}

/* Name what will be missing, then say that watching has begun. */
static void log_ready(const struct source *source, uint64_t start_ns)
{
	uint32_t nr;
	const struct record_probe *probes = bpf_source_probes(source, &nr);

	for (uint32_t i = 0; i < nr; i++)
		if (probes[i].state == PROBE_UNAVAILABLE)
			log_warn("hook %s is unavailable: %s", probes[i].name, probes[i].reason);
	log_info("ready: %u of %u hooks attached in %llu ms", count_attached(source, &nr), nr,
		 (unsigned long long)((now_ns() - start_ns) / 1000000));
}

/* Before lockdown, after which there are no sockets any more. */
static void open_notify(struct pipeline *p, const struct options *options)
{
	int err = notify_open(&p->notify, options->tick_ns);

	if (err)
		log_warn("cannot tell the service manager ($NOTIFY_SOCKET): %s", strerror(-err));
}

static const char *state_error(int err)
{
	switch (err) {
	case -EBUSY:
		return "another instance uses it";
	case -EPERM:
		return "expected a plain file of our own that nobody else can write";
	default:
		return strerror(-err);
	}
}

/* In the usual place it is a service that we do where we can; asked for, it is a duty. */
static enum exit_code open_state(struct pipeline *p, const struct options *options)
{
	const char *path = options->state ? options->state : OPTIONS_STATE_FILE;
	int err;

	p->continuity = malloc(sizeof(*p->continuity));
	if (!p->continuity) {
		log_error("out of memory at start");
		return EXIT_CODE_FAILED;
	}
	if (!options->state)
		mkdir(OPTIONS_STATE_DIR, 0755);
	err = continuity_open(p->continuity, *path ? path : NULL);
	if (err && options->state) {
		log_error("--state: cannot use the file: %s", state_error(err));
		return EXIT_CODE_FAILED;
	}
	p->state_error = err;
	return EXIT_CODE_OK;
}

/* The core is there and knows nothing yet; who asks before the first tick is told so much. */
static enum exit_code open_metrics(struct pipeline *p, const struct options *options)
{
	char error[512];

	if (!pipeline_metrics_new(options, p->core, p->hup_fd, &p->metrics, error, sizeof(error)))
		return EXIT_CODE_OK;
	log_error("--metrics: %s", error);
	return EXIT_CODE_FAILED;
}

enum exit_code pipeline_live(const struct options *options)
{
	struct pipeline p = {.notify.fd = -1};
	enum exit_code code = EXIT_CODE_OK;
	uint64_t start_ns = now_ns();

	signals_set_manners();
	if (options->command == COMMAND_RECORD)
		code = open_tap(&p, options->file);
	if (code == EXIT_CODE_OK)
		code = pipeline_init(&p, options, false);
	if (code == EXIT_CODE_OK)
		code = open_state(&p, options);
	if (code == EXIT_CODE_OK)
		p.hup_fd = signals_hup_fd(options->output != NULL);
	if (code == EXIT_CODE_OK && options->metrics)
		code = open_metrics(&p, options);
	if (code == EXIT_CODE_OK)
		code = pipeline_open_live(
			options, p.metrics ? pipeline_metrics_fd(p.metrics) : p.hup_fd, &p.source);
	if (code == EXIT_CODE_OK) {
		log_limitations(); /* while they are still held */
		open_notify(&p, options);
		code = lock_down(&p, options);
	}
	if (code == EXIT_CODE_OK) {
		if (p.state_error)
			log_warn("no state is kept for the next run: " OPTIONS_STATE_FILE ": %s",
				 state_error(p.state_error));
		log_ready(p.source, start_ns);
		notify_send(&p.notify, "READY=1\n");
		if (p.torn_line)
			bpf_source_add_loss(p.source, "output_file", "torn_line", 1);
		code = pipeline_loop(&p, true);
	}
	pipeline_free(&p);
	return code;
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
	code = open_live(options, -1, &host, &source);
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
