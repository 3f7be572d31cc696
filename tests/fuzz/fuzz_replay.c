/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_replay.c - whatever a recording holds: it is refused with one printable line that names the
 * place, or goes through the core, and each line of the reports is valid. Input is the recording.
 */
#include "fuzz_stream.h"
#include "source/replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[FUZZ_PATH_LEN], error[512] = "";
	struct source *source = NULL;
	int fd = fuzz_file(data, size, path);

	EXPECT(replay_new(path, &source, error, sizeof(error)) == 0);
	fuzz_stream(source, 0);
	source_free(source);
	close(fd);
	return 0;
}
