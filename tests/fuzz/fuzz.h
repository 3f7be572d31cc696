/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz.h - what the fuzzers share: a failed expectation that says what it was, input taken apart, and
 * what every line of output and every text in it must be. libFuzzer calls LLVMFuzzerTestOneInput.
 */
#ifndef MEMSWELL_FUZZ_H
#define MEMSWELL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                                          \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition);   \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Input from front to back; zeros and empty pieces when it is used up. */
struct input {
	const uint8_t *at;
	size_t left;
};

static inline const uint8_t *input_take(struct input *in, size_t want, size_t *got)
{
	const uint8_t *at = in->at;

	*got = want < in->left ? want : in->left;
	in->at += *got;
	in->left -= *got;
	return at;
}

static inline void input_copy(struct input *in, void *out, size_t size)
{
	size_t got;
	const uint8_t *at = input_take(in, size, &got);

	memset(out, 0, size);
	if (got)
		memcpy(out, at, got);
}

static inline uint8_t input_u8(struct input *in)
{
	uint8_t value;

	input_copy(in, &value, sizeof(value));
	return value;
}

static inline uint64_t input_u64(struct input *in)
{
	uint64_t value;

	input_copy(in, &value, sizeof(value));
	return value;
}

/* Bytes that end where the allocation does, so that a sanitizer sees one too many. */
static inline void *exact_copy(const void *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	EXPECT(copy);
	if (size)
		memcpy(copy, data, size);
	return copy;
}

/* A character that must not stand in a line as it is: C0, DEL, C1, the two Unicode line ends. */
static inline bool is_control(const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;

	if (len == 1)
		return at[0] < 0x20 || at[0] == 0x7f;
	if (len == 2)
		return at[0] == 0xc2 && at[1] < 0xa0;
	return len == 3 && at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9);
}

/* Valid UTF-8 without a control character; `plain` allows control characters. */
static inline void expect_text(const char *text, size_t len, bool plain)
{
	for (size_t at = 0, step; at < len; at += step) {
		step = utf8_sequence(text + at, len - at);
		EXPECT(step > 0);
		EXPECT(plain || !is_control(text + at, step));
	}
}

/* A string of a decoded struct: ended within its array, valid UTF-8. */
#define EXPECT_STRING(array)                                                                       \
	do {                                                                                       \
		EXPECT(memchr((array), '\0', sizeof(array)));                                      \
		expect_text((array), strlen(array), true);                                         \
	} while (0)

#endif
