/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * log.h - what memswell tells its operator: one line on stderr per call. Never data (that is
 * stdout's), never called from core or model: libraries return errors, callers log them once.
 */
#ifndef MEMSWELL_LOG_H
#define MEMSWELL_LOG_H

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	NR_LOG_LEVELS
};

/* Messages above `level` are not written. The default is LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/*
 * If systemd connected stderr to the journal ($JOURNAL_STREAM), lines begin with its "<N>" from now
 * on, so that `journalctl -p warning` finds them. To be asked once, at start.
 */
void log_find_journal(void);

/* "error", "warn", "info" or "debug". 0 and *out set, or -EINVAL and *out untouched. */
int log_level_parse(const char *word, enum log_level *out);

/*
 * Write "memswell: <level>: <message>". Control characters and invalid UTF-8 are escaped as \xNN,
 * whether they came from an argument or not, so one call is one line and cannot drive a terminal.
 * errno is preserved.
 */
void log_message(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_message(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
