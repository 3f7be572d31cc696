/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * scratch.h - a temporary directory with one file for a group of tests: pass scratch_make and
 * scratch_remove as group setup and teardown.
 */
#ifndef MEMSWELL_TESTS_SCRATCH_H
#define MEMSWELL_TESTS_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch_dir[] = "/tmp/memswell-test-XXXXXX";
static char scratch_file[64];

static int scratch_make(void **state)
{
	(void)state;
	if (!mkdtemp(scratch_dir))
		return -1;
	snprintf(scratch_file, sizeof(scratch_file), "%s/file", scratch_dir);
	return 0;
}

static int scratch_remove(void **state)
{
	(void)state;
	unlink(scratch_file);
	return rmdir(scratch_dir);
}

#endif
