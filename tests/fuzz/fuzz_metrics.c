/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_metrics.c - whatever strangers call themselves and whatever the core counts: the text of metrics
 * holds to its grammar, no series is there twice, no counter goes back, and a short buffer gives a short
 * answer. The Accept header is the client's.
 */
#include "fuzz.h"

#include "../unit/metrics_reader.h"
#include "model/workload.h"
#include "sink/metrics.h"
#include "sink/metrics_server.h"

#define ROUNDS	   4
#define NS_PER_S   1000000000ULL
#define ANSWER_MAX (1 << 18)

static struct metrics_reader reader;
static char answer[ANSWER_MAX + 1];

static void take_text(struct input *in, char *out, size_t size)
{
	size_t got, want = input_u8(in) % size;
	const uint8_t *at = input_take(in, want, &got);

	memset(out, 0, size);
	if (got)
		memcpy(out, at, got);
}

static void take_endpoint(struct input *in, struct endpoint *e)
{
	memset(e, 0, sizeof(*e));
	input_copy(in, e->addr, sizeof(e->addr));
	if (input_u8(in) & 1) {
		memset(e->addr, 0, 12);
		e->addr[10] = e->addr[11] = 0xff;
	}
	e->netns = input_u8(in);
	e->port = input_u8(in) % 4;
}

struct names {
	struct workload workload;
	char comm[RECORD_COMM_LEN];
};

static void take_proc(struct input *in, struct names *names, struct report_proc *out)
{
	memset(out, 0, sizeof(*out));
	memset(&names->workload, 0, sizeof(names->workload));
	out->id.tgid = input_u8(in) % 8;
	take_text(in, names->comm, sizeof(names->comm));
	take_text(in, out->service_name, sizeof(out->service_name));
	take_text(in, names->workload.pod_name, sizeof(names->workload.pod_name));
	take_text(in, names->workload.image, sizeof(names->workload.image));
	out->comm = names->comm;
	out->exe_path = out->cgroup_path = "";
	out->memcg.id = input_u8(in);
	out->workload = &names->workload;
}

static void tell_leg(struct input *in, const struct overview_sink *sink)
{
	struct overview_leg leg = {0};
	struct names names;

	take_proc(in, &names, &leg.gateway.proc);
	leg.gateway.personality = "nginx";
	leg.gateway.nr_workers = input_u8(in) % 2;
	take_endpoint(in, &leg.upstream);
	leg.total.upstream_requests = input_u64(in) >> 12;
	leg.total.upstream_fail[input_u8(in) % NR_FLOW_FAILS] = input_u8(in);
	leg.failed_ns = leg.failing_since_ns = input_u64(in) >> 4;
	sink->leg(sink->arg, &leg);
}

static void tell_listener(struct input *in, const struct overview_sink *sink)
{
	struct overview_listener l = {0};
	struct overview_death d = {0};
	struct names names;

	take_proc(in, &names, &l.proc);
	take_endpoint(in, &l.local);
	take_endpoint(in, &l.bound);
	if (input_u8(in) & 1)
		l.bound = l.local;
	l.up = input_u8(in) & 1;
	l.seen_ns = l.since_ns = input_u64(in) >> 8;
	l.deaths[input_u8(in) % NR_DEATH_KINDS] = input_u8(in);
	sink->listener(sink->arg, &l);
	d.local = l.local;
	d.kind = input_u8(in) % NR_DEATH_KINDS;
	d.ts_ns = l.seen_ns;
	d.proc = l.proc;
	sink->death(sink->arg, &d);
}

static void tell_process(struct input *in, const struct overview_sink *sink)
{
	struct overview_process p = {0};
	struct names names;

	take_proc(in, &names, &p.proc);
	take_endpoint(in, &p.bound);
	p.anon_bytes = input_u64(in);
	p.ceiling.source = input_u8(in) % NR_CEILING_SOURCES;
	p.ceiling.bytes = input_u64(in);
	p.level = input_u8(in) % NR_GROWTH_LEVELS;
	p.reclaim_ns = input_u64(in) >> 8;
	sink->process(sink->arg, &p);
}

static void tell_incident(struct input *in, struct metrics *m, uint64_t now_ns)
{
	static struct report r;
	struct names names;

	memset(&r, 0, sizeof(r));
	r.kind = REPORT_INCIDENT;
	r.ts_ns = now_ns;
	r.incident.id[0] = (char)('A' + input_u8(in) % 8);
	r.incident.record = input_u8(in) % NR_INCIDENT_RECORDS;
	r.incident.verdict.class = input_u8(in) % (NR_VERDICT_CLASSES + 1);
	r.incident.verdict.cause = input_u8(in) % (NR_VERDICT_CAUSES + 1);
	take_proc(in, &names, &r.incident.gateway.proc);
	take_text(in, r.incident.service_name, sizeof(r.incident.service_name));
	take_endpoint(in, &r.incident.upstream);
	metrics_report(m, &r);
}

static void read_back(struct metrics *m, enum metrics_format format, size_t size)
{
	size_t len = metrics_render(m, format, answer, size);

	EXPECT(len <= size);
	answer[len] = '\0';
	metrics_read(&reader, answer);
	EXPECT(!reader.wrong);
	EXPECT(!metrics_twice(&reader));
	EXPECT(size < ANSWER_MAX || reader.ended == (format == METRICS_OPENMETRICS));
}

static void round_of(struct input *in, struct metrics *m, uint64_t now_ns)
{
	struct overview_sink sink = metrics_look_begin(m, now_ns);

	for (int nr = input_u8(in) % 8; nr > 0 && in->left; nr--)
		tell_leg(in, &sink);
	for (int nr = input_u8(in) % 8; nr > 0 && in->left; nr--)
		tell_process(in, &sink);
	for (int nr = input_u8(in) % 8; nr > 0 && in->left; nr--)
		tell_listener(in, &sink);
	metrics_look_end(m);
	for (int nr = input_u8(in) % 4; nr > 0 && in->left; nr--)
		tell_incident(in, m, now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct metrics *m = metrics_new();
	uint64_t now_ns = NS_PER_S;
	char accept[128];

	EXPECT(m);
	take_text(&in, accept, sizeof(accept));
	EXPECT(metrics_format_of(accept) < NR_METRICS_FORMATS);
	for (int i = 0; i < ROUNDS && in.left; i++) {
		round_of(&in, m, now_ns);
		read_back(m, metrics_format_of(accept), ANSWER_MAX);
		read_back(m, METRICS_OPENMETRICS, input_u64(&in) % 8192);
		now_ns += NS_PER_S * 8 * input_u8(&in);
	}
	metrics_free(m);
	return 0;
}
