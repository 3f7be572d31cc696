/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* collect.c - see collect.h. */
#include "source/collect.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "memswell.skel.h"
#include "base/utf8.h"
#include "source/decode.h"
#include "source/iterators.h"
#include "source/self.h"

#define NS_PER_S      1000000000ULL
#define NS_PER_MS     1000000ULL
#define SELF_EVERY_NS (10 * NS_PER_S)
#define CLOCK_STEP_NS 1000000LL
#define BOOKS_TRIES   3
#define QUIET_TRIES   50

/* ---- what the kernel sends ---- */

/* Before the next sample would: of an OOM kill, and of births where only some cgroups matter. */
static void name_cgroup(struct collector *c, const struct record *record)
{
	bool scoped = c->options->scope.nr;

	if (record->kind == RECORD_OOM)
		cgroups_name(&c->cgroups, &record->oom.memcg, NULL, record->ts_ns, &c->batch);
	else if (scoped && record->kind == RECORD_PROC)
		cgroups_name(&c->cgroups, &record->proc.memcg, &record->proc.proc, record->ts_ns,
			     &c->batch);
	else if (scoped && record->kind == RECORD_EXEC)
		cgroups_name(&c->cgroups, &record->exec.memcg, &record->exec.proc, record->ts_ns,
			     &c->batch);
}

/* False if it is no record of the kernel side as we know them. */
static bool take_wire(struct collector *c, const void *data, size_t size)
{
	struct record record;

	switch (decode_wire(data, size, c->page_bytes, &record)) {
	case DECODE_RECORD:
		if (!processes_event(&c->processes, &record))
			return true;
		name_cgroup(c, &record);
		batch_add(&c->batch, &record);
		return true;
	case DECODE_NOTHING:
		return true;
	default:
		return false;
	}
}

/* Of a stream that is not in the books. */
static void lose_bad(struct collector *c)
{
	losses_add(&c->losses, "source", "bad_record", 1);
}

static int on_ring_event(void *arg, void *data, size_t size)
{
	struct collector *c = arg;
	const struct wire_head *head = data;
	uint32_t kind = size >= sizeof(*head) ? head->kind : WIRE_NONE;
	enum account account = account_of_kind(kind);
	bool is_good = take_wire(c, data, size);

	if (kind == WIRE_ALARM)
		c->alarm = true;
	if (account == NR_ACCOUNTS)
		lose_bad(c);
	else if (is_good)
		accounts_deliver(&c->accounts, account, 1);
	else
		accounts_lose(&c->accounts, account, "bad_record", 1, &c->losses);
	return 0;
}

static void on_socket(void *arg, const void *data, size_t size)
{
	if (!take_wire(arg, data, size))
		lose_bad(arg);
}

static void on_task(void *arg, const void *data, size_t size)
{
	struct collector *c = arg;
	struct wire_task task;

	accounts_produce(&c->accounts, ACCOUNT_SAMPLES, 1);
	if (size < sizeof(task)) {
		accounts_lose(&c->accounts, ACCOUNT_SAMPLES, "bad_record", 1, &c->losses);
		return;
	}
	c->nr_samples++;
	memcpy(&task, data, sizeof(task));
	if (processes_sample(&c->processes, &task, &c->batch))
		accounts_deliver(&c->accounts, ACCOUNT_SAMPLES, 1);
	else
		accounts_lose(&c->accounts, ACCOUNT_SAMPLES, "process_table_full", 1, &c->losses);
}

/* ---- collecting ---- */

static void collect_clock(struct collector *c, uint64_t now_ns)
{
	int64_t offset_ns = self_wall_offset_ns();
	struct record record;

	if (llabs(offset_ns - c->wall_offset_ns) <= CLOCK_STEP_NS)
		return;
	c->wall_offset_ns = offset_ns;
	record_init(&record, RECORD_CLOCK, now_ns);
	record.clock.wall_offset_ns = offset_ns;
	batch_add(&c->batch, &record);
}

static void fill_tables(const struct collector *c, struct record_self *out)
{
	for (int i = 0; i < NR_RINGS; i++) {
		out->ring_bytes[i] = c->fills[i].size_bytes;
		out->ring_used_bytes[i] = c->fills[i].used_bytes;
		out->ring_peak_bytes[i] = c->fills[i].peak_bytes;
	}
	out->flow_slots = c->flows.nr_slots;
	out->flow_slots_used = flow_table_used(&c->flows);
}

static void collect_self(struct collector *c, uint64_t now_ns)
{
	struct record record;

	if (c->self_told_ns && now_ns - c->self_told_ns < SELF_EVERY_NS)
		return;
	c->self_told_ns = now_ns;
	record_init(&record, RECORD_SELF, now_ns);
	self_cost(c->loader->skeleton->obj, &record);
	cost_fill(&c->cost, &record.self);
	fill_tables(c, &record.self);
	batch_add(&c->batch, &record);
}

static void collect_cost(struct collector *c, uint64_t now_ns)
{
	const struct loader_hook *hook = NULL;
	bool too_much = cost_tick(&c->cost, c->loader, now_ns, c->flows.messages, c->nr_samples);

	c->nr_samples = 0;
	if (too_much)
		hook = cost_shed(&c->cost, c->loader, now_ns, &c->batch);
	if (hook)
		c->probes[hook - c->loader->hooks] = hook->probe;
}

static void mark_serving(void *arg, const struct wire_proc *proc)
{
	processes_mark_serving(arg, proc);
}

static bool is_alive(void *arg, const struct wire_proc *proc)
{
	return processes_has(arg, proc);
}

static int collect_tasks(struct collector *c)
{
	struct bpf_link *link = loader_link(c->loader, "tasks");
	int err = iterator_run(link, on_task, c);

	if (err) {
		snprintf(c->error, sizeof(c->error), "cannot read the process iterator: %s",
			 strerror(-err));
		return err;
	}
	processes_sweep(&c->processes);
	return 0;
}

/* Sockets that are older than we are. */
static int collect_old_sockets(struct collector *c)
{
	struct bpf_link *link = loader_link(c->loader, "sockets_at_start");
	int err = 0;

	if (link)
		err = iterator_run(link, on_socket, c);
	if (err)
		snprintf(c->error, sizeof(c->error), "cannot read the socket iterator: %s",
			 strerror(-err));
	return err;
}

/*
 * Old processes and sockets get known, and their owners into the kernel's memory of sockets, before
 * traffic is looked at: so none of it is put down to nobody. How large they are and what they run can wait,
 * hooks cannot.
 */
int collect_old(struct collector *c)
{
	int err;

	c->processes.defer_rest = true;
	err = collect_tasks(c);
	c->processes.defer_rest = false;
	if (!err)
		err = collect_old_sockets(c);
	return err;
}

int collect_rings(struct collector *c)
{
	int err;

	for (int i = 0; i < NR_RINGS; i++)
		ring_fill_look(&c->fills[i]);
	err = ring_buffer__consume(c->rings);

	if (err < 0) {
		snprintf(c->error, sizeof(c->error), "cannot read the ring buffers: %s",
			 strerror(-err));
		return err;
	}
	return 0;
}

/* The counters and what was read from the rings, as far as they can be had of one moment. */
static int read_books(struct collector *c)
{
	int err = 0;

	for (int i = 0; i < BOOKS_TRIES && !err; i++) {
		losses_read(&c->losses);
		if (!accounts_in_rings(&c->accounts, &c->losses))
			break;
		err = collect_rings(c);
	}
	if (!err)
		losses_read(&c->losses);
	return err;
}

static void collect_books(struct collector *c, uint64_t now_ns)
{
	uint64_t offered, dropped;
	bool lost;

	batch_take_counts(&c->batch, &offered, &dropped);
	accounts_produce(&c->accounts, ACCOUNT_RECORDS, offered);
	accounts_deliver(&c->accounts, ACCOUNT_RECORDS, offered - dropped);
	accounts_lose(&c->accounts, ACCOUNT_RECORDS, "batch_full", dropped, &c->losses);
	missed_runs_collect(&c->missed_runs, c->loader->skeleton->obj, &c->losses);
	lost = losses_collect(&c->losses, now_ns, &c->batch);
	accounts_collect(&c->accounts, &c->losses, lost, now_ns, &c->batch);
}

/* Not before anything in it. */
static uint64_t batch_end_ns(const struct collector *c, uint64_t now_ns)
{
	return now_ns > c->batch.last_ns ? now_ns : c->batch.last_ns;
}

static void end_batch(struct collector *c, bool alarm)
{
	struct record record;

	c->drained_ns = self_boot_ns();
	c->alarm = false;
	record_init(&record, RECORD_TICK, batch_end_ns(c, c->drained_ns));
	record.tick.alarm = alarm;
	batch_add(&c->batch, &record);
}

/* Everything: once a tick. */
int collect_all(struct collector *c)
{
	uint64_t now_ns;
	int err = collect_rings(c);

	if (!err)
		err = collect_tasks(c);
	if (err)
		return err;
	now_ns = self_boot_ns();
	flow_table_collect(&c->flows, now_ns, &c->batch);
	flow_table_each(&c->flows, mark_serving, &c->processes);
	flow_table_release(&c->flows, now_ns, is_alive, &c->processes);
	reclaim_collect(&c->reclaim, now_ns, &c->batch);
	cgroups_tick(&c->cgroups, now_ns, &c->batch);
	collect_clock(c, now_ns);
	collect_cost(c, now_ns);
	collect_self(c, now_ns);
	err = read_books(c);
	if (err)
		return err;
	collect_books(c, now_ns);
	end_batch(c, false);
	return 0;
}

/* What a failure looks like right now: between two ticks. */
int collect_alarm(struct collector *c)
{
	int err = collect_rings(c);

	if (err)
		return err;
	flow_table_collect(&c->flows, self_boot_ns(), &c->batch);
	end_batch(c, true);
	return 0;
}

/*
 * Nothing is produced any more: read what is left, and show books without anything pending. A
 * program that ran on another CPU when its hook was taken away may take a moment to finish.
 */
int collect_rest(struct collector *c)
{
	const struct timespec moment = {.tv_nsec = NS_PER_MS};
	struct record record;
	uint64_t now_ns;
	int err = 0;

	loader_detach(c->loader);
	for (int i = 0; i < QUIET_TRIES && !err; i++) {
		err = read_books(c);
		if (!accounts_in_rings(&c->accounts, &c->losses))
			break;
		nanosleep(&moment, NULL);
	}
	if (err)
		return err;
	now_ns = self_boot_ns();
	flow_table_collect(&c->flows, now_ns, &c->batch);
	c->accounts.told_ns = 0;
	collect_books(c, now_ns);
	record_init(&record, RECORD_STOP, batch_end_ns(c, self_boot_ns()));
	batch_add(&c->batch, &record);
	return 0;
}

void collect_header(struct collector *c)
{
	struct record record;

	record_init(&record, RECORD_HEADER, c->started_ns);
	self_header(&record);
	record.header.tick_ns = c->options->tick_ns;
	record.header.nr_cpus = c->loader->nr_cpus;
	snprintf(record.header.detector_version, sizeof(record.header.detector_version), "%s",
		 c->options->version ? c->options->version : "");
	if (c->options->host_name)
		utf8_sanitize(record.header.host_name, sizeof(record.header.host_name),
			      c->options->host_name, strlen(c->options->host_name));
	c->wall_offset_ns = record.header.wall_offset_ns;
	batch_add(&c->batch, &record);
	for (uint32_t i = 0; i < c->loader->nr_hooks; i++) {
		record_init(&record, RECORD_PROBE, c->started_ns);
		record.probe = c->probes[i];
		batch_add(&c->batch, &record);
	}
	record_init(&record, RECORD_CLOCK, c->started_ns);
	record.clock.wall_offset_ns = c->wall_offset_ns;
	batch_add(&c->batch, &record);
}

/* ---- start and end ---- */

void collector_init(struct collector *c, struct loader *loader,
		    const struct bpf_source_options *options)
{
	c->loader = loader;
	c->options = options;
	c->cgroups.mount_fd = -1;
	c->host_files.fd = -1;
	c->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	c->started_ns = self_boot_ns();
	cost_init(&c->cost);
}

static int init_ring_fills(struct collector *c)
{
	struct bpf_map *const rings[NR_RINGS] = {
		[RING_CRITICAL] = c->loader->skeleton->maps.critical_ring,
		[RING_BULK] = c->loader->skeleton->maps.bulk_ring,
	};
	int err = 0;

	for (int i = 0; i < NR_RINGS && !err; i++)
		err = ring_fill_init(&c->fills[i], bpf_map__fd(rings[i]),
				     bpf_map__max_entries(rings[i]));
	return err;
}

int collector_open_maps(struct collector *c)
{
	const struct loader *loader = c->loader;
	struct memswell_bpf *skeleton = loader->skeleton;
	struct flow_maps maps = {
		.stats_fd = bpf_map__fd(skeleton->maps.flow_stats),
		.slots_fd = bpf_map__fd(skeleton->maps.flow_slots),
		.free_slots_fd = bpf_map__fd(skeleton->maps.free_flow_slots),
		.free_backends_fd = bpf_map__fd(skeleton->maps.free_backend_slots),
	};
	int err;

	err = flow_table_init(&c->flows, &maps, loader->nr_cpus, loader->nr_flow_slots);
	if (!err)
		err = losses_init(&c->losses, bpf_map__fd(skeleton->maps.losses), loader->nr_cpus);
	if (!err)
		err = reclaim_init(&c->reclaim, bpf_map__fd(skeleton->maps.reclaims),
				   loader->nr_cpus);
	if (!err)
		err = init_ring_fills(c);
	if (err)
		return err;
	c->rings =
		ring_buffer__new(bpf_map__fd(skeleton->maps.critical_ring), on_ring_event, c, NULL);
	if (!c->rings)
		return -errno;
	return ring_buffer__add(c->rings, bpf_map__fd(skeleton->maps.bulk_ring), on_ring_event, c);
}

void collector_init_tables(struct collector *c)
{
	const struct loader_hook *v8 = loader_find(c->loader, "v8_oom");
	const struct bpf_program *v8_programs[NR_V8_FATAL_KINDS] = {NULL};

	if (v8 && v8->probe.state == PROBE_ATTACHED) {
		v8_programs[V8_FATAL_FIRST_ARG] = loader_program(c->loader, "runtime_v8_oom_arg1");
		v8_programs[V8_FATAL_SECOND_ARG] = loader_program(c->loader, "runtime_v8_oom_arg2");
	}
	executables_init(&c->executables, v8_programs, &c->loader->broker, &c->losses);
	cgroups_init(&c->cgroups, &c->host_files);
	processes_init(&c->processes, &c->executables, &c->cgroups, self_boot_ns());
}

void collector_start(struct collector *c)
{
	for (uint32_t i = 0; i < c->loader->nr_hooks; i++)
		c->probes[i] = c->loader->hooks[i].probe;
	cost_start(&c->cost, c->options->stats_every, c->options->budget_ppm);
}

void collector_free(struct collector *c)
{
	ring_buffer__free(c->rings);
	for (int i = 0; i < NR_RINGS; i++)
		ring_fill_free(&c->fills[i]);
	cost_free(&c->cost);
	executables_free(&c->executables);
	cgroups_free(&c->cgroups);
	host_files_stop(&c->host_files);
	processes_free(&c->processes);
	flow_table_free(&c->flows);
	reclaim_free(&c->reclaim);
	losses_free(&c->losses);
	batch_free(&c->batch);
}

/* ---- what others count ---- */

void collector_count_output(struct collector *c, uint64_t made, uint64_t written)
{
	accounts_produce(&c->accounts, ACCOUNT_OUTPUT, made);
	accounts_deliver(&c->accounts, ACCOUNT_OUTPUT, written);
}

void collector_add_loss(struct collector *c, const char *stream, const char *reason, uint64_t count)
{
	enum account account = account_named(stream);

	if (account == NR_ACCOUNTS)
		losses_add(&c->losses, stream, reason, count);
	else
		accounts_lose(&c->accounts, account, reason, count, &c->losses);
}
