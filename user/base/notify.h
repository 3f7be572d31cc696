/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * notify.h - what a service manager is told: that the start is over, what goes on, that the loop still
 * moves. Lines in datagrams to $NOTIFY_SOCKET, as sd_notify(3) describes. What is worth telling and
 * what counts as progress is the caller's decision.
 *
 * The library for it makes a socket for each message, which is refused after lockdown, and costs
 * 1.3 MiB of RSS in six further libraries. Here one socket is connected at start and written to.
 */
#ifndef MEMSWELL_NOTIFY_H
#define MEMSWELL_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd; /* -1: there is no manager, and all of this does nothing */
	uint64_t
		interval_ns; /* between signs of life: a third of the watchdog's time, 10 s without */
	uint64_t due_ns;     /* of the next one */
};

/*
 * Connect to the manager in the environment, if there is one. `step_ns` is the longest time between two
 * signs of progress: a watchdog that is faster is told to wait for three of them. 0, or -errno and
 * `n` without a manager.
 */
int notify_open(struct notify *n, uint64_t step_ns);
void notify_close(struct notify *n);

/* "NAME=value" lines. Never waits; what a manager that does not read misses is sent no second time. */
bool notify_send(const struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A sign of life, with a status line, when one is due at `now_ns` (of CLOCK_MONOTONIC). One that could
 * not be sent stays due.
 */
bool notify_is_due(const struct notify *n, uint64_t now_ns);
void notify_alive(struct notify *n, uint64_t now_ns, const char *status);

#endif
