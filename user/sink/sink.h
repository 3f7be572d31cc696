/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sink.h - where reports go. A sink never blocks its caller: what a slow consumer does not take is
 * dropped whole, counted, and visible as a gap in seq.
 */
#ifndef MEMSWELL_SINK_H
#define MEMSWELL_SINK_H

#include <stdint.h>

#include "model/report.h"

struct sink;

struct sink_ops {
	void (*write)(struct sink *sink, const struct report *report);
	/* Push out what is buffered; with `final`, wait for a consumer that reads, 2 s at most. */
	void (*flush)(struct sink *sink, bool final);
	/* Reports dropped since the last call; if there are any, *reason says why. */
	uint64_t (*take_dropped)(struct sink *sink, const char **reason);
	/* Reports whose last byte was written, since the last call. */
	uint64_t (*take_delivered)(struct sink *sink);
	/* 0, or the errno that broke the sink for good (EPIPE: the consumer went away). */
	int (*error)(const struct sink *sink);
	void (*free)(struct sink *sink);
};

/* First member of every sink. */
struct sink {
	const struct sink_ops *ops;
};

#endif
