/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bpf_source.c - see bpf_source.h. The loop that decides when to collect; what is collected, and
 * how, is in the files around it.
 */
#include "source/bpf_source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "memswell.skel.h"
#include "source/accounts.h"
#include "source/batch.h"
#include "source/budget.h"
#include "source/cgroups.h"
#include "source/decode.h"
#include "source/executables.h"
#include "source/flow_table.h"
#include "source/iterators.h"
#include "source/loader.h"
#include "source/losses.h"
#include "source/missed_runs.h"
#include "source/processes.h"
#include "source/reclaim.h"
#include "source/ring_fill.h"
#include "source/run_time.h"
#include "source/self.h"

#define NS_PER_S	 1000000000ULL
#define NS_PER_MS	 1000000ULL
#define ALARM_MIN_GAP_NS (100 * NS_PER_MS)
#define SELF_EVERY_NS	 (10 * NS_PER_S)
#define CLOCK_STEP_NS	 1000000LL
#define PPM_PER_PERCENT	 1e4
#define BUDGET_EVERY	 5U /* ticks: two looks or more at each stretch of a budget */
#define BOOKS_TRIES	 3
#define QUIET_TRIES	 50

enum state { STATE_START = 0, STATE_RUN, STATE_STOPPING, STATE_STOPPED };

struct bpf_source {
	struct source source; /* first: the vtable */
	struct bpf_source_options options;
	enum state state;
	uint64_t started_ns;
	struct loader loader;
	struct ring_buffer *rings;
	int epoll_fd;
	int timer_fd;
	struct batch batch;
	struct losses losses;
	struct accounts accounts;
	struct missed_runs missed_runs;
	struct reclaim reclaim;
	struct flow_table flows;
	struct ring_fill fills[NR_RINGS];
	struct run_time run_time;
	struct budget budget;
	uint64_t nr_samples;	     /* of this tick */
	uint64_t estimated_messages; /* of flows.messages so far */
	struct executables executables;
	struct cgroups cgroups;
	struct processes processes;
	uint32_t page_bytes;
	bool alarm; /* raised and not served yet */
	bool budget_is_hopeless;
	uint64_t drained_ns;
	uint64_t self_told_ns;
	int64_t wall_offset_ns;
	char error[256];
	struct record_probe probes[LOADER_MAX_HOOKS];
};

/* ---- what the kernel sends ---- */

static void on_oom(struct bpf_source *s, const struct record *record)
{
	cgroups_name(&s->cgroups, &record->oom.memcg, NULL, record->ts_ns, &s->batch);
}

/* False if it is no record of the kernel side as we know them. */
static bool take_wire(struct bpf_source *s, const void *data, size_t size)
{
	struct record record;

	switch (decode_wire(data, size, s->page_bytes, &record)) {
	case DECODE_RECORD:
		if (!processes_event(&s->processes, &record))
			return true;
		if (record.kind == RECORD_OOM)
			on_oom(s, &record);
		batch_add(&s->batch, &record);
		return true;
	case DECODE_NOTHING:
		return true;
	default:
		return false;
	}
}

/* Of a stream that is not in the books. */
static void lose_bad(struct bpf_source *s)
{
	losses_add(&s->losses, "source", "bad_record", 1);
}

static int on_ring_event(void *arg, void *data, size_t size)
{
	struct bpf_source *s = arg;
	const struct wire_head *head = data;
	uint32_t kind = size >= sizeof(*head) ? head->kind : WIRE_NONE;
	enum account account = account_of_kind(kind);
	bool is_good = take_wire(s, data, size);

	if (kind == WIRE_ALARM)
		s->alarm = true;
	if (account == NR_ACCOUNTS)
		lose_bad(s);
	else if (is_good)
		accounts_deliver(&s->accounts, account, 1);
	else
		accounts_lose(&s->accounts, account, "bad_record", 1, &s->losses);
	return 0;
}

static void on_socket(void *arg, const void *data, size_t size)
{
	if (!take_wire(arg, data, size))
		lose_bad(arg);
}

static void on_task(void *arg, const void *data, size_t size)
{
	struct bpf_source *s = arg;
	struct wire_task task;

	accounts_produce(&s->accounts, ACCOUNT_SAMPLES, 1);
	if (size < sizeof(task)) {
		accounts_lose(&s->accounts, ACCOUNT_SAMPLES, "bad_record", 1, &s->losses);
		return;
	}
	s->nr_samples++;
	memcpy(&task, data, sizeof(task));
	if (processes_sample(&s->processes, &task, &s->batch))
		accounts_deliver(&s->accounts, ACCOUNT_SAMPLES, 1);
	else
		accounts_lose(&s->accounts, ACCOUNT_SAMPLES, "process_table_full", 1, &s->losses);
}

/* ---- collecting ---- */

static void collect_clock(struct bpf_source *s, uint64_t now_ns)
{
	int64_t offset_ns = self_wall_offset_ns();
	struct record record;

	if (llabs(offset_ns - s->wall_offset_ns) <= CLOCK_STEP_NS)
		return;
	s->wall_offset_ns = offset_ns;
	record_init(&record, RECORD_CLOCK, now_ns);
	record.clock.wall_offset_ns = offset_ns;
	batch_add(&s->batch, &record);
}

static void fill_kernel_cost(const struct bpf_source *s, struct record_self *out)
{
	out->bpf_time = (uint8_t)s->run_time.source;
	for (int i = 0; i < NR_BPF_GROUPS; i++) {
		out->bpf_ns[i] = s->run_time.spent.groups[i].ns;
		out->bpf_runs[i] = s->run_time.spent.groups[i].runs;
	}
	for (int i = 0; i < NR_RINGS; i++) {
		out->ring_bytes[i] = s->fills[i].size_bytes;
		out->ring_used_bytes[i] = s->fills[i].used_bytes;
		out->ring_peak_bytes[i] = s->fills[i].peak_bytes;
	}
	out->flow_slots = s->flows.nr_slots;
	out->flow_slots_used = flow_table_used(&s->flows);
	out->budget_ppm = s->budget.ppm;
	out->cost_ppm = s->budget.cost_ppm;
}

static void collect_self(struct bpf_source *s, uint64_t now_ns)
{
	struct record record;

	if (s->self_told_ns && now_ns - s->self_told_ns < SELF_EVERY_NS)
		return;
	s->self_told_ns = now_ns;
	record_init(&record, RECORD_SELF, now_ns);
	self_cost(s->loader.skeleton->obj, &record);
	fill_kernel_cost(s, &record.self);
	batch_add(&s->batch, &record);
}

/* One hook less. What the core knows of hooks it learns from records. */
static void shed(struct bpf_source *s, uint64_t now_ns)
{
	struct record record;
	struct loader_hook *hook;
	char reason[RECORD_TEXT_LEN];

	snprintf(reason, sizeof(reason), "shed: cost %.3f %% of a core, --budget is %.3f %%",
		 s->budget.cost_ppm / PPM_PER_PERCENT, s->budget.ppm / PPM_PER_PERCENT);
	hook = loader_shed(&s->loader, reason);
	if (!hook) {
		if (!s->budget_is_hopeless)
			log_warn("cost %.3f %% of a core, --budget is %.3f %%, and what is left "
				 "of the hooks is needed",
				 s->budget.cost_ppm / PPM_PER_PERCENT,
				 s->budget.ppm / PPM_PER_PERCENT);
		s->budget_is_hopeless = true;
		return;
	}
	log_warn("hook %s is %s", hook->probe.name, hook->probe.reason);
	s->probes[hook - s->loader.hooks] = hook->probe;
	record_init(&record, RECORD_PROBE, now_ns);
	record.probe = hook->probe;
	batch_add(&s->batch, &record);
}

static void collect_cost(struct bpf_source *s, uint64_t now_ns)
{
	uint64_t messages = s->flows.messages - s->estimated_messages;
	bool known = run_time_tick(&s->run_time, &s->loader, now_ns, messages, s->nr_samples);

	s->estimated_messages = s->flows.messages;
	s->nr_samples = 0;
	if (known && budget_spend(&s->budget, now_ns, self_cpu_ns(), run_time_ns(&s->run_time)))
		shed(s, now_ns);
}

static void mark_serving(void *arg, const struct wire_proc *proc)
{
	processes_mark_serving(arg, proc);
}

static bool is_alive(void *arg, const struct wire_proc *proc)
{
	return processes_has(arg, proc);
}

static int collect_tasks(struct bpf_source *s)
{
	struct bpf_link *link = loader_link(&s->loader, "tasks");
	int err = iterator_run(link, on_task, s);

	if (err) {
		snprintf(s->error, sizeof(s->error), "cannot read the process iterator: %s",
			 strerror(-err));
		return err;
	}
	processes_sweep(&s->processes);
	return 0;
}

/* Sockets that are older than we are. */
static int collect_old_sockets(struct bpf_source *s)
{
	struct bpf_link *link = loader_link(&s->loader, "sockets_at_start");
	int err = 0;

	if (link)
		err = iterator_run(link, on_socket, s);
	if (err)
		snprintf(s->error, sizeof(s->error), "cannot read the socket iterator: %s",
			 strerror(-err));
	return err;
}

static int collect_rings(struct bpf_source *s)
{
	int err;

	for (int i = 0; i < NR_RINGS; i++)
		ring_fill_look(&s->fills[i]);
	err = ring_buffer__consume(s->rings);

	if (err < 0) {
		snprintf(s->error, sizeof(s->error), "cannot read the ring buffers: %s",
			 strerror(-err));
		return err;
	}
	return 0;
}

/* The counters and what was read from the rings, as far as they can be had of one moment. */
static int read_books(struct bpf_source *s)
{
	int err = 0;

	for (int i = 0; i < BOOKS_TRIES && !err; i++) {
		losses_read(&s->losses);
		if (!accounts_in_rings(&s->accounts, &s->losses))
			break;
		err = collect_rings(s);
	}
	if (!err)
		losses_read(&s->losses);
	return err;
}

static void collect_books(struct bpf_source *s, uint64_t now_ns)
{
	uint64_t offered, dropped;
	bool lost;

	batch_take_counts(&s->batch, &offered, &dropped);
	accounts_produce(&s->accounts, ACCOUNT_RECORDS, offered);
	accounts_deliver(&s->accounts, ACCOUNT_RECORDS, offered - dropped);
	accounts_lose(&s->accounts, ACCOUNT_RECORDS, "batch_full", dropped, &s->losses);
	missed_runs_collect(&s->missed_runs, s->loader.skeleton->obj, &s->losses);
	lost = losses_collect(&s->losses, now_ns, &s->batch);
	accounts_collect(&s->accounts, &s->losses, lost, now_ns, &s->batch);
}

/* Not before anything in it. */
static uint64_t batch_end_ns(const struct bpf_source *s, uint64_t now_ns)
{
	uint64_t last_ns = batch_last_ns(&s->batch);

	return now_ns > last_ns ? now_ns : last_ns;
}

static void end_batch(struct bpf_source *s, bool alarm)
{
	struct record record;

	s->drained_ns = self_boot_ns();
	s->alarm = false;
	record_init(&record, RECORD_TICK, batch_end_ns(s, s->drained_ns));
	record.tick.alarm = alarm;
	batch_add(&s->batch, &record);
}

/* Everything: once a tick. */
static int collect_all(struct bpf_source *s)
{
	uint64_t now_ns;
	int err = collect_rings(s);

	if (!err)
		err = collect_tasks(s);
	if (err)
		return err;
	now_ns = self_boot_ns();
	flow_table_collect(&s->flows, now_ns, &s->batch);
	flow_table_each(&s->flows, mark_serving, &s->processes);
	flow_table_release(&s->flows, now_ns, is_alive, &s->processes);
	reclaim_collect(&s->reclaim, now_ns, &s->batch);
	collect_clock(s, now_ns);
	collect_cost(s, now_ns);
	collect_self(s, now_ns);
	err = read_books(s);
	if (err)
		return err;
	collect_books(s, now_ns);
	end_batch(s, false);
	return 0;
}

/* What a failure looks like right now: between two ticks. */
static int collect_alarm(struct bpf_source *s)
{
	int err = collect_rings(s);

	if (err)
		return err;
	flow_table_collect(&s->flows, self_boot_ns(), &s->batch);
	end_batch(s, true);
	return 0;
}

static void add_header(struct bpf_source *s)
{
	struct record record;

	record_init(&record, RECORD_HEADER, s->started_ns);
	self_header(&record);
	record.header.tick_ns = s->options.tick_ns;
	record.header.nr_cpus = s->loader.nr_cpus;
	snprintf(record.header.detector_version, sizeof(record.header.detector_version), "%s",
		 s->options.version ? s->options.version : "");
	s->wall_offset_ns = record.header.wall_offset_ns;
	batch_add(&s->batch, &record);
	for (uint32_t i = 0; i < s->loader.nr_hooks; i++) {
		record_init(&record, RECORD_PROBE, s->started_ns);
		record.probe = s->probes[i];
		batch_add(&s->batch, &record);
	}
	record_init(&record, RECORD_CLOCK, s->started_ns);
	record.clock.wall_offset_ns = s->wall_offset_ns;
	batch_add(&s->batch, &record);
}

/* ---- the loop ---- */

static int poll_timeout_ms(const struct bpf_source *s)
{
	uint64_t since_ns;

	if (!s->alarm)
		return -1;
	since_ns = self_boot_ns() - s->drained_ns;
	if (since_ns >= ALARM_MIN_GAP_NS)
		return 0;
	return (int)((ALARM_MIN_GAP_NS - since_ns) / NS_PER_MS) + 1;
}

/*
 * Wait until something is due. Returns 1 when the batch is complete, SOURCE_WOKEN, 0 to go on, or
 * -errno. A signal that interrupts wakes whoever asked to be woken: it may have changed his terminal.
 */
static int wait_once(struct bpf_source *s)
{
	struct epoll_event events[4];
	int timeout_ms = poll_timeout_ms(s);
	int nr = epoll_wait(s->epoll_fd, events, 4, timeout_ms);
	bool is_tick = false, is_stop = false, is_woken = nr < 0 && s->options.wake_fd >= 0;
	uint64_t expirations;
	int err;

	if (nr < 0 && errno != EINTR)
		return -errno;
	for (int i = 0; i < nr; i++) {
		is_tick |= events[i].data.fd == s->timer_fd;
		is_stop |= events[i].data.fd == s->options.stop_fd;
		is_woken |= events[i].data.fd == s->options.wake_fd;
	}
	if (is_tick && read(s->timer_fd, &expirations, sizeof(expirations)) < 0)
		is_tick = false;
	if (is_stop)
		s->state = STATE_STOPPING;
	if (is_tick || is_stop)
		err = collect_all(s);
	else if (s->alarm && poll_timeout_ms(s) == 0)
		err = collect_alarm(s);
	else
		return is_woken ? SOURCE_WOKEN : collect_rings(s);
	return err ? err : 1;
}

/*
 * Nothing is produced any more: read what is left, and show books without anything pending. A
 * program that ran on another CPU when its hook was taken away may take a moment to finish.
 */
static int close_books(struct bpf_source *s)
{
	const struct timespec moment = {.tv_nsec = NS_PER_MS};
	struct record record;
	uint64_t now_ns;
	int err = 0;

	loader_detach(&s->loader);
	for (int i = 0; i < QUIET_TRIES && !err; i++) {
		err = read_books(s);
		if (!accounts_in_rings(&s->accounts, &s->losses))
			break;
		nanosleep(&moment, NULL);
	}
	if (err)
		return err;
	now_ns = self_boot_ns();
	flow_table_collect(&s->flows, now_ns, &s->batch);
	s->accounts.told_ns = 0;
	collect_books(s, now_ns);
	record_init(&record, RECORD_STOP, batch_end_ns(s, self_boot_ns()));
	batch_add(&s->batch, &record);
	return 0;
}

static int next_batch(struct bpf_source *s)
{
	int ready = 0;

	switch (s->state) {
	case STATE_START:
		s->state = STATE_RUN;
		add_header(s);
		ready = collect_all(s);
		return ready ? ready : 1;
	case STATE_RUN:
		while (!ready)
			ready = wait_once(s);
		return ready;
	case STATE_STOPPING:
		s->state = STATE_STOPPED;
		return close_books(s);
	default:
		return 0;
	}
}

static int source_next_batch(struct source *source, record_fn fn, void *arg)
{
	struct bpf_source *s = (struct bpf_source *)source;
	int more = next_batch(s);

	if (more < 0) {
		if (!s->error[0])
			snprintf(s->error, sizeof(s->error), "cannot wait for events: %s",
				 strerror(-more));
		return more;
	}
	if (more != SOURCE_WOKEN)
		batch_emit(&s->batch, fn, arg);
	return more;
}

static const char *source_last_error(const struct source *source)
{
	return ((const struct bpf_source *)source)->error;
}

static void source_destroy(struct source *source)
{
	struct bpf_source *s = (struct bpf_source *)source;

	ring_buffer__free(s->rings);
	for (int i = 0; i < NR_RINGS; i++)
		ring_fill_free(&s->fills[i]);
	run_time_free(&s->run_time);
	executables_free(&s->executables);
	cgroups_free(&s->cgroups);
	processes_free(&s->processes);
	flow_table_free(&s->flows);
	reclaim_free(&s->reclaim);
	losses_free(&s->losses);
	loader_free(&s->loader);
	batch_free(&s->batch);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	if (s->timer_fd >= 0)
		close(s->timer_fd);
	free(s);
}

static const struct source_ops ops = {
	.name = "bpf",
	.next = source_next_batch,
	.error = source_last_error,
	.free = source_destroy,
};

/* ---- start ---- */

static int init_ring_fills(struct bpf_source *s)
{
	struct bpf_map *const rings[NR_RINGS] = {
		[RING_CRITICAL] = s->loader.skeleton->maps.critical_ring,
		[RING_BULK] = s->loader.skeleton->maps.bulk_ring,
	};
	int err = 0;

	for (int i = 0; i < NR_RINGS && !err; i++)
		err = ring_fill_init(&s->fills[i], bpf_map__fd(rings[i]),
				     bpf_map__max_entries(rings[i]));
	return err;
}

static int init_maps(struct bpf_source *s)
{
	const struct loader *loader = &s->loader;
	struct memswell_bpf *skeleton = loader->skeleton;
	struct flow_maps maps = {
		.stats_fd = bpf_map__fd(skeleton->maps.flow_stats),
		.slots_fd = bpf_map__fd(skeleton->maps.flow_slots),
		.free_slots_fd = bpf_map__fd(skeleton->maps.free_flow_slots),
		.free_backends_fd = bpf_map__fd(skeleton->maps.free_backend_slots),
	};
	int err;

	err = flow_table_init(&s->flows, &maps, loader->nr_cpus, loader->nr_flow_slots);
	if (!err)
		err = losses_init(&s->losses, bpf_map__fd(skeleton->maps.losses), loader->nr_cpus);
	if (!err)
		err = reclaim_init(&s->reclaim, bpf_map__fd(skeleton->maps.reclaims),
				   loader->nr_cpus);
	if (!err)
		err = init_ring_fills(s);
	if (err)
		return err;
	s->rings =
		ring_buffer__new(bpf_map__fd(skeleton->maps.critical_ring), on_ring_event, s, NULL);
	if (!s->rings)
		return -errno;
	return ring_buffer__add(s->rings, bpf_map__fd(skeleton->maps.bulk_ring), on_ring_event, s);
}

static int watch(struct bpf_source *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int init_poll(struct bpf_source *s)
{
	struct itimerspec every = {0};
	int err;

	every.it_interval.tv_sec = (time_t)(s->options.tick_ns / NS_PER_S);
	every.it_interval.tv_nsec = (long)(s->options.tick_ns % NS_PER_S);
	every.it_value = every.it_interval;
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->epoll_fd < 0 || s->timer_fd < 0 || timerfd_settime(s->timer_fd, 0, &every, NULL))
		return -errno;
	err = watch(s, s->timer_fd);
	if (!err)
		err = watch(s, ring_buffer__epoll_fd(s->rings));
	if (!err && s->options.stop_fd >= 0)
		err = watch(s, s->options.stop_fd);
	if (!err && s->options.wake_fd >= 0)
		err = watch(s, s->options.wake_fd);
	return err;
}

static int check_strict(const struct bpf_source *s, char *error, size_t error_size)
{
	for (uint32_t i = 0; s->options.strict && i < s->loader.nr_hooks; i++) {
		const struct record_probe *probe = &s->probes[i];

		if (probe->state != PROBE_UNAVAILABLE)
			continue;
		snprintf(error, error_size, "--strict: hook %s is unavailable: %s", probe->name,
			 probe->reason);
		return -EUNATCH;
	}
	return 0;
}

/*
 * Old processes and sockets get known, and their owners into the kernel's memory of sockets, before
 * traffic is looked at: so none of it is put down to nobody. Executables can wait, hooks cannot.
 */
static int collect_old(struct bpf_source *s, char *error, size_t error_size)
{
	int err;

	s->processes.defer_exe = true;
	err = collect_tasks(s);
	s->processes.defer_exe = false;
	if (!err)
		err = collect_old_sockets(s);
	if (err)
		snprintf(error, error_size, "%s", s->error);
	return err;
}

static int init(struct bpf_source *s, char *error, size_t error_size)
{
	int err = loader_load(&s->loader, s->options.vm_events, error, error_size);

	if (err)
		return err;
	err = init_maps(s);
	if (!err)
		err = init_poll(s);
	if (err)
		snprintf(error, error_size, "cannot set up maps and timers: %s", strerror(-err));
	return err;
}

static void init_tables(struct bpf_source *s)
{
	const struct loader_hook *v8 = loader_find(&s->loader, "v8_oom");
	const struct bpf_program *v8_programs[NR_V8_FATAL_KINDS] = {NULL};

	if (v8 && v8->probe.state == PROBE_ATTACHED) {
		v8_programs[V8_FATAL_FIRST_ARG] = loader_program(&s->loader, "runtime_v8_oom_arg1");
		v8_programs[V8_FATAL_SECOND_ARG] =
			loader_program(&s->loader, "runtime_v8_oom_arg2");
	}
	executables_init(&s->executables, v8_programs, &s->loader.broker);
	cgroups_init(&s->cgroups);
	processes_init(&s->processes, &s->executables, &s->cgroups, self_boot_ns());
}

static void init_cost(struct bpf_source *s)
{
	uint32_t every = s->options.stats_every;

	s->budget.ppm = s->options.budget_ppm;
	if (s->budget.ppm && (!every || every > BUDGET_EVERY))
		every = BUDGET_EVERY;
	run_time_init(&s->run_time, every, self_boot_ns());
}

static int start(struct bpf_source *s, char *error, size_t error_size)
{
	int err = init(s, error, error_size);

	if (!err)
		err = loader_attach(&s->loader, false, error, error_size);
	if (err)
		return err;
	init_tables(s);
	err = collect_old(s, error, error_size);
	if (!err)
		err = loader_attach(&s->loader, true, error, error_size);
	if (err)
		return err;
	for (uint32_t i = 0; i < s->loader.nr_hooks; i++)
		s->probes[i] = s->loader.hooks[i].probe;
	loader_trim(&s->loader);
	init_cost(s);
	return check_strict(s, error, error_size);
}

/* Each table from its own limit; the rest of it is small and of fixed size. */
static void describe(const struct bpf_source *s, struct host *out)
{
	const struct memory_row rows[] = {
		{"batch", 0, batch_memory_ceiling()},
		{"processes", PROCESSES_MAX, processes_memory_ceiling()},
		{"flows", s->loader.nr_flow_slots,
		 flow_table_memory_ceiling(s->loader.nr_flow_slots)},
		{"cgroups", CGROUPS_MAX, cgroups_memory_ceiling()},
		{"executables", EXECUTABLES_MAX, executables_memory_ceiling()},
		{"reclaim", RECLAIM_MAX_CGROUPS, reclaim_memory_ceiling(s->loader.nr_cpus)},
		{"state", 0, sizeof(*s)},
		{"program and libraries", 0, self_program_bytes()},
	};

	loader_describe(&s->loader, out);
	host_add_memory(out, "source", rows, sizeof(rows) / sizeof(rows[0]));
}

int bpf_source_new(const struct bpf_source_options *options, struct source **out, char *error,
		   size_t error_size)
{
	struct bpf_source *s = calloc(1, sizeof(*s));
	int err;

	if (!s) {
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	s->source.ops = &ops;
	s->options = *options;
	s->epoll_fd = -1;
	s->timer_fd = -1;
	s->run_time.stats_fd = -1;
	s->cgroups.mount_fd = -1;
	s->page_bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	s->started_ns = self_boot_ns();
	err = start(s, error, error_size);
	if (options->host)
		describe(s, options->host);
	if (err) {
		source_free(&s->source);
		return err;
	}
	*out = &s->source;
	return 0;
}

void bpf_source_count_output(struct source *source, uint64_t made, uint64_t written)
{
	struct bpf_source *s = (struct bpf_source *)source;

	accounts_produce(&s->accounts, ACCOUNT_OUTPUT, made);
	accounts_deliver(&s->accounts, ACCOUNT_OUTPUT, written);
}

void bpf_source_add_loss(struct source *source, const char *stream, const char *reason,
			 uint64_t count)
{
	struct bpf_source *s = (struct bpf_source *)source;
	enum account account = account_named(stream);

	if (account == NR_ACCOUNTS)
		losses_add(&s->losses, stream, reason, count);
	else
		accounts_lose(&s->accounts, account, reason, count, &s->losses);
}

int bpf_source_lock_down(const struct source *source, const struct lockdown *wanted, char *error,
			 size_t error_size)
{
	struct lockdown lockdown = *wanted;

	lockdown.broker_fd = ((const struct bpf_source *)source)->loader.broker.fd;
	return lockdown_apply(&lockdown, error, error_size);
}

const struct record_probe *bpf_source_probes(const struct source *source, uint32_t *nr)
{
	const struct bpf_source *s = (const struct bpf_source *)source;

	*nr = s->loader.nr_hooks;
	return s->probes;
}
