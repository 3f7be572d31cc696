/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_elf_symbols.c - whatever an executable of somebody else holds, and while it is being cut short:
 * the reader tells facts within their limits or refuses it, and takes no memory that follows the file.
 *
 * First byte: how much of the file goes away while it is read, in 256ths. Then the file.
 */
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "source/elf_symbols.h"

static void expect_facts(const struct elf_facts *facts)
{
	EXPECT(facts->nr_v8_fatal <= ELF_MAX_V8_FATAL);
	EXPECT(facts->node_major <= 999);
	for (uint32_t i = 0; i < facts->nr_v8_fatal; i++) {
		const struct v8_fatal *fatal = &facts->v8_fatal[i];

		EXPECT(fatal->offset);
		EXPECT(fatal->kind == V8_FATAL_FIRST_ARG || fatal->kind == V8_FATAL_SECOND_ARG);
		for (uint32_t j = 0; j < i; j++)
			EXPECT(facts->v8_fatal[j].offset != fatal->offset);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct elf_facts facts;
	int err;

	if (size < 1)
		return 0;
	if (fd < 0)
		fd = memfd_create("elf", MFD_CLOEXEC);
	EXPECT(fd >= 0);
	EXPECT(ftruncate(fd, 0) == 0);
	EXPECT(pwrite(fd, data + 1, size - 1, 0) == (ssize_t)(size - 1));
	if (data[0] & 1)
		EXPECT(ftruncate(fd, (off_t)((size - 1) << (data[0] >> 1) % 32)) == 0);
	err = elf_inspect(fd, true, &facts);
	EXPECT(err == 0 || err == -ENOEXEC);
	if (!err)
		expect_facts(&facts);
	return 0;
}
