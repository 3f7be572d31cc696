/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_replay.c - recordings are read as batches, whole, torn, long, compressed or wrong. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "model/record_json.h"
#include "source/replay.h"
#include "scratch.h"

#define HEADER "{\"k\":\"header\",\"t\":1,\"version\":1}\n"
#define TICK   "{\"k\":\"tick\",\"t\":3}\n"
#define STOP   "{\"k\":\"stop\",\"t\":4}\n"
#define RSS    "{\"k\":\"rss\",\"t\":2,\"pid\":7}\n"

static void write_bytes(const char *bytes, size_t len)
{
	FILE *file = fopen(scratch_file, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

struct seen {
	char kinds[64]; /* first letters */
	size_t nr;
};

static void on_record(void *arg, const struct record *record)
{
	struct seen *seen = arg;

	if (seen->nr < sizeof(seen->kinds) - 1)
		seen->kinds[seen->nr] = record_layout(record->kind)->name[0];
	seen->nr++;
}

static struct source *open_recording(void)
{
	struct source *source = NULL;
	char error[256];

	if (replay_new(scratch_file, &source, error, sizeof(error)))
		fail_msg("%s", error);
	return source;
}

/* What is handed out until the end; the result of the last call. */
static int run_all(struct source *source, struct seen *seen)
{
	int n;

	memset(seen, 0, sizeof(*seen));
	do {
		n = source_next(source, on_record, seen);
	} while (n > 0);
	return n;
}

static void hands_out_batches_that_end_with_a_tick(void **state)
{
	static const char text[] = HEADER TICK RSS RSS TICK TICK STOP;
	struct seen seen = {0};
	struct source *source;

	(void)state;
	write_bytes(text, sizeof(text) - 1);
	source = open_recording();
	assert_int_equal(source_next(source, on_record, &seen), 1);
	assert_string_equal(seen.kinds, "ht");
	assert_int_equal(source_next(source, on_record, &seen), 1);
	assert_string_equal(seen.kinds, "htrrt");
	assert_int_equal(source_next(source, on_record, &seen), 1);
	assert_int_equal(source_next(source, on_record, &seen), 0);
	assert_string_equal(seen.kinds, "htrrtts");
	assert_int_equal(source_next(source, on_record, &seen), 0);
	assert_string_equal(source_error(source), "");
	source_free(source);
}

static void a_killed_recorder_leaves_a_usable_recording(void **state)
{
	static const char text[] = HEADER TICK RSS;
	struct source *source;
	struct seen seen;

	(void)state;
	write_bytes(text, sizeof(text) - 1);
	source = open_recording();
	assert_int_equal(run_all(source, &seen), 0);
	assert_string_equal(seen.kinds, "htr");
	source_free(source);
}

static void a_long_recording_is_read_in_pieces(void **state)
{
	struct source *source;
	struct seen seen;
	FILE *file = fopen(scratch_file, "w");

	(void)state;
	assert_non_null(file);
	fputs(HEADER, file);
	for (int i = 0; i < 50000; i++)
		fputs(i % 100 ? RSS : TICK, file);
	fputs(STOP, file);
	assert_int_equal(fclose(file), 0);
	source = open_recording();
	assert_int_equal(run_all(source, &seen), 0);
	assert_int_equal(seen.nr, 50002);
	source_free(source);
}

static const struct {
	const char *text;
	const char *message;
} broken[] = {
	{"", "line 1: expected a recording, the file is empty"},
	{"\n", "line 1: incomplete JSON"},
	{RSS, "line 1: expected the \"header\" record that begins a recording"},
	{"secret\n", "line 1: invalid JSON"},
	{"{\"k\":\"header\",\"t\":1,\"version\":99}\n",
	 "line 1: recording of format version 99: expected version 1"},
	{"{\"k\":\"header\",\"t\":1}\n", "line 1: field \"version\""},
	{HEADER HEADER, "line 2: expected no second \"header\" record"},
	{HEADER TICK "{\"k\":\"rss\",\"t\":2", "line 3: expected a newline after the record"},
	{HEADER TICK "{\"k\":\"rss\",\"t\":2}", "line 3: expected a newline after the record"},
	{HEADER TICK "{\"k\":\"rss\",\"t\":2\n", "line 3: incomplete JSON"},
	{HEADER STOP TICK, "line 3: expected the end of the file after \"stop\""},
	{HEADER STOP "\n", "line 3: expected the end of the file after \"stop\""},
	{HEADER STOP "secret", "line 3: expected a newline"},
	{HEADER "{\"k\":\"secret\",\"t\":1}\n", "line 2: field \"k\""},
	{HEADER "\xFF\xFE\n", "line 2: invalid"},
};

static void errors_name_the_line_and_what_was_expected(void **state)
{
	struct source *source;
	struct seen seen;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		write_bytes(broken[i].text, strlen(broken[i].text));
		source = open_recording();
		if (run_all(source, &seen) >= 0)
			fail_msg("accepted: %s", broken[i].text);
		if (!strstr(source_error(source), broken[i].message))
			fail_msg("said: %s; expected: %s", source_error(source), broken[i].message);
		assert_non_null(strstr(source_error(source), scratch_file));
		assert_null(strstr(source_error(source), "secret"));
		assert_null(strchr(source_error(source), '\n'));
		source_free(source);
	}
}

static void nul_bytes_are_refused(void **state)
{
	static const char text[] = HEADER "\0\0\0\0\n";
	struct source *source;
	struct seen seen;

	(void)state;
	write_bytes(text, sizeof(text) - 1);
	source = open_recording();
	assert_int_equal(run_all(source, &seen), -EINVAL);
	assert_non_null(
		strstr(source_error(source), "line 2: a NUL at byte 1: expected JSON text"));
	source_free(source);
}

static void assert_line_length(size_t len, bool newline, int expected)
{
	char *text = test_malloc(sizeof(HEADER) + len + 1);
	struct source *source;
	struct seen seen;

	memcpy(text, HEADER, sizeof(HEADER) - 1);
	memset(text + sizeof(HEADER) - 1, ' ', len);
	memcpy(text + sizeof(HEADER) - 1, "{\"k\":\"tick\",\"t\":1}", 18);
	text[sizeof(HEADER) - 1 + len] = '\n';
	write_bytes(text, sizeof(HEADER) - 1 + len + newline);
	test_free(text);
	source = open_recording();
	assert_int_equal(run_all(source, &seen), expected);
	if (expected)
		assert_non_null(strstr(source_error(source), "line 2: "));
	source_free(source);
}

static void lines_end_at_16_kib(void **state)
{
	(void)state;
	assert_line_length(RECORD_LINE_MAX - 1, true, 0);
	assert_line_length(RECORD_LINE_MAX, true, -EINVAL);
	assert_line_length(RECORD_LINE_MAX + 1, true, -EINVAL);
	assert_line_length(600000, true, -EINVAL);
	assert_line_length(600000, false, -EINVAL);
}

static void what_is_no_file_is_refused(void **state)
{
	struct source *source = NULL;
	char error[256];

	(void)state;
	assert_int_equal(replay_new(scratch_dir, &source, error, sizeof(error)), -EISDIR);
	assert_non_null(strstr(error, "expected a regular file"));
	assert_int_equal(replay_new("/dev/null", &source, error, sizeof(error)), -EINVAL);
	assert_int_equal(replay_new("/nonexistent/x", &source, error, sizeof(error)), -ENOENT);
	assert_non_null(strstr(error, "/nonexistent/x: cannot read it: No such file"));
	assert_null(source);
}

static void a_compressed_recording_is_read_as_it_is(void **state)
{
	static const char text[] = HEADER TICK STOP;
	gzFile file = gzopen(scratch_file, "wb");
	struct source *source = NULL;
	char error[256];
	struct seen seen;
	struct stat st;

	(void)state;
	assert_int_equal(gzwrite(file, text, sizeof(text) - 1), sizeof(text) - 1);
	assert_int_equal(gzclose(file), Z_OK);
	assert_int_equal(replay_new(scratch_file, &source, error, sizeof(error)), 0);
	assert_int_equal(run_all(source, &seen), 0);
	assert_string_equal(seen.kinds, "hts");
	source_free(source);

	/* cut in the middle: no line can be trusted to be the last */
	assert_int_equal(stat(scratch_file, &st), 0);
	assert_int_equal(truncate(scratch_file, st.st_size - 12), 0);
	assert_int_equal(replay_new(scratch_file, &source, error, sizeof(error)), 0);
	assert_int_equal(run_all(source, &seen), -EINVAL);
	assert_non_null(strstr(source_error(source), "cut off"));
	source_free(source);
}

static void a_pipe_and_standard_input_will_do(void **state)
{
	static const char text[] = HEADER TICK STOP;
	int saved = dup(STDIN_FILENO);
	struct source *source = NULL;
	char error[256];
	struct seen seen;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], text, sizeof(text) - 1), sizeof(text) - 1);
	close(fds[1]);
	dup2(fds[0], STDIN_FILENO);
	close(fds[0]);
	assert_int_equal(replay_new("-", &source, error, sizeof(error)), 0);
	assert_int_equal(run_all(source, &seen), 0);
	assert_string_equal(seen.kinds, "hts");
	source_free(source);
	dup2(saved, STDIN_FILENO);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_batches_that_end_with_a_tick),
		cmocka_unit_test(a_killed_recorder_leaves_a_usable_recording),
		cmocka_unit_test(a_long_recording_is_read_in_pieces),
		cmocka_unit_test(errors_name_the_line_and_what_was_expected),
		cmocka_unit_test(nul_bytes_are_refused),
		cmocka_unit_test(lines_end_at_16_kib),
		cmocka_unit_test(what_is_no_file_is_refused),
		cmocka_unit_test(a_compressed_recording_is_read_as_it_is),
		cmocka_unit_test(a_pipe_and_standard_input_will_do),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
