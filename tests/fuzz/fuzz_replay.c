/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_replay.c - whatever a recording holds: it is refused with one printable line that names the
 * place, or goes through the core, and each line of the reports is valid. Input is the recording.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "core/core.h"
#include "fuzz.h"
#include "fuzz_line.h"
#include "model/report_json.h"
#include "source/replay.h"

static void on_report(void *arg, const struct report *report)
{
	static char line[REPORT_LINE_MAX + 1];

	(void)arg;
	fuzz_expect_line(line, report_json(report, line));
}

static void on_record(void *arg, const struct record *record)
{
	core_feed(arg, record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct core_options options;
	char path[64], error[512] = "";
	struct source *source = NULL;
	struct core *core;
	int fd = memfd_create("recording", MFD_CLOEXEC), more;

	EXPECT(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	EXPECT(replay_new(path, &source, error, sizeof(error)) == 0);
	core = core_new(&options, on_report, NULL);
	EXPECT(core);
	while ((more = source_next(source, on_record, core)) > 0)
		;
	expect_text(source_error(source), strlen(source_error(source)), false);
	EXPECT((more < 0) == (*source_error(source) != '\0'));
	source_free(source);
	core_free(core);
	close(fd);
	return 0;
}
