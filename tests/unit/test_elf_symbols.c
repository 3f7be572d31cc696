/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_elf_symbols.c - what an executable tells: found in this test's own file, which has the
 * functions looked for, and in damaged copies of it.
 */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "source/elf_symbols.h"

/* As V8 and Node.js export them; parameter types shortened to something a linker accepts. */
void v8_fatal(void) __asm__("_ZN2v88internal2V823FatalProcessOutOfMemoryEPNS0_7IsolateEPKc");
void node_fatal(void) __asm__("_ZN4node15OOMErrorHandlerEPKc");
void worker_limit(void) __asm__("_ZN4node6worker6Worker13NearHeapLimitEPvmm");
int not_fatal(void) __asm__("_ZN4node99OOMErrorHandlerEPKc");

__attribute__((noinline, used)) void v8_fatal(void)
{
	__asm__ volatile("");
}

__attribute__((noinline, used)) void node_fatal(void)
{
	__asm__ volatile("" ::: "memory");
}

__attribute__((noinline, used)) void worker_limit(void)
{
	__asm__ volatile("nop\n\tnop\n\tnop\n\tnop");
}

__attribute__((noinline, used)) int not_fatal(void)
{
	return 1;
}

/* As its inspector calls itself; and what only looks like it. */
__attribute__((used)) static const char near_miss[] = "node.js/v"
						      ".x node.js/vnext node.js/v";
__attribute__((used)) static const char node_name[] = "node.js/v20.20.2";

/* This executable as bytes, and a file that holds such bytes. */
static uint8_t *self;
static size_t self_size;

static int file_with(const void *bytes, size_t size)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static int load_self(void **state)
{
	struct stat st;
	int fd = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	self_size = (size_t)st.st_size;
	self = malloc(self_size);
	assert_non_null(self);
	assert_int_equal(read(fd, self, self_size), st.st_size);
	close(fd);
	return 0;
}

static int free_self(void **state)
{
	(void)state;
	free(self);
	return 0;
}

static bool is_code_of(const struct v8_fatal *found, void (*function)(void))
{
	return memcmp(self + found->offset, (const void *)function, 4) == 0;
}

static void all_functions_are_found_where_they_are(void **state)
{
	struct elf_facts facts;
	int fd = file_with(self, self_size);
	uint32_t nr_first = 0;

	(void)state;
	assert_int_equal(elf_inspect(fd, true, &facts), 0);
	close(fd);
	assert_int_equal(facts.nr_v8_fatal, 3);
	for (uint32_t i = 0; i < facts.nr_v8_fatal; i++) {
		const struct v8_fatal *found = &facts.v8_fatal[i];

		assert_true(found->offset + 4 < self_size);
		if (found->kind == V8_FATAL_FIRST_ARG) {
			nr_first++;
			assert_true(is_code_of(found, node_fatal));
		} else {
			assert_true(is_code_of(found, v8_fatal) || is_code_of(found, worker_limit));
		}
	}
	assert_int_equal(nr_first, 1);
	assert_false(facts.is_go);
	assert_true(facts.entry_offset > 0 && facts.entry_offset < self_size);
}

static void the_version_of_node_is_what_its_inspector_says(void **state)
{
	uint8_t *bytes = malloc(self_size), *name;
	struct elf_facts facts;
	int fd = file_with(self, self_size);

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(elf_inspect(fd, true, &facts), 0);
	close(fd);
	assert_int_equal(facts.node_major, 20);
	memcpy(bytes, self, self_size);
	name = memmem(bytes, self_size, node_name, sizeof(node_name));
	assert_non_null(name);
	name[strlen("node.js/v20")] = 'x';
	fd = file_with(bytes, self_size);
	assert_int_equal(elf_inspect(fd, true, &facts), 0);
	close(fd);
	assert_int_equal(facts.node_major, 0);
	free(bytes);
}

static void symbols_are_not_read_unless_wanted(void **state)
{
	struct elf_facts facts;
	int fd = file_with(self, self_size);

	(void)state;
	assert_int_equal(elf_inspect(fd, false, &facts), 0);
	assert_int_equal(facts.nr_v8_fatal, 0);
	assert_int_equal(facts.node_major, 0);
	close(fd);
}

static void what_is_no_elf_file_is_refused(void **state)
{
	static const char *const texts[] = {"", "#!/bin/sh\n", "\177ELF", "\177ELF\2\1\1"};
	struct elf_facts facts;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = file_with(texts[i], strlen(texts[i]));

		assert_int_equal(elf_inspect(fd, true, &facts), -ENOEXEC);
		close(fd);
	}
	assert_int_equal(elf_inspect(-1, true, &facts), -ENOEXEC);
}

static void a_truncated_file_does_no_harm(void **state)
{
	struct elf_facts facts;

	(void)state;
	for (size_t size = 1; size < self_size; size += size < 4096 ? 61 : self_size / 23) {
		int fd = file_with(self, size);

		(void)elf_inspect(fd, true, &facts);
		close(fd);
	}
}

static void scrambled_headers_do_no_harm(void **state)
{
	size_t sections_at = *(uint64_t *)(self + 40);
	uint64_t seed = 88172645463325252ULL;
	struct elf_facts facts;
	uint8_t *bytes = malloc(self_size);

	(void)state;
	assert_non_null(bytes);
	assert_true(sections_at < self_size);
	for (int round = 0; round < 60; round++) {
		memcpy(bytes, self, self_size);
		for (int i = 0; i < 40; i++) {
			size_t at;

			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			at = round & 1 ? 24 + seed % 1000
				       : sections_at + seed % (self_size - sections_at);
			bytes[at] = (uint8_t)(seed >> 32);
		}
		int fd = file_with(bytes, self_size);

		(void)elf_inspect(fd, true, &facts);
		close(fd);
	}
	free(bytes);
}

/* Peak memory of this process in KiB. */
static long peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* This file with one section header of type `type` that claims `claimed` bytes up to the end. */
static int file_claiming(uint32_t type, uint64_t claimed)
{
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)self;
	int fd = file_with(self, self_size);
	Elf64_Shdr section;

	for (unsigned int i = ehdr->e_shnum - 1; i > 0; i--) {
		off_t at = (off_t)(ehdr->e_shoff + i * sizeof(section));

		assert_int_equal(pread(fd, &section, sizeof(section), at), sizeof(section));
		if (section.sh_type != type)
			continue;
		section.sh_size = claimed - section.sh_offset;
		assert_int_equal(pwrite(fd, &section, sizeof(section), at), sizeof(section));
		break;
	}
	assert_int_equal(ftruncate(fd, (off_t)claimed), 0);
	return fd;
}

static void tables_that_claim_gigabytes_take_no_memory(void **state)
{
	static const uint32_t types[] = {SHT_STRTAB, SHT_SYMTAB, SHT_DYNSYM, SHT_PROGBITS};
	const long before = peak_kib();
	struct elf_facts facts;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int fd = file_claiming(types[i], 1ULL << 30);

		assert_int_equal(elf_inspect(fd, true, &facts), 0);
		close(fd);
	}
	assert_true(peak_kib() - before < 64 << 10);
}

static void a_number_of_sections_that_no_file_has_takes_no_memory(void **state)
{
	const long before = peak_kib();
	struct elf_facts facts;
	Elf64_Shdr first = {.sh_size = 1ULL << 26};
	Elf64_Ehdr ehdr;
	int fd = file_with(self, self_size);

	(void)state;
	memcpy(&ehdr, self, sizeof(ehdr));
	ehdr.e_shnum = 0; /* the first section says */
	ehdr.e_shoff = (self_size + 63) / 64 * 64;
	assert_int_equal(pwrite(fd, &ehdr, sizeof(ehdr), 0), sizeof(ehdr));
	assert_int_equal(pwrite(fd, &first, sizeof(first), (off_t)ehdr.e_shoff), sizeof(first));
	assert_int_equal(ftruncate(fd, (off_t)(ehdr.e_shoff + first.sh_size * sizeof(first))), 0);
	assert_int_equal(elf_inspect(fd, true, &facts), 0);
	close(fd);
	assert_true(peak_kib() - before < 64 << 10);
}

/* Cuts the file short and puts it back, again and again. */
static void *cut(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 300; i++) {
		assert_int_equal(ftruncate(fd, i % 7 * 100), 0);
		assert_int_equal(pwrite(fd, self, self_size, 0), (ssize_t)self_size);
	}
	return NULL;
}

static void a_file_that_shrinks_while_it_is_read_does_no_harm(void **state)
{
	int fd = file_with(self, self_size);
	struct elf_facts facts;
	pthread_t cutter;

	(void)state;
	assert_int_equal(pthread_create(&cutter, NULL, cut, &fd), 0);
	for (int i = 0; i < 300; i++)
		(void)elf_inspect(fd, true, &facts);
	assert_int_equal(pthread_join(cutter, NULL), 0);
	assert_int_equal(elf_inspect(fd, true, &facts), 0);
	assert_int_equal(facts.nr_v8_fatal, 3);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_functions_are_found_where_they_are),
		cmocka_unit_test(the_version_of_node_is_what_its_inspector_says),
		cmocka_unit_test(symbols_are_not_read_unless_wanted),
		cmocka_unit_test(what_is_no_elf_file_is_refused),
		cmocka_unit_test(a_truncated_file_does_no_harm),
		cmocka_unit_test(scrambled_headers_do_no_harm),
		cmocka_unit_test(tables_that_claim_gigabytes_take_no_memory),
		cmocka_unit_test(a_number_of_sections_that_no_file_has_takes_no_memory),
		cmocka_unit_test(a_file_that_shrinks_while_it_is_read_does_no_harm),
	};

	return cmocka_run_group_tests(tests, load_self, free_self);
}
