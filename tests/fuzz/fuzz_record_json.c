/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_record_json.c - whatever bytes a line has: it is refused with a one-line message, or what was read can be written
 * and then reads back as the same record. A space before a line keeps it from the fast reader: the
 * general one has to agree. Seeds: tests/fuzz/record_json.corpus.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "model/record_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char first[RECORD_LINE_MAX], second[RECORD_LINE_MAX];
	char error[RECORD_ERROR_MAX] = "";
	struct record record, general;
	ssize_t len;
	int err;

	if (size + 1 >= RECORD_LINE_MAX)
		return 0;
	first[0] = ' ';
	memcpy(first + 1, data, size);
	err = record_json_decode(first, size + 1, &general, error);
	if (record_json_decode((const char *)data, size, &record, error) != err)
		abort();
	if (err) {
		if (!*error || strchr(error, '\n'))
			abort();
		return 0;
	}
	len = record_json_encode(&record, first, sizeof(first));
	if (len <= 0 || record_json_decode(first, (size_t)len - 1, &record, error))
		abort();
	if (record_json_encode(&record, second, sizeof(second)) != len ||
	    memcmp(first, second, (size_t)len) != 0)
		abort();
	if (record_json_encode(&general, second, sizeof(second)) != len ||
	    memcmp(first, second, (size_t)len) != 0)
		abort();
	return 0;
}
