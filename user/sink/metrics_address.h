/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * metrics_address.h - where metrics are served: a path or an address, and the socket that listens there.
 */
#ifndef MEMSWELL_METRICS_ADDRESS_H
#define MEMSWELL_METRICS_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct metrics_address {
	const char *path; /* of a unix socket, into the text; NULL: the address */
	uint8_t addr[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;
};

/* "unix:PATH", "127.0.0.1:PORT" or "[::1]:PORT"; -EINVAL if it is none of these. */
int metrics_address_parse(const char *text, struct metrics_address *out);

/* Can only this host reach it? */
bool metrics_address_is_local(const struct metrics_address *address);

struct metrics_listener_socket {
	int fd;
	int dir_fd;	  /* of a unix socket; -1: none */
	const char *name; /* in that directory */
};

/*
 * Bind and listen. A unix socket is made with mode 0660; one that was left behind by a run of the same
 * user, and that nobody answers on, is replaced, anything else at its place is refused. 0, or -errno
 * with one line in `error`.
 */
int metrics_address_listen(const struct metrics_address *address,
			   struct metrics_listener_socket *out, char *error, size_t error_size);

/* Close, and remove the unix socket. */
void metrics_address_close(struct metrics_listener_socket *s);

#endif
