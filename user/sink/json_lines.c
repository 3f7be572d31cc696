/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_lines.c - see json_lines.h. It decides when bytes go out and which lines are dropped; what a
 * line says is report_json.c's.
 *
 * O_NONBLOCK is never set: it belongs to the open file description, which a shell or a supervisor
 * may share with other programs. Instead poll() asks first and each write takes no more than poll()
 * promised. Lines are dropped whole and only before their first byte went out, so what a reader
 * gets is always JSON Lines.
 *
 * A disk that is full or fails is no reason to end: the next incident matters more than the last
 * heartbeats. What was begun is ended later, what does not fit into the buffer is dropped and counted.
 * A reader that went away (EPIPE) is final: it will not come back, and whoever supervises both should
 * know.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/output_file.h"
#include "model/report_json.h"
#include "sink/json_lines.h"

#define BUFFER_BYTES (256 * 1024)
/* A terminal that polls writable has some room, mostly this much; a pipe has PIPE_BUF at least. */
#define TERMINAL_CHUNK 256
#define FILE_CHUNK     (64 * 1024)
#define FINAL_WAIT_MS  2000
/* Between attempts to write to a file that fails: doubled each time. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 30000

struct json_lines {
	struct sink base;
	int fd;			  /* -1: `file` */
	struct output_file *file; /* NULL: `fd` */
	int error;
	int trouble;	  /* errno of the last attempt, 0: it went well */
	int rotate_error; /* the last one told */
	int64_t retry_ms; /* with trouble: when to try again ... */
	int64_t wait_ms;  /* ... which was so long after the last time */
	bool lossless;
	bool is_socket;
	bool is_regular;
	size_t chunk; /* bytes one write may have without blocking when poll() says so */
	size_t start; /* of what waits in buffer */
	size_t len;
	uint64_t dropped;
	const char *drop_reason;
	uint64_t delivered;
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

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Try again later, and say so once. */
static void set_trouble(struct json_lines *out, int error)
{
	if (!out->trouble)
		log_error("cannot write reports: %s; trying again, and counting what is dropped",
			  strerror(error));
	out->wait_ms = out->trouble ? 2 * out->wait_ms : RETRY_MIN_MS;
	if (out->wait_ms > RETRY_MAX_MS)
		out->wait_ms = RETRY_MAX_MS;
	out->trouble = error;
	out->retry_ms = now_ms() + out->wait_ms;
}

static void end_trouble(struct json_lines *out)
{
	if (out->trouble)
		log_info("reports can be written again");
	out->trouble = 0;
}

static void tell_rotation(struct json_lines *out)
{
	int err = output_file_rotate_error(out->file);

	if (err != out->rotate_error && err)
		log_error("cannot rotate the reports: %s; the file grows on", strerror(-err));
	out->rotate_error = err;
}

/* Whether a write may go ahead within `timeout_ms` (-1: for ever). An error shows in the write. */
static bool wait_writable(const struct json_lines *out, int timeout_ms)
{
	struct pollfd pollfd = {.fd = out->fd, .events = POLLOUT};
	int n;

	if (out->file)
		return true;
	do {
		n = poll(&pollfd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR && timeout_ms < 0);
	return n > 0;
}

static ssize_t write_chunk(struct json_lines *out)
{
	const char *from = out->buffer + out->start;
	size_t len = out->len < out->chunk ? out->len : out->chunk;
	ssize_t n;

	if (out->file) {
		n = output_file_write(out->file, from, len);
		tell_rotation(out);
	} else {
		n = out->is_socket ? send(out->fd, from, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				   : write(out->fd, from, len);
		n = n < 0 ? -errno : n;
	}
	return n;
}

/* One write. False when the reader takes no more for now or never will. */
static bool push(struct json_lines *out, int timeout_ms)
{
	ssize_t n;

	if (!wait_writable(out, timeout_ms))
		return false;
	n = write_chunk(out);
	if (n == -EAGAIN || n == -EINTR)
		return timeout_ms != 0;
	if (n < 0) {
		if (out->is_regular && !out->lossless)
			set_trouble(out, (int)-n);
		else
			set_broken(out, (int)-n);
		return false;
	}
	end_trouble(out);
	out->delivered += count_lines(out->buffer + out->start, (size_t)n);
	out->start += (size_t)n;
	out->len -= (size_t)n;
	if (out->len == 0)
		out->start = 0;
	return true;
}

static void drain(struct json_lines *out)
{
	if (out->trouble && now_ms() < out->retry_ms)
		return;
	while (out->len > 0 && push(out, out->lossless ? -1 : 0))
		;
}

static void drain_finally(struct json_lines *out)
{
	int64_t end_ms = now_ms() + FINAL_WAIT_MS;
	int64_t left_ms = FINAL_WAIT_MS;

	/* A file that fails is asked once more; a reader gets his time. */
	while (out->len > 0 && left_ms > 0 && !out->error) {
		if (!push(out, (int)left_ms) && out->trouble)
			break;
		left_ms = end_ms - now_ms();
	}
	if (out->trouble)
		log_error("%llu reports were not written: %s",
			  (unsigned long long)count_lines(out->buffer + out->start, out->len),
			  strerror(out->trouble));
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

/* Why lines do not get out right now. */
static const char *drop_reason(const struct json_lines *out)
{
	switch (out->trouble) {
	case 0:
		return "slow_consumer";
	case ENOSPC:
	case EDQUOT:
		return "no_space";
	default:
		return "write_error";
	}
}

static void json_lines_write(struct sink *sink, const struct report *report)
{
	struct json_lines *out = json_lines_of(sink);
	size_t len = report_json(report, out->line);

	if (!make_room(out, len)) {
		out->dropped++;
		out->drop_reason = drop_reason(out);
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

static uint64_t json_lines_take_dropped(struct sink *sink, const char **reason)
{
	struct json_lines *out = json_lines_of(sink);
	uint64_t dropped = out->dropped;

	*reason = out->drop_reason;
	out->dropped = 0;
	return dropped;
}

static uint64_t json_lines_take_delivered(struct sink *sink)
{
	struct json_lines *out = json_lines_of(sink);
	uint64_t delivered = out->delivered;

	out->delivered = 0;
	return delivered;
}

static int json_lines_error(const struct sink *sink)
{
	return ((const struct json_lines *)sink)->error;
}

static void json_lines_free(struct sink *sink)
{
	struct json_lines *out = json_lines_of(sink);

	if (out->fd >= 0 && out->fd != STDOUT_FILENO)
		close(out->fd);
	if (out->file)
		output_file_cut(out->file);
	output_file_free(out->file);
	free(out);
}

static const struct sink_ops json_lines_ops = {
	.write = json_lines_write,
	.flush = json_lines_flush,
	.take_dropped = json_lines_take_dropped,
	.take_delivered = json_lines_take_delivered,
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

size_t json_lines_memory_ceiling(void)
{
	return sizeof(struct json_lines);
}

static struct sink *new_sink(int fd, struct output_file *file, mode_t mode, bool lossless)
{
	struct json_lines *out = malloc(sizeof(*out));

	if (!out)
		return NULL;
	/* The buffers are not touched before they are used: an idle sink has no memory of 1 MiB. */
	memset(out, 0, offsetof(struct json_lines, line));
	out->base.ops = &json_lines_ops;
	out->fd = fd;
	out->file = file;
	out->lossless = lossless;
	out->is_socket = S_ISSOCK(mode);
	out->is_regular = S_ISREG(mode);
	out->chunk = chunk_of(mode);
	return &out->base;
}

struct sink *json_lines_new(int fd, bool lossless)
{
	struct stat st = {0};

	/* A descriptor that cannot be asked fails at the first write, where errors are looked for. */
	fstat(fd, &st);
	return new_sink(fd, NULL, st.st_mode, lossless);
}

struct sink *json_lines_new_file(struct output_file *file, bool lossless)
{
	return new_sink(-1, file, S_IFREG, lossless);
}
