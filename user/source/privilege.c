/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* privilege.c - see privilege.h. */
#include "source/privilege.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "source/procfs.h"

static const struct privilege table[] = {
	{
		.name = "CAP_BPF",
		.capability = CAP_BPF,
		.required = true,
		.sys_admin_will_do = true,
		.running = PRIVILEGE_KEPT_FOR_BPF,
		.purpose = "create the maps and load the programs",
		.kernels = "all; while running only before 5.19, with unprivileged_bpf_disabled",
		.without = "memswell does not start",
	},
	{
		.name = "CAP_PERFMON",
		.capability = CAP_PERFMON,
		.required = true,
		.sys_admin_will_do = true,
		.broker = true,
		.running = PRIVILEGE_DROPPED,
		.purpose = "attach programs to tracepoints and iterators, and uprobes where it is "
			   "enough for them",
		.kernels = "all",
		.without = "memswell does not start",
	},
	{
		.name = "CAP_NET_ADMIN",
		.capability = CAP_NET_ADMIN,
		.running = PRIVILEGE_DROPPED,
		.purpose = "attach the programs that see sockets and packets to the root cgroup",
		.kernels = "all",
		.without = "no HTTP is counted, and sockets have no owner until they are read from",
	},
	{
		.name = "CAP_SYS_PTRACE",
		.capability = CAP_SYS_PTRACE,
		.running = PRIVILEGE_KEPT,
		.purpose = "read what processes of other users run and were told: "
			   "/proc/PID/exe and /proc/PID/environ",
		.kernels = "all",
		.without = "what processes of other users run, and what their runtimes were told "
			   "about memory, is unknown",
	},
	{
		.name = "CAP_DAC_READ_SEARCH",
		.capability = CAP_DAC_READ_SEARCH,
		.running = PRIVILEGE_KEPT,
		.purpose = "open a cgroup by the id that the kernel told, and files of container "
			   "runtimes and executables that only their owner may read",
		.kernels = "all",
		.without = "a cgroup without a living process of its own has no name, such as a "
			   "pod's; containers and pods have ids but no names; the runtime of "
			   "unreadable executables is unknown",
	},
	{
		.name = "CAP_SYS_ADMIN",
		.capability = CAP_SYS_ADMIN,
		.broker = true,
		.running = PRIVILEGE_KEPT_FOR_STATS,
		.purpose = "uprobes on V8, system call tracepoints under perf_event_paranoid above "
			   "2, and mounting cgroup2 or tracefs for memswell alone where it is not "
			   "mounted",
		.kernels = "uprobes: those with the fix of CVE-2025-38466 (6.1.146, 6.12.39 and "
			   "later); the rest: all",
		.without = "V8's own heap limit shows only as SIGABRT; mmap and brk are counted in "
			   "a way that costs more",
	},
	{
		.name = "CAP_SYS_RESOURCE",
		.capability = CAP_SYS_RESOURCE,
		.running = PRIVILEGE_DROPPED,
		.purpose = "raise RLIMIT_MEMLOCK, which bounds maps",
		.kernels = "before 5.11",
		.without = "maps do not fit there, unless the limit is high enough (ulimit -l)",
	},
	{
		.name = "CAP_SETPCAP",
		.capability = CAP_SETPCAP,
		.running = PRIVILEGE_DROPPED,
		.purpose = "empty the bounding set",
		.kernels = "all",
		.without = "the bounding set stays; no_new_privs and the filter forbid what it is "
			   "for: execve",
	},
};

static const char *const running_texts[] = {
	[PRIVILEGE_DROPPED] = "dropped",
	[PRIVILEGE_KEPT] = "kept",
	[PRIVILEGE_KEPT_FOR_BPF] = "kept where every bpf() asks for it",
	[PRIVILEGE_KEPT_FOR_STATS] = "kept with --bpf-stats",
};
_Static_assert(sizeof(running_texts) / sizeof(running_texts[0]) == NR_PRIVILEGE_RUNNING,
	       "a text for each");

#define NR_ROWS (sizeof(table) / sizeof(table[0]))

const struct privilege *privilege_table(uint32_t *nr)
{
	*nr = NR_ROWS;
	return table;
}

const char *privilege_running_text(enum privilege_running running)
{
	return running_texts[running];
}

bool privilege_has(uint64_t capabilities, uint8_t capability)
{
	return capabilities >> capability & 1;
}

unsigned int privilege_missing(uint64_t capabilities, char *out, size_t out_size)
{
	unsigned int nr = 0;
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < NR_ROWS; i++) {
		if (!table[i].required || privilege_has(capabilities, table[i].capability) ||
		    (table[i].sys_admin_will_do && privilege_has(capabilities, CAP_SYS_ADMIN)))
			continue;
		if (len < out_size)
			len += (size_t)snprintf(out + len, out_size - len, "%s%s", nr ? ", " : "",
						table[i].name);
		nr++;
	}
	return nr;
}

uint64_t privilege_broker_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < NR_ROWS; i++)
		if (table[i].broker)
			mask |= 1ULL << table[i].capability;
	return mask;
}

static int status_number(const char *key, uint64_t *out)
{
	char text[4096];
	ssize_t len = procfs_read_file("/proc/self/status", text, sizeof(text));

	return len < 0 ? (int)len : procfs_parse_hex_line(text, (size_t)len, key, out);
}

int privilege_held(uint64_t *out)
{
	return status_number("CapEff:", out);
}

bool privilege_has_seccomp(void)
{
	uint64_t mode;

	return !status_number("Seccomp:", &mode) && mode == SECCOMP_MODE_FILTER;
}

int privilege_check(char *error, size_t error_size)
{
	char names[128];
	uint64_t capabilities;

	/* Without /proc we cannot tell; the load itself will. */
	if (privilege_held(&capabilities))
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
