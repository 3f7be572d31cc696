/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * check_view.h - what `memswell check` found out, for a person on call (what works first, then what is
 * missing with its consequence and remedy, then all the rest) or for a program
 * (docs/schema/check.schema.json). It finds out nothing itself.
 */
#ifndef MEMSWELL_CHECK_VIEW_H
#define MEMSWELL_CHECK_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/host.h"

/* Print all of `host` to `to`. 0, or -EIO when something did not reach `to`. */
int check_view_print(const struct host *host, bool json, FILE *to);

/* The sums: what is printed is what the rows add up to. */
uint64_t check_view_rss_ceiling(const struct host *host);
uint64_t check_view_map_ceiling(const struct host *host);

#endif
