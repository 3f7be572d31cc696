/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_decode.c - whatever bytes an event from the kernel has: decode_wire() refuses it, or makes a
 * record whose strings are valid text and which a recording gives back unchanged.
 *
 * First byte: log2 of the page size. Then the event, as wire.h lays it out.
 */
#include "fuzz.h"
#include "model/record_json.h"
#include "source/decode.h"

static void expect_strings(const struct record *record)
{
	const struct record_layout *layout = record_layout(record->kind);

	EXPECT(layout);
	for (uint32_t i = 0; i < layout->nr_fields; i++) {
		const struct record_field *field = &layout->fields[i];
		const char *text = (const char *)record + field->offset;

		if (field->type != FIELD_STRING)
			continue;
		EXPECT(memchr(text, '\0', field->size));
		expect_text(text, strlen(text), true);
	}
}

/* A byte of an enum without a word is the one thing a recording does not keep. */
static void expect_round_trip(const struct record *record)
{
	char first[RECORD_LINE_MAX], second[RECORD_LINE_MAX], error[RECORD_ERROR_MAX];
	ssize_t len = record_json_encode(record, first, sizeof(first));
	struct record back;

	EXPECT(len > 0);
	EXPECT(first[len - 1] == '\n');
	expect_text(first, (size_t)len - 1, false);
	EXPECT(record_json_decode(first, (size_t)len - 1, &back, error) == 0);
	EXPECT(record_json_encode(&back, second, sizeof(second)) == len);
	EXPECT(memcmp(first, second, (size_t)len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t page_bytes;
	struct record record;
	enum decode_result result;
	void *event;

	if (size < 1)
		return 0;
	page_bytes = 1U << data[0] % 32;
	event = exact_copy(data + 1, size - 1);
	result = decode_wire(event, size - 1, page_bytes, &record);
	EXPECT(result == DECODE_RECORD || result == DECODE_NOTHING || result == DECODE_BAD);
	if (result == DECODE_RECORD) {
		expect_strings(&record);
		expect_round_trip(&record);
	}
	if (size - 1 >= sizeof(struct wire_task)) {
		struct wire_task task;

		memcpy(&task, event, sizeof(task));
		decode_found(&task, &record);
		expect_strings(&record);
		expect_round_trip(&record);
	}
	free(event);
	return 0;
}
