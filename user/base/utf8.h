/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * utf8.h - tell valid UTF-8 from bytes somebody else chose, and make the second into the first.
 *
 * Strict as RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. It decides about
 * encoding only; which characters are fit for a line of output is for the writers to say.
 */
#ifndef MEMSWELL_UTF8_H
#define MEMSWELL_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Bytes (1 to 4) of the valid sequence that begins at `text`, 0 if none does within `len`. */
size_t utf8_sequence(const void *text, size_t len);

/* The character of a valid sequence of so many bytes. */
uint32_t utf8_code_point(const void *sequence, size_t len);

/*
 * Copy `src` up to its first NUL or `src_len` bytes, with U+FFFD for every byte that is not part of
 * a valid sequence. The copy ends before the first character that does not fit and is always
 * NUL-terminated (dst_size 0 writes nothing). Returns the length of the copy.
 */
size_t utf8_sanitize(char *dst, size_t dst_size, const void *src, size_t src_len);

#endif
