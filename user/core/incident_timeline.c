/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_timeline.c - the moments of an incident in time order, from the begin of the growth to
 * the recovery. Only moments that were seen or computed; it connects nothing.
 */
#include <string.h>

#include "core/incident_sections.h"
#include "model/text.h"

typedef unsigned long long ull;

/* In its place by time, then by kind; a full timeline keeps what came first. NULL if not wanted. */
static struct report_moment *add_moment(struct report_incident *out, uint64_t ts_ns,
					enum moment_kind kind, uint64_t count)
{
	uint32_t i = out->nr_moments;

	if (!ts_ns || out->nr_moments == REPORT_MAX_TIMELINE)
		return NULL;
	while (i > 0 && (out->timeline[i - 1].ts_ns > ts_ns ||
			 (out->timeline[i - 1].ts_ns == ts_ns && out->timeline[i - 1].kind > kind)))
		i--;
	memmove(&out->timeline[i + 1], &out->timeline[i],
		(out->nr_moments - i) * sizeof(out->timeline[0]));
	out->nr_moments++;
	memset(&out->timeline[i], 0, sizeof(out->timeline[i]));
	out->timeline[i].ts_ns = ts_ns;
	out->timeline[i].kind = kind;
	out->timeline[i].count = count;
	return &out->timeline[i];
}

static struct text detail_of(struct report_moment *moment)
{
	struct text t;

	text_init(&t, moment->detail, sizeof(moment->detail));
	return t;
}

static void add_prediction(uint64_t ts_ns, struct measure left_s, struct report_incident *out)
{
	struct report_moment *m = add_moment(out, ts_ns, MOMENT_PREDICTION, 0);
	struct text t;

	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "ceiling expected in ");
	text_add_duration(&t, u64_of(left_s.value * (double)NSEC_PER_SEC));
}

static void add_growth_moments(const struct growth_story *story, struct report_incident *out)
{
	const struct report_forecast *f = &out->forecast;
	struct report_moment *m;
	struct text t;

	if (f->first_ns && f->first_ns != f->newest_ns)
		add_prediction(f->first_ns, f->first_s, out);
	add_prediction(f->newest_ns, f->newest_s, out);
	m = story->grew ? add_moment(out, story->onset_ns, MOMENT_GROWTH_ONSET, 0) : NULL;
	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "floor grows by ");
	text_add_rate(&t, story->trend.slope);
}

static void add_request_moment(const struct traffic_story *s, struct report_incident *out)
{
	struct report_moment *m = add_moment(out, s->payload_ns, MOMENT_LARGE_REQUEST, 0);
	struct text t;

	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "a request of ");
	text_add_bytes(&t, s->largest_request_bytes);
}

static void add_thrash_moment(const struct traffic_story *s, struct report_incident *out)
{
	struct report_moment *m = add_moment(out, s->thrash_ns, MOMENT_GC_THRASH, 0);
	struct text t;

	if (!m)
		return;
	t = detail_of(m);
	text_add_decimal(&t, s->cpu_per_request_ratio);
	text_add(&t, " times the CPU per request of before");
}

static void add_stall_moment(const struct traffic_story *s, struct report_incident *out)
{
	struct report_moment *m = add_moment(out, s->silent_ns, MOMENT_STALL, s->in_flight);
	struct text t;

	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "requests wait, none is answered");
}

static void add_pool_moment(const struct report_pool *pool, struct report_incident *out)
{
	struct report_moment *m;
	struct text t;

	if (!pool->saturated)
		return;
	m = add_moment(out, pool->since_ns, MOMENT_POOL_SATURATED, pool->connections);
	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "all connections to ");
	text_add_endpoint(&t, &pool->backend);
	text_add(&t, " in use");
}

static void add_traffic_moments(const struct traffic_story *s, struct report_incident *out)
{
	if (!s->known)
		return;
	add_request_moment(s, out);
	add_thrash_moment(s, out);
	add_stall_moment(s, out);
	add_pool_moment(&s->pool, out);
}

/* They died with the culprit: their group was killed as one. */
static void add_victims(const struct incident *incident, struct report_incident *out)
{
	uint32_t nr = incident->nr_victims;
	struct report_moment *m;
	struct text t;

	if (!nr)
		return;
	m = add_moment(out, incident->culprit.death.exit_ns, MOMENT_DEATH, nr);
	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "%s (pid %u)", incident->victims[0].comm, incident->victims[0].tgid);
	if (nr > 1)
		text_add(&t, " and %u more", nr - 1);
	text_add(&t, " died with it");
}

static void add_signal_moment(const struct death *d, const struct death_signal *s,
			      struct report_incident *out)
{
	struct report_moment *m = add_moment(out, s->ts_ns, MOMENT_SIGNAL, 0);
	struct text t;

	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "signal %d", s->sig);
	if (s->code > 0)
		text_add(&t, " from the kernel");
	else if (proc_id_equal(&s->sender, &d->proc))
		text_add(&t, " to itself%s", s->ignored ? ", ignored" : "");
	else
		text_add(&t, " from %s (pid %u)", s->sender_comm, s->sender.tgid);
}

static void add_death_moments(const struct death *d, struct report_incident *out)
{
	struct report_moment *m;
	struct text t;

	add_moment(out, d->oom_ns, MOMENT_OOM_MARK, 0);
	add_moment(out, death_is_v8_oom(d) ? d->v8_ns : 0, MOMENT_V8_FATAL, 0);
	for (int i = 0; i < d->nr_signals; i++)
		if (since_ns(d->exit_ns, d->signals[i].ts_ns) < DEATH_SIGNAL_NS)
			add_signal_moment(d, &d->signals[i], out);
	m = add_moment(out, d->exit_ns, MOMENT_EXIT, 0);
	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "exit code %d", out->death.exit_code);
}

static uint64_t recovered_ns(const struct incident *incident, const struct impact *impact)
{
	if (incident->status != STATUS_RECOVERED)
		return 0;
	if (impact->recovered_ns)
		return max_u64(impact->recovered_ns, incident->listener_up_ns);
	return max_u64(impact->last_ns, incident->listener_up_ns);
}

/* Causes first: a full timeline keeps what came in first. */
void incident_fill_timeline(const struct incident *incident, const struct impact *impact,
			    struct report_incident *out)
{
	uint64_t resets = impact->fail[FLOW_FAIL_RST_BEFORE] + impact->fail[FLOW_FAIL_FIN_BEFORE] +
			  impact->fail[FLOW_FAIL_RST_MID] + impact->fail[FLOW_FAIL_FIN_MID];

	if (incident->has_culprit) {
		add_death_moments(&incident->culprit.death, out);
		add_growth_moments(incident_growth(incident), out);
		add_victims(incident, out);
	}
	add_traffic_moments(incident_traffic(incident), out);
	add_moment(out, incident->listener_down_ns, MOMENT_LISTENER_DOWN, 0);
	add_moment(out, impact->first_reset_ns, MOMENT_FIRST_RESET, resets);
	add_moment(out, impact->first_refused_ns, MOMENT_FIRST_REFUSED,
		   impact->fail[FLOW_FAIL_REFUSED]);
	add_moment(out, impact->first_ns, MOMENT_FIRST_FAILURE, 0);
	add_moment(out, impact->last_ns, MOMENT_LAST_FAILURE,
		   max_u64(impact_upstream_failures(impact), impact_clients_hurt(impact)));
	add_moment(out, incident->listener_up_ns, MOMENT_LISTENER_UP, 0);
	add_moment(out, recovered_ns(incident, impact), MOMENT_RECOVERED, 0);
	out->zero_ns = impact->first_ns;
	if (incident->has_culprit && incident->culprit.death.exit_ns)
		out->zero_ns = incident->culprit.death.exit_ns;
}
