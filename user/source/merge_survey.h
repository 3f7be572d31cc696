/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * merge_survey.h - the first look at recordings that are to be merged: which node each is of, what
 * time it covers, and how the clocks of the nodes lie to each other. See merge.h.
 */
#ifndef MEMSWELL_MERGE_SURVEY_H
#define MEMSWELL_MERGE_SURVEY_H

#include <stddef.h>

#include "source/clock_match.h"
#include "source/merge.h"

struct survey_file {
	const char *path;
	uint16_t node;
	uint64_t first_ns; /* boot clock of its node */
	uint64_t last_ns;
};

struct survey_node {
	struct record_header header; /* of its first file */
	char host_name[RECORD_TEXT_LEN];
	uint32_t first_file;
	int64_t wall_offset_ns;	     /* as it was at the end: what a clock was set to counts */
	struct clock_events *events; /* during the survey */
	int64_t offset_ns;	     /* to be added to its boot clock */
	int64_t correction_ns;	     /* the part of that its wall clock was wrong by */
	uint64_t error_ns;
	uint32_t nr_agree;
	bool reached;		  /* its clock is known by the first one's */
	struct clock_offset best; /* until then: what is known best, */
	uint32_t via;		  /* and by whose clock */
};

struct merge_survey {
	struct survey_file files[MERGE_MAX_FILES];
	struct survey_node nodes[MERGE_MAX_FILES];
	uint32_t nr_files;
	uint32_t nr_nodes;
};

/* 0, or -errno with a line in `error`. */
int merge_survey(struct merge_survey *survey, char *const *paths, uint32_t nr, char *error,
		 size_t error_size);

/* Is no file of another node of the same time? */
bool survey_is_alone(const struct merge_survey *survey, uint32_t node);

#endif
