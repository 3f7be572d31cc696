/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* signals.h - the process's manners: which signals it takes as data, which it does not die of. */
#ifndef MEMSWELL_SIGNALS_H
#define MEMSWELL_SIGNALS_H

#include <stdbool.h>

/* Writing to what is gone or too large is an error, not an end; new files are 0640 at most. */
void signals_set_manners(void);

/* A descriptor that turns readable on SIGINT and SIGTERM, which are blocked from here on; -errno. */
int signals_stop_fd(void);

/*
 * The same for SIGHUP, by which a daemon is asked to open its files anew; -1 where it shall end the
 * run instead: one on a terminal, which says by it that it is gone, and without a file of its own.
 */
int signals_hup_fd(bool has_file);

/* Empty such a descriptor (-1: there is none); whether there was a signal in it. */
bool signals_take(int fd);

#endif
