/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline_live.c - what a live run begins with: hooks in place, state, metrics and the service manager at hand,
 * privileges given up, and what is missing said. What it does then is pipeline.c's loop.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pipeline_parts.h"
#include "signals.h"
#include "source/continuity.h"
#include "source/host_facts.h"

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

enum exit_code pipeline_open_live(const struct options *options, int wake_fd, struct host *host,
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
	log_info("ready: %u of %u hooks attached in %llu ms", pipeline_count_attached(source, &nr),
		 nr, (unsigned long long)((pipeline_now_ns() - start_ns) / 1000000));
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
	uint64_t start_ns = pipeline_now_ns();

	signals_set_manners();
	if (options->command == COMMAND_RECORD)
		code = pipeline_open_tap(&p, options->file);
	if (code == EXIT_CODE_OK)
		code = pipeline_init(&p, options, false);
	if (code == EXIT_CODE_OK)
		code = open_state(&p, options);
	if (code == EXIT_CODE_OK)
		p.hup_fd = signals_hup_fd(options->output != NULL);
	if (code == EXIT_CODE_OK && options->metrics)
		code = open_metrics(&p, options);
	if (code == EXIT_CODE_OK)
		code = pipeline_open_live(options,
					  p.metrics ? pipeline_metrics_fd(p.metrics) : p.hup_fd,
					  NULL, &p.source);
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
