/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * source.h - where records come from: the kernel, a recording, or a test.
 *
 * A source hands out whole batches: records sorted by time (a very large one in parts, each sorted in
 * itself), ended by a RECORD_TICK (or by RECORD_STOP, after which there is nothing). The first batch
 * begins with RECORD_HEADER.
 */
#ifndef MEMSWELL_SOURCE_H
#define MEMSWELL_SOURCE_H

#include "model/record.h"

typedef void (*record_fn)(void *arg, const struct record *record);

struct source;

#define SOURCE_WOKEN 2

struct source_ops {
	const char *name;
	/*
	 * Wait for the next batch and hand each of its records to `fn`. Returns 1 after a batch, 0 after
	 * the one that ended with RECORD_STOP, -errno when the source is broken (it has logged nothing:
	 * source_error tells). A signal that asks to stop makes a live source end with RECORD_STOP.
	 * SOURCE_WOKEN before a batch was complete, from a live source that was given a wake_fd.
	 */
	int (*next)(struct source *source, record_fn fn, void *arg);
	/* What broke, one line without newline, for the user; "" if nothing did. */
	const char *(*error)(const struct source *source);
	void (*free)(struct source *source);
};

/* First member of every source. */
struct source {
	const struct source_ops *ops;
};

static inline int source_next(struct source *source, record_fn fn, void *arg)
{
	return source->ops->next(source, fn, arg);
}

static inline const char *source_error(const struct source *source)
{
	return source->ops->error(source);
}

static inline void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

#endif
