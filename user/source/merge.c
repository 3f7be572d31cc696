/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* merge.c - see merge.h. Whose the files are and what their clocks say is merge_survey.c's. */
#include "source/merge.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "model/record_node.h"
#include "source/merge_survey.h"
#include "source/replay.h"

/* A file on its way through. */
struct input {
	struct source *replay;
	struct record *record; /* not handed out yet; NULL at the end */
	uint64_t key_ns;       /* its place; never before that of the one before it */
	bool stopped;
};

struct merge {
	struct source base;
	struct merge_survey survey;
	struct input inputs[MERGE_MAX_FILES];
	uint32_t nr;
	uint64_t now_ns;
	bool over;
	char error[512];
};

static struct merge *merge_of(struct source *source)
{
	return (struct merge *)source;
}

/* What describes the clock is true of the clock that all share. */
static void move_clock(struct record *record, const struct survey_node *node)
{
	if (record->kind == RECORD_GAP && record->gap.from_wall_ns)
		record->gap.from_wall_ns = (int64_t)((uint64_t)record->gap.from_wall_ns +
						     (uint64_t)node->correction_ns);
	if (record->kind != RECORD_HEADER)
		return;
	record->header.wall_offset_ns = 0;
	record->header.clock_error_ns = node->error_ns;
	record->header.clock_correction_ns = node->correction_ns;
	if (!record->header.host_name[0])
		snprintf(record->header.host_name, sizeof(record->header.host_name), "%s",
			 node->host_name);
}

/* Steps of a wall clock are no steps of this one; that a node ended is not the end. */
static bool is_passed_over(const struct record *record)
{
	return record->kind == RECORD_CLOCK || record->kind == RECORD_STOP;
}

static int advance(struct merge *merge, uint32_t i)
{
	const struct survey_file *file = &merge->survey.files[i];
	const struct survey_node *node = &merge->survey.nodes[file->node];
	struct input *in = &merge->inputs[i];
	int n;

	do {
		n = replay_read(in->replay, &in->record);
		in->stopped |= n > 0 && in->record->kind == RECORD_STOP;
	} while (n > 0 && is_passed_over(in->record));
	if (n < 0)
		snprintf(merge->error, sizeof(merge->error), "%s", source_error(in->replay));
	if (n <= 0) {
		in->record = NULL;
		return n;
	}
	record_move(in->record, file->node, node->offset_ns);
	move_clock(in->record, node);
	in->key_ns = max_u64(in->key_ns, in->record->ts_ns);
	return 0;
}

/* Of equal times the file named first. */
static struct input *earliest(struct merge *merge)
{
	struct input *best = NULL;

	for (uint32_t i = 0; i < merge->nr; i++) {
		struct input *in = &merge->inputs[i];

		if (in->record && (!best || in->key_ns < best->key_ns))
			best = in;
	}
	return best;
}

static int end_of_all(struct merge *merge, record_fn fn, void *arg)
{
	struct record stop = {.ts_ns = merge->now_ns, .kind = RECORD_STOP};

	for (uint32_t i = 0; i < merge->nr; i++)
		if (!merge->inputs[i].stopped)
			return 0;
	if (!merge->over)
		fn(arg, &stop);
	merge->over = true;
	return 0;
}

static int merge_next(struct source *source, record_fn fn, void *arg)
{
	struct merge *merge = merge_of(source);
	struct input *in;
	bool tick;
	int err;

	while ((in = earliest(merge))) {
		merge->now_ns = in->key_ns;
		tick = in->record->kind == RECORD_TICK;
		fn(arg, in->record);
		err = advance(merge, (uint32_t)(in - merge->inputs));
		if (err || tick)
			return err ? err : 1;
	}
	return end_of_all(merge, fn, arg);
}

static const char *merge_error(const struct source *source)
{
	return ((const struct merge *)source)->error;
}

static void merge_free(struct source *source)
{
	struct merge *merge = merge_of(source);

	for (uint32_t i = 0; i < merge->nr; i++)
		source_free(merge->inputs[i].replay);
	free(merge);
}

static const struct source_ops merge_ops = {
	.name = "merge",
	.next = merge_next,
	.error = merge_error,
	.free = merge_free,
};

static int open_inputs(struct merge *merge, char *const *paths, uint32_t nr)
{
	int err = 0;

	for (uint32_t i = 0; i < nr && !err; i++) {
		err = replay_new(paths[i], &merge->inputs[i].replay, merge->error,
				 sizeof(merge->error));
		if (err)
			break;
		merge->nr++;
		err = advance(merge, i);
	}
	return err;
}

int merge_new(char *const *paths, uint32_t nr, struct source **out, char *error, size_t error_size)
{
	struct merge *merge = calloc(1, sizeof(*merge));
	int err;

	if (!merge) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	merge->base.ops = &merge_ops;
	err = merge_survey(&merge->survey, paths, nr, merge->error, sizeof(merge->error));
	if (!err)
		err = open_inputs(merge, paths, nr);
	if (err) {
		snprintf(error, error_size, "%s", merge->error);
		merge_free(&merge->base);
		return err;
	}
	*out = &merge->base;
	return 0;
}

uint32_t merge_nr_nodes(const struct source *source)
{
	return ((const struct merge *)source)->survey.nr_nodes;
}

void merge_tell(const struct source *source, uint32_t node, struct merge_node *out)
{
	const struct merge *merge = (const struct merge *)source;
	const struct survey_node *n = &merge->survey.nodes[node];

	*out = (struct merge_node){
		.file = merge->survey.files[n->first_file].path,
		.host_name = n->host_name,
		.correction_ns = n->correction_ns,
		.error_ns = n->error_ns,
		.nr_agree = n->nr_agree,
		.alone = survey_is_alone(&merge->survey, node),
	};
}
