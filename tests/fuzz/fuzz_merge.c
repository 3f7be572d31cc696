/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_merge.c - whatever several recordings hold, of whatever clocks: they are refused with one
 * printable line, or become one stream whose records are all of known nodes. Input is the recordings, a
 * zero byte between them.
 */
#include "fuzz_stream.h"
#include "source/merge.h"

#define MAX_FILES 4

static int make_files(const uint8_t *data, size_t size, int fds[MAX_FILES],
		      char paths[MAX_FILES][FUZZ_PATH_LEN])
{
	int nr = 0;

	for (bool more = true; more; nr++) {
		const uint8_t *end = nr + 1 < MAX_FILES && size ? memchr(data, 0, size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;

		fds[nr] = fuzz_file(data, len, paths[nr]);
		more = end != NULL;
		data += len + more;
		size -= len + more;
	}
	return nr;
}

static void check_nodes(const struct source *source, int nr_files)
{
	uint32_t nr = merge_nr_nodes(source);
	struct merge_node node;

	EXPECT(nr >= 1 && nr <= (uint32_t)nr_files);
	for (uint32_t i = 0; i < nr; i++) {
		merge_tell(source, i, &node);
		EXPECT(node.file && node.host_name[0]);
		expect_text(node.host_name, strlen(node.host_name), true);
		EXPECT(i > 0 || (node.correction_ns == 0 && node.error_ns == 0));
		EXPECT(node.nr_agree || i == 0 || node.error_ns == MERGE_CLOCK_UNKNOWN_NS);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char paths[MAX_FILES][FUZZ_PATH_LEN], error[512] = "";
	char *names[MAX_FILES] = {paths[0], paths[1], paths[2], paths[3]};
	struct source *source = NULL;
	int fds[MAX_FILES];
	int nr = make_files(data, size, fds, paths);

	if (merge_new(names, (uint32_t)nr, &source, error, sizeof(error)) == 0) {
		EXPECT(!error[0]);
		check_nodes(source, nr);
		fuzz_stream(source, merge_nr_nodes(source));
		source_free(source);
	} else {
		EXPECT(error[0]);
		expect_text(error, strlen(error), false);
	}
	for (int i = 0; i < nr; i++)
		close(fds[i]);
	return 0;
}
