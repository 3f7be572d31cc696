/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* health.h - `memswell health`: does the run on this host go on? For probes that run a command. */
#ifndef MEMSWELL_HEALTH_H
#define MEMSWELL_HEALTH_H

#include "options.h"

/* One line on stdout that says why; EXIT_CODE_OK if its loop went round lately, else EXIT_CODE_FAILED. */
enum exit_code health(const struct options *options);

#endif
