/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * harness.h - loads the socket and HTTP programs for a test, attached to a cgroup of its own so
 * that no other traffic of the host is seen, and reads what they counted.
 */
#ifndef MEMSWELL_TEST_HARNESS_H
#define MEMSWELL_TEST_HARNESS_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "memswell.skel.h"
#include "wire.h"

#define HARNESS_SLOTS	      128U
#define HARNESS_FIRST_BACKEND 96U /* slots from here on are for backends */

/* What a test needs beyond these it names in HARNESS_MORE. Not each kernel takes all. */
#ifndef HARNESS_MORE
#define HARNESS_MORE
#endif
static const char *const harness_programs[] = {
	"http_ingress",	     "http_egress",	  "socket_create",     "socket_set_state",
	"socket_recv_owner", "socket_send_reset", "socket_files",      "socket_send_reset_reason",
	"table_files",	     "table_new_socket",  "table_drop_socket", HARNESS_MORE};
#define NR_HARNESS_PROGRAMS (sizeof(harness_programs) / sizeof(harness_programs[0]))

struct harness {
	struct memswell_bpf *bpf;
	struct bpf_link *links[NR_HARNESS_PROGRAMS];
	struct ring_buffer *rings;
	uint32_t nr_cpus;
	char cgroup[256];
	char home[256]; /* the cgroup this process came from */
	int cgroup_fd;
	bool tells_reason;	  /* the tracepoint for resets */
	bool has_storage;	  /* else tables stand in for it */
	char types[64];		  /* a file, until it is loaded */
	uint32_t nr_listeners[2]; /* WIRE_LISTENER_DOWN, WIRE_LISTENER_UP events */
	uint32_t nr_alarms;
};

static inline void harness_move_to(const char *cgroup)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	file = fopen(path, "w");
	if (!file)
		return;
	fprintf(file, "0\n");
	fclose(file);
}

static inline bool harness_find_cgroup2(char *root, size_t size)
{
	FILE *mounts = setmntent("/proc/self/mounts", "r");
	struct mntent *entry;
	bool found = false;

	while (mounts && !found && (entry = getmntent(mounts))) {
		found = !strcmp(entry->mnt_type, "cgroup2");
		if (found)
			snprintf(root, size, "%s", entry->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

static inline void harness_find_home(struct harness *harness, const char *root)
{
	FILE *file = fopen("/proc/self/cgroup", "r");
	char line[200];

	snprintf(harness->home, sizeof(harness->home), "%s", root);
	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(harness->home, sizeof(harness->home), "%.50s%s", root, line + 3);
	}
	if (file)
		fclose(file);
}

static inline int harness_event(void *context, void *data, size_t size)
{
	struct harness *harness = context;
	const struct wire_head *head = data;
	const struct wire_listener *listener = data;

	(void)size;
	if (head->kind == WIRE_ALARM)
		harness->nr_alarms++;
	if (head->kind == WIRE_LISTENER && listener->owner.tgid == (uint32_t)getpid())
		harness->nr_listeners[listener->state]++;
	return 0;
}

static inline void harness_size_maps(struct harness *harness)
{
	struct memswell_bpf *bpf = harness->bpf;

	bpf->rodata->cfg_nr_cpus = harness->nr_cpus;
	bpf->rodata->cfg_nr_flow_slots = HARNESS_SLOTS;
	bpf_map__set_max_entries(bpf->maps.flow_slots, HARNESS_SLOTS);
	bpf_map__set_max_entries(bpf->maps.free_flow_slots, HARNESS_SLOTS);
	bpf_map__set_max_entries(bpf->maps.free_backend_slots, HARNESS_SLOTS);
	bpf_map__set_max_entries(bpf->maps.flow_stats, HARNESS_SLOTS * harness->nr_cpus);
	bpf_map__set_max_entries(bpf->maps.losses, harness->nr_cpus);
}

/* The tracepoint for resets tells the reason or not. */
static inline bool harness_tells_reason(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "btf_trace_tcp_send_reset", BTF_KIND_TYPEDEF);
	const struct btf_type *pointer;

	if (id <= 0)
		return false;
	pointer = btf__type_by_id(btf, btf__type_by_id(btf, (uint32_t)id)->type);
	/* the first argument is the program's own */
	return btf_vlen(btf__type_by_id(btf, pointer->type)) > 3;
}

/* The name by which bpf/compat.bpf.h knows a kernel with local storage. */
#define HARNESS_STORAGE_SIGN "BPF_FUNC_task_pt_regs"

static inline bool harness_has_storage(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type = btf__type_by_id(btf, id > 0 ? (uint32_t)id : 0);

	for (uint32_t i = 0; id > 0 && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_enum(type)[i].name_off),
			    HARNESS_STORAGE_SIGN))
			return true;
	return false;
}

/* In the table, if there is one; 0: as many as in a real run. */
static uint32_t harness_max_sockets;

/* Which map a kernel without local storage cannot make, or one with it does not need. */
static inline void harness_choose_maps(struct harness *harness)
{
	const struct memswell_bpf *bpf = harness->bpf;

	bpf_map__set_autocreate(bpf->maps.task_states, harness->has_storage);
	bpf_map__set_autocreate(bpf->maps.reclaim_starts, harness->has_storage);
	bpf_map__set_autocreate(bpf->maps.sock_state_table, !harness->has_storage);
	bpf_map__set_autocreate(bpf->maps.dropped_sockets, !harness->has_storage);
	if (harness_max_sockets)
		bpf_map__set_max_entries(bpf->maps.sock_state_table, harness_max_sockets);
}

static inline bool harness_wants(const struct harness *harness, const char *name)
{
	const char *unwanted = harness->has_storage ? "table_" : "socket_files";

	if (!strncmp(name, unwanted, strlen(unwanted)) ||
	    !strcmp(name, harness->tells_reason ? "socket_send_reset" : "socket_send_reset_reason"))
		return false;
	for (size_t i = 0; i < NR_HARNESS_PROGRAMS; i++)
		if (!strcmp(harness_programs[i], name))
			return true;
	return false;
}

/*
 * MEMSWELL_TEST_TABLES: a copy of this kernel's types in which the sign of local storage is called
 * something else, so the tables stand in for it as they do on Linux 5.10. Into `path`.
 */
static inline bool harness_hide_storage(char *path, size_t path_size)
{
	FILE *in = fopen("/sys/kernel/btf/vmlinux", "r"), *out;
	size_t size = 64U << 20, len;
	char *types = malloc(size), *sign;
	bool done = false;

	if (!in || !types)
		return false;
	len = fread(types, 1, size, in);
	fclose(in);
	sign = memmem(types, len, HARNESS_STORAGE_SIGN, sizeof(HARNESS_STORAGE_SIGN));
	snprintf(path, path_size, "/tmp/memswell-test-%d.btf", getpid());
	out = sign ? fopen(path, "w") : NULL;
	if (out) {
		*sign = 'X';
		done = fwrite(types, 1, len, out) == len;
		done &= !fclose(out);
	}
	free(types);
	return done;
}

static inline struct memswell_bpf *harness_open(struct harness *harness)
{
	struct btf *btf = btf__load_vmlinux_btf();
	LIBBPF_OPTS(bpf_object_open_opts, options);

	harness->tells_reason = harness_tells_reason(btf);
	harness->has_storage = harness_has_storage(btf);
	btf__free(btf);
	if (getenv("MEMSWELL_TEST_TABLES") && harness->has_storage) {
		if (!harness_hide_storage(harness->types, sizeof(harness->types)))
			return NULL;
		options.btf_custom_path = harness->types;
		harness->has_storage = false;
	}
	return memswell_bpf__open_opts(&options);
}

static inline int harness_load(struct harness *harness)
{
	struct bpf_program *program;
	int err;

	memset(harness, 0, sizeof(*harness));
	harness->cgroup_fd = -1;
	harness->nr_cpus = (uint32_t)libbpf_num_possible_cpus();
	harness->bpf = harness_open(harness);
	if (!harness->bpf)
		return -1;
	harness_size_maps(harness);
	harness_choose_maps(harness);
	bpf_object__for_each_program(program, harness->bpf->obj) bpf_program__set_autoload(
		program, harness_wants(harness, bpf_program__name(program)));
	err = memswell_bpf__load(harness->bpf);
	if (harness->types[0])
		unlink(harness->types);
	if (err)
		return -1;
	for (uint32_t slot = 1; slot < HARNESS_SLOTS; slot++)
		bpf_map_update_elem(bpf_map__fd(slot < HARNESS_FIRST_BACKEND
							? harness->bpf->maps.free_flow_slots
							: harness->bpf->maps.free_backend_slots),
				    NULL, &slot, 0);
	harness->rings = ring_buffer__new(bpf_map__fd(harness->bpf->maps.critical_ring),
					  harness_event, harness, NULL);
	return ring_buffer__add(harness->rings, bpf_map__fd(harness->bpf->maps.bulk_ring),
				harness_event, harness);
}

static inline int harness_enter_cgroup(struct harness *harness)
{
	char root[64];

	if (!harness_find_cgroup2(root, sizeof(root)))
		return -1;
	harness_find_home(harness, root);
	snprintf(harness->cgroup, sizeof(harness->cgroup), "%s/memswell-test-%d", root, getpid());
	if (mkdir(harness->cgroup, 0755))
		return -1;
	harness_move_to(harness->cgroup);
	harness->cgroup_fd = open(harness->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return harness->cgroup_fd < 0 ? -1 : 0;
}

/* The iterator over what processes hold open. */
static inline struct bpf_program *harness_files(const struct harness *harness)
{
	return harness->has_storage ? harness->bpf->progs.socket_files
				    : harness->bpf->progs.table_files;
}

static inline int harness_attach(struct harness *harness)
{
	for (size_t i = 0; i < NR_HARNESS_PROGRAMS; i++) {
		struct bpf_program *program =
			bpf_object__find_program_by_name(harness->bpf->obj, harness_programs[i]);
		enum bpf_prog_type type = bpf_program__type(program);

		if (!bpf_program__autoload(program) ||
		    !strncmp(bpf_program__section_name(program), "iter/", 5))
			continue;
		if (type == BPF_PROG_TYPE_CGROUP_SKB || type == BPF_PROG_TYPE_CGROUP_SOCK)
			harness->links[i] = bpf_program__attach_cgroup(program, harness->cgroup_fd);
		else
			harness->links[i] = bpf_program__attach(program);
		if (!harness->links[i])
			return -1;
	}
	return 0;
}

static inline void harness_free(struct harness *harness)
{
	for (size_t i = 0; i < NR_HARNESS_PROGRAMS; i++)
		bpf_link__destroy(harness->links[i]);
	ring_buffer__free(harness->rings);
	memswell_bpf__destroy(harness->bpf);
	if (harness->cgroup_fd < 0)
		return;
	close(harness->cgroup_fd);
	harness_move_to(harness->home);
	rmdir(harness->cgroup);
}

/* ---- reading ---- */

static inline void harness_add_row(struct wire_flow_stats *sum, const struct wire_flow_stats *row)
{
	sum->requests += row->requests;
	sum->responses += row->responses;
	sum->request_bytes += row->request_bytes;
	sum->response_bytes += row->response_bytes;
	sum->opened += row->opened;
	sum->closed += row->closed;
	sum->latency_sum_ns += row->latency_sum_ns;
	if (row->max_request_bytes > sum->max_request_bytes)
		sum->max_request_bytes = row->max_request_bytes;
	for (int i = 0; i < NR_WIRE_STATUSES; i++)
		sum->status[i] += row->status[i];
	for (int i = 0; i < NR_WIRE_FAILS; i++)
		sum->fail[i] += row->fail[i];
	for (int i = 0; i < WIRE_LATENCY_BUCKETS; i++)
		sum->latency[i] += row->latency[i];
	if (row->rst_reason)
		sum->rst_reason = row->rst_reason;
}

static inline void harness_add_slot(const struct harness *harness, uint32_t slot,
				    struct wire_flow_stats *sum)
{
	for (uint32_t cpu = 0; cpu < harness->nr_cpus; cpu++) {
		uint32_t index = slot * harness->nr_cpus + cpu;
		struct wire_flow_stats row;

		assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(harness->bpf->maps.flow_stats),
						     &index, &row),
				 0);
		harness_add_row(sum, &row);
	}
}

/* The sum over all flows of that role and port, of one process or of all (pid 0). */
static inline struct wire_flow_stats harness_flow(const struct harness *harness,
						  enum wire_role role, uint16_t port, pid_t pid)
{
	int fd = bpf_map__fd(harness->bpf->maps.flow_slots);
	struct wire_flow_key key, *last = NULL, next;
	struct wire_flow_stats sum;
	uint32_t slot;

	memset(&sum, 0, sizeof(sum));
	while (!bpf_map_get_next_key(fd, last, &next)) {
		key = next;
		last = &key;
		if (key.role != role || key.endpoint.port != port ||
		    (pid && key.proc.tgid != (uint32_t)pid))
			continue;
		if (!bpf_map_lookup_elem(fd, &key, &slot))
			harness_add_slot(harness, slot, &sum);
	}
	return sum;
}

/* Of this process: with tables the failed connects of the whole host are seen. */
static inline uint32_t harness_nr_flows(const struct harness *harness)
{
	int fd = bpf_map__fd(harness->bpf->maps.flow_slots);
	struct wire_flow_key key, *last = NULL, next;
	uint32_t nr = 0;

	while (!bpf_map_get_next_key(fd, last, &next)) {
		key = next;
		last = &key;
		nr += key.proc.tgid == (uint32_t)getpid();
	}
	return nr;
}

static inline uint64_t harness_losses(const struct harness *harness, enum wire_loss loss)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < harness->nr_cpus; cpu++) {
		struct wire_losses row;

		if (!bpf_map_lookup_elem(bpf_map__fd(harness->bpf->maps.losses), &cpu, &row))
			sum += row.count[loss];
	}
	return sum;
}

/* What all tests of a program run on, and how their group ends. */
static struct harness harness;

static int teardown(void **state)
{
	(void)state;
	harness_free(&harness);
	return 0;
}

#endif
