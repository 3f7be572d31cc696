/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* notify.c - see notify.h. */
#include "base/notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX	    512
#define DEFAULT_INTERVAL_NS (10ULL * 1000 * 1000 * 1000)
#define SIGNS_PER_WATCHDOG  3

/* A path, or "@NAME" in the abstract namespace. */
static int address_of(const char *name, struct sockaddr_un *address, socklen_t *len)
{
	size_t name_len = strlen(name);

	if ((*name != '/' && *name != '@') || name_len < 2)
		return -EAFNOSUPPORT;
	if (name_len >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, name_len);
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + name_len);
	if (*name == '@')
		address->sun_path[0] = '\0';
	else
		*len += 1;
	return 0;
}

static int connect_to(const char *name)
{
	struct sockaddr_un address;
	socklen_t len;
	int err = address_of(name, &address, &len);
	int fd;

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&address, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static uint64_t number_in(const char *variable)
{
	const char *text = getenv(variable);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* 0: nobody watches, or watches another process that gave us its environment. */
static uint64_t watchdog_ns(void)
{
	uint64_t pid = number_in("WATCHDOG_PID");

	return pid && pid != (uint64_t)getpid() ? 0 : number_in("WATCHDOG_USEC") * 1000;
}

int notify_open(struct notify *n, uint64_t step_ns)
{
	const char *name = getenv("NOTIFY_SOCKET");
	uint64_t watchdog = watchdog_ns();

	*n = (struct notify){.fd = -1, .interval_ns = DEFAULT_INTERVAL_NS};
	if (!name || !*name)
		return 0;
	int fd = connect_to(name);

	if (fd < 0)
		return fd;
	n->fd = fd;
	if (watchdog && watchdog < SIGNS_PER_WATCHDOG * step_ns) {
		watchdog = SIGNS_PER_WATCHDOG * step_ns;
		notify_send(n, "WATCHDOG_USEC=%llu\n", (unsigned long long)(watchdog / 1000));
	}
	if (watchdog)
		n->interval_ns = watchdog / SIGNS_PER_WATCHDOG;
	return 0;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

bool notify_send(const struct notify *n, const char *format, ...)
{
	char message[MESSAGE_MAX];
	va_list args;
	int len;

	if (n->fd < 0)
		return false;
	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (len < 0)
		return false;
	if ((size_t)len >= sizeof(message))
		len = sizeof(message) - 1;
	return write(n->fd, message, (size_t)len) == len;
}

bool notify_is_due(const struct notify *n, uint64_t now_ns)
{
	return n->fd >= 0 && now_ns >= n->due_ns;
}

void notify_alive(struct notify *n, uint64_t now_ns, const char *status)
{
	if (notify_send(n, "WATCHDOG=1\nSTATUS=%s\n", status))
		n->due_ns = now_ns + n->interval_ns;
}
