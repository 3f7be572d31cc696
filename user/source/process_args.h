/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * process_args.h - what a process was told when it was started: the limit of its heap, how to end when
 * that is full, at what size its supervisor restarts it, and what its service is called. Pure: it is
 * handed command line and environment, reads them as the runtime does, and gives back numbers and that
 * one name.
 *
 * Both texts are entries ended by NUL, as /proc has them, and anybody's bytes. An entry without an
 * end was cut off and says nothing. A process may have written a title over its command line; then
 * its flags are gone. Flags in files (java's @file, -XX:Flags=), by API (v8.setFlagsFromString) and
 * V8's --max-heap-size are not seen. GOMEMLIMIT is no limit in this sense: Go only collects harder
 * as it nears it, and runs on beyond.
 */
#ifndef MEMSWELL_PROCESS_ARGS_H
#define MEMSWELL_PROCESS_ARGS_H

#include <stddef.h>
#include <stdint.h>

#include "model/record.h"

struct process_args_input {
	enum runtime_kind runtime;
	const char *args;
	size_t args_len;
	const char *env;
	size_t env_len;
	uint64_t memory_bytes; /* its cgroup or the machine gives it, for shares of it; 0 unknown */
};

struct process_args {
	uint64_t heap_limit_bytes;	 /* 0 not told */
	uint64_t supervisor_limit_bytes; /* 0 not told */
	uint8_t heap_limit_source;	 /* enum heap_limit_source */
	uint8_t oom_exit;		 /* enum oom_exit */
	uint8_t name_source;		 /* enum name_source */
	char name[RECORD_NAME_LEN];	 /* "" not told */
};

void process_args_parse(const struct process_args_input *in, struct process_args *out);

/*
 * pm2's max_memory_restart, of the process itself or of one it inherited the environment from; 0 if
 * it has none.
 */
uint64_t process_args_supervisor_limit(const char *env, size_t len);

#endif
