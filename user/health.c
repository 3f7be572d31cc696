/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * health.c - see health.h. The state file of a run holds the time of its newest tick; that it is fresh
 * says that the loop goes round, and nothing about where its reports go: a reader that is slow or gone is
 * no reason to start anew.
 */
#include "health.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/self.h"
#include "source/state_file.h"

#define NS_PER_S 1e9

static const char *why_unreadable(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is none: nothing runs, or with --state=none";
	case -ENODATA:
		return "nothing whole is in it (yet): just begun, another version's, or damaged";
	case -EPERM:
		return "expected a plain file of our own that nobody else can write";
	default:
		return strerror(-err);
	}
}

/* NULL: all is well. */
static const char *why_not(const struct options *options, const struct run_state *state,
			   double *age_s)
{
	struct record header = {0};
	uint64_t now_ns = self_boot_ns();

	self_header(&header);
	*age_s = now_ns > state->tick_ns ? (double)(now_ns - state->tick_ns) / NS_PER_S : 0;
	if (strcmp(state->boot_id, header.header.boot_id) != 0)
		return "the last run was before this boot";
	if (state->is_ended)
		return "it was asked to end, and did";
	if (!state->tick_ns || now_ns > state->tick_ns + options->max_age_ns)
		return "its loop does not go round";
	return NULL;
}

enum exit_code health(const struct options *options)
{
	const char *path = options->state ? options->state : OPTIONS_STATE_FILE;
	struct run_state state;
	const char *why;
	double age_s;
	int err = state_file_peek(path, &state);

	if (err) {
		printf("unhealthy: %s: %s\n", path, why_unreadable(err));
		return EXIT_CODE_FAILED;
	}
	why = why_not(options, &state, &age_s);
	printf("%s%s%s: process %u, newest tick %.1f s ago, at most %.1f s expected\n",
	       why ? "unhealthy" : "healthy", why ? ": " : "", why ? why : "", state.pid, age_s,
	       (double)options->max_age_ns / NS_PER_S);
	return why ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
