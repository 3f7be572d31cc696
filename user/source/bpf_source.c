/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * bpf_source.c - see bpf_source.h. Start, end, and the loop that decides when to collect; what is
 * collected is in collect.c.
 */
#include "source/bpf_source.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "source/collect.h"
#include "source/loader.h"
#include "source/self.h"

#define NS_PER_S	 1000000000ULL
#define NS_PER_MS	 1000000ULL
#define ALARM_MIN_GAP_NS (100 * NS_PER_MS)

enum state { STATE_START = 0, STATE_RUN, STATE_STOPPING, STATE_STOPPED };

struct bpf_source {
	struct source source; /* first: the vtable */
	struct bpf_source_options options;
	enum state state;
	struct loader loader;
	struct collector collector;
	struct scope scope;
	int epoll_fd;
	int timer_fd;
};

/* ---- the loop ---- */

static int poll_timeout_ms(const struct bpf_source *s)
{
	uint64_t since_ns;

	if (!s->collector.alarm)
		return -1;
	since_ns = self_boot_ns() - s->collector.drained_ns;
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
		err = collect_all(&s->collector);
	else if (s->collector.alarm && poll_timeout_ms(s) == 0)
		err = collect_alarm(&s->collector);
	else
		return is_woken ? SOURCE_WOKEN : collect_rings(&s->collector);
	return err ? err : 1;
}

static int next_batch(struct bpf_source *s)
{
	int ready = 0;

	switch (s->state) {
	case STATE_START:
		s->state = STATE_RUN;
		collect_header(&s->collector);
		ready = collect_all(&s->collector);
		return ready ? ready : 1;
	case STATE_RUN:
		while (!ready)
			ready = wait_once(s);
		return ready;
	case STATE_STOPPING:
		s->state = STATE_STOPPED;
		return collect_rest(&s->collector);
	default:
		return 0;
	}
}

/* Whom a batch goes to, through the scope. */
struct receiver {
	struct scope *scope;
	record_fn fn;
	void *arg;
};

static void through_scope(void *arg, const struct record *record)
{
	const struct receiver *to = arg;

	scope_take(to->scope, record, to->fn, to->arg);
}

static int source_next_batch(struct source *source, record_fn fn, void *arg)
{
	struct bpf_source *s = (struct bpf_source *)source;
	struct receiver to = {.scope = &s->scope, .fn = fn, .arg = arg};
	int more;

	batch_hand_on(&s->collector.batch, through_scope, &to);
	more = next_batch(s);
	batch_hand_on(&s->collector.batch, NULL, NULL);
	if (more < 0) {
		if (!s->collector.error[0])
			snprintf(s->collector.error, sizeof(s->collector.error),
				 "cannot wait for events: %s", strerror(-more));
		return more;
	}
	if (more != SOURCE_WOKEN)
		batch_emit(&s->collector.batch, through_scope, &to);
	return more;
}

static const char *source_last_error(const struct source *source)
{
	return ((const struct bpf_source *)source)->collector.error;
}

static void source_destroy(struct source *source)
{
	struct bpf_source *s = (struct bpf_source *)source;

	collector_free(&s->collector);
	scope_free(&s->scope);
	loader_free(&s->loader);
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
		err = watch(s, ring_buffer__epoll_fd(s->collector.rings));
	if (!err && s->options.stop_fd >= 0)
		err = watch(s, s->options.stop_fd);
	if (!err && s->options.wake_fd >= 0)
		err = watch(s, s->options.wake_fd);
	return err;
}

static int check_strict(const struct bpf_source *s, char *error, size_t error_size)
{
	for (uint32_t i = 0; s->options.strict && i < s->loader.nr_hooks; i++) {
		const struct record_probe *probe = &s->collector.probes[i];

		if (probe->state != PROBE_UNAVAILABLE)
			continue;
		snprintf(error, error_size, "--strict: hook %s is unavailable: %s", probe->name,
			 probe->reason);
		return -EUNATCH;
	}
	return 0;
}

static int init(struct bpf_source *s, char *error, size_t error_size)
{
	const char *root = s->options.host_root ?: "/";
	int err;

	/* While there is little that it would inherit. */
	err = host_files_start(&s->collector.host_files, root);
	if (err) {
		snprintf(error, error_size,
			 "cannot look for files of container runtimes below %s: %s", root,
			 strerror(-err));
		return -EIO; /* what the cause was shall not be taken for one of those */
	}
	err = loader_load(&s->loader, s->options.vm_events, error, error_size);
	if (err)
		return err;
	err = collector_open_maps(&s->collector);
	if (!err)
		err = init_poll(s);
	if (err)
		snprintf(error, error_size, "cannot set up maps and timers: %s", strerror(-err));
	return err;
}

static int start(struct bpf_source *s, char *error, size_t error_size)
{
	int err = init(s, error, error_size);

	if (!err)
		err = loader_attach(&s->loader, false, error, error_size);
	if (err)
		return err;
	collector_init_tables(&s->collector);
	err = collect_old(&s->collector);
	if (err)
		snprintf(error, error_size, "%s", s->collector.error);
	else
		err = loader_attach(&s->loader, true, error, error_size);
	if (err)
		return err;
	loader_trim(&s->loader);
	collector_start(&s->collector);
	return check_strict(s, error, error_size);
}

/* Not the whole of it: its user moves a window over it. */
static void describe_flow_window(const struct loader *loader, struct host *out)
{
	for (uint32_t i = 0; i < out->nr_maps; i++)
		if (strcmp(out->maps[i].name, "flow_stats") == 0)
			out->maps[i].mapped_bytes =
				flow_table_window_bytes(loader->nr_cpus, loader->nr_flow_slots);
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
		{"container names", CONTAINER_NAMES_MAX, container_names_memory_ceiling()},
		{"executables", EXECUTABLES_MAX, executables_memory_ceiling()},
		{"reclaim", RECLAIM_MAX_CGROUPS, reclaim_memory_ceiling(s->loader.nr_cpus)},
		{"scope", SCOPE_MAX_PROCESSES, s->options.scope.nr ? scope_memory_ceiling() : 0},
		{"state", 0, sizeof(*s)},
		{"program and libraries", 0, self_program_bytes()},
	};

	loader_describe(&s->loader, out);
	describe_flow_window(&s->loader, out);
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
	collector_init(&s->collector, &s->loader, &s->options);
	scope_init(&s->scope, &options->scope);
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
	collector_count_output(&((struct bpf_source *)source)->collector, made, written);
}

void bpf_source_add_loss(struct source *source, const char *stream, const char *reason,
			 uint64_t count)
{
	collector_add_loss(&((struct bpf_source *)source)->collector, stream, reason, count);
}

int bpf_source_lock_down(const struct source *source, const struct lockdown *wanted, char *error,
			 size_t error_size)
{
	struct lockdown lockdown = *wanted;

	lockdown.broker_fd = ((const struct bpf_source *)source)->loader.broker.fd;
	lockdown.files_fd = ((const struct bpf_source *)source)->collector.host_files.fd;
	return lockdown_apply(&lockdown, error, error_size);
}

const struct record_probe *bpf_source_probes(const struct source *source, uint32_t *nr)
{
	const struct bpf_source *s = (const struct bpf_source *)source;

	*nr = s->loader.nr_hooks;
	return s->collector.probes;
}
