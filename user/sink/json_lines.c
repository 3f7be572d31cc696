/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_lines.c - see json_lines.h. It decides when bytes go out and which lines are dropped; what a
 * line says is report_json.c's.
 *
 * O_NONBLOCK is never set: it belongs to the open file description, which a shell or a supervisor
 * may share with other programs. Instead poll() asks first and each write takes no more than poll()
 * promised. Lines are dropped whole and only before their first byte went out, so what a reader
 * gets is always JSON Lines.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "model/report_json.h"
#include "sink/json_lines.h"

#define BUFFER_BYTES (1024 * 1024)
/* A terminal that polls writable has some room, mostly this much; a pipe has PIPE_BUF at least. */
#define TERMINAL_CHUNK 256
#define FILE_CHUNK     (64 * 1024)
#define FINAL_WAIT_MS  2000

struct json_lines {
	struct sink base;
	int fd;
	int error;
	bool lossless;
	bool is_socket;
	size_t chunk; /* bytes one write may have without blocking when poll() says so */
	size_t start; /* of what waits in buffer */
	size_t len;
	uint64_t dropped;
	char line[REPORT_LINE_MAX + 1];
	char buffer[BUFFER_BYTES];
};

static struct json_lines *json_lines_of(struct sink *sink)
{
	return (struct json_lines *)sink;
}

static uint64_t count_lines(const char *data, size_t len)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < len; i++)
		nr += data[i] == '\n';
	return nr;
}

static void drop_buffered(struct json_lines *out)
{
	out->dropped += count_lines(out->buffer + out->start, out->len);
	out->start = 0;
	out->len = 0;
}

static void set_broken(struct json_lines *out, int error)
{
	out->error = error;
	drop_buffered(out);
}

/* Whether a write may go ahead within `timeout_ms` (-1: for ever). An error shows in the write. */
static bool wait_writable(const struct json_lines *out, int timeout_ms)
{
	struct pollfd pollfd = {.fd = out->fd, .events = POLLOUT};
	int n;

	do {
		n = poll(&pollfd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR && timeout_ms < 0);
	return n > 0;
}

static ssize_t write_chunk(const struct json_lines *out)
{
	const char *from = out->buffer + out->start;
	size_t len = out->len < out->chunk ? out->len : out->chunk;

	if (out->is_socket)
		return send(out->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return write(out->fd, from, len);
}

/* One write. False when the reader takes no more for now or never will. */
static bool push(struct json_lines *out, int timeout_ms)
{
	ssize_t n;

	if (!wait_writable(out, timeout_ms))
		return false;
	n = write_chunk(out);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return timeout_ms != 0;
	if (n < 0) {
		set_broken(out, errno);
		return false;
	}
	out->start += (size_t)n;
	out->len -= (size_t)n;
	if (out->len == 0)
		out->start = 0;
	return true;
}

static void drain(struct json_lines *out)
{
	while (out->len > 0 && push(out, out->lossless ? -1 : 0))
		;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void drain_finally(struct json_lines *out)
{
	int64_t end_ms = now_ms() + FINAL_WAIT_MS;
	int64_t left_ms = FINAL_WAIT_MS;

	while (out->len > 0 && left_ms > 0 && !out->error) {
		push(out, (int)left_ms);
		left_ms = end_ms - now_ms();
	}
	drop_buffered(out);
}

static bool make_room(struct json_lines *out, size_t len)
{
	if (BUFFER_BYTES - out->len < len)
		drain(out);
	if (out->error || BUFFER_BYTES - out->len < len)
		return false;
	if (BUFFER_BYTES - out->start - out->len < len) {
		memmove(out->buffer, out->buffer + out->start, out->len);
		out->start = 0;
	}
	return true;
}

static void json_lines_write(struct sink *sink, const struct report *report)
{
	struct json_lines *out = json_lines_of(sink);
	size_t len = report_json(report, out->line);

	if (!make_room(out, len)) {
		out->dropped++;
		return;
	}
	memcpy(out->buffer + out->start + out->len, out->line, len);
	out->len += len;
}

static void json_lines_flush(struct sink *sink, bool final)
{
	struct json_lines *out = json_lines_of(sink);

	drain(out);
	if (final && !out->lossless)
		drain_finally(out);
}

static uint64_t json_lines_take_dropped(struct sink *sink)
{
	struct json_lines *out = json_lines_of(sink);
	uint64_t dropped = out->dropped;

	out->dropped = 0;
	return dropped;
}

static int json_lines_error(const struct sink *sink)
{
	return ((const struct json_lines *)sink)->error;
}

static void json_lines_free(struct sink *sink)
{
	struct json_lines *out = json_lines_of(sink);

	if (out->fd != STDOUT_FILENO)
		close(out->fd);
	free(out);
}

static const struct sink_ops json_lines_ops = {
	.write = json_lines_write,
	.flush = json_lines_flush,
	.take_dropped = json_lines_take_dropped,
	.error = json_lines_error,
	.free = json_lines_free,
};

static size_t chunk_of(mode_t mode)
{
	if (S_ISFIFO(mode))
		return PIPE_BUF;
	if (S_ISCHR(mode))
		return TERMINAL_CHUNK;
	return FILE_CHUNK;
}

struct sink *json_lines_new(int fd, bool lossless)
{
	struct json_lines *out = malloc(sizeof(*out));
	struct stat st = {0};

	if (!out)
		return NULL;
	/* A descriptor that cannot be asked fails at the first write, where errors are looked for. */
	fstat(fd, &st);
	/* The buffers are not touched before they are used: an idle sink has no memory of 1 MiB. */
	out->base.ops = &json_lines_ops;
	out->fd = fd;
	out->error = 0;
	out->lossless = lossless;
	out->is_socket = S_ISSOCK(st.st_mode);
	out->chunk = chunk_of(st.st_mode);
	out->start = 0;
	out->len = 0;
	out->dropped = 0;
	return &out->base;
}
