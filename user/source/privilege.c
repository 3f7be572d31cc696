/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* privilege.c - see privilege.h. */
#include "source/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#include "source/procfs.h"

static const struct {
	const char *name;
	uint8_t capability;
	bool sys_admin_will_do;
} needed[] = {
	{"CAP_BPF", CAP_BPF, true},		   /* load programs */
	{"CAP_PERFMON", CAP_PERFMON, true},	   /* attach them to tracepoints and iterators */
	{"CAP_NET_ADMIN", CAP_NET_ADMIN, false},   /* attach to cgroups */
	{"CAP_SYS_PTRACE", CAP_SYS_PTRACE, false}, /* /proc/PID/exe of other users */
};

static bool has(uint64_t capabilities, uint8_t capability)
{
	return capabilities >> capability & 1;
}

unsigned int privilege_missing(uint64_t capabilities, char *out, size_t out_size)
{
	unsigned int nr = 0;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		if (has(capabilities, needed[i].capability) ||
		    (needed[i].sys_admin_will_do && has(capabilities, CAP_SYS_ADMIN)))
			continue;
		if (len < out_size)
			len += (size_t)snprintf(out + len, out_size - len, "%s%s", nr ? ", " : "",
						needed[i].name);
		nr++;
	}
	return nr;
}

int privilege_check(char *error, size_t error_size)
{
	char text[4096], names[128];
	ssize_t len = procfs_read_file("/proc/self/status", text, sizeof(text));
	uint64_t capabilities;

	/* Without /proc we cannot tell; the load itself will. */
	if (len < 0 || procfs_parse_hex_line(text, (size_t)len, "CapEff:", &capabilities))
		return 0;
	if (!privilege_missing(capabilities, names, sizeof(names)))
		return 0;
	snprintf(error, error_size, "missing privilege: needs %s; run as root or grant them",
		 names);
	return -EPERM;
}

bool privilege_is_confidential(void)
{
	char text[128];

	return procfs_read_file("/sys/kernel/security/lockdown", text, sizeof(text)) > 0 &&
	       strstr(text, "[confidentiality]");
}
