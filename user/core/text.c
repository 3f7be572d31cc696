/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* text.c - see text.h. */
#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "core/units.h"
#include "model/address.h"

void text_copy(char *dst, size_t dst_size, const char *src, size_t src_size)
{
	utf8_sanitize(dst, dst_size, src, src_size);
}

void text_init(struct text *t, char *data, size_t size)
{
	t->data = data;
	t->size = size;
	t->len = 0;
	data[0] = '\0';
}

/* Where the first `len` bytes stop being whole characters. */
static size_t whole_characters(const char *data, size_t len)
{
	size_t start = len;

	while (start > 0 && ((unsigned char)data[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || (unsigned char)data[start - 1] < 0x80)
		return len;
	return utf8_sequence(data + start - 1, len - start + 1) ? len : start - 1;
}

void text_add(struct text *t, const char *format, ...)
{
	size_t room = t->size - t->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(t->data + t->len, room, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n < room) {
		t->len += (size_t)n;
		return;
	}
	t->len = whole_characters(t->data, t->size - 1);
	t->data[t->len] = '\0';
}

void text_add_mib(struct text *t, uint64_t bytes)
{
	uint64_t tenths = bytes / MIB * 10 + bytes % MIB * 10 / MIB;

	text_add(t, "%llu.%llu MiB", (unsigned long long)(tenths / 10),
		 (unsigned long long)(tenths % 10));
}

void text_add_seconds(struct text *t, uint64_t ns)
{
	uint64_t tenths = ns / (NSEC_PER_SEC / 10);

	text_add(t, "%llu.%llu s", (unsigned long long)(tenths / 10),
		 (unsigned long long)(tenths % 10));
}

void text_add_endpoint(struct text *t, const struct endpoint *e)
{
	char address[ADDRESS_TEXT_LEN];

	address_format(e->addr, address);
	if (strchr(address, ':'))
		text_add(t, "[%s]:%u", address, e->port);
	else
		text_add(t, "%s:%u", address, e->port);
}
