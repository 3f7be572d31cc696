/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_scan.c - see record_scan.h. A JSON library builds a tree per line, which costs 2 to 5 us;
 * replay has 1 us per record. Nearly every line of a recording has the encoder's own form: no white
 * space, fields in table order, plain ASCII. Such a line is read here in one pass.
 *
 * It is no JSON parser and has no opinion on other lines: whatever surprises it, it declines, and
 * record_json.c decides with the library. So it must accept nothing that the library would refuse,
 * and read it the same; a unit test and the fuzzer hold the two against each other.
 */
#include <string.h>

#include "model/address.h"
#include "model/record_scan.h"

/* Any number of so many digits fits an uint64_t. */
#define SAFE_DIGITS 19

struct cursor {
	const char *at;
	const char *end;
};

static bool take(struct cursor *c, char expected)
{
	if (c->at == c->end || *c->at != expected)
		return false;
	c->at++;
	return true;
}

/* `"word":`, and nothing taken if it is another. */
static bool take_key(struct cursor *c, const char *word)
{
	const char *at = c->at;

	if (c->end - at < 4 || *at++ != '"')
		return false;
	while (*word && at < c->end && *at == *word) {
		at++;
		word++;
	}
	if (*word || c->end - at < 2 || at[0] != '"' || at[1] != ':')
		return false;
	c->at = at + 2;
	return true;
}

/* Up to INT64_MAX: what is larger is written as a string, and rare. */
static bool take_unsigned(struct cursor *c, uint64_t max, uint64_t *out)
{
	const char *start = c->at;
	uint64_t value = 0;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - start < SAFE_DIGITS)
		value = value * 10 + (uint64_t)(*c->at++ - '0');
	if (c->at == start || (*start == '0' && c->at - start > 1))
		return false;
	*out = value;
	return value <= max && value <= INT64_MAX;
}

static bool take_signed(struct cursor *c, int64_t max, int64_t *out)
{
	bool negative = take(c, '-');
	uint64_t value;

	if (!take_unsigned(c, (uint64_t)max, &value) || (negative && value == 0))
		return false;
	*out = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

/* A string of printable ASCII without escapes; `*text` is not terminated. */
static bool take_plain(struct cursor *c, const char **text, size_t *len)
{
	const char *start;

	if (!take(c, '"'))
		return false;
	start = c->at;
	while (c->at < c->end && *c->at >= 0x20 && *c->at < 0x7F && *c->at != '"' && *c->at != '\\')
		c->at++;
	*text = start;
	*len = (size_t)(c->at - start);
	return take(c, '"');
}

static bool is_word(const char *text, size_t len, const char *word)
{
	return strncmp(text, word, len) == 0 && word[len] == '\0';
}

static bool scan_integer(struct cursor *c, const struct record_field *field, void *at)
{
	uint64_t value = 0;
	int64_t number = 0;

	switch ((enum field_type)field->type) {
	case FIELD_U64:
		return take_unsigned(c, UINT64_MAX, at);
	case FIELD_I64:
		return take_signed(c, INT64_MAX, at);
	case FIELD_U32:
		if (!take_unsigned(c, UINT32_MAX, &value))
			return false;
		*(uint32_t *)at = (uint32_t)value;
		return true;
	case FIELD_I32:
		if (!take_signed(c, INT32_MAX, &number))
			return false;
		*(int32_t *)at = (int32_t)number;
		return true;
	case FIELD_U16:
		if (!take_unsigned(c, UINT16_MAX, &value))
			return false;
		*(uint16_t *)at = (uint16_t)value;
		return true;
	default:
		if (!take_unsigned(c, UINT8_MAX, &value))
			return false;
		*(uint8_t *)at = (uint8_t)value;
		return true;
	}
}

static bool scan_string(struct cursor *c, const struct record_field *field, char *at)
{
	const char *text;
	size_t len;

	if (!take_plain(c, &text, &len) || len >= field->size)
		return false;
	memcpy(at, text, len);
	at[len] = '\0';
	return true;
}

static bool scan_enum(struct cursor *c, const struct record_field *field, uint8_t *at)
{
	const char *text;
	size_t len;

	if (!take_plain(c, &text, &len))
		return false;
	for (uint16_t i = 0; i < field->count; i++) {
		if (field->names[i] && is_word(text, len, field->names[i])) {
			*at = (uint8_t)i;
			return true;
		}
	}
	return false;
}

static bool scan_address(struct cursor *c, uint8_t *at)
{
	char address[ADDRESS_TEXT_LEN];
	const char *text;
	size_t len;

	if (!take_plain(c, &text, &len) || len >= sizeof(address))
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return address_parse(address, at);
}

static bool scan_array(struct cursor *c, const struct record_field *field, void *at)
{
	bool wide = field->type == FIELD_U64_ARRAY;
	uint64_t value;

	if (!take(c, '['))
		return false;
	for (uint16_t i = 0; i < field->count; i++) {
		if (!take_unsigned(c, wide ? UINT64_MAX : UINT32_MAX, &value))
			return false;
		if (wide)
			((uint64_t *)at)[i] = value;
		else
			((uint32_t *)at)[i] = (uint32_t)value;
		if (!take(c, ','))
			return take(c, ']');
	}
	return false;
}

static bool scan_value(struct cursor *c, const struct record_field *field, struct record *record)
{
	void *at = (char *)record + field->offset;

	switch ((enum field_type)field->type) {
	case FIELD_STRING:
		return scan_string(c, field, at);
	case FIELD_ENUM:
		return scan_enum(c, field, at);
	case FIELD_ADDRESS:
		return scan_address(c, at);
	case FIELD_U64_ARRAY:
	case FIELD_U32_ARRAY:
		return scan_array(c, field, at);
	default:
		return scan_integer(c, field, at);
	}
}

/* Every field at most once and in order, so none can come twice. */
static bool scan_fields(struct cursor *c, const struct record_layout *layout, struct record *record)
{
	uint32_t i = 0;

	while (take(c, ',')) {
		while (i < layout->nr_fields && !take_key(c, layout->fields[i].name))
			i++;
		if (i == layout->nr_fields || !scan_value(c, &layout->fields[i], record))
			return false;
		i++;
	}
	return take(c, '}') && c->at == c->end;
}

/* Not the header: it is read once, and its version has to be looked at before its fields. */
static const struct record_layout *scan_kind(struct cursor *c, struct record *record)
{
	const char *text;
	size_t len;

	if (!take(c, '{') || !take_key(c, "k") || !take_plain(c, &text, &len))
		return NULL;
	for (int kind = RECORD_HEADER + 1; kind < NR_RECORD_KINDS; kind++) {
		const struct record_layout *layout = record_layout((enum record_kind)kind);

		if (is_word(text, len, layout->name)) {
			record->kind = (enum record_kind)kind;
			return layout;
		}
	}
	return NULL;
}

bool record_scan(const char *line, size_t len, struct record *out)
{
	struct cursor c = {.at = line, .end = line + len};
	const struct record_layout *layout;

	memset(out, 0, sizeof(*out));
	layout = scan_kind(&c, out);
	if (!layout || !take(&c, ',') || !take_key(&c, "t") ||
	    !take_unsigned(&c, UINT64_MAX, &out->ts_ns))
		return false;
	return scan_fields(&c, layout, out);
}
