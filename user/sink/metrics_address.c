/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* metrics_address.c - see metrics_address.h. */
#include "sink/metrics_address.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "model/address.h"

#define BACKLOG	    16
#define UNIX_PREFIX "unix:"
/* Read and write, which is connecting, for owner and group. */
#define UNIX_UMASK 0117

static const uint8_t v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

static int parse_port(const char *text, uint16_t *out)
{
	char *end;
	unsigned long port;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	port = strtoul(text, &end, 10);
	if (*end || !port || port > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)port;
	return 0;
}

int metrics_address_parse(const char *text, struct metrics_address *out)
{
	struct metrics_address address = {0};
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_TEXT_LEN];
	size_t len;
	bool is_v6 = *text == '[';

	if (!strncmp(text, UNIX_PREFIX, strlen(UNIX_PREFIX))) {
		address.path = text + strlen(UNIX_PREFIX);
		if (!*address.path)
			return -EINVAL;
		*out = address;
		return 0;
	}
	if (!colon || parse_port(colon + 1, &address.port))
		return -EINVAL;
	len = (size_t)(colon - text);
	if (is_v6) {
		if (len < 2 || text[len - 1] != ']')
			return -EINVAL;
		text++;
		len -= 2;
	}
	if (len >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (!address_parse(host, address.addr) || is_v6 != (strchr(host, ':') != NULL))
		return -EINVAL;
	*out = address;
	return 0;
}

static bool is_v4(const struct metrics_address *address)
{
	return memcmp(address->addr, v4_prefix, sizeof(v4_prefix)) == 0;
}

bool metrics_address_is_local(const struct metrics_address *address)
{
	static const uint8_t loopback6[16] = {[15] = 1};

	if (address->path)
		return true;
	return is_v4(address) ? address->addr[12] == 127
			      : memcmp(address->addr, loopback6, sizeof(loopback6)) == 0;
}

/* TCP ------------------------------------------------------------------------------------------ */

static int listen_tcp(const struct metrics_address *address, int *out)
{
	struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(address->port)};
	struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(address->port)};
	bool v4 = is_v4(address);
	const void *to = v4 ? (const void *)&to4 : (const void *)&to6;
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1, err = 0;

	if (fd < 0)
		return -errno;
	memcpy(&to4.sin_addr, address->addr + 12, sizeof(to4.sin_addr));
	memcpy(&to6.sin6_addr, address->addr, sizeof(to6.sin6_addr));
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    (!v4 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on))) ||
	    bind(fd, to, v4 ? sizeof(to4) : sizeof(to6)) || listen(fd, BACKLOG))
		err = -errno;
	if (err)
		close(fd);
	else
		*out = fd;
	return err;
}

/* Unix sockets --------------------------------------------------------------------------------- */

/* Through the descriptor of its directory, so that nobody can put another one in its place. */
static int make_name(struct sockaddr_un *to, int dir_fd, const char *name)
{
	int len = snprintf(to->sun_path, sizeof(to->sun_path), "/proc/self/fd/%d/%s", dir_fd, name);

	to->sun_family = AF_UNIX;
	return len < (int)sizeof(to->sun_path) ? 0 : -ENAMETOOLONG;
}

static bool somebody_answers(const struct sockaddr_un *to)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool answers = fd >= 0 && (!connect(fd, (const struct sockaddr *)to, sizeof(*to)) ||
				   errno != ECONNREFUSED);

	if (fd >= 0)
		close(fd);
	return answers;
}

/* What an earlier run left there goes; whatever else is there stays, and is an error. */
static int remove_stale(int dir_fd, const char *name, const struct sockaddr_un *to)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid())
		return -EEXIST;
	if (somebody_answers(to))
		return -EADDRINUSE;
	return unlinkat(dir_fd, name, 0) ? -errno : 0;
}

static int bind_unix(int fd, const struct sockaddr_un *to)
{
	mode_t before = umask(UNIX_UMASK);
	int err = bind(fd, (const struct sockaddr *)to, sizeof(*to)) ? -errno : 0;

	umask(before);
	return err;
}

static int listen_unix(struct metrics_listener_socket *s)
{
	struct sockaddr_un to = {0};
	int err = make_name(&to, s->dir_fd, s->name);
	int fd;

	if (!err)
		err = remove_stale(s->dir_fd, s->name, &to);
	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	err = bind_unix(fd, &to);
	if (!err && listen(fd, BACKLOG)) {
		err = -errno;
		unlinkat(s->dir_fd, s->name, 0);
	}
	if (err)
		close(fd);
	else
		s->fd = fd;
	return err;
}

static const char *unix_error(int err)
{
	switch (err) {
	case -EEXIST:
		return "something else is there: expected nothing, or a socket of our own user";
	case -EADDRINUSE:
		return "somebody answers there already";
	default:
		return strerror(-err);
	}
}

int metrics_address_listen(const struct metrics_address *address,
			   struct metrics_listener_socket *out, char *error, size_t error_size)
{
	struct metrics_listener_socket s = {.fd = -1, .dir_fd = -1};
	int err;

	if (!address->path) {
		err = listen_tcp(address, &s.fd);
		if (err)
			snprintf(error, error_size, "cannot listen: %s", strerror(-err));
		else
			*out = s;
		return err;
	}
	s.dir_fd = file_open_dir(address->path, &s.name, error, error_size);
	if (s.dir_fd < 0)
		return s.dir_fd;
	err = listen_unix(&s);
	if (err) {
		snprintf(error, error_size, "%s: %s", address->path, unix_error(err));
		close(s.dir_fd);
		return err;
	}
	*out = s;
	return 0;
}

void metrics_address_close(struct metrics_listener_socket *s)
{
	if (s->dir_fd >= 0) {
		unlinkat(s->dir_fd, s->name, 0);
		close(s->dir_fd);
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->dir_fd = -1;
}
