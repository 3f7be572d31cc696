/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * options.h - the command line as data: what was asked, checked, with defaults filled in.
 *
 * Parsing only. What the options do is the pipeline's business.
 */
#ifndef MEMSWELL_OPTIONS_H
#define MEMSWELL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/log.h"
#include "base/output_file.h"
#include "core/core.h"
#include "sink/metrics_address.h"
#include "source/bpf_source.h"
#include "view/format.h"

enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILED = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_PRIVILEGE = 3,
	EXIT_CODE_UNSUPPORTED = 4,
	EXIT_CODE_DEGRADED = 5, /* only with --strict */
};

enum command {
	COMMAND_RUN = 0,
	COMMAND_RECORD,
	COMMAND_REPLAY,
	COMMAND_REPORT,
	COMMAND_EXPLAIN,
	COMMAND_TOP,
	COMMAND_CHECK,
	COMMAND_HEALTH,
	COMMAND_SCHEMA,
	COMMAND_VERSION,
	COMMAND_HELP,
	NR_COMMANDS
};

#define OPTIONS_TICK_MIN_NS (100ULL * 1000 * 1000)
#define OPTIONS_TICK_MAX_NS (60ULL * 1000 * 1000 * 1000)
/* Some lines fit into the smallest file. */
#define OPTIONS_OUTPUT_MIN_BYTES (64ULL << 10)
#define OPTIONS_OUTPUT_MAX_BYTES (1ULL << 40)

#define OPTIONS_BUDGET_MIN   0.001 /* percent of one core */
#define OPTIONS_BUDGET_MAX   1000.0
#define OPTIONS_DUTY_MIN     0.1 /* percent of ticks */
#define OPTIONS_DUTY_DEFAULT 5.0

#define OPTIONS_AGE_DEFAULT_NS (30ULL * 1000 * 1000 * 1000)
#define OPTIONS_AGE_MIN_NS     (1ULL * 1000 * 1000 * 1000)
#define OPTIONS_AGE_MAX_NS     (3600ULL * 1000 * 1000 * 1000)

#define OPTIONS_STATE_DIR  "/run/memswell"
#define OPTIONS_STATE_FILE OPTIONS_STATE_DIR "/state"

struct options {
	enum command command;
	const char *file; /* the first argument: record, replay, report, explain; into argv */
	char **arguments; /* all of them */
	uint32_t nr_arguments;
	const char *state;     /* for the next run; NULL: the usual place, "": none */
	const char *host_name; /* NULL: what the kernel calls this machine */
	const char *output;    /* reports, or the report, go here; NULL: stdout */
	const char *recording; /* top --replay; NULL: live */
	const char *host_root; /* where the host's root directory is; NULL: / */
	struct output_file_options output_file;
	uint64_t tick_ns;
	uint64_t max_age_ns; /* health: of the newest tick */
	bool metrics;	     /* are served at: */
	bool metrics_allow_remote;
	struct metrics_address metrics_address;
	enum vm_events vm_events;
	enum sandbox sandbox;
	enum log_level log_level;
	bool strict;
	bool merge; /* replay: all files, as the nodes they are of */
	bool json;  /* check -o json */
	bool has_format;
	enum format format;   /* report -o, or by the ending of the output file */
	uint32_t budget_ppm;  /* of one core; 0: none */
	uint32_t stats_every; /* BPF run time is counted in one tick of so many; 0: not asked for */
	struct scope_roots scope; /* paths into argv */
	struct core_options core;
};

#define COMMAND_BIT(command) (1U << (command))

struct command_row {
	const char *name;
	const char *file; /* name of its arguments, NULL if it takes none */
	const char *help;
	int most; /* arguments; 0: one, if it takes any */
};

struct option_row {
	const char *name;  /* NULL: none follow */
	char letter;	   /* 0: none */
	const char *value; /* name of its value, "[=NAME]" if optional, NULL if it takes none */
	const char *expected;
	unsigned int commands; /* COMMAND_BITs it makes sense for */
	int (*set)(struct options *o, const char *value);
	const char *help;
};

/* The tables that all of it is made of. The options end with a row without a name. */
#define OPTIONS_MAX 32
extern const struct command_row command_rows[NR_COMMANDS];
extern const struct option_row option_rows[];

/*
 * Read argv. 0 and *out filled, or -EINVAL with one line in `error` that names the option, the value
 * and what was expected. Values are quoted in `error` with control bytes replaced.
 */
int options_parse(int argc, char **argv, struct options *out, char *error, size_t error_size);

void options_help(FILE *to);

/*
 * "250ms", "1s", "1.5s", "2m": a duration in nanoseconds. -EINVAL if it is none, or not in
 * [min_ns, max_ns].
 */
int options_parse_duration(const char *text, uint64_t min_ns, uint64_t max_ns, uint64_t *out_ns);

/* "65536", "64K", "10M", "1G": bytes. -EINVAL if it is none, or not in [min, max]. */
int options_parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* "5", "0.5%": a percentage. -EINVAL if it is none, or not in [min, max]. */
int options_parse_percent(const char *text, double min, double max, double *out);

/* "nginx", ":8080" or "nginx:8080". -EINVAL if it is none of these. */
int options_parse_gateway(const char *text, struct gateway_filter *out);

#endif
