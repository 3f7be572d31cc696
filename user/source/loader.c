/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* loader.c - see loader.h. */
#include "source/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "memswell.skel.h"
#include "source/elf_symbols.h"
#include "source/map_memory.h"
#include "source/mounts.h"
#include "source/perf_attach.h"
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

/* What libbpf said of what it could not load. It calls back without an argument of ours. */
static struct {
	const char *what; /* "program" or "map" */
	char name[64];
	char reason[RECORD_TEXT_LEN];
} load_failure;

/* The verifier's verdict is its last line but for the statistics. */
static void find_verdict(const char *log, char *out, size_t out_size)
{
	const char *end = strstr(log, "\nprocessed ");
	const char *line;

	if (!end)
		end = strstr(log, "\n-- END PROG LOAD LOG");
	if (!end || end == log)
		return;
	line = memrchr(log, '\n', (size_t)(end - log));
	line = line ? line + 1 : log;
	utf8_sanitize(out, out_size, line, (size_t)(end - line));
}

/* What follows `begin`, or NULL. */
static const char *after(const char *message, const char *begin)
{
	size_t len = strlen(begin);

	return strncmp(message, begin, len) == 0 ? message + len : NULL;
}

/* Of several messages about a program the log tells most, then the first. */
static void note_load_failure(const char *message)
{
	const char *program = after(message, "libbpf: prog '");
	const char *name = program ? program : after(message, "libbpf: map '");
	const char *quote, *log;

	if (!name || !(quote = strchr(name, '\'')))
		return;
	load_failure.what = program ? "program" : "map";
	utf8_sanitize(load_failure.name, sizeof(load_failure.name), name, (size_t)(quote - name));
	log = strstr(quote, "-- BEGIN PROG LOAD LOG --");
	if (log)
		find_verdict(log, load_failure.reason, sizeof(load_failure.reason));
	else if (quote[1] == ':' && !load_failure.reason[0])
		utf8_sanitize(load_failure.reason, sizeof(load_failure.reason), quote + 3,
			      strcspn(quote + 3, "\n"));
}

/* Never to stdout or stderr by itself: at log level debug it is one line each. */
static int on_libbpf_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char *message;

	if (level == LIBBPF_DEBUG)
		return 0;
	if (vasprintf(&message, format, args) < 0)
		return 0;
	note_load_failure(message);
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

static void mark_missing(struct loader_hook *hook, const char *reason)
{
	const struct probe_hook *row = hook->hook;
	const char *fix = hook->fix ? hook->fix : row->fix;

	hook->probe.state = PROBE_UNAVAILABLE;
	hook->probe.variant[0] = '\0';
	snprintf(hook->probe.reason, sizeof(hook->probe.reason), "%.100s: %s%s%s", reason,
		 row->consequence, fix ? "; " : "", fix ? fix : "");
}

static bool is_candidate(const struct loader_hook *hook, uint32_t i)
{
	return i < PROBE_MAX_CANDIDATES && hook->hook->candidates[i].variant &&
	       !(hook->refused & 1U << i);
}

/* The reason kept is that of the best candidate: it is refused first. */
static void refuse(struct loader_hook *hook, uint32_t candidate, const char *reason)
{
	hook->refused |= 1U << candidate;
	if (!hook->reason[0])
		snprintf(hook->reason, sizeof(hook->reason), "%s", reason);
}

static void refuse_by_option(struct loader_hook *hook, enum vm_events wanted)
{
	if (wanted == VM_EVENTS_AUTO)
		return;
	for (uint32_t i = 0; is_candidate(hook, i); i++) {
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
		if (!is_candidate(hook, i) || !is_of_cgroup(loader, &hook->hook->candidates[i]))
			continue;
		refuse(hook, i, "CAP_NET_ADMIN is missing");
		hook->fix = "run as root or grant CAP_NET_ADMIN";
	}
}

static void refuse_by_kernel(struct loader *loader, struct loader_hook *hook, const struct btf *btf)
{
	char reason[RECORD_TEXT_LEN];

	for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++) {
		const struct probe_candidate *candidate = &hook->hook->candidates[i];

		if (!is_candidate(hook, i))
			continue;
		for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS && candidate->programs[p]; p++) {
			if (!check_program(loader, btf, candidate, candidate->programs[p], reason,
					   sizeof(reason)))
				continue;
			refuse(hook, i, reason);
			break;
		}
	}
}

static void refuse_unusable(struct loader *loader, struct loader_hook *hook, const struct btf *btf)
{
	refuse_by_storage(hook, loader->has_storage);
	refuse_by_privilege(loader, hook);
	refuse_by_kernel(loader, hook, btf);
}

static void set_autoload(struct loader *loader)
{
	for (uint32_t h = 0; h < loader->nr_hooks; h++) {
		struct loader_hook *hook = &loader->hooks[h];

		for (uint32_t i = 0; i < PROBE_MAX_CANDIDATES; i++) {
			const struct probe_candidate *candidate = &hook->hook->candidates[i];

			if (!is_candidate(hook, i))
				continue;
			for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS && candidate->programs[p]; p++)
				bpf_program__set_autoload(
					loader_program(loader, candidate->programs[p]), true);
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
 * CAP_SYS_ADMIN: without it nothing would load where a type is missing. It does not where it is told a file.
 */
static int open_skeleton(struct loader *loader, char *error, size_t error_size)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = KERNEL_TYPES);
	int err;

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
	refuse(hook, candidate, load_failure.reason[0] ? load_failure.reason : strerror(-err));
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
		refuse_by_option(hook, vm_events);
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
			 "unsupported kernel: no type information at /sys/kernel/btf/vmlinux; "
			 "needs one built with CONFIG_DEBUG_INFO_BTF=y");
		return -ENOTSUP;
	}
	loader->has_storage = probe_has_storage(btf);
	for (uint32_t i = 0; i < loader->nr_hooks; i++)
		refuse_unusable(loader, &loader->hooks[i], btf);
	victim_is_task = probe_first_arg_is_pointer(btf, "mark_victim");
	/* libbpf reads its own copy: two at a time would double our peak. */
	btf__free(btf);
	return load(loader, victim_is_task, error, error_size);
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
		refuse(hook, index, reason);
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
		if (is_candidate(hook, i) && !attach_candidate(loader, hook, i))
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

void loader_detach(struct loader *loader)
{
	for (uint32_t i = 0; i < loader->nr_hooks; i++)
		detach(&loader->hooks[i]);
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
