/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_server.h - answers GET /metrics on a socket, in the loop of whoever has it.
 *
 * It never blocks and keeps nobody waiting: at most 8 connections, each for at most 10 s and one request,
 * whoever reads or writes slowly is cut off; at most 3 answers in memory, each made once per turn however
 * many ask for it. Who finds no room is told 503.
 */
#ifndef MEMSWELL_METRICS_SERVER_H
#define MEMSWELL_METRICS_SERVER_H

#include <stddef.h>

#include "sink/metrics.h"
#include "sink/metrics_address.h"

struct metrics_server;

struct metrics_server_options {
	struct metrics_address address;
	struct metrics *metrics;
	/* Called before an answer is made: tell the metrics how things stand. */
	void (*look)(void *arg);
	void *arg;
};

/* 0, or -errno with one line in `error`. */
int metrics_server_new(const struct metrics_server_options *options, struct metrics_server **out,
		       char *error, size_t error_size);
void metrics_server_free(struct metrics_server *s);

/* Becomes readable when there is something to do. */
int metrics_server_fd(const struct metrics_server *s);
/* Directory of its unix socket; -1: it has none. */
int metrics_server_dir_fd(const struct metrics_server *s);

/* Do what there is to do. */
void metrics_server_run(struct metrics_server *s);
/* The same, after a turn of the loop: time has passed, and numbers are new ones. */
void metrics_server_turn(struct metrics_server *s);

size_t metrics_server_memory_ceiling(void);

/* Which format a client wants, as its Accept header says (NULL: it has none). */
enum metrics_format metrics_format_of(const char *accept);

#endif
