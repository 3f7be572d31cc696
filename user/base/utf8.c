/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * utf8.c - strict UTF-8 recognition and replacement. It answers "is this a character" and "what is
 * the nearest valid text"; it does not escape, normalise or interpret characters.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* The range of the second byte is what excludes overlong forms, surrogates and > U+10FFFF. */
static bool second_byte_fits(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xE0:
		return second >= 0xA0 && second <= 0xBF;
	case 0xED:
		return second >= 0x80 && second <= 0x9F;
	case 0xF0:
		return second >= 0x90 && second <= 0xBF;
	case 0xF4:
		return second >= 0x80 && second <= 0x8F;
	default:
		return is_continuation(second);
	}
}

static size_t sequence_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xC2 && first <= 0xDF)
		return 2;
	if (first >= 0xE0 && first <= 0xEF)
		return 3;
	if (first >= 0xF0 && first <= 0xF4)
		return 4;
	return 0;
}

size_t utf8_sequence(const void *text, size_t len)
{
	const uint8_t *bytes = text;
	size_t need;

	if (len == 0)
		return 0;
	need = sequence_length(bytes[0]);
	if (need <= 1)
		return need;
	if (need > len || !second_byte_fits(bytes[0], bytes[1]))
		return 0;
	for (size_t i = 2; i < need; i++) {
		if (!is_continuation(bytes[i]))
			return 0;
	}
	return need;
}

uint32_t utf8_code_point(const void *sequence, size_t len)
{
	static const uint8_t lead[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	const uint8_t *bytes = sequence;
	uint32_t code = bytes[0] & lead[len];

	for (size_t i = 1; i < len; i++)
		code = code << 6 | (bytes[i] & 0x3F);
	return code;
}

size_t utf8_sanitize(char *dst, size_t dst_size, const void *src, size_t src_len)
{
	const char *in = src;
	size_t out_len = 0;
	size_t pos = 0;

	if (dst_size == 0)
		return 0;
	while (pos < src_len && in[pos] != '\0') {
		size_t valid = utf8_sequence(in + pos, src_len - pos);
		const char *from = valid ? in + pos : replacement;
		size_t len = valid ? valid : sizeof(replacement) - 1;

		if (len >= dst_size - out_len)
			break;
		memcpy(dst + out_len, from, len);
		out_len += len;
		pos += valid ? valid : 1;
	}
	dst[out_len] = '\0';
	return out_len;
}
