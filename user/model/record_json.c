/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record_json.c - the codec of recordings, driven by the field tables of record.c. It checks shape
 * and range of each field; whether the records make sense together is for the core to bear.
 *
 * Lines in the encoder's own form are read by record_scan.c, all others and all errors by a JSON
 * library here.
 *
 * JSON parsers agree on integers up to 2^63 - 1 only. A larger value (a kernel address used as an
 * identity) is written as a string of digits, so that no reader rounds it.
 */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json_writer.h"
#include "model/address.h"
#include "model/record_json.h"
#include "model/record_scan.h"

/* Encoding ------------------------------------------------------------------------------------ */

/* The value of an integer field, sign-extended: what int64_t cannot hold is FIELD_U64 only. */
static uint64_t load_integer(enum field_type type, const void *at)
{
	switch (type) {
	case FIELD_U64:
	case FIELD_I64:
		return *(const uint64_t *)at;
	case FIELD_U32:
		return *(const uint32_t *)at;
	case FIELD_I32:
		return (uint64_t)(int64_t) * (const int32_t *)at;
	case FIELD_U16:
		return *(const uint16_t *)at;
	default:
		return *(const uint8_t *)at;
	}
}

static void encode_u64(struct json_writer *w, const char *key, uint64_t value)
{
	char digits[24];

	if (value <= INT64_MAX) {
		jw_u64(w, key, value);
		return;
	}
	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	jw_string(w, key, digits);
}

static void encode_address(struct json_writer *w, const char *key, const uint8_t *addr)
{
	static const uint8_t none[16];
	char text[ADDRESS_TEXT_LEN];

	if (memcmp(addr, none, sizeof(none)) == 0)
		return;
	address_format(addr, text);
	jw_string(w, key, text);
}

static uint64_t array_value(const struct record_field *field, const void *at, uint32_t i)
{
	if (field->type == FIELD_U32_ARRAY)
		return ((const uint32_t *)at)[i];
	return ((const uint64_t *)at)[i];
}

static void encode_array(struct json_writer *w, const struct record_field *field, const void *at)
{
	uint32_t nr = field->count;

	while (nr > 0 && array_value(field, at, nr - 1) == 0)
		nr--;
	if (nr == 0)
		return;
	jw_open_array(w, field->name);
	for (uint32_t i = 0; i < nr; i++)
		encode_u64(w, NULL, array_value(field, at, i));
	jw_close_array(w);
}

static void encode_integer(struct json_writer *w, const struct record_field *field, const void *at)
{
	uint64_t value = load_integer(field->type, at);

	if (value == 0)
		return;
	if (field->type == FIELD_I64 || field->type == FIELD_I32)
		jw_i64(w, field->name, (int64_t)value);
	else
		encode_u64(w, field->name, value);
}

/* A value without a word is left out: it reads back as 0, which every enum here has or ignores. */
static void encode_enum(struct json_writer *w, const struct record_field *field, uint8_t value)
{
	if (value > 0 && value < field->count && field->names[value])
		jw_string(w, field->name, field->names[value]);
}

static void encode_field(struct json_writer *w, const struct record_field *field,
			 const struct record *record)
{
	const void *at = (const char *)record + field->offset;

	switch ((enum field_type)field->type) {
	case FIELD_STRING:
		if (*(const char *)at)
			jw_string(w, field->name, at);
		break;
	case FIELD_ENUM:
		encode_enum(w, field, *(const uint8_t *)at);
		break;
	case FIELD_ADDRESS:
		encode_address(w, field->name, at);
		break;
	case FIELD_U64_ARRAY:
	case FIELD_U32_ARRAY:
		encode_array(w, field, at);
		break;
	default:
		encode_integer(w, field, at);
		break;
	}
}

ssize_t record_json_encode(const struct record *record, char *line, size_t size)
{
	const struct record_layout *layout = record_layout(record->kind);
	struct json_writer w;

	if (!layout)
		return -EINVAL;
	jw_init(&w, line, size);
	jw_open_object(&w, NULL);
	jw_string(&w, "k", layout->name);
	encode_u64(&w, "t", record->ts_ns);
	for (uint32_t i = 0; i < layout->nr_fields; i++)
		encode_field(&w, &layout->fields[i], record);
	jw_close_object(&w);
	if (w.overflow || size - w.len < 2)
		return -ENOSPC;
	memcpy(line + w.len, "\n", 2);
	return (ssize_t)w.len + 1;
}

/* Decoding ------------------------------------------------------------------------------------ */

struct decoder {
	const struct record_layout *layout;
	struct record *record;
	char *error;
};

static int fail(const struct decoder *d, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static int fail_field(const struct decoder *d, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct decoder *d, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(d->error, RECORD_ERROR_MAX, format, args);
	va_end(args);
	return -EINVAL;
}

static int fail_field(const struct decoder *d, const char *name, const char *format, ...)
{
	char expected[RECORD_ERROR_MAX / 2];
	va_list args;

	va_start(args, format);
	vsnprintf(expected, sizeof(expected), format, args);
	va_end(args);
	return fail(d, "field \"%s\"%s%s%s: expected %s", name, d->layout ? " of a \"" : "",
		    d->layout ? d->layout->name : "", d->layout ? "\" record" : "", expected);
}

/* Digits only, as encode_u64 writes them above INT64_MAX. */
static bool parse_digits(const char *text, uint64_t *out)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, 10ULL, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*out = value;
	return true;
}

static bool to_unsigned(const json_t *json, uint64_t max, uint64_t *out)
{
	uint64_t value;

	if (json_is_integer(json)) {
		if (json_integer_value(json) < 0)
			return false;
		value = (uint64_t)json_integer_value(json);
	} else if (!json_is_string(json) || !parse_digits(json_string_value(json), &value)) {
		return false;
	}
	if (value > max)
		return false;
	*out = value;
	return true;
}

static int decode_unsigned(const struct decoder *d, const struct record_field *field,
			   const json_t *json)
{
	static const uint64_t max_of[NR_FIELD_TYPES] = {
		[FIELD_U64] = UINT64_MAX,
		[FIELD_U32] = UINT32_MAX,
		[FIELD_U16] = UINT16_MAX,
		[FIELD_U8] = UINT8_MAX,
	};
	void *at = (char *)d->record + field->offset;
	uint64_t max = max_of[field->type];
	uint64_t value;

	if (!to_unsigned(json, max, &value))
		return fail_field(d, field->name, "an integer from 0 to %llu",
				  (unsigned long long)max);
	if (field->type == FIELD_U64)
		*(uint64_t *)at = value;
	else if (field->type == FIELD_U32)
		*(uint32_t *)at = (uint32_t)value;
	else if (field->type == FIELD_U16)
		*(uint16_t *)at = (uint16_t)value;
	else
		*(uint8_t *)at = (uint8_t)value;
	return 0;
}

static int decode_signed(const struct decoder *d, const struct record_field *field,
			 const json_t *json)
{
	bool wide = field->type == FIELD_I64;
	int64_t min = wide ? INT64_MIN : INT32_MIN;
	int64_t max = wide ? INT64_MAX : INT32_MAX;
	void *at = (char *)d->record + field->offset;
	int64_t value = json_integer_value(json);

	if (!json_is_integer(json) || value < min || value > max)
		return fail_field(d, field->name, "an integer from %lld to %lld", (long long)min,
				  (long long)max);
	if (wide)
		*(int64_t *)at = value;
	else
		*(int32_t *)at = (int32_t)value;
	return 0;
}

static int decode_string(const struct decoder *d, const struct record_field *field,
			 const json_t *json)
{
	if (!json_is_string(json) || json_string_length(json) >= field->size)
		return fail_field(d, field->name, "a string of at most %u bytes", field->size - 1U);
	memcpy((char *)d->record + field->offset, json_string_value(json),
	       json_string_length(json) + 1);
	return 0;
}

static int decode_enum(const struct decoder *d, const struct record_field *field,
		       const json_t *json)
{
	char words[RECORD_ERROR_MAX / 2] = "";
	size_t len = 0;

	for (uint16_t i = 0; i < field->count; i++) {
		const char *word = field->names[i];

		if (!word)
			continue;
		if (json_is_string(json) && strcmp(json_string_value(json), word) == 0) {
			*((uint8_t *)d->record + field->offset) = (uint8_t)i;
			return 0;
		}
		len += (size_t)snprintf(words + len, sizeof(words) - len, " \"%s\"", word);
	}
	return fail_field(d, field->name, "one of%s", words);
}

static int decode_address(const struct decoder *d, const struct record_field *field,
			  const json_t *json)
{
	uint8_t *at = (uint8_t *)d->record + field->offset;

	if (!json_is_string(json) || !address_parse(json_string_value(json), at))
		return fail_field(d, field->name, "an IPv4 or IPv6 address as a string");
	return 0;
}

static int decode_array(const struct decoder *d, const struct record_field *field,
			const json_t *json)
{
	bool wide = field->type == FIELD_U64_ARRAY;
	uint64_t max = wide ? UINT64_MAX : UINT32_MAX;
	void *at = (char *)d->record + field->offset;
	uint64_t value;

	if (!json_is_array(json) || json_array_size(json) > field->count)
		return fail_field(d, field->name, "an array of at most %u integers", field->count);
	for (size_t i = 0; i < json_array_size(json); i++) {
		if (!to_unsigned(json_array_get(json, i), max, &value))
			return fail_field(d, field->name, "integers from 0 to %llu",
					  (unsigned long long)max);
		if (wide)
			((uint64_t *)at)[i] = value;
		else
			((uint32_t *)at)[i] = (uint32_t)value;
	}
	return 0;
}

static int decode_field(const struct decoder *d, const struct record_field *field,
			const json_t *json)
{
	switch ((enum field_type)field->type) {
	case FIELD_I64:
	case FIELD_I32:
		return decode_signed(d, field, json);
	case FIELD_STRING:
		return decode_string(d, field, json);
	case FIELD_ENUM:
		return decode_enum(d, field, json);
	case FIELD_ADDRESS:
		return decode_address(d, field, json);
	case FIELD_U64_ARRAY:
	case FIELD_U32_ARRAY:
		return decode_array(d, field, json);
	default:
		return decode_unsigned(d, field, json);
	}
}

/* Searches onwards from `start`: most lines have fields in table order, so it hits at once. */
static const struct record_field *find_field(const struct record_layout *layout, uint32_t start,
					     const char *name)
{
	for (uint32_t i = 0; i < layout->nr_fields; i++) {
		uint32_t at = (start + i) % layout->nr_fields;

		if (strcmp(layout->fields[at].name, name) == 0)
			return &layout->fields[at];
	}
	return NULL;
}

#define UNKNOWN_FIELD "unknown field in a \"%s\" record: expected only those of format version %d"

static int decode_fields(const struct decoder *d, json_t *root)
{
	const struct record_field *field;
	uint32_t next = 0;
	int err;

	for (void *i = json_object_iter(root); i; i = json_object_iter_next(root, i)) {
		const char *name = json_object_iter_key(i);

		if (strcmp(name, "k") == 0 || strcmp(name, "t") == 0)
			continue;
		field = find_field(d->layout, next, name);
		if (!field)
			return fail(d, UNKNOWN_FIELD, d->layout->name, RECORD_FORMAT_VERSION);
		err = decode_field(d, field, json_object_iter_value(i));
		if (err)
			return err;
		next = (uint32_t)(field - d->layout->fields) + 1;
	}
	return 0;
}

static int decode_kind(struct decoder *d, const json_t *root)
{
	const json_t *kind = json_object_get(root, "k");

	if (!json_is_string(kind))
		return fail_field(d, "k", "the kind of the record as a string");
	for (int i = RECORD_NONE + 1; i < NR_RECORD_KINDS; i++) {
		const struct record_layout *layout = record_layout((enum record_kind)i);

		if (strcmp(layout->name, json_string_value(kind)) == 0) {
			d->record->kind = (enum record_kind)i;
			d->layout = layout;
			return 0;
		}
	}
	return fail_field(d, "k", "a kind of record of format version %d", RECORD_FORMAT_VERSION);
}

/* Before the fields: another version may well have others, and that is not the news. */
static int check_version(const struct decoder *d, const json_t *root)
{
	uint64_t version = 0;

	if (d->record->kind != RECORD_HEADER)
		return 0;
	if (!to_unsigned(json_object_get(root, "version"), UINT32_MAX, &version))
		return fail_field(d, "version", "%d", RECORD_FORMAT_VERSION);
	if (version != RECORD_FORMAT_VERSION)
		return fail(d, "recording of format version %llu: expected version %d",
			    (unsigned long long)version, RECORD_FORMAT_VERSION);
	return 0;
}

static int decode_object(struct decoder *d, json_t *root)
{
	int err;

	if (!json_is_object(root))
		return fail(d, "not a record: expected a JSON object");
	err = decode_kind(d, root);
	if (err)
		return err;
	if (!to_unsigned(json_object_get(root, "t"), UINT64_MAX, &d->record->ts_ns))
		return fail_field(d, "t", "boot-clock nanoseconds as an integer");
	err = check_version(d, root);
	if (err)
		return err;
	return decode_fields(d, root);
}

/* The parser's own text quotes its input, so only its code is used. */
static int fail_syntax(const struct decoder *d, const json_error_t *json_error)
{
	switch (json_error_code(json_error)) {
	case json_error_out_of_memory:
		fail(d, "out of memory");
		return -ENOMEM;
	case json_error_premature_end_of_input:
		return fail(d, "incomplete JSON: expected a whole object, the line ends before");
	case json_error_duplicate_key:
		return fail(d, "a field twice before byte %d: expected every field once",
			    json_error->position);
	case json_error_invalid_utf8:
		return fail(d, "invalid text at byte %d: expected UTF-8", json_error->position);
	case json_error_numeric_overflow:
		return fail(d, "number too large before byte %d: expected 64 bits at most",
			    json_error->position);
	default:
		return fail(d, "invalid JSON at byte %d: expected one object",
			    json_error->position);
	}
}

static int decode_any(const char *line, size_t len, struct decoder *d)
{
	json_error_t json_error;
	json_t *root;
	int err;

	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &json_error);
	if (!root)
		return fail_syntax(d, &json_error);
	memset(d->record, 0, sizeof(*d->record));
	err = decode_object(d, root);
	json_decref(root);
	return err;
}

int record_json_decode(const char *line, size_t len, struct record *out, char *error)
{
	struct record record;
	struct decoder d = {.record = &record, .error = error};
	const char *nul;
	int err;

	if (len >= RECORD_LINE_MAX)
		return fail(&d, "line too long: expected less than %d bytes", RECORD_LINE_MAX);
	if (record_scan(line, len, &record)) {
		*out = record;
		return 0;
	}
	nul = len > 0 ? memchr(line, '\0', len) : NULL;
	if (nul)
		return fail(&d, "a NUL at byte %zu: expected JSON text", (size_t)(nul - line) + 1);
	err = decode_any(line, len, &d);
	if (!err)
		*out = record;
	return err;
}
