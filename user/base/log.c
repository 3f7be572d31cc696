/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * log.c - operator messages to stderr. It decides level and spelling; it has no files, no rotation
 * and no timestamps: whoever collects stderr (journald, a container runtime) adds those.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"

/* A longer message is cut: an error with a path of 4 KiB in it is still one short line. */
#define MESSAGE_MAX 1024
/* Every byte of the message may become \xNN; prefix and newline come on top. */
#define LINE_MAX_BYTES (4 * MESSAGE_MAX + 64)

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
_Static_assert(sizeof(level_names) / sizeof(level_names[0]) == NR_LOG_LEVELS, "level names");

/* Of syslog(3), as sd-daemon(3) puts them before a line; the journal takes them off. */
static const char *const journal_levels[] = {
	[LOG_LEVEL_ERROR] = "<3>",
	[LOG_LEVEL_WARN] = "<4>",
	[LOG_LEVEL_INFO] = "<6>",
	[LOG_LEVEL_DEBUG] = "<7>",
};
_Static_assert(sizeof(journal_levels) / sizeof(journal_levels[0]) == NR_LOG_LEVELS,
	       "journal levels");

static enum log_level max_level = LOG_LEVEL_INFO;
static bool to_journal;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* The variable alone proves nothing: who starts us may have inherited it and sent stderr elsewhere. */
void log_find_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	to_journal = false;
	if (!stream || fstat(STDERR_FILENO, &st))
		return;
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	to_journal = strcmp(stream, ours) == 0;
}

int log_level_parse(const char *word, enum log_level *out)
{
	for (int i = 0; i < NR_LOG_LEVELS; i++) {
		if (strcmp(word, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* C0, DEL, C1 (which begin with C2 in UTF-8) and what is not UTF-8 at all. */
static bool is_printable(const unsigned char *text, size_t valid)
{
	if (valid == 0)
		return false;
	if (valid == 1)
		return text[0] >= 0x20 && text[0] != 0x7F;
	return !(text[0] == 0xC2 && text[1] < 0xA0);
}

static size_t escape(char *line, const char *message)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = strlen(message);
	size_t out = 0;
	size_t step;

	for (size_t pos = 0; pos < len; pos += step) {
		const unsigned char *at = (const unsigned char *)message + pos;
		size_t valid = utf8_sequence(at, len - pos);

		if (is_printable(at, valid)) {
			memcpy(line + out, at, valid);
			out += valid;
			step = valid;
			continue;
		}
		memcpy(line + out, (char[]){'\\', 'x', hex[at[0] >> 4], hex[at[0] & 0xF]}, 4);
		out += 4;
		step = 1;
	}
	return out;
}

static void write_line(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* nobody is left to tell */
		line += n;
		len -= (size_t)n;
	}
}

void log_message(enum log_level level, const char *format, ...)
{
	int saved_errno = errno;
	char message[MESSAGE_MAX];
	char line[LINE_MAX_BYTES];
	va_list args;
	size_t len;

	if (level > max_level || (unsigned int)level >= NR_LOG_LEVELS)
		return;
	va_start(args, format);
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		message[0] = '\0';
	va_end(args);
	len = (size_t)snprintf(line, sizeof(line),
			       "%smemswell: %s: ", to_journal ? journal_levels[level] : "",
			       level_names[level]);
	len += escape(line + len, message);
	line[len++] = '\n';
	write_line(line, len);
	errno = saved_errno;
}
