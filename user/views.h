/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * views.h - the commands that show what was recorded or reported: files in, a document out. Beside
 * the pipeline, whose records and reports they look at; like there, each logs what went wrong, once,
 * and returns what the process should exit with.
 */
#ifndef MEMSWELL_VIEWS_H
#define MEMSWELL_VIEWS_H

#include "options.h"

/* report: all incidents of the files, in the format asked for. */
enum exit_code views_report(const struct options *options);

/* explain: one incident, or all, in words. */
enum exit_code views_explain(const struct options *options);

#endif
