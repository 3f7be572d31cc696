/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* procfs.c - see procfs.h. */
#include "source/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"

#define NS_PER_S 1000000000ULL

ssize_t procfs_read_file(const char *path, char *out, size_t out_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	do {
		got = read(fd, out + len, out_size - 1 - len);
		len += got > 0 ? (size_t)got : 0;
	} while (got > 0 && len < out_size - 1);
	got = got < 0 ? -errno : (ssize_t)len;
	out[len] = '\0';
	close(fd);
	return got;
}

/* The number before ':', which must end there; false for anything else. */
static bool line_is_hierarchy(const char *line, size_t len, uint32_t hierarchy)
{
	uint64_t number = 0;
	size_t i = 0;

	while (i < len && i < 10 && line[i] >= '0' && line[i] <= '9')
		number = number * 10 + (uint64_t)(line[i++] - '0');
	return i > 0 && i < len && line[i] == ':' && number == hierarchy;
}

/* "/../..." is relative to the reader's own cgroup namespace: a name for nobody else. */
static bool is_above_us(const char *path, const char *stop)
{
	return stop - path >= 3 && memcmp(path, "/..", 3) == 0 &&
	       (path + 3 == stop || path[3] == '/');
}

int procfs_parse_cgroup(const char *text, size_t len, uint32_t hierarchy, char *out,
			size_t out_size)
{
	const char *end = text + len;

	for (const char *line = text; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *stop = newline ? newline : end;

		if (line_is_hierarchy(line, (size_t)(stop - line), hierarchy)) {
			const char *path = memchr(line, ':', (size_t)(stop - line)) + 1;

			/* "4:memory:/a:b": controllers hold no colon, but the path may. */
			path = memchr(path, ':', (size_t)(stop - path));
			if (!path || path + 1 == stop || path[1] != '/')
				return -ENOENT;
			if (is_above_us(path + 1, stop))
				return -EXDEV;
			utf8_sanitize(out, out_size, path + 1, (size_t)(stop - path - 1));
			return 0;
		}
		line = stop + 1;
	}
	return -ENOENT;
}

int procfs_parse_start_ticks(const char *text, size_t len, uint64_t *out)
{
	const char *end = text + len;
	const char *at = memrchr(text, ')', len);
	uint64_t value = 0;

	if (!at)
		return -EINVAL;
	for (int field = 2; field < 22; field++) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return -EINVAL;
		at++;
	}
	if (at == end || *at < '0' || *at > '9')
		return -EINVAL;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	*out = value;
	return 0;
}

void procfs_clean_exe(const char *link, size_t len, char *out, size_t out_size)
{
	static const char mark[] = " (deleted)";
	const size_t mark_len = sizeof(mark) - 1;

	if (len > mark_len && memcmp(link + len - mark_len, mark, mark_len) == 0)
		len -= mark_len;
	utf8_sanitize(out, out_size, link, len);
}

int procfs_parse_hex_line(const char *text, size_t len, const char *key, uint64_t *out)
{
	const char *end = text + len;
	const char *at = memmem(text, len, key, strlen(key));
	uint64_t value = 0;
	int digits = 0;

	if (!at)
		return -ENOENT;
	for (at += strlen(key); at < end && (*at == '\t' || *at == ' '); at++)
		;
	for (; at < end && digits < 16; at++, digits++) {
		/* NOLINTNEXTLINE(bugprone-not-null-terminated-result): NUL is no digit */
		const char *digit = memchr("0123456789abcdef", *at, 16);

		if (!digit)
			break;
		value = value << 4 | (uint64_t)(digit - "0123456789abcdef");
	}
	if (!digits)
		return -EINVAL;
	*out = value;
	return 0;
}

bool procfs_in_initial_namespace(const char *path, uint32_t initial)
{
	struct stat st;

	/* What cannot be asked is taken for the usual. */
	return stat(path, &st) || st.st_ino == initial;
}

bool procfs_is_alive(const struct proc_id *proc)
{
	static long ticks_per_s;
	char path[64], text[1024];
	uint64_t ticks;
	ssize_t len;

	if (!ticks_per_s)
		ticks_per_s = sysconf(_SC_CLK_TCK);
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/stat", proc->tgid);
	len = procfs_read_file(path, text, sizeof(text));
	if (len < 0 || procfs_parse_start_ticks(text, (size_t)len, &ticks))
		return false;
	return ticks == proc->start_ns / (NS_PER_S / (uint64_t)ticks_per_s);
}

int procfs_cgroup_path(const struct proc_id *proc, uint32_t hierarchy, char *out, size_t out_size)
{
	char path[64], text[8192];
	ssize_t len;

	/* In another namespace "/" is our own cgroup, and no path says where it begins. */
	if (!procfs_in_initial_namespace("/proc/self/ns/cgroup", PROCFS_INITIAL_CGROUP))
		return -EXDEV;
	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/cgroup", proc->tgid);
	len = procfs_read_file(path, text, sizeof(text));
	if (len < 0)
		return (int)len;
	if (!procfs_is_alive(proc))
		return -ENOENT;
	return procfs_parse_cgroup(text, (size_t)len, hierarchy, out, out_size);
}

int procfs_exe(const struct proc_id *proc, char *path, size_t path_size, struct stat *st)
{
	char link[64], target[PATH_MAX];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/%" PRIu32 "/exe", proc->tgid);
	len = readlink(link, target, sizeof(target));
	if (len < 0 || stat(link, st))
		return -errno;
	if (!procfs_is_alive(proc))
		return -ENOENT;
	procfs_clean_exe(target, (size_t)len, path, path_size);
	return 0;
}

static ssize_t read_of(const struct proc_id *proc, const char *name, char *out, size_t out_size)
{
	char path[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/%s", proc->tgid, name);
	len = procfs_read_file(path, out, out_size);
	if (len >= 0 && !procfs_is_alive(proc))
		return -ENOENT;
	return len;
}

ssize_t procfs_cmdline(const struct proc_id *proc, char *out, size_t out_size)
{
	return read_of(proc, "cmdline", out, out_size);
}

ssize_t procfs_environ(const struct proc_id *proc, char *out, size_t out_size)
{
	return read_of(proc, "environ", out, out_size);
}
