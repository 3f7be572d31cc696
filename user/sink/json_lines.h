/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* json_lines.h - reports as JSON Lines on a file descriptor. */
#ifndef MEMSWELL_JSON_LINES_H
#define MEMSWELL_JSON_LINES_H

#include "sink/sink.h"

/*
 * Takes over `fd` (closes it unless it is 1). With `lossless` every write waits for the consumer
 * (replay); without, a pipe or socket that is full makes whole lines wait in a buffer of 1 MiB and
 * then drop (run). NULL with errno when out of memory.
 */
struct sink *json_lines_new(int fd, bool lossless);

#endif
