/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * merge.h - recordings of several nodes as one source: one stream in the order of time, in which
 * every record says which node it is of (ids.h), and on one clock, the wall clock of the first file.
 *
 * Files are read twice: once to see whose they are and how far the clocks are apart, once to hand
 * out records. Clocks are compared by what both sides of connections saw (clock_match.h); where
 * nothing agrees, wall clocks are taken as they are, and said to be uncertain by MERGE_CLOCK_UNKNOWN_NS.
 *
 * A node is one boot of one kernel: several recordings of it may follow one another, but two of one
 * time would count everything twice and are refused.
 *
 * Limit: 64 files, each some 700 KB of buffers; nothing else grows with their length.
 */
#ifndef MEMSWELL_MERGE_H
#define MEMSWELL_MERGE_H

#include <stddef.h>

#include "source/source.h"

#define MERGE_MAX_FILES	       64
#define MERGE_CLOCK_UNKNOWN_NS 10000000000ULL

/* 0 and *out set, or -errno with a line in `error` that names the file. Paths must outlive it. */
int merge_new(char *const *paths, uint32_t nr, struct source **out, char *error, size_t error_size);

struct merge_node {
	const char *file; /* the first of it */
	const char *host_name;
	int64_t correction_ns; /* added to its wall clock */
	uint64_t error_ns;     /* the rest may be this much */
	uint32_t nr_agree;     /* events that say so; 0: none do, or it is the first file's */
	bool alone;	       /* no other recording is of the same time */
};

/* Of what merge_new() made: the nodes there are, and how each was brought in. */
uint32_t merge_nr_nodes(const struct source *source);
void merge_tell(const struct source *source, uint32_t node, struct merge_node *out);

#endif
