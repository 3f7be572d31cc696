/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* self.c - see self.h. */
#include "source/self.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"
#include "source/map_memory.h"
#include "source/procfs.h"

#define NS_PER_S 1000000000LL

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

uint64_t self_boot_ns(void)
{
	return (uint64_t)clock_ns(CLOCK_BOOTTIME);
}

uint64_t self_suspended_ns(void)
{
	/* In this order, so that what passes between the readings makes it smaller, never wrong. */
	int64_t boot = clock_ns(CLOCK_BOOTTIME);
	int64_t slept = boot - clock_ns(CLOCK_MONOTONIC);

	/* A machine that never slept has 0, not some microseconds. */
	return slept > NS_PER_S / 1000 ? (uint64_t)slept : 0;
}

int64_t self_wall_offset_ns(void)
{
	/* In the middle of two readings, so that an interruption shifts it by half at most. */
	int64_t before = clock_ns(CLOCK_BOOTTIME);
	int64_t wall = clock_ns(CLOCK_REALTIME);
	int64_t after = clock_ns(CLOCK_BOOTTIME);

	return wall - (before + (after - before) / 2);
}

static uint64_t timeval_ns(const struct timeval *time)
{
	return (uint64_t)(time->tv_sec * NS_PER_S + time->tv_usec * 1000);
}

uint64_t self_cpu_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return timeval_ns(&usage.ru_utime) + timeval_ns(&usage.ru_stime);
}

void self_cost(const struct bpf_object *object, struct record *out)
{
	const struct bpf_map *map;
	char text[256];
	uint64_t resident = 0;

	out->self.cpu_ns = self_cpu_ns();
	if (procfs_read_file("/proc/self/statm", text, sizeof(text)) > 0 && strchr(text, ' '))
		resident = strtoull(strchr(text, ' '), NULL, 10);
	out->self.rss_bytes = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	bpf_object__for_each_map(map, object) out->self.map_bytes += map_memory_charged(map);
}

enum mapping { MAPPING_OTHER, MAPPING_FILE, MAPPING_PRIVATE };

/* "begin-end perms offset dev inode   path": files, [heap] and [stack]; not maps, not [vdso]. */
static enum mapping mapping_of(const char *line, size_t *bytes)
{
	unsigned long begin, end;
	int path = 0;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers fit */
	if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %n", &begin, &end, &path) != 2 || !path)
		return MAPPING_OTHER;
	*bytes = end - begin;
	if (line[path] == '/')
		return MAPPING_FILE;
	return strncmp(line + path, "[heap]", 6) == 0 || strncmp(line + path, "[stack]", 7) == 0
		       ? MAPPING_PRIVATE
		       : MAPPING_OTHER;
}

/* Files whole; of heap and stack what is resident, as what was freed stays mapped. */
size_t self_program_bytes(void)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	enum mapping mapping = MAPPING_OTHER;
	size_t bytes = 0, size = 0, len;
	unsigned long kib;
	char *line = NULL;

	while (maps && getline(&line, &size, maps) > 0) {
		if (line[0] < 'A' || line[0] > 'Z') {
			mapping = mapping_of(line, &len);
			bytes += mapping == MAPPING_FILE ? len : 0;
			/* NOLINTNEXTLINE(cert-err34-c): likewise */
		} else if (mapping == MAPPING_PRIVATE && sscanf(line, "Rss: %lu", &kib) == 1) {
			bytes += kib * 1024;
		}
	}
	free(line);
	if (maps)
		fclose(maps);
	return bytes;
}

static void read_line(const char *path, char *out, size_t out_size)
{
	char text[512];
	ssize_t len = procfs_read_file(path, text, sizeof(text));

	out[0] = '\0';
	if (len > 0)
		utf8_sanitize(out, out_size, text, strcspn(text, "\n"));
}

/* What the kernel manages, a little less than what is built in; 0: unknown. */
static uint64_t memory_bytes(uint32_t page_bytes)
{
	long pages = sysconf(_SC_PHYS_PAGES);

	return pages > 0 ? (uint64_t)pages * page_bytes : 0;
}

void self_header(struct record *out)
{
	struct record_header *header = &out->header;
	struct utsname uts;

	header->version = RECORD_FORMAT_VERSION;
	header->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	header->memory_bytes = memory_bytes(header->page_bytes);
	header->wall_offset_ns = self_wall_offset_ns();
	read_line("/etc/machine-id", header->host_id, sizeof(header->host_id));
	read_line("/proc/sys/kernel/random/boot_id", header->boot_id, sizeof(header->boot_id));
	if (uname(&uts))
		return;
	utf8_sanitize(header->host_name, sizeof(header->host_name), uts.nodename,
		      sizeof(uts.nodename));
	utf8_sanitize(header->kernel, sizeof(header->kernel), uts.release, sizeof(uts.release));
	utf8_sanitize(header->arch, sizeof(header->arch), uts.machine, sizeof(uts.machine));
}
