/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * pipeline.h - source -> (tap) -> core -> sink, run to its end. The only part that knows all three.
 *
 * Each function logs what went wrong, once, and returns what the process should exit with.
 */
#ifndef MEMSWELL_PIPELINE_H
#define MEMSWELL_PIPELINE_H

#include "options.h"
#include "source/source.h"

/* run and record: until SIGINT, SIGTERM, or a broken output. */
enum exit_code pipeline_live(const struct options *options);

/* replay: until the end of the recording. */
enum exit_code pipeline_replay(const struct options *options);

/* top: until somebody quits; live, or over the recording of --replay. */
enum exit_code pipeline_top(const struct options *options);

/* check: attach everything once and print the state of every hook. */
enum exit_code pipeline_check(const struct options *options);

/*
 * What a live command begins with. 0: *out is set. `wake_fd` as in bpf_source.h. With `host`, what was
 * found out goes there, a failure too.
 */
enum exit_code pipeline_open_live(const struct options *options, int wake_fd, struct host *host,
				  struct source **out);

#endif
