/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_container_config.c - whatever stands in the place of a runtime's file: what comes out is text within
 * its field, and the id that was asked for stays.
 *
 * First byte: '0' and so on, which kind of file. Then the text.
 */
#include <errno.h>

#include "fuzz.h"
#include "source/container_config.h"

#define ID "5e32fc305b83657eae72a74317f302151590b8b760424e5caf61548c6d97add3"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_container told = {.id = ID};
	static const struct record_container nothing = {.id = ID};
	bool is_whole = false;
	char *text;
	int err;

	if (!size)
		return 0;
	/* Of its exact size, so that a byte too far is seen. */
	text = malloc(size - 1 ? size - 1 : 1);
	EXPECT(text);
	memcpy(text, data + 1, size - 1);
	err = container_config_parse(
		text, size - 1, (uint8_t)(data[0] - '0') % NR_CONTAINER_CONFIGS, &told, &is_whole);
	free(text);
	EXPECT(err == 0 || err == -ENOENT || err == -EINVAL);
	EXPECT(!err || (memcmp(&told, &nothing, sizeof(told)) == 0 && !is_whole));
	EXPECT(strcmp(told.id, ID) == 0);
	EXPECT(told.runtime < NR_CONTAINER_RUNTIMES);
	EXPECT_STRING(told.name);
	EXPECT_STRING(told.image);
	EXPECT_STRING(told.pod_name);
	EXPECT_STRING(told.pod_namespace);
	EXPECT_STRING(told.pod_uid);
	return 0;
}
