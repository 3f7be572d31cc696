/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* merge_survey.c - see merge_survey.h. */
#include "source/merge_survey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/units.h"
#include "source/replay.h"

#define SHOWN 100 /* bytes of a path, in messages */

struct failure {
	char *text;
	size_t size;
};

static int fail(const struct failure *failure, const char *path, const char *what)
{
	snprintf(failure->text, failure->size, "%.*s: %s", SHOWN, path, what);
	return -EINVAL;
}

/* Whose it is ---------------------------------------------------------------------------------- */

/* One boot of one kernel. Old recordings have no boot id; those that say nothing are of nobody else. */
static bool same_node(const struct record_header *a, const struct record_header *b)
{
	if (a->boot_id[0] || b->boot_id[0])
		return strcmp(a->boot_id, b->boot_id) == 0;
	return (a->host_id[0] || a->host_name[0]) && strcmp(a->host_id, b->host_id) == 0 &&
	       strcmp(a->host_name, b->host_name) == 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int add_node(struct merge_survey *survey, uint32_t file, const struct record_header *header)
{
	struct survey_node *node = &survey->nodes[survey->nr_nodes];

	node->events = calloc(1, sizeof(*node->events));
	if (!node->events)
		return -ENOMEM;
	node->header = *header;
	node->first_file = file;
	snprintf(node->host_name, sizeof(node->host_name), "%s",
		 header->host_name[0] ? header->host_name : base_name(survey->files[file].path));
	survey->files[file].node = (uint16_t)survey->nr_nodes++;
	return 0;
}

static int find_node(struct merge_survey *survey, uint32_t file, const struct record_header *header)
{
	for (uint32_t i = 0; i < survey->nr_nodes; i++)
		if (same_node(&survey->nodes[i].header, header)) {
			survey->files[file].node = (uint16_t)i;
			return 0;
		}
	return add_node(survey, file, header);
}

static int check_overlap(const struct merge_survey *survey, uint32_t file,
			 const struct failure *failure)
{
	const struct survey_file *f = &survey->files[file];

	for (uint32_t i = 0; i < file; i++) {
		const struct survey_file *other = &survey->files[i];

		if (other->node != f->node || f->first_ns > other->last_ns ||
		    other->first_ns > f->last_ns)
			continue;
		snprintf(failure->text, failure->size,
			 "%.*s and %.*s: expected recordings of several nodes, both are of host "
			 "%.*s and of the same time",
			 SHOWN, other->path, SHOWN, f->path, SHOWN,
			 survey->nodes[f->node].host_name);
		return -EINVAL;
	}
	return 0;
}

/* What is in it -------------------------------------------------------------------------------- */

static int take_header(struct merge_survey *survey, uint32_t file, const struct record *record,
		       const struct failure *failure)
{
	const struct record_header *header = &record->header;

	if (!header->wall_offset_ns)
		return fail(
			failure, survey->files[file].path,
			"line 1: expected \"wall_offset_ns\": without a wall clock it cannot be "
			"merged with others");
	survey->files[file].first_ns = record->ts_ns;
	if (find_node(survey, file, header))
		return fail(failure, survey->files[file].path, "out of memory");
	survey->nodes[survey->files[file].node].wall_offset_ns = header->wall_offset_ns;
	return 0;
}

static int read_through(struct merge_survey *survey, uint32_t file, struct source *replay,
			const struct failure *failure)
{
	struct survey_file *f = &survey->files[file];
	struct survey_node *node = NULL;
	struct record *record;
	int n, err;

	while ((n = replay_read(replay, &record)) > 0) {
		if (!node) {
			err = take_header(survey, file, record, failure);
			if (err)
				return err;
			node = &survey->nodes[f->node];
		}
		f->last_ns = max_u64(f->last_ns, record->ts_ns);
		if (record->kind == RECORD_CLOCK)
			node->wall_offset_ns = record->clock.wall_offset_ns;
		clock_events_add(node->events, record);
	}
	if (n < 0)
		snprintf(failure->text, failure->size, "%s", source_error(replay));
	return n;
}

static int check_file(const char *path, const struct failure *failure)
{
	struct stat st;

	if (strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
		return fail(failure, path, "expected a file that can be read twice, to be merged");
	return 0;
}

static int survey_file(struct merge_survey *survey, uint32_t file, const char *path,
		       const struct failure *failure)
{
	struct source *replay = NULL;
	int err = check_file(path, failure);

	survey->files[file].path = path;
	if (!err)
		err = replay_new(path, &replay, failure->text, failure->size);
	if (!err)
		err = read_through(survey, file, replay, failure);
	source_free(replay);
	return err ? err : check_overlap(survey, file, failure);
}

/* Clocks --------------------------------------------------------------------------------------- */

/* What it and those whose clock is not known yet saw together; the more agrees the better. */
static void compare_with(struct merge_survey *survey, uint32_t known)
{
	struct clock_offset offset;

	for (uint32_t i = 0; i < survey->nr_nodes; i++) {
		struct survey_node *node = &survey->nodes[i];

		if (node->reached)
			continue;
		clock_match(survey->nodes[known].events, node->events, &offset);
		if (offset.nr <= node->best.nr)
			continue;
		node->best = offset;
		node->via = known;
	}
}

/* The next one whose clock can be known; NULL when there is none. */
static struct survey_node *next_known(struct merge_survey *survey)
{
	struct survey_node *best = NULL;

	for (uint32_t i = 0; i < survey->nr_nodes; i++) {
		struct survey_node *node = &survey->nodes[i];

		if (!node->reached && node->best.nr && (!best || node->best.nr > best->best.nr))
			best = node;
	}
	return best;
}

static int64_t add_i64(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static void reach(struct merge_survey *survey, struct survey_node *node)
{
	const struct survey_node *via = &survey->nodes[node->via];

	node->reached = true;
	node->offset_ns = add_i64(via->offset_ns, node->best.offset_ns);
	node->error_ns = add_u64(via->error_ns, node->best.error_ns);
	node->nr_agree = node->best.nr;
}

/* From the first file's node on, from known to unknown; whom nothing reaches keeps its wall clock. */
static void compare_clocks(struct merge_survey *survey)
{
	struct survey_node *node = &survey->nodes[0];

	node->reached = true;
	node->offset_ns = node->wall_offset_ns;
	do {
		compare_with(survey, (uint32_t)(node - survey->nodes));
		node = next_known(survey);
		if (node)
			reach(survey, node);
	} while (node);
	for (uint32_t i = 0; i < survey->nr_nodes; i++) {
		node = &survey->nodes[i];
		if (!node->reached) {
			node->offset_ns = node->wall_offset_ns;
			node->error_ns = MERGE_CLOCK_UNKNOWN_NS;
		}
		node->correction_ns =
			(int64_t)((uint64_t)node->offset_ns - (uint64_t)node->wall_offset_ns);
	}
}

bool survey_is_alone(const struct merge_survey *survey, uint32_t node)
{
	for (uint32_t a = 0; a < survey->nr_files; a++) {
		const struct survey_file *mine = &survey->files[a];
		uint64_t move = (uint64_t)survey->nodes[node].offset_ns;

		for (uint32_t b = 0; b < survey->nr_files; b++) {
			const struct survey_file *other = &survey->files[b];
			uint64_t other_move = (uint64_t)survey->nodes[other->node].offset_ns;

			if (mine->node == node && other->node != node &&
			    mine->first_ns + move <= other->last_ns + other_move &&
			    other->first_ns + other_move <= mine->last_ns + move)
				return false;
		}
	}
	return true;
}

int merge_survey(struct merge_survey *survey, char *const *paths, uint32_t nr, char *error,
		 size_t error_size)
{
	struct failure failure = {error, error_size};
	int err = 0;

	if (nr > MERGE_MAX_FILES)
		return fail(&failure, paths[MERGE_MAX_FILES], "expected at most 64 files");
	for (uint32_t i = 0; i < nr && !err; i++) {
		err = survey_file(survey, i, paths[i], &failure);
		survey->nr_files++;
	}
	for (uint32_t i = 0; i < survey->nr_nodes; i++)
		clock_events_end(survey->nodes[i].events);
	if (!err)
		compare_clocks(survey);
	for (uint32_t i = 0; i < survey->nr_nodes; i++) {
		free(survey->nodes[i].events);
		survey->nodes[i].events = NULL;
	}
	return err;
}
