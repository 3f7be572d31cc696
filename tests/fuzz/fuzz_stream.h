/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_stream.h - a source read to its end through the core: each line of the reports is valid, and where
 * the source ends with an error it says so in one printable line, else nothing.
 */
#ifndef MEMSWELL_FUZZ_STREAM_H
#define MEMSWELL_FUZZ_STREAM_H

#include <sys/mman.h>
#include <unistd.h>

#include "core/core.h"
#include "fuzz_line.h"
#include "model/report_json.h"
#include "source/source.h"

#define FUZZ_PATH_LEN 32

/* A file that holds these bytes and has a path for as long as the descriptor is open. */
static inline int fuzz_file(const void *data, size_t size, char path[FUZZ_PATH_LEN])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	EXPECT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, FUZZ_PATH_LEN, "/proc/self/fd/%d", fd);
	return fd;
}

struct fuzz_stream {
	struct core *core;
	uint32_t nr_nodes;
};

static inline void fuzz_on_report(void *arg, const struct report *report)
{
	static char line[REPORT_LINE_MAX + 1];

	(void)arg;
	fuzz_expect_line(line, report_json(report, line));
}

static inline void fuzz_on_record(void *arg, const struct record *record)
{
	struct fuzz_stream *stream = arg;

	EXPECT(record->node < stream->nr_nodes);
	core_feed(stream->core, record);
}

/* nr_nodes: 0 for a recording of one. */
static inline void fuzz_stream(struct source *source, uint32_t nr_nodes)
{
	const struct core_options options = {.nr_nodes = nr_nodes};
	struct fuzz_stream stream = {core_new(&options, fuzz_on_report, NULL),
				     nr_nodes ? nr_nodes : 1};
	const char *error;
	int more;

	EXPECT(stream.core);
	while ((more = source_next(source, fuzz_on_record, &stream)) > 0)
		;
	error = source_error(source);
	expect_text(error, strlen(error), false);
	EXPECT((more < 0) == (*error != '\0'));
	core_free(stream.core);
}

#endif
