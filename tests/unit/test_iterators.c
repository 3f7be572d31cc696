/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_iterators.c - a stream cut anywhere comes out as the records that went in. */
#include <unistd.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/iterators.h"
#include "wire.h"

struct seen {
	uint32_t nr;
	uint32_t bytes;
};

static void on_record(void *arg, const void *record, size_t size)
{
	struct wire_head head;
	struct seen *seen = arg;

	memcpy(&head, record, sizeof(head));
	assert_int_equal(head.size, size);
	assert_int_equal(head.ts_ns, seen->nr);
	seen->nr++;
	seen->bytes += size;
}

static size_t put(uint8_t *at, uint32_t size, uint64_t ts_ns)
{
	struct wire_head head = {.kind = WIRE_TASK, .size = size, .ts_ns = ts_ns};

	memset(at, 0, size);
	memcpy(at, &head, sizeof(head));
	return size;
}

/* Feed bytes through a pipe, closed at the end. */
static int read_bytes(const uint8_t *bytes, size_t len, struct seen *seen)
{
	int fds[2], err;

	memset(seen, 0, sizeof(*seen));
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], bytes, len), (ssize_t)len);
	close(fds[1]);
	err = iterator_read(fds[0], on_record, seen);
	close(fds[0]);
	return err;
}

static void records_that_straddle_reads_are_whole(void **state)
{
	static uint8_t bytes[60000];
	struct seen seen;
	size_t len = 0;
	uint32_t nr = 0;

	(void)state;
	/* 60 KB through a 32 KB buffer: some record lies across the border */
	while (len + 264 <= sizeof(bytes))
		len += put(bytes + len, 264, nr++);
	assert_int_equal(read_bytes(bytes, len, &seen), 0);
	assert_int_equal(seen.nr, nr);
	assert_int_equal(seen.bytes, len);
}

static void an_empty_stream_is_fine(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(read_bytes((const uint8_t *)"", 0, &seen), 0);
	assert_int_equal(seen.nr, 0);
}

static void a_stream_that_ends_inside_a_record_is_an_error(void **state)
{
	uint8_t bytes[128];
	struct seen seen;

	(void)state;
	put(bytes, 64, 0);
	put(bytes + 64, 64, 1);
	assert_int_equal(read_bytes(bytes, 100, &seen), -EBADMSG);
	assert_int_equal(seen.nr, 1);
}

static void absurd_sizes_are_an_error(void **state)
{
	static const uint32_t sizes[] = {0, 1, 15, 40000, 0xffffffff};
	uint8_t bytes[64];
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		put(bytes, sizeof(bytes), 0);
		((struct wire_head *)bytes)->size = sizes[i];
		assert_int_equal(read_bytes(bytes, sizeof(bytes), &seen), -EBADMSG);
		assert_int_equal(seen.nr, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_that_straddle_reads_are_whole),
		cmocka_unit_test(an_empty_stream_is_fine),
		cmocka_unit_test(a_stream_that_ends_inside_a_record_is_an_error),
		cmocka_unit_test(absurd_sizes_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
