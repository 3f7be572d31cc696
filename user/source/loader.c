/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loader.c - see loader.h. Loads what loader_refuse.c left of the candidates, and describes and gives back
 * what there is. One program that a kernel refuses fails the load of all.
 */
#include "source/loader_parts.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "memswell.skel.h"
#include "source/load_failure.h"
#include "source/map_memory.h"
#include "source/privilege.h"
#include "wire.h"

/* One refused candidate per attempt; more than this many means something else is wrong. */
#define MAX_LOAD_ATTEMPTS 12
#define KERNEL_TYPES	  "/sys/kernel/btf/vmlinux"

/*
 * The counters of all flows are one mapped array, and a mapping is resident memory: this bounds it.
 * More flows than slots share the overflow slot, which is counted as a loss.
 */
#define FLOW_STATS_BYTES (16U << 20)
#define MAX_FLOW_SLOTS	 4096U
#define MIN_FLOW_SLOTS	 128U

/* libbpf calls back without an argument of ours. */
static struct load_failure load_failure;

/* Never to stdout or stderr by itself: at log level debug it is one line each. */
static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *message;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (vasprintf(&message, format, args) < 0)
		return 0;
	load_failure_read(&load_failure, message);
	message[strcspn(message, "\n")] = '\0';
	log_debug("%s", message);
	free(message);
	return 0;
}

struct bpf_program *loader_program(const struct loader *loader, const char *name)
{
	return loader->skeleton ? bpf_object__find_program_by_name(loader->skeleton->obj, name)
				: NULL;
}

struct loader_hook *loader_find(struct loader *loader, const char *hook)
{
	for (uint32_t i = 0; i < loader->nr_hooks; i++)
		if (strcmp(loader->hooks[i].hook->name, hook) == 0)
			return &loader->hooks[i];
	return NULL;
}

struct bpf_link *loader_link(const struct loader *loader, const char *hook)
{
	struct loader_hook *found = loader_find((struct loader *)loader, hook);

	return found ? found->links[0] : NULL;
}

static void autoload(const struct loader *loader, const struct probe_candidate *candidate)
{
	for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS && candidate->programs[p]; p++)
		bpf_program__set_autoload(loader_program(loader, candidate->programs[p]), true);
}

/*
 * Where the kernel's types say that there is something to attach to, what loads can be attached, for
 * trampolines were tried.
 */
static bool attaches_if_it_loads(const struct loader *loader,
				 const struct probe_candidate *candidate)
{
	const struct bpf_program *program = loader_program(loader, candidate->programs[0]);

	return bpf_program__type(program) == BPF_PROG_TYPE_TRACING;
}

/* Those behind a candidate that is sure would only be verified, and thrown away. */
static void set_autoload(struct loader *loader)
{
	for (uint32_t h = 0; h < loader->nr_hooks; h++) {
		struct loader_hook *hook = &loader->hooks[h];
		bool sure = false;

		for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES && !sure; i++) {
			const struct probe_candidate *candidate = &hook->hook->candidates[i];

			if (!loader_is_candidate(hook, i))
				continue;
			autoload(loader, candidate);
			sure = attaches_if_it_loads(loader, candidate);
		}
	}
}

static uint32_t choose_flow_slots(uint32_t nr_cpus)
{
	uint32_t nr = FLOW_STATS_BYTES / (uint32_t)sizeof(struct wire_flow_stats) / nr_cpus;

	if (nr > MAX_FLOW_SLOTS)
		return MAX_FLOW_SLOTS;
	return nr < MIN_FLOW_SLOTS ? MIN_FLOW_SLOTS : nr;
}

static void set_knobs(struct loader *loader, bool victim_is_task)
{
	struct memswell_bpf *skeleton = loader->skeleton;
	uint32_t page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);

	skeleton->rodata->cfg_nr_cpus = loader->nr_cpus;
	skeleton->rodata->cfg_nr_flow_slots = loader->nr_flow_slots;
	skeleton->rodata->cfg_page_shift = (uint32_t)__builtin_ctz(page_bytes);
	skeleton->rodata->cfg_mark_victim_has_task = victim_is_task;
	skeleton->rodata->cfg_probe_read = !privilege_is_confidential();
	bpf_map__set_max_entries(skeleton->maps.flow_stats,
				 loader->nr_flow_slots * loader->nr_cpus);
	bpf_map__set_max_entries(skeleton->maps.flow_slots, loader->nr_flow_slots);
	bpf_map__set_max_entries(skeleton->maps.free_flow_slots, loader->nr_flow_slots);
	bpf_map__set_max_entries(skeleton->maps.free_backend_slots, loader->nr_flow_slots);
	bpf_map__set_max_entries(skeleton->maps.losses, loader->nr_cpus);
}

/* Local storage, or the tables that stand in for it; what refers to the others is never run. */
static void choose_maps(struct loader *loader)
{
	const struct memswell_bpf *skeleton = loader->skeleton;
	struct bpf_map *const storages[] = {
		skeleton->maps.task_states,
		skeleton->maps.reclaim_starts,
	};
	struct bpf_map *const tables[] = {
		skeleton->maps.task_state_table,
		skeleton->maps.reclaim_start_table,
		skeleton->maps.sock_state_table,
		skeleton->maps.dropped_sockets,
	};

	for (size_t i = 0; i < sizeof(storages) / sizeof(storages[0]); i++)
		bpf_map__set_autocreate(storages[i], loader->has_storage);
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		bpf_map__set_autocreate(tables[i], !loader->has_storage);
}

static struct loader_hook *candidate_of(struct loader *loader, const char *program, uint32_t *index)
{
	for (uint32_t h = 0; h < loader->nr_hooks; h++)
		for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++)
			for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS; p++) {
				const struct probe_hook *row = loader->hooks[h].hook;
				const char *name = row->candidates[i].programs[p];

				if (!name || strcmp(name, program) != 0)
					continue;
				*index = i;
				return &loader->hooks[h];
			}
	return NULL;
}

/*
 * What the kernel itself does not have, libbpf looks for in the types of its modules, and that takes
 * CAP_SYS_ADMIN: without it nothing would load where a type is missing. It does not where it is told a file;
 * but then it holds the kernel's types twice, 6 MiB more while loading.
 */
static int open_skeleton(struct loader *loader, char *error, size_t error_size)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	uint64_t held;
	int err;

	if (privilege_held(&held) || !privilege_has(held, CAP_SYS_ADMIN))
		options.btf_custom_path = KERNEL_TYPES;
	loader->skeleton = memswell_bpf__open_opts(&options);
	if (loader->skeleton)
		return 0;
	err = -errno;
	snprintf(error, error_size, "cannot open the BPF object: %s", strerror(-err));
	return err;
}

/* What helps against EPERM. Container runtimes of before 2023 let nobody with CAP_BPF alone call bpf(). */
static const char *refusal_text(void)
{
	return privilege_has_seccomp()
		       ? "; a seccomp profile is in force, which may refuse bpf(): choose one that "
			 "allows it with CAP_BPF (docs/kubernetes.md), or grant CAP_SYS_ADMIN"
		       : "; run as root or grant CAP_SYS_ADMIN, before Linux 5.11 CAP_SYS_RESOURCE "
			 "too";
}

/*
 * One program that does not load fails the whole object, and an object loads only once. So refuse
 * the candidate it belongs to and begin anew. Returns 1 to try again, 0 when done, or -errno.
 */
static int load_once(struct loader *loader, bool victim_is_task, char *error, size_t error_size)
{
	struct loader_hook *hook;
	uint32_t candidate;
	int err;

	memset(&load_failure, 0, sizeof(load_failure));
	set_knobs(loader, victim_is_task);
	choose_maps(loader);
	set_autoload(loader);
	err = memswell_bpf__load(loader->skeleton);
	if (!err)
		return 0;
	memswell_bpf__destroy(loader->skeleton);
	loader->skeleton = NULL;
	hook = candidate_of(loader, load_failure.name, &candidate);
	if (!hook || hook->refused & 1U << candidate) {
		snprintf(error, error_size, "cannot load BPF %s %s: %s (%s)%s",
			 load_failure.what ? load_failure.what : "object", load_failure.name,
			 load_failure.reason, strerror(-err), err == -EPERM ? refusal_text() : "");
		return err;
	}
	loader_refuse(hook, candidate,
		      load_failure.reason[0] ? load_failure.reason : strerror(-err));
	err = open_skeleton(loader, error, error_size);
	return err ? err : 1;
}

static int load(struct loader *loader, bool victim_is_task, char *error, size_t error_size)
{
	int err = 1;

	for (int i = 0; i < MAX_LOAD_ATTEMPTS && err == 1; i++)
		err = load_once(loader, victim_is_task, error, error_size);
	if (err != 1)
		return err;
	snprintf(error, error_size, "too many programs were refused by this kernel: %s",
		 load_failure.reason);
	return -ENOTSUP;
}

static void init_hooks(struct loader *loader, enum vm_events vm_events)
{
	const struct probe_hook *table = probes_table(&loader->nr_hooks);

	for (uint32_t i = 0; i < loader->nr_hooks && i < LOADER_MAX_HOOKS; i++) {
		struct loader_hook *hook = &loader->hooks[i];

		hook->hook = &table[i];
		hook->chosen = -1;
		hook->probe.state = PROBE_UNAVAILABLE;
		snprintf(hook->probe.name, sizeof(hook->probe.name), "%s", table[i].name);
		loader_refuse_by_option(hook, vm_events);
	}
}

/* What needs no privilege: so much can be described even where nothing may be loaded. */
static int prepare(struct loader *loader, enum vm_events vm_events, char *error, size_t error_size)
{
	int nr_cpus = libbpf_num_possible_cpus(), err;

	init_hooks(loader, vm_events);
	loader->nr_cpus = nr_cpus > 0 ? (uint32_t)nr_cpus : 1;
	loader->nr_flow_slots = choose_flow_slots(loader->nr_cpus);
	err = open_skeleton(loader, error, error_size);
	if (!err)
		set_knobs(loader, false);
	return err;
}

int loader_load(struct loader *loader, enum vm_events vm_events, char *error, size_t error_size)
{
	bool victim_is_task;
	struct btf *btf;
	int err;

	memset(loader, 0, sizeof(*loader));
	loader->cgroup_fd = -1;
	loader->tracefs_fd = -1;
	loader->broker.fd = -1;
	libbpf_set_print(on_libbpf_message);
	err = prepare(loader, vm_events, error, error_size);
	if (!err)
		err = privilege_check(error, error_size);
	if (err)
		return err;
	/* While there is little that it would inherit. Without it the hook will say what is missing. */
	uprobe_broker_start(&loader->broker);
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		snprintf(error, error_size,
			 "unsupported kernel: no type information at " KERNEL_TYPES "; "
			 "needs one built with CONFIG_DEBUG_INFO_BTF=y");
		return -ENOTSUP;
	}
	loader->has_storage = probe_has_storage(btf);
	for (uint32_t i = 0; i < loader->nr_hooks; i++)
		loader_refuse_unusable(loader, &loader->hooks[i], btf);
	victim_is_task = probe_first_arg_is_pointer(btf, "mark_victim");
	/* libbpf reads its own copy: two at a time would double our peak. */
	btf__free(btf);
	return load(loader, victim_is_task, error, error_size);
}

static void unload_unused(struct loader *loader)
{
	for (uint32_t h = 0; h < loader->nr_hooks; h++) {
		const struct loader_hook *hook = &loader->hooks[h];

		for (int i = 0; i < PROBE_MAX_CANDIDATES; i++) {
			const struct probe_candidate *candidate = &hook->hook->candidates[i];

			if (i == hook->chosen)
				continue;
			for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS && candidate->programs[p]; p++)
				bpf_program__unload(loader_program(loader, candidate->programs[p]));
		}
	}
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void loader_trim(struct loader *loader)
{
	const struct loader_hook *v8 = loader_find(loader, "v8_oom");

	unload_unused(loader);
	if (!v8 || v8->probe.state != PROBE_ATTACHED)
		uprobe_broker_stop(&loader->broker);
	close_fd(&loader->tracefs_fd);
	malloc_trim(0);
}

static void describe_hook(const struct loader_hook *hook, struct host_hook *out)
{
	const struct record_probe *probe = &hook->probe;
	bool attached = probe->state == PROBE_ATTACHED;

	snprintf(out->name, sizeof(out->name), "%s", hook->hook->name);
	out->state = probe->state;
	snprintf(out->variant, sizeof(out->variant), "%s", probe->variant);
	if (attached)
		snprintf(out->note, sizeof(out->note), "%s", probe->reason);
	else
		snprintf(out->why, sizeof(out->why), "%s",
			 probe->state == PROBE_OFF ? probe->reason
			 : hook->reason[0]	   ? hook->reason
						   : "not tried");
	out->consequence = hook->hook->consequence;
	out->fix = hook->fix ? hook->fix : hook->hook->fix;
}

void loader_describe(const struct loader *loader, struct host *out)
{
	for (out->nr_hooks = 0; out->nr_hooks < loader->nr_hooks; out->nr_hooks++)
		describe_hook(&loader->hooks[out->nr_hooks], &out->hooks[out->nr_hooks]);
	if (loader->skeleton)
		out->nr_maps = map_memory(loader->skeleton->obj, loader->nr_cpus, out->maps,
					  HOST_MAX_MAPS);
}

void loader_free(struct loader *loader)
{
	loader_detach(loader);
	memswell_bpf__destroy(loader->skeleton);
	loader->skeleton = NULL;
	loader->nr_hooks = 0;
	close_fd(&loader->tracefs_fd);
	close_fd(&loader->cgroup_fd);
	uprobe_broker_stop(&loader->broker);
}
