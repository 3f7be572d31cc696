/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_procfs.c - whatever the files of a process and the mount table say: parsers stay within the
 * text and the result, paths become valid UTF-8, and the cgroup is the one that a plain reading by
 * lines and colons finds.
 *
 * First byte: which parser. Second: the hierarchy, or the size of the result. Then the text.
 */
#include <errno.h>

#include "fuzz.h"
#include "source/executables.h"
#include "source/mounts.h"
#include "source/procfs.h"

#define MAX_OUT 300

/*
 * As the documentation of /proc/PID/cgroup reads: "number:controllers:path", a path being absolute;
 * one that begins with ".." is outside of our cgroup namespace.
 */
static int plain_cgroup(const char *text, unsigned int hierarchy, char *out, size_t out_size)
{
	char *copy = strdup(text), *save = NULL;
	int err = -ENOENT;

	EXPECT(copy);
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!controllers || strspn(line, "0123456789") != (size_t)(controllers - line) ||
		    controllers == line || controllers - line > 10 ||
		    strtoull(line, NULL, 10) != hierarchy)
			continue;
		if (path && path[1] == '/') {
			err = strncmp(path, ":/../", 5) && strcmp(path, ":/..") ? 0 : -EXDEV;
			if (!err)
				utf8_sanitize(out, out_size, path + 1, strlen(path + 1));
		}
		break;
	}
	free(copy);
	return err;
}

static void fuzz_cgroup(const char *text, size_t len, uint8_t hierarchy)
{
	char out[MAX_OUT] = "", plain[MAX_OUT] = "", *terminated;
	int err = procfs_parse_cgroup(text, len, hierarchy, out, sizeof(out));

	EXPECT(err == 0 || err == -ENOENT || err == -EXDEV);
	EXPECT_STRING(out);
	EXPECT(err || out[0] == '/');
	if (memchr(text, '\0', len))
		return;
	terminated = strndup(text, len);
	EXPECT(terminated);
	EXPECT(plain_cgroup(terminated, hierarchy, plain, sizeof(plain)) == err);
	EXPECT(strcmp(out, plain) == 0);
	free(terminated);
}

static void fuzz_exe(const char *text, size_t len, uint8_t out_size)
{
	char *out = malloc(out_size + 1U);

	EXPECT(out);
	procfs_clean_exe(text, len, out, out_size + 1U);
	EXPECT(strlen(out) <= out_size);
	expect_text(out, strlen(out), true);
	EXPECT((unsigned int)runtime_of_path(out) < NR_RUNTIMES);
	free(out);
}

static void fuzz_mountinfo(const char *text, size_t len, uint8_t out_size)
{
	static const struct {
		const char *type, *option;
	} wanted[] = {{"cgroup2", NULL}, {"cgroup", "memory"}, {"tracefs", NULL}};
	char *out = malloc(out_size + 1U);

	EXPECT(out);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		int err = mounts_parse_mountinfo(text, len, wanted[i].type, wanted[i].option, out,
						 out_size + 1U);

		EXPECT(err == 0 || err == -ENOENT);
		EXPECT(err || strlen(out) <= out_size);
	}
	free(out);
}

static void fuzz_numbers(const char *text, size_t len)
{
	uint64_t value = 0;
	int err = procfs_parse_start_ticks(text, len, &value);

	EXPECT(err == 0 || err == -EINVAL);
	err = procfs_parse_hex_line(text, len, "CapEff:", &value);
	EXPECT(err == 0 || err == -EINVAL || err == -ENOENT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 2)
		return 0;
	text = exact_copy(data + 2, size - 2);
	switch (data[0] % 4) {
	case 0:
		fuzz_cgroup(text, size - 2, data[1]);
		break;
	case 1:
		fuzz_exe(text, size - 2, data[1]);
		break;
	case 2:
		fuzz_mountinfo(text, size - 2, data[1]);
		break;
	default:
		fuzz_numbers(text, size - 2);
		break;
	}
	free(text);
	return 0;
}
