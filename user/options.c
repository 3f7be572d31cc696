/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * options.c - see options.h. The commands and options there are, as the two tables that parsing, help, manual and
 * completions are made of, and what each option sets.
 */
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LIVE	  (COMMAND_BIT(COMMAND_RUN) | COMMAND_BIT(COMMAND_RECORD))
#define WATCHING  (LIVE | COMMAND_BIT(COMMAND_TOP))
#define REPORTING (LIVE | COMMAND_BIT(COMMAND_REPLAY))
#define VIEWS	  (COMMAND_BIT(COMMAND_REPORT) | COMMAND_BIT(COMMAND_EXPLAIN))
#define ANY	  ((1U << NR_COMMANDS) - 1)

const struct command_row command_rows[NR_COMMANDS] = {
	[COMMAND_RUN] = {"run", NULL, "watch this host, reports on stdout (the default)"},
	[COMMAND_RECORD] = {"record", "FILE", "the same, and write the record stream to FILE"},
	[COMMAND_REPLAY] = {"replay", "FILE...", "feed a recording through the core ('-': stdin)",
			    INT_MAX},
	[COMMAND_REPORT] = {"report", "FILE...",
			    "show incidents of recordings or reports, as a page", INT_MAX},
	[COMMAND_EXPLAIN] = {"explain", "FILE [ID]", "say what happened, why, and what to do now",
			     2},
	[COMMAND_TOP] = {"top", NULL, "watch this host in a terminal, who fails first on top"},
	[COMMAND_HEALTH] = {"health", NULL,
			    "say whether the run on this host goes on (exit 1: no)"},
	[COMMAND_CHECK] = {"check", NULL, "try every hook on this kernel and say what works"},
	[COMMAND_SCHEMA] = {"schema", NULL, "print the JSON Schema of the output"},
	[COMMAND_VERSION] = {"version", NULL, "print the version"},
	[COMMAND_HELP] = {"help", NULL, "print this text"},
};

/* Words of the enum options, in enum order. */
static const char *const vm_events_words[] = {"auto", "fentry", "lock", "syscall", "off", NULL};
static const char *const sandbox_words[] = {"on", "log", "off", NULL};

_Static_assert(sizeof(vm_events_words) / sizeof(vm_events_words[0]) == NR_VM_EVENTS + 1,
	       "a word for each vm_events");
_Static_assert(sizeof(sandbox_words) / sizeof(sandbox_words[0]) == NR_SANDBOXES + 1,
	       "a word for each sandbox");

static int word_index(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -EINVAL;
}

static int set_tick(struct options *o, const char *value)
{
	return options_parse_duration(value, OPTIONS_TICK_MIN_NS, OPTIONS_TICK_MAX_NS, &o->tick_ns);
}

static int set_gateway(struct options *o, const char *value)
{
	if (o->core.nr_gateways == CORE_MAX_GATEWAY_FILTERS)
		return -EINVAL;
	int err = options_parse_gateway(value, &o->core.gateways[o->core.nr_gateways]);

	if (!err)
		o->core.nr_gateways++;
	return err;
}

static int set_cgroup(struct options *o, const char *value)
{
	if (*value != '/' || strlen(value) >= RECORD_PATH_LEN || o->scope.nr == SCOPE_MAX_ROOTS)
		return -EINVAL;
	o->scope.paths[o->scope.nr++] = value;
	return 0;
}

static int set_samples(struct options *o, const char *value)
{
	(void)value;
	o->core.include_samples = true;
	return 0;
}

static int set_output(struct options *o, const char *value)
{
	if (!*value)
		return -EINVAL;
	o->output = value;
	return 0;
}

static int set_output_max_bytes(struct options *o, const char *value)
{
	return options_parse_size(value, OPTIONS_OUTPUT_MIN_BYTES, OPTIONS_OUTPUT_MAX_BYTES,
				  &o->output_file.max_bytes);
}

static int set_output_keep(struct options *o, const char *value)
{
	uint64_t keep;

	if (options_parse_size(value, 1, OUTPUT_FILE_KEEP_MAX, &keep))
		return -EINVAL;
	o->output_file.keep = (uint32_t)keep;
	return 0;
}

static int set_state(struct options *o, const char *value)
{
	if (!*value)
		return -EINVAL;
	o->state = strcmp(value, "none") ? value : "";
	return 0;
}

static int set_host_name(struct options *o, const char *value)
{
	if (!*value || strlen(value) >= RECORD_TEXT_LEN)
		return -EINVAL;
	o->host_name = value;
	return 0;
}

static int set_metrics(struct options *o, const char *value)
{
	o->metrics = true;
	return metrics_address_parse(value, &o->metrics_address);
}

static int set_metrics_allow_remote(struct options *o, const char *value)
{
	(void)value;
	o->metrics_allow_remote = true;
	return 0;
}

static int set_max_age(struct options *o, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	/* As seconds, which is what probes count in. */
	if (*value >= '0' && *value <= '9' && !*end && seconds <= UINT32_MAX) {
		o->max_age_ns = seconds * 1000000000ULL;
		return o->max_age_ns >= OPTIONS_AGE_MIN_NS && o->max_age_ns <= OPTIONS_AGE_MAX_NS
			       ? 0
			       : -EINVAL;
	}
	return options_parse_duration(value, OPTIONS_AGE_MIN_NS, OPTIONS_AGE_MAX_NS,
				      &o->max_age_ns);
}

static int set_vm_events(struct options *o, const char *value)
{
	int word = word_index(vm_events_words, value);

	if (word < 0)
		return word;
	o->vm_events = word;
	return 0;
}

static int set_sandbox(struct options *o, const char *value)
{
	int word = word_index(sandbox_words, value);

	if (word < 0)
		return word;
	o->sandbox = word;
	return 0;
}

static int set_log_level(struct options *o, const char *value)
{
	return log_level_parse(value, &o->log_level);
}

static int set_strict(struct options *o, const char *value)
{
	(void)value;
	o->strict = true;
	return 0;
}

static int set_replay(struct options *o, const char *value)
{
	if (!*value)
		return -EINVAL;
	o->recording = value;
	return 0;
}

static int set_budget(struct options *o, const char *value)
{
	double percent;
	int err = options_parse_percent(value, OPTIONS_BUDGET_MIN, OPTIONS_BUDGET_MAX, &percent);

	if (!err)
		o->budget_ppm = (uint32_t)(percent * 1e4 + 0.5);
	return err;
}

static int set_bpf_stats(struct options *o, const char *value)
{
	double duty = OPTIONS_DUTY_DEFAULT;
	int err = value ? options_parse_percent(value, OPTIONS_DUTY_MIN, 100, &duty) : 0;

	if (!err)
		o->stats_every = (uint32_t)(100 / duty + 0.5);
	return err;
}

/* A word that chooses the format, or for a report a file whose ending does. */
static int set_format(struct options *o, const char *value)
{
	int word = format_parse(value);

	if (word < 0) {
		word = format_of_file(value);
		if (word < 0)
			return word;
		o->output = value;
	}
	o->format = word;
	o->has_format = true;
	return 0;
}

static int set_host_root(struct options *o, const char *value)
{
	if (*value != '/')
		return -EINVAL;
	o->host_root = value;
	return 0;
}

static int set_merge(struct options *o, const char *value)
{
	(void)value;
	o->merge = true;
	return 0;
}

static int set_help(struct options *o, const char *value)
{
	(void)value;
	o->command = COMMAND_HELP;
	return 0;
}

const struct option_row option_rows[] = {
	{"tick", 't', "TIME", "a time from 100ms to 60s, such as 250ms or 2s", WATCHING, set_tick,
	 "how often memory is sampled (default 1s)"},
	{"gateway", 'g', "WHO", "a comm (up to 15 bytes), :PORT or COMM:PORT, at most 16 of them",
	 REPORTING | VIEWS | WATCHING, set_gateway,
	 "only these are gateways: nginx, :8080 or nginx:8080; repeatable\n"
	 "(default: every process that is both HTTP server and client)"},
	{"cgroup", 0, "PATH",
	 "a memory cgroup as in process.linux.cgroup, such as /system.slice, at most 8 of them",
	 WATCHING, set_cgroup,
	 "only what runs in this cgroup and below; repeatable (default: the whole host)"},
	{"include-samples", 's', NULL, NULL, REPORTING, set_samples,
	 "also print every memory sample"},
	{"output", 'O', "FILE", "a file name", REPORTING | COMMAND_BIT(COMMAND_REPORT), set_output,
	 "append reports to FILE instead of stdout; SIGHUP opens it anew"},
	{"output-max-bytes", 0, "SIZE", "a size from 64K to 1024G, such as 10M", REPORTING,
	 set_output_max_bytes, "rename FILE to FILE.1 before it gets larger than SIZE"},
	{"output-keep", 0, "N", "a number from 1 to 99", REPORTING, set_output_keep,
	 "how many of those are kept (default 5)"},
	{"metrics", 0, "WHERE", "unix:PATH, 127.0.0.1:PORT or [::1]:PORT",
	 LIVE | COMMAND_BIT(COMMAND_CHECK), set_metrics,
	 "serve metrics to Prometheus at unix:PATH, 127.0.0.1:PORT or\n"
	 "[::1]:PORT (default: nowhere; docs/metrics.md)"},
	{"metrics-allow-remote", 0, NULL, NULL, LIVE | COMMAND_BIT(COMMAND_CHECK),
	 set_metrics_allow_remote, "let --metrics listen where other hosts can reach it"},
	{"max-age", 0, "TIME", "a time from 1s to 60m, or seconds", COMMAND_BIT(COMMAND_HEALTH),
	 set_max_age, "health: how long ago the loop may have gone round (default 30s)"},
	{"state", 0, "FILE", "a file name or none", LIVE | COMMAND_BIT(COMMAND_HEALTH), set_state,
	 "what the next run is to know, so that it reports the gap in between\n"
	 "(default " OPTIONS_STATE_FILE "; none: nothing is kept)"},
	{"host-name", 0, "NAME", "a name of at most 199 bytes", LIVE, set_host_name,
	 "host.name of reports, where the kernel tells another one, as to a container\n"
	 "(default: what the kernel tells)"},
	{"vm-events", 0, "HOW", "auto, fentry, lock, syscall or off",
	 WATCHING | COMMAND_BIT(COMMAND_CHECK), set_vm_events,
	 "how mmap and brk are counted: auto, fentry, lock, syscall, off"},
	{"budget", 'b', "PERCENT", "a percentage of one core from 0.001 to 1000", WATCHING,
	 set_budget,
	 "what it may cost, of one core: agent and programs; over it for 10 s,\n"
	 "hooks are given up one by one, least needed first (docs/performance.md)"},
	{"bpf-stats", 0, "[=DUTY]", "a percentage of the ticks from 0.1 to 100", WATCHING,
	 set_bpf_stats,
	 "count the programs' run time in so many percent of the ticks\n"
	 "(--bpf-stats: 5; --bpf-stats=20)"},
	{"host-root", 0, "DIR", "an absolute path", WATCHING | COMMAND_BIT(COMMAND_CHECK),
	 set_host_root,
	 "where the host's root directory is, for the files of container\n"
	 "runtimes: /host in a container that has /run/containerd at\n"
	 "/host/run/containerd (default /)"},
	{"strict", 0, NULL, NULL, WATCHING | COMMAND_BIT(COMMAND_CHECK), set_strict,
	 "a hook that cannot be attached is an error (exit 5)"},
	{"sandbox", 0, "HOW", "on, log or off", LIVE, set_sandbox,
	 "system calls that the run does not need are refused: on\n"
	 "(default), log (allow, and tell in the kernel's log), off"},
	{"format", 'o', "FORMAT",
	 "html, markdown, text or json, or a file: .html, .md, .txt, .json",
	 COMMAND_BIT(COMMAND_CHECK) | COMMAND_BIT(COMMAND_REPORT), set_format,
	 "how check prints: text or json; how report does: html,\n"
	 "text, markdown, json, or a file named so: out.html\n"
	 "(default: html, on a terminal text)"},
	{"merge", 'm', NULL, NULL, COMMAND_BIT(COMMAND_REPLAY), set_merge,
	 "replay recordings of several hosts as one (docs/pipelines.md)"},
	{"replay", 'r', "FILE", "the file name of a recording", COMMAND_BIT(COMMAND_TOP),
	 set_replay, "top shows a recording, forth and back in time"},
	{"log-level", 'l', "LEVEL", "error, warn, info or debug", ANY, set_log_level,
	 "what goes to stderr: error, warn, info (default), debug"},
	{"help", 'h', NULL, NULL, ANY, set_help, "print this text"},
	{NULL},
};

_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= OPTIONS_MAX + 1, "options");
