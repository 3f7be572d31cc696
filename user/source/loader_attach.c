/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loader_attach.c - from loaded to running and back: of each hook the first candidate that can be attached,
 * what is shed over budget, and all of it at the end.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/elf_symbols.h"
#include "source/loader_parts.h"
#include "source/mounts.h"
#include "source/perf_attach.h"

static void mark_missing(struct loader_hook *hook, const char *reason)
{
	const struct probe_hook *row = hook->hook;
	const char *fix = hook->fix ? hook->fix : row->fix;

	hook->probe.state = PROBE_UNAVAILABLE;
	hook->probe.variant[0] = '\0';
	snprintf(hook->probe.reason, sizeof(hook->probe.reason), "%.100s: %s%s%s", reason,
		 row->consequence, fix ? "; " : "", fix ? fix : "");
}

/*
 * Our own entry point, which has run already: can uprobes be had at all? The link stays: closing its
 * event makes the kernel wait for a tenth of a second.
 */
static int try_uprobe(struct loader *loader, struct bpf_program *program, struct bpf_link **out)
{
	struct elf_facts facts;
	int fd, err;

	if (loader->tried_uprobe)
		return 0;
	fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = elf_inspect(fd, false, &facts);
	if (!err)
		err = uprobe_broker_open(&loader->broker, fd, facts.entry_offset);
	close(fd);
	if (err >= 0)
		err = perf_attach_event(program, err, out);
	loader->tried_uprobe = !err;
	return err;
}

static int attach_program(struct loader *loader, struct bpf_program *program, struct bpf_link **out)
{
	static const char tracepoint[] = "tracepoint/";
	const char *section = bpf_program__section_name(program);
	struct bpf_link *link;

	switch (bpf_program__type(program)) {
	case BPF_PROG_TYPE_TRACEPOINT:
		if (loader->tracefs_fd < 0)
			loader->tracefs_fd = mounts_open_tracefs();
		if (loader->tracefs_fd < 0)
			return loader->tracefs_fd;
		return perf_attach_tracepoint(program, loader->tracefs_fd,
					      section + sizeof(tracepoint) - 1, out);
	case BPF_PROG_TYPE_KPROBE:
		return try_uprobe(loader, program, out);
	case BPF_PROG_TYPE_CGROUP_SKB:
	case BPF_PROG_TYPE_CGROUP_SOCK:
		if (loader->cgroup_fd < 0)
			loader->cgroup_fd = mounts_open_cgroup2();
		if (loader->cgroup_fd < 0)
			return loader->cgroup_fd;
		link = bpf_program__attach_cgroup(program, loader->cgroup_fd);
		break;
	default:
		link = bpf_program__attach(program);
	}
	if (!link)
		return -errno;
	*out = link;
	return 0;
}

static void detach(struct loader_hook *hook)
{
	for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS; p++) {
		bpf_link__destroy(hook->links[p]);
		hook->links[p] = NULL;
	}
}

static int attach_candidate(struct loader *loader, struct loader_hook *hook, uint32_t index)
{
	const struct probe_candidate *candidate = &hook->hook->candidates[index];
	char reason[RECORD_TEXT_LEN];

	for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS && candidate->programs[p]; p++) {
		struct bpf_program *program = loader_program(loader, candidate->programs[p]);
		int err = attach_program(loader, program, &hook->links[p]);

		if (!err)
			continue;
		snprintf(reason, sizeof(reason), "cannot attach %s: %s", candidate->variant,
			 strerror(-err));
		detach(hook);
		loader_refuse(hook, index, reason);
		return err;
	}
	hook->chosen = (int)index;
	hook->probe.state = PROBE_ATTACHED;
	snprintf(hook->probe.variant, sizeof(hook->probe.variant), "%s", candidate->variant);
	snprintf(hook->probe.reason, sizeof(hook->probe.reason), "%s",
		 candidate->cost ? candidate->cost : "");
	return 0;
}

static void attach_hook(struct loader *loader, struct loader_hook *hook)
{
	if (hook->probe.state == PROBE_OFF)
		return;
	for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++)
		if (loader_is_candidate(hook, i) && !attach_candidate(loader, hook, i))
			return;
	mark_missing(hook, hook->reason[0] ? hook->reason : "not chosen");
}

int loader_attach(struct loader *loader, bool traffic, char *error, size_t error_size)
{
	for (uint32_t i = 0; i < loader->nr_hooks; i++) {
		struct loader_hook *hook = &loader->hooks[i];

		if (hook->hook->traffic != traffic)
			continue;
		attach_hook(loader, hook);
		if (hook->hook->essential && hook->probe.state != PROBE_ATTACHED) {
			snprintf(error, error_size, "unsupported kernel: hook %s: %s",
				 hook->hook->name, hook->probe.reason);
			return -ENOTSUP;
		}
	}
	return 0;
}

static struct loader_hook *next_to_shed(struct loader *loader)
{
	struct loader_hook *next = NULL;

	for (uint32_t i = 0; i < loader->nr_hooks; i++) {
		struct loader_hook *hook = &loader->hooks[i];

		if (hook->probe.state != PROBE_ATTACHED || !hook->hook->shed_turn)
			continue;
		if (!next || hook->hook->shed_turn < next->hook->shed_turn)
			next = hook;
	}
	return next;
}

struct loader_hook *loader_shed(struct loader *loader, const char *reason)
{
	struct loader_hook *hook = next_to_shed(loader);

	if (!hook)
		return NULL;
	detach(hook);
	hook->chosen = -1;
	hook->probe.state = PROBE_SHED;
	hook->probe.variant[0] = '\0';
	snprintf(hook->probe.reason, sizeof(hook->probe.reason), "%s: %s", reason,
		 hook->hook->consequence);
	return hook;
}

void loader_detach(struct loader *loader)
{
	for (uint32_t i = 0; i < loader->nr_hooks; i++)
		detach(&loader->hooks[i]);
}
