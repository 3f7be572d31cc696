/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* text.c - see text.h. */
#include "model/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "base/units.h"
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

/* One decimal, and none where it is zero. */
static void add_tenths(struct text *t, uint64_t tenths)
{
	text_add(t, "%llu", (unsigned long long)(tenths / 10));
	if (tenths % 10)
		text_add(t, ".%llu", (unsigned long long)(tenths % 10));
}

/* A quantity in the largest of its units that it has at least once. */
struct unit {
	uint64_t size;
	const char *name;
};

static void add_quantity(struct text *t, uint64_t value, const struct unit *units, size_t nr)
{
	size_t i = 0;

	while (i + 1 < nr && value < units[i].size)
		i++;
	add_tenths(t, value / units[i].size * 10 +
			      (value % units[i].size * 10 + units[i].size / 2) / units[i].size);
	text_add(t, " %s", units[i].name);
}

/* Limits are thought of in MiB: GiB begin at ten of them. */
void text_add_bytes(struct text *t, uint64_t bytes)
{
	static const struct unit large = {1024 * MIB, "GiB"};
	static const struct unit units[] = {{MIB, "MiB"}, {KIB, "KiB"}, {1, "bytes"}};

	if (bytes >= 10 * large.size)
		add_quantity(t, bytes, &large, 1);
	else
		add_quantity(t, bytes, units, sizeof(units) / sizeof(units[0]));
}

/* A leak of hours is told per minute or hour: "0 MiB/s" says nothing. */
void text_add_rate(struct text *t, double bytes_per_s)
{
	if (bytes_per_s >= (double)(MIB / 10)) {
		text_add_bytes(t, u64_of(bytes_per_s));
		text_add(t, "/s");
	} else if (bytes_per_s * 60 >= (double)(MIB / 10)) {
		text_add_bytes(t, u64_of(bytes_per_s * 60));
		text_add(t, "/min");
	} else {
		text_add_bytes(t, u64_of(bytes_per_s * 3600));
		text_add(t, "/h");
	}
}

/* Minutes and hours begin at two of them. */
void text_add_duration(struct text *t, uint64_t ns)
{
	static const struct unit hours = {3600 * NSEC_PER_SEC, "h"};
	static const struct unit minutes = {60 * NSEC_PER_SEC, "min"};
	static const struct unit seconds[] = {{NSEC_PER_SEC, "s"}, {NSEC_PER_MSEC, "ms"}};

	if (ns >= 2 * hours.size)
		add_quantity(t, ns, &hours, 1);
	else if (ns >= 2 * minutes.size)
		add_quantity(t, ns, &minutes, 1);
	else
		add_quantity(t, ns, seconds, 2);
}

void text_add_decimal(struct text *t, double value)
{
	add_tenths(t, u64_of(value * 10 + 0.5));
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
