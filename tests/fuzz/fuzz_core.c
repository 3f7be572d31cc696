/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_core.c - whatever stream of records comes: the core takes no memory for it, its reports are
 * numbered without a gap, and each is one valid line. With MEMSWELL_FUZZ_LINES=FILE the lines go there
 * too, for run.sh to hold them against the schema.
 *
 * Records are made from the field tables, so new kinds and fields take part by themselves. Input is a
 * sequence of records: kind, step of time, then a byte per field that says how it gets its value.
 * Fields keep what the kind's last record had, so that a few bytes tell a story about few processes.
 */
#include <sanitizer/allocator_interface.h>

#include "core/core.h"
#include "fuzz.h"
#include "fuzz_line.h"
#include "model/report_json.h"

#define MAX_RECORDS 2048

/* libFuzzer watches its memory in a thread of its own. */
static _Thread_local bool in_core;

static void on_malloc(const volatile void *at, size_t size)
{
	(void)at;
	(void)size;
	EXPECT(!in_core);
}

static void on_free(const volatile void *at)
{
	(void)at;
}

static const uint64_t steps_ns[] = {
	0,	    1000,	 1000000,     100000000,    1000000000,
	1000000000, 10000000000, 60000000000, 600000000000, 86400000000000};
static const char *const texts[] = {"",
				    "nginx",
				    "node",
				    "/usr/bin/node",
				    "/a\n\033[31m",
				    "\xff\xc2",
				    "\"\\\xe2\x80\xa8",
				    "/kubepods/pod1/c",
				    "bpf",
				    "critical_ring",
				    "http",
				    "\xf0\x9f\x92\xa3"};
#define NR(table) (sizeof(table) / sizeof((table)[0]))

static uint64_t take_number(struct input *in, uint64_t old)
{
	uint8_t how = input_u8(in);

	if (how < 0x80)
		return how < 0x40 ? old : how & 0x1f;
	if (how < 0xc0)
		return old + ((uint64_t)1 << (how & 0x3f));
	if (how < 0xf0)
		return (uint64_t)input_u8(in) << (how & 0x3f);
	return how == 0xf0 ? UINT64_MAX : input_u64(in);
}

static void take_text(struct input *in, char *out, size_t size)
{
	uint8_t how = input_u8(in);
	const char *text = texts[how % NR(texts)];
	size_t len = strlen(text), at = 0;

	if (how < 0x80)
		return;
	if (how < 0xc0 && len)
		while (at + len < size && at < (how & 0x20 ? size : len)) {
			memcpy(out + at, text, len);
			at += len;
		}
	else
		for (uint8_t byte; at + 1 < size && (byte = input_u8(in)); at++)
			out[at] = (char)byte;
	out[at] = '\0';
}

static void take_array(struct input *in, const struct record_field *field, void *at)
{
	uint8_t nr = input_u8(in);

	if (nr & 0x80)
		return;
	for (uint32_t i = 0; i < field->count && i < nr; i++) {
		if (field->type == FIELD_U64_ARRAY)
			((uint64_t *)at)[i] = take_number(in, ((uint64_t *)at)[i]);
		else
			((uint32_t *)at)[i] = (uint32_t)take_number(in, ((uint32_t *)at)[i]);
	}
}

static const uint8_t number_bytes[NR_FIELD_TYPES] = {
	[FIELD_U64] = 8, [FIELD_I64] = 8, [FIELD_U32] = 4,
	[FIELD_I32] = 4, [FIELD_U16] = 2, [FIELD_U8] = 1,
};

static void take_field(struct input *in, const struct record_field *field, struct record *record)
{
	char *at = (char *)record + field->offset;
	uint64_t value = 0;

	switch ((enum field_type)field->type) {
	case FIELD_STRING:
		take_text(in, at, field->size);
		return;
	case FIELD_U64_ARRAY:
	case FIELD_U32_ARRAY:
		take_array(in, field, at);
		return;
	case FIELD_ADDRESS:
		at[15] = (char)take_number(in, (uint64_t)at[15]);
		return;
	case FIELD_ENUM:
		value = take_number(in, (uint8_t)*at);
		if (value < field->count && field->names[value])
			*at = (char)value;
		return;
	default:
		memcpy(&value, at, number_bytes[field->type]);
		value = take_number(in, value);
		memcpy(at, &value, number_bytes[field->type]);
	}
}

struct stream {
	struct core *core;
	struct record last[NR_RECORD_KINDS];
	uint64_t now_ns;
	uint64_t seq;
};

static void on_report(void *arg, const struct report *report)
{
	static char line[REPORT_LINE_MAX + 1];
	struct stream *stream = arg;
	size_t len;

	in_core = false;
	len = report_json(report, line);
	EXPECT(report->seq == stream->seq++);
	fuzz_expect_line(line, len);
	in_core = true;
}

static void feed(struct stream *stream, const struct record *record)
{
	in_core = true;
	core_feed(stream->core, record);
	in_core = false;
}

static void take_record(struct input *in, struct stream *stream)
{
	enum record_kind kind = (enum record_kind)(input_u8(in) % NR_RECORD_KINDS);
	const struct record_layout *layout = record_layout(kind);
	struct record *record = &stream->last[kind];
	uint8_t step = input_u8(in);

	if (!layout)
		return;
	record->kind = kind;
	stream->now_ns += step < 0xf0 ? steps_ns[step % NR(steps_ns)] : input_u64(in);
	record->ts_ns = stream->now_ns;
	for (uint32_t i = 0; i < layout->nr_fields; i++)
		take_field(in, &layout->fields[i], record);
	feed(stream, record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct stream stream;
	static bool hooked;
	struct input in = {data, size};
	struct core_options options = {0};
	struct record stop = {.kind = RECORD_STOP};

	if (!hooked)
		hooked = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	memset(&stream, 0, sizeof(stream));
	options.include_samples = input_u8(&in) & 1;
	stream.core = core_new(&options, on_report, &stream);
	EXPECT(stream.core);
	stream.now_ns = 1000000000000;
	for (int i = 0; i < MAX_RECORDS && in.left; i++)
		take_record(&in, &stream);
	stop.ts_ns = stream.now_ns;
	feed(&stream, &stop);
	core_free(stream.core);
	return 0;
}
