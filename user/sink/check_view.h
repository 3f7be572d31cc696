/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* check_view.h - the state of every hook, for a person or for a program. */
#ifndef MEMSWELL_CHECK_VIEW_H
#define MEMSWELL_CHECK_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "model/record.h"

/* Print all of `probes` to `to`. 0, or -EIO when something did not reach `to`. */
int check_view_print(const struct record_probe *probes, uint32_t nr, bool json, FILE *to);

#endif
