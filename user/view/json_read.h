/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * json_read.h - asking a parsed line for a value by its path. What is absent, null or of another
 * type is "not known", never an error: lines may come from another version or from anybody.
 *
 * A path is a list of keys, ended by NULL: keys of lines have dots in them.
 */
#ifndef MEMSWELL_JSON_READ_H
#define MEMSWELL_JSON_READ_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define JSON_PATH(...) ((const char *const[]){__VA_ARGS__, NULL})

/* NULL if there is nothing there. */
const json_t *json_at(const json_t *json, const char *const *path);

/* "" if there is no string; always valid UTF-8, maybe with control characters. */
const char *json_text(const json_t *json, const char *const *path);

/* False, and *out untouched, if there is no number. */
bool json_number_at(const json_t *json, const char *const *path, double *out);

/* 0 if there is none. */
uint64_t json_u64(const json_t *json, const char *const *path);
bool json_flag(const json_t *json, const char *const *path);

/* An RFC 3339 time in UTC as nanoseconds since 1970; false if there is none. */
bool json_wall_ns(const json_t *json, const char *const *path, int64_t *out);

/* "2026-11-22T12:25:01.818908582Z". False, and *out untouched, if it is no such time. */
bool wall_ns_parse(const char *text, int64_t *out);

#endif
