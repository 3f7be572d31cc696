/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loader_refuse.c - which candidates of a hook cannot be used here: by the options, by what the types of
 * the kernel say, by our privileges. Asked before anything is loaded, for each program that a kernel
 * refuses costs a load of all of them.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "source/loader_parts.h"
#include "source/privilege.h"

bool loader_is_candidate(const struct loader_hook *hook, uint32_t i)
{
	return i < PROBE_MAX_CANDIDATES && hook->hook->candidates[i].variant &&
	       !(hook->refused & 1U << i);
}

void loader_refuse(struct loader_hook *hook, uint32_t candidate, const char *reason)
{
	hook->refused |= 1U << candidate;
	if (!hook->reason[0])
		snprintf(hook->reason, sizeof(hook->reason), "%s", reason);
}

void loader_refuse_by_option(struct loader_hook *hook, enum vm_events wanted)
{
	if (wanted == VM_EVENTS_AUTO)
		return;
	for (uint32_t i = 0; loader_is_candidate(hook, i); i++) {
		enum vm_events of = hook->hook->candidates[i].vm_events;

		if (of == VM_EVENTS_AUTO || of == wanted)
			continue;
		hook->refused |= 1U << i;
		if (wanted == VM_EVENTS_OFF)
			hook->probe.state = PROBE_OFF;
	}
	if (hook->probe.state == PROBE_OFF)
		snprintf(hook->probe.reason, sizeof(hook->probe.reason), "off by --vm-events=off");
}

/*
 * Some kernels forbid trampolines altogether, at load or at attach. Two instructions tell which,
 * where finding out with the real programs would cost a second load of everything.
 */
static int try_trampoline(const struct btf *btf, const char *function)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FEXIT);
	int id = btf__find_by_name_kind(btf, function, BTF_KIND_FUNC);
	int program, link, err;

	if (id < 0)
		return id;
	options.attach_btf_id = (uint32_t)id;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "try_trampoline", "GPL", return_0, 2,
				&options);
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(NULL, program);
	err = link < 0 ? link : 0;
	if (!err)
		close(link);
	close(program);
	return err;
}

static bool is_of_cgroup(const struct loader *loader, const struct probe_candidate *candidate)
{
	struct bpf_program *program = loader_program(loader, candidate->programs[0]);

	return program && strncmp(bpf_program__section_name(program), "cgroup", 6) == 0;
}

static int check_program(const struct loader *loader, const struct btf *btf,
			 const struct probe_candidate *candidate, const char *name, char *reason,
			 size_t reason_size)
{
	static const char fexit[] = "fexit/";
	struct bpf_program *program = loader_program(loader, name);
	const char *section;
	int err;

	if (!program) {
		snprintf(reason, reason_size, "this build has no program %s", name);
		return -ENOENT;
	}
	section = bpf_program__section_name(program);
	err = probe_check(btf, candidate, section, reason, reason_size);
	if (err || strncmp(section, fexit, sizeof(fexit) - 1) != 0)
		return err;
	err = try_trampoline(btf, section + sizeof(fexit) - 1);
	if (err)
		snprintf(reason, reason_size, "this kernel refuses fentry and fexit: %s",
			 strerror(-err));
	return err;
}

/* Not by the kernel's failing: there is one candidate for either kind of kernel. */
static void refuse_by_storage(struct loader_hook *hook, bool has_storage)
{
	enum probe_storage other = has_storage ? PROBE_WITHOUT_STORAGE : PROBE_WITH_STORAGE;

	for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++)
		if (hook->hook->candidates[i].storage == other)
			hook->refused |= 1U << i;
}

/* Asked before, for the kernel's EPERM does not say what was missing, and each costs a load. */
static void refuse_by_privilege(struct loader *loader, struct loader_hook *hook)
{
	uint64_t held;

	if (privilege_held(&held) || privilege_has(held, CAP_NET_ADMIN))
		return;
	for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++) {
		if (!loader_is_candidate(hook, i) ||
		    !is_of_cgroup(loader, &hook->hook->candidates[i]))
			continue;
		loader_refuse(hook, i, "CAP_NET_ADMIN is missing");
		hook->fix = "run as root or grant CAP_NET_ADMIN";
	}
}

static void refuse_by_kernel(struct loader *loader, struct loader_hook *hook, const struct btf *btf)
{
	char reason[RECORD_TEXT_LEN];

	for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++) {
		const struct probe_candidate *candidate = &hook->hook->candidates[i];

		if (!loader_is_candidate(hook, i))
			continue;
		for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS && candidate->programs[p]; p++) {
			if (!check_program(loader, btf, candidate, candidate->programs[p], reason,
					   sizeof(reason)))
				continue;
			loader_refuse(hook, i, reason);
			break;
		}
	}
}

void loader_refuse_unusable(struct loader *loader, struct loader_hook *hook, const struct btf *btf)
{
	refuse_by_storage(hook, loader->has_storage);
	refuse_by_privilege(loader, hook);
	refuse_by_kernel(loader, hook, btf);
}
