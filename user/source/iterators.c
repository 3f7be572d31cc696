/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* iterators.c - see iterators.h. */
#include "source/iterators.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

#define BUFFER_BYTES 32768

/* Hand out the whole records at the front; returns the bytes of those, or -EBADMSG. */
static ssize_t cut(const uint8_t *bytes, size_t len, iterator_fn fn, void *arg)
{
	size_t done = 0;

	while (len - done >= sizeof(struct wire_head)) {
		struct wire_head head;

		memcpy(&head, bytes + done, sizeof(head));
		if (head.size < sizeof(head) || head.size > BUFFER_BYTES)
			return -EBADMSG;
		if (head.size > len - done)
			break;
		fn(arg, bytes + done, head.size);
		done += head.size;
	}
	return (ssize_t)done;
}

int iterator_read(int fd, iterator_fn fn, void *arg)
{
	uint8_t buffer[BUFFER_BYTES];
	size_t len = 0;

	for (;;) {
		ssize_t got = read(fd, buffer + len, sizeof(buffer) - len);
		ssize_t done;

		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return len ? -EBADMSG : 0;
		len += (size_t)got;
		done = cut(buffer, len, fn, arg);
		if (done < 0)
			return (int)done;
		/* A read may end inside a record: its rest comes with the next. */
		memmove(buffer, buffer + done, len - (size_t)done);
		len -= (size_t)done;
	}
}

int iterator_run(const struct bpf_link *link, iterator_fn fn, void *arg)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	int err;

	if (fd < 0)
		return fd;
	err = iterator_read(fd, fn, arg);
	close(fd);
	return err;
}
