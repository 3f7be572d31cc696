/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * story.h - sequences of records told in a few words, for tests of the core. A story has a clock,
 * a gateway (nginx: master and worker), an upstream service, and keeps the reports that come out.
 */
#ifndef MEMSWELL_STORY_H
#define MEMSWELL_STORY_H

#include <stdarg.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/core.h"
#include "base/units.h"
#include "model/address.h"

#define STORY_MAX_INCIDENTS 256
#define STORY_NETNS	    4026531840u
#define SECONDS(n)	    ((uint64_t)(n)*NSEC_PER_SEC)

struct story {
	struct core *core;
	uint64_t now_ns;
	struct report_incident incidents[STORY_MAX_INCIDENTS];
	uint32_t nr_incidents;
	uint32_t nr_reports[NR_REPORT_KINDS];
	uint64_t next_seq;
	enum report_kind first_kind;
	struct report_growth growth; /* newest of each kind */
	struct report_process_exit exit;
	struct report_oom_kill oom;
	struct report_heartbeat heartbeat;
	struct report_burst burst;
	struct report_listener listener;
	struct report_gap gap; /* its strings are gone */
	uint64_t digest;       /* over everything that came out */
};

static inline void story_digest(struct story *s, const void *data, size_t size)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++)
		s->digest = hash_u64(s->digest ^ p[i]) + 1;
}

static inline void story_take(void *arg, const struct report *report)
{
	struct story *s = arg;

	assert_int_equal(report->seq, s->next_seq);
	if (!s->next_seq++)
		s->first_kind = report->kind;
	s->nr_reports[report->kind]++;
	story_digest(s, &report->ts_ns, sizeof(report->ts_ns));
	switch (report->kind) {
	case REPORT_INCIDENT:
		assert_true(s->nr_incidents < STORY_MAX_INCIDENTS);
		s->incidents[s->nr_incidents++] = report->incident;
		story_digest(s, report->incident.summary, strlen(report->incident.summary));
		story_digest(s, report->incident.id, 26);
		break;
	case REPORT_GROWTH:
		s->growth = report->growth;
		break;
	case REPORT_PROCESS_EXIT:
		s->exit = report->process_exit;
		break;
	case REPORT_OOM_KILL:
		s->oom = report->oom_kill;
		break;
	case REPORT_HEARTBEAT:
		s->heartbeat = report->heartbeat;
		break;
	case REPORT_BURST:
		s->burst = report->burst;
		break;
	case REPORT_GAP:
		s->gap = report->gap;
		break;
	case REPORT_LISTENER:
		s->listener = report->listener;
		break;
	default:
		break;
	}
}

static inline struct record story_record(const struct story *s, enum record_kind kind)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.kind = kind;
	r.ts_ns = s->now_ns;
	return r;
}

static inline void story_feed(struct story *s, const struct record *r)
{
	core_feed(s->core, r);
}

static inline struct story *story_new_with(const struct core_options *options)
{
	struct story *s = calloc(1, sizeof(*s));
	struct record r;

	assert_non_null(s);
	s->core = core_new(options, story_take, s);
	assert_non_null(s->core);
	s->now_ns = SECONDS(1000);
	r = story_record(s, RECORD_HEADER);
	r.header.version = RECORD_FORMAT_VERSION;
	r.header.page_bytes = 4096;
	r.header.tick_ns = NSEC_PER_SEC;
	r.header.wall_offset_ns = 1700000000LL * 1000000000LL;
	strcpy(r.header.host_name, "host-a");
	strcpy(r.header.kernel, "6.18");
	story_feed(s, &r);
	return s;
}

static inline struct story *story_new(void)
{
	struct core_options options = {0};

	return story_new_with(&options);
}

static inline void story_free(struct story *s)
{
	core_free(s->core);
	free(s);
}

static inline void story_probe(struct story *s, const char *name, enum probe_state state)
{
	struct record r = story_record(s, RECORD_PROBE);

	strcpy(r.probe.name, name);
	r.probe.state = (uint8_t)state;
	story_feed(s, &r);
}

static inline void story_tick(struct story *s)
{
	struct record r = story_record(s, RECORD_TICK);

	story_feed(s, &r);
}

static inline void story_stop(struct story *s)
{
	struct record r = story_record(s, RECORD_STOP);

	story_feed(s, &r);
}

/* Processes: a pid and the second it began name one. */
static inline struct proc_id story_proc_id(uint32_t tgid, uint64_t start_s)
{
	return (struct proc_id){.start_ns = SECONDS(start_s), .tgid = tgid};
}

static inline struct endpoint story_endpoint(const char *addr, uint16_t port)
{
	struct endpoint e = {.netns = STORY_NETNS, .port = port};

	assert_true(address_parse(addr, e.addr));
	return e;
}

static inline void story_proc(struct story *s, struct proc_id id, struct proc_id parent,
			      const char *comm)
{
	struct record r = story_record(s, RECORD_PROC);

	r.proc.proc = id;
	r.proc.parent = parent;
	r.proc.memcg = (struct cgroup_id){.id = 77, .hierarchy = 0};
	r.proc.origin = PROC_FORKED;
	strncpy(r.proc.comm, comm, sizeof(r.proc.comm));
	story_feed(s, &r);
}

static inline void story_exe(struct story *s, struct proc_id id, enum runtime_kind runtime,
			     bool v8_probe)
{
	struct record r = story_record(s, RECORD_EXE);

	r.exe.proc = id;
	r.exe.runtime = (uint8_t)runtime;
	r.exe.v8_probe = v8_probe;
	snprintf(r.exe.path, sizeof(r.exe.path), "/usr/bin/%s", runtime_name(runtime));
	story_feed(s, &r);
}

static inline void story_memory(struct story *s, struct proc_id id, uint64_t anon_bytes,
				uint64_t limit_bytes)
{
	struct record r = story_record(s, RECORD_TASK);

	r.task.proc = id;
	r.task.memcg = (struct cgroup_id){.id = 77, .hierarchy = 0};
	r.task.anon_bytes = anon_bytes;
	r.task.memcg_usage_bytes = anon_bytes;
	r.task.memcg_limit_bytes = limit_bytes;
	story_feed(s, &r);
}

static inline void story_vm(struct story *s, struct proc_id id, uint64_t malloc_mapped,
			    uint64_t mapped)
{
	struct record r = story_record(s, RECORD_VM);

	r.vm.proc = id;
	r.vm.mmap_calls = 1;
	r.vm.mapped_bytes = mapped;
	r.vm.malloc_mapped_bytes = malloc_mapped;
	story_feed(s, &r);
}

static inline void story_listener(struct story *s, struct proc_id owner, struct endpoint local,
				  uint64_t sock_id, enum listener_state state)
{
	struct record r = story_record(s, RECORD_LISTENER);

	r.listener.owner = owner;
	r.listener.local = local;
	r.listener.sock_id = sock_id;
	r.listener.state = (uint8_t)state;
	story_feed(s, &r);
}

static inline void story_signal(struct story *s, struct proc_id target, struct proc_id sender,
				int sig, int code, const char *sender_comm)
{
	struct record r = story_record(s, RECORD_SIGNAL);

	r.signal.target = target;
	r.signal.sender = sender;
	r.signal.sig = sig;
	r.signal.code = code;
	strncpy(r.signal.sender_comm, sender_comm, sizeof(r.signal.sender_comm));
	story_feed(s, &r);
}

static inline void story_signal_ignored(struct story *s, struct proc_id id, int sig)
{
	struct record r = story_record(s, RECORD_SIGNAL);

	r.signal.target = r.signal.sender = id;
	r.signal.sig = sig;
	r.signal.code = SI_TKILL;
	r.signal.ignored = 1;
	story_feed(s, &r);
}

static inline void story_oom(struct story *s, struct proc_id victim, uint64_t anon_bytes,
			     uint64_t limit_bytes)
{
	struct record r = story_record(s, RECORD_OOM);

	r.oom.victim = r.oom.trigger = victim;
	r.oom.memcg = (struct cgroup_id){.id = 77, .hierarchy = 0};
	r.oom.usage_bytes = r.oom.limit_bytes = limit_bytes;
	r.oom.anon_bytes = anon_bytes;
	story_feed(s, &r);
}

static inline void story_exit(struct story *s, struct proc_id id, uint32_t status,
			      uint64_t anon_bytes)
{
	struct record r = story_record(s, RECORD_EXIT);

	r.exit.proc = id;
	r.exit.status = status;
	r.exit.anon_bytes = anon_bytes;
	r.exit.peak_rss_bytes = anon_bytes + 40 * MIB;
	story_feed(s, &r);
}

static inline struct record story_flow(const struct story *s, struct proc_id id,
				       enum flow_role role, struct endpoint endpoint)
{
	struct record r = story_record(s, RECORD_FLOW);

	r.flow.proc = id;
	r.flow.role = (uint8_t)role;
	r.flow.endpoint = endpoint;
	return r;
}

static inline void story_mark(struct record *r, enum flow_fail kind, uint64_t n)
{
	if (!n)
		return;
	r->flow.fail[kind] = n;
	r->flow.fail_mark[kind].first_ns = r->ts_ns - 500 * NSEC_PER_MSEC;
	r->flow.fail_mark[kind].last_ns = r->ts_ns - NSEC_PER_MSEC;
}

/* The cast every story shares. */
#define MASTER	 story_proc_id(20, 10)
#define NGINX	 story_proc_id(21, 11)
#define NODE	 story_proc_id(300, 900)
#define SHELL	 story_proc_id(5, 5)
#define FRONT	 story_endpoint("0.0.0.0", 8080)
#define UPSTREAM story_endpoint("127.0.0.1", 3000)

static inline void story_cast(struct story *s, enum runtime_kind runtime, bool v8_probe)
{
	story_proc(s, SHELL, story_proc_id(1, 1), "bash");
	story_proc(s, MASTER, story_proc_id(1, 1), "nginx");
	story_listener(s, MASTER, FRONT, 1, LISTENER_FOUND);
	story_proc(s, NGINX, MASTER, "nginx");
	story_proc(s, NODE, SHELL, "node");
	story_exe(s, NODE, runtime, v8_probe);
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_UP);
}

/* One second in which the gateway asks the upstream and everything goes well. */
static inline void story_good_flows(struct story *s, struct proc_id upstream, uint64_t n)
{
	struct record r = story_flow(s, NGINX, FLOW_SERVER, FRONT);

	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = n;
	story_feed(s, &r);
	r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = n;
	r.flow.ok_mark.first_ns = s->now_ns - 900 * NSEC_PER_MSEC;
	r.flow.ok_mark.last_ns = s->now_ns - NSEC_PER_MSEC;
	story_feed(s, &r);
	r = story_flow(s, upstream, FLOW_SERVER, UPSTREAM);
	r.flow.requests = r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = n;
	story_feed(s, &r);
}

static inline void story_good_second(struct story *s)
{
	s->now_ns += NSEC_PER_SEC;
	story_good_flows(s, NODE, 100);
	story_tick(s);
}

struct story_failures {
	uint64_t refused, rst, fin, reused_rst, reused_fin, client_502, good;
};

/* Failures on both legs, in the second before now. */
static inline void story_bad_flows(struct story *s, const struct story_failures *f)
{
	struct record r = story_flow(s, NGINX, FLOW_CLIENT, UPSTREAM);

	r.flow.requests = f->rst + f->fin + f->good;
	r.flow.responses = r.flow.status[FLOW_STATUS_2XX] = f->good;
	story_mark(&r, FLOW_FAIL_REFUSED, f->refused);
	story_mark(&r, FLOW_FAIL_RST_BEFORE, f->rst);
	story_mark(&r, FLOW_FAIL_FIN_BEFORE, f->fin);
	story_mark(&r, FLOW_FAIL_RST_REUSED, f->reused_rst);
	story_mark(&r, FLOW_FAIL_FIN_REUSED, f->reused_fin);
	if (f->good) {
		r.flow.ok_mark.first_ns = s->now_ns - SECONDS(1);
		r.flow.ok_mark.last_ns = s->now_ns - NSEC_PER_MSEC;
	}
	story_feed(s, &r);
	r = story_flow(s, NGINX, FLOW_SERVER, FRONT);
	r.flow.status[FLOW_STATUS_502] = f->client_502;
	r.flow.status[FLOW_STATUS_2XX] = f->good;
	r.flow.requests = r.flow.responses = f->client_502 + f->good;
	story_mark(&r, FLOW_FAIL_STATUS, f->client_502);
	story_feed(s, &r);
}

/* A second of a dead upstream: refused, and the client is told. */
static inline void story_refused_second(struct story *s, uint64_t n)
{
	struct story_failures f = {.refused = n, .client_502 = n};

	s->now_ns += NSEC_PER_SEC;
	story_bad_flows(s, &f);
	story_tick(s);
}

/* `seconds` of service while memory goes from `from` to `to`. */
static inline void story_grow(struct story *s, uint64_t from, uint64_t to, uint64_t seconds,
			      uint64_t limit)
{
	for (uint64_t i = 0; i < seconds; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_memory(s, NODE, from + (to - from) / seconds * i, limit);
		story_good_flows(s, NODE, 100);
		story_tick(s);
	}
}

/* The service died just now: its listener went down and what was in flight was reset. */
static inline void story_outage(struct story *s)
{
	struct story_failures f = {.rst = 8, .client_502 = 8};

	s->now_ns += NSEC_PER_MSEC;
	story_listener(s, NODE, UPSTREAM, 2, LISTENER_DOWN);
	s->now_ns += 600 * NSEC_PER_MSEC;
	story_bad_flows(s, &f);
	story_tick(s);
	for (int i = 0; i < 5; i++)
		story_refused_second(s, 200);
}

static inline void story_restart(struct story *s, struct proc_id next)
{
	story_proc(s, next, SHELL, "node");
	story_exe(s, next, RUNTIME_NODEJS, true);
	story_listener(s, next, UPSTREAM, 3, LISTENER_UP);
	for (int i = 0; i < 13; i++) {
		s->now_ns += NSEC_PER_SEC;
		story_good_flows(s, next, 100);
		story_tick(s);
	}
}

static inline const struct report_incident *story_last(const struct story *s)
{
	assert_true(s->nr_incidents > 0);
	return &s->incidents[s->nr_incidents - 1];
}

/* Nobody may ever have claimed another class, except that nothing explained it yet. */
static inline void story_assert_class(const struct story *s, enum verdict_class class)
{
	for (uint32_t i = 0; i < s->nr_incidents; i++)
		if (s->incidents[i].verdict.class != VERDICT_UNEXPLAINED)
			assert_int_equal(s->incidents[i].verdict.class, class);
	assert_int_equal(story_last(s)->verdict.class, class);
}

static inline bool story_has_moment(const struct report_incident *r, enum moment_kind kind)
{
	for (uint32_t i = 0; i < r->nr_moments; i++)
		if (r->timeline[i].kind == kind)
			return true;
	return false;
}

#endif
