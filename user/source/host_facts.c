/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* host_facts.c - see host_facts.h. */
#include "source/host_facts.h"

#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/utf8.h"
#include "source/host_files.h"
#include "source/mounts.h"
#include "source/privilege.h"
#include "source/procfs.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))
#define TEXT_MAX  (1U << 20)

/* Paths ---------------------------------------------------------------------------------------- */

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* A file's text without the newline at its end; "" if it cannot be read. */
static void read_text(const char *path, char *out, size_t out_size)
{
	ssize_t len = procfs_read_file(path, out, out_size);

	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

static int read_number(const char *path)
{
	char text[32], *end;
	long value;

	read_text(path, text, sizeof(text));
	value = strtol(text, &end, 10);
	return end == text ? HOST_UNKNOWN : (int)value;
}

/* The whole of a file, "" if it cannot be read; the caller frees it. NULL without memory. */
static char *read_whole(const char *path)
{
	char *text = malloc(TEXT_MAX);
	ssize_t len;

	if (!text)
		return NULL;
	len = procfs_read_file(path, text, TEXT_MAX);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

/* Kernel --------------------------------------------------------------------------------------- */

void host_facts_lockdown(const char *text, char *out, size_t out_size)
{
	const char *begin = strchr(text, '['), *end = begin ? strchr(begin, ']') : NULL;

	out[0] = '\0';
	if (end)
		utf8_sanitize(out, out_size, begin + 1, (size_t)(end - begin - 1));
}

static void kernel_facts(struct host_kernel *kernel)
{
	struct utsname uts;
	char text[128];

	if (!uname(&uts)) {
		utf8_sanitize(kernel->release, sizeof(kernel->release), uts.release,
			      strlen(uts.release));
		utf8_sanitize(kernel->arch, sizeof(kernel->arch), uts.machine, strlen(uts.machine));
	}
	kernel->btf = !access("/sys/kernel/btf/vmlinux", R_OK);
	read_text("/sys/kernel/security/lockdown", text, sizeof(text));
	host_facts_lockdown(text, kernel->lockdown, sizeof(kernel->lockdown));
	kernel->perf_event_paranoid = read_number("/proc/sys/kernel/perf_event_paranoid");
	kernel->unprivileged_bpf_disabled =
		read_number("/proc/sys/kernel/unprivileged_bpf_disabled");
	kernel->psi = !access("/proc/pressure/memory", R_OK);
}

/* cgroups -------------------------------------------------------------------------------------- */

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len) {
		bool begins = at == text || strchr(" \n", at[-1]);

		if (begins && (!at[len] || strchr(" \n", at[len])))
			return true;
	}
	return false;
}

/* Mount point of a line of that type; "" if there is none. */
static bool mounted(const char *mountinfo, const char *type, const char *option,
		    char out[HOST_PATH_LEN])
{
	char path[4096];

	if (mounts_parse_mountinfo(mountinfo, strlen(mountinfo), type, option, path, sizeof(path)))
		return false;
	utf8_sanitize(out, HOST_PATH_LEN, path, strlen(path));
	return true;
}

/* "memory <hierarchy> <number> <enabled>"; hierarchy 0 is cgroup2's, or nobody's. */
static bool memory_disabled(const char *proc_cgroups)
{
	const char *line = strstr(proc_cgroups, "\nmemory\t");
	unsigned int hierarchy, number, enabled;

	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers fit */
	return line && sscanf(line, "\nmemory %u %u %u", &hierarchy, &number, &enabled) == 3 &&
	       !enabled;
}

void host_facts_cgroups(const struct host_cgroup_texts *texts, struct host_cgroups *out)
{
	char any[HOST_PATH_LEN];
	bool v1 = mounted(texts->mountinfo, "cgroup", NULL, any);
	bool v2 = mounted(texts->mountinfo, "cgroup2", NULL, out->v2);

	out->mode = v1 && v2 ? HOST_CGROUP_HYBRID
		    : v2     ? HOST_CGROUP_V2
		    : v1     ? HOST_CGROUP_V1
			     : HOST_CGROUP_NONE;
	out->memory_disabled = memory_disabled(texts->proc_cgroups);
	if (mounted(texts->mountinfo, "cgroup", "memory", out->memory)) {
		out->memory_version = 1;
		out->memory_in_children = true;
	} else if (v2 && has_word(texts->controllers, "memory")) {
		out->memory_version = 2;
		snprintf(out->memory, sizeof(out->memory), "%s", out->v2);
		out->memory_in_children = has_word(texts->subtree_control, "memory");
	}
}

static void read_in_cgroup2(const char *mountinfo, const char *name, char *out, size_t out_size)
{
	char root[HOST_PATH_LEN] = "", path[HOST_PATH_LEN + 64];

	mounted(mountinfo, "cgroup2", NULL, root);
	snprintf(path, sizeof(path), "%s/%s", root, name);
	out[0] = '\0';
	if (root[0])
		read_text(path, out, out_size);
}

/* The root of every hierarchy is inode 1, a container's own part of it is not. */
static bool is_hierarchy_root(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_ino == 1;
}

static void mount_facts(struct host *host)
{
	char *mountinfo = read_whole("/proc/self/mountinfo");
	char proc_cgroups[4096], controllers[512], subtree_control[512];
	ssize_t len = procfs_read_file("/proc/cgroups", proc_cgroups, sizeof(proc_cgroups));
	const struct host_cgroup_texts texts = {mountinfo, proc_cgroups, controllers,
						subtree_control};

	if (!mountinfo)
		return;
	proc_cgroups[len > 0 ? len : 0] = '\0';
	read_in_cgroup2(mountinfo, "cgroup.controllers", controllers, sizeof(controllers));
	read_in_cgroup2(mountinfo, "cgroup.subtree_control", subtree_control,
			sizeof(subtree_control));
	host_facts_cgroups(&texts, &host->cgroups);
	host->cgroups.root_is_seen = is_hierarchy_root(host->cgroups.memory);
	mounted(mountinfo, "tracefs", NULL, host->kernel.tracefs);
	free(mountinfo);
}

/* Capabilities --------------------------------------------------------------------------------- */

static void capability_facts(struct host *host)
{
	uint32_t nr;
	const struct privilege *rows = privilege_table(&nr);
	uint64_t held = 0;
	bool admin;

	if (privilege_held(&held))
		held = 0;
	admin = privilege_has(held, CAP_SYS_ADMIN);
	for (uint32_t i = 0; i < nr && i < HOST_MAX_CAPABILITIES; i++) {
		bool has = privilege_has(held, rows[i].capability);

		host->capabilities[host->nr_capabilities++] = (struct host_capability){
			.name = rows[i].name,
			.purpose = rows[i].purpose,
			.without = rows[i].without,
			.kernels = rows[i].kernels,
			.running = privilege_running_text(rows[i].running),
			.required = rows[i].required,
			.held = has,
			.implied = !has && rows[i].sys_admin_will_do && admin,
		};
	}
}

/* Container runtimes --------------------------------------------------------------------------- */

/* A runtime is there if one of these is; in the order in which they are looked for. */
static const struct {
	const char *runtime;
	const char *path;
} runtime_paths[] = {
	{"docker", "/run/docker.sock"},
	{"docker", "/sys/fs/cgroup/memory/docker"},
	{"docker", "/sys/fs/cgroup/docker"},
	{"containerd", "/run/containerd/containerd.sock"},
	{"containerd", "/run/k3s/containerd/containerd.sock"},
	{"containerd", "/run/k0s/containerd.sock"},
	{"cri-o", "/run/crio/crio.sock"},
	{"podman", "/run/podman/podman.sock"},
	{"podman", "/run/libpod"},
	{"podman", "/sys/fs/cgroup/memory/libpod_parent"},
	{"podman", "/sys/fs/cgroup/libpod_parent"},
	{"kubernetes", "/var/lib/kubelet/config.yaml"},
	{"kubernetes", "/sys/fs/cgroup/memory/kubepods"},
	{"kubernetes", "/sys/fs/cgroup/memory/kubepods.slice"},
	{"kubernetes", "/sys/fs/cgroup/kubepods"},
	{"kubernetes", "/sys/fs/cgroup/kubepods.slice"},
	{"lxc", "/sys/fs/cgroup/memory/lxc"},
	{"lxc", "/sys/fs/cgroup/lxc"},
	{"systemd-nspawn", "/run/systemd/nspawn"},
};

static bool runtime_known(const struct host *host, const char *name)
{
	for (uint32_t i = 0; i < host->nr_runtimes; i++)
		if (strcmp(host->runtimes[i].name, name) == 0)
			return true;
	return false;
}

/* From inside a container the host's files are those of its first process, if we see that one. */
static void runtime_facts(struct host *host, const char *root)
{
	for (size_t i = 0; i < NR(runtime_paths); i++) {
		char path[HOST_PATH_LEN];
		struct host_runtime *out = &host->runtimes[host->nr_runtimes];

		snprintf(path, sizeof(path), "%s%s", root, runtime_paths[i].path);
		if (host->nr_runtimes == HOST_MAX_RUNTIMES ||
		    runtime_known(host, runtime_paths[i].runtime) || !exists(path))
			continue;
		out->name = runtime_paths[i].runtime;
		snprintf(out->evidence, sizeof(out->evidence), "%s", path);
		host->nr_runtimes++;
	}
}

static bool has_files(const struct host_file *file, const char *runtime)
{
	if (file->kind == CONTAINER_CONFIG_STORAGE)
		return !strcmp(runtime, container_runtime_name(CONTAINER_RUNTIME_CRIO)) ||
		       !strcmp(runtime, container_runtime_name(CONTAINER_RUNTIME_PODMAN));
	return !strcmp(runtime, container_runtime_name((enum container_runtime)file->runtime));
}

void host_facts_metadata(struct host *host, const char *host_root)
{
	const char *root = strcmp(host_root, "/") ? host_root : "";
	uint32_t nr;
	const struct host_file *table = host_files_table(&nr);

	for (uint32_t i = 0; i < host->nr_runtimes; i++) {
		struct host_runtime *runtime = &host->runtimes[i];

		for (uint32_t f = 0; f < nr && !runtime->metadata[0]; f++) {
			char path[HOST_PATH_LEN];

			snprintf(path, sizeof(path), "%s/%s", root, table[f].directory);
			if (has_files(&table[f], runtime->name) && exists(path))
				memcpy(runtime->metadata, path, sizeof(path));
		}
	}
}

/* Where memswell itself runs ------------------------------------------------------------------- */

static const char *const container_marks[] = {
	"/.dockerenv",
	"/run/.containerenv",
	"/run/systemd/container",
	"/var/run/secrets/kubernetes.io",
};

static void self_facts(struct host_self *self)
{
	self->initial_pid_namespace =
		procfs_in_initial_namespace("/proc/self/ns/pid", PROCFS_INITIAL_PID);
	self->initial_cgroup_namespace =
		procfs_in_initial_namespace("/proc/self/ns/cgroup", PROCFS_INITIAL_CGROUP);
	for (size_t i = 0; i < NR(container_marks) && !self->in_container; i++) {
		self->in_container = exists(container_marks[i]);
		if (self->in_container)
			snprintf(self->container_evidence, sizeof(self->container_evidence), "%s",
				 container_marks[i]);
	}
	if (!self->initial_pid_namespace && !self->in_container) {
		self->in_container = true;
		snprintf(self->container_evidence, sizeof(self->container_evidence),
			 "a PID namespace of its own");
	}
}

/* Limitations ---------------------------------------------------------------------------------- */

static bool no_memory_controller(const struct host *h)
{
	return !h->cgroups.memory_version && !h->cgroups.memory_disabled &&
	       h->cgroups.mode != HOST_CGROUP_NONE;
}

static bool memory_controller_disabled(const struct host *h)
{
	return h->cgroups.memory_disabled;
}

static bool no_memory_in_children(const struct host *h)
{
	return h->cgroups.memory_version == 2 && !h->cgroups.memory_in_children;
}

static bool nothing_mounted(const struct host *h)
{
	return h->cgroups.mode == HOST_CGROUP_NONE;
}

static bool own_pid_namespace(const struct host *h)
{
	return !h->self.initial_pid_namespace;
}

static bool own_cgroup_namespace(const struct host *h)
{
	return !h->self.initial_cgroup_namespace && !h->cgroups.root_is_seen;
}

static bool confidential(const struct host *h)
{
	return strcmp(h->kernel.lockdown, "confidentiality") == 0;
}

static const struct {
	bool (*applies)(const struct host *host);
	struct host_limitation limitation;
} limitations[] = {
	{memory_controller_disabled,
	 {"the memory controller is disabled",
	  "no cgroup has a limit, a usage or an OOM kill of its own: only whole-machine "
	  "kills and runtimes' own limits are seen",
	  "boot without cgroup_disable=memory"}},
	{no_memory_controller,
	 {"no mounted hierarchy has the memory controller",
	  "limits and usage of cgroups are read in the kernel all the same, but their names may "
	  "not be known",
	  "mount it, or let memswell see the host's /sys/fs/cgroup"}},
	{no_memory_in_children,
	 {"the root cgroup does not hand the memory controller down",
	  "no service can have a memory limit, so none is seen",
	  "echo +memory > cgroup.subtree_control at the root of cgroup2"}},
	{nothing_mounted,
	 {"no cgroup file system is mounted here",
	  "cgroups are named from /proc, and cgroup2 is mounted for memswell alone",
	  "let memswell see the host's /sys/fs/cgroup"}},
	{own_pid_namespace,
	 {"memswell runs in a PID namespace of its own",
	  "the kernel tells host PIDs, which /proc does not show here: executables, runtimes and "
	  "heap limits are unknown",
	  "share the host's PID namespace (hostPID: true, --pid=host)"}},
	{own_cgroup_namespace,
	 {"memswell runs in a cgroup namespace of its own",
	  "names of cgroups outside of it are relative or missing",
	  "let memswell see the host's /sys/fs/cgroup, or share its cgroup namespace "
	  "(--cgroupns=host)"}},
	{confidential,
	 {"lockdown is in confidentiality mode", "limit and usage of cgroups cannot be read",
	  "boot with lockdown=integrity"}},
};

void host_facts_limitations(struct host *out)
{
	for (size_t i = 0; i < NR(limitations); i++)
		if (limitations[i].applies(out) && out->nr_limitations < HOST_MAX_LIMITATIONS)
			out->limitations[out->nr_limitations++] = limitations[i].limitation;
}

void host_facts(struct host *out)
{
	int nr_cpus = libbpf_num_possible_cpus();

	memset(out, 0, sizeof(*out));
	out->nr_cpus = nr_cpus > 0 ? (uint32_t)nr_cpus : 0;
	kernel_facts(&out->kernel);
	mount_facts(out);
	capability_facts(out);
	self_facts(&out->self);
	runtime_facts(out, "");
	runtime_facts(out, "/proc/1/root");
	host_facts_limitations(out);
}
