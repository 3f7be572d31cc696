/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_evidence.c - what was seen, by which hook, when, with its numbers: so that a reader can
 * check the verdict. What memory did comes first, then how it ended, then who was hit.
 */
#include <string.h>

#include "core/incident_sections.h"
#include "model/text.h"

typedef unsigned long long ull;

/* The last item is spare: what finds the list full is written there and not counted. */
static struct text add_evidence(struct report_incident *out, const char *source, uint64_t ts_ns,
				uint64_t count)
{
	struct report_evidence *e = &out->evidence[out->nr_evidence];
	struct text t;

	if (out->nr_evidence < REPORT_MAX_EVIDENCE - 1)
		out->nr_evidence++;
	memset(e, 0, sizeof(*e));
	e->source = source;
	e->ts_ns = ts_ns;
	e->count = count;
	text_init(&t, e->fields, sizeof(e->fields));
	return t;
}

static void add_oom_evidence(const struct node *node, const struct death *d,
			     struct report_incident *out)
{
	struct text t;

	if (!d->oom_ns)
		return;
	t = add_evidence(out, emit_probe_variant(node, "oom", "mark_victim"), d->oom_ns, 1);
	text_add(&t,
		 "memcg_id=%llu usage_bytes=%llu limit_bytes=%llu anon_bytes=%llu trigger_pid=%u",
		 (ull)d->oom.memcg.id, (ull)d->oom.usage_bytes, (ull)d->oom.limit_bytes,
		 (ull)d->oom.anon_bytes, d->oom.trigger.tgid);
}

static void add_growth_evidence(const struct node *node, const struct growth_story *story,
				struct report_incident *out)
{
	struct text t;

	if (!story->grew)
		return;
	t = add_evidence(out, emit_probe_variant(node, "tasks", "iter/task"), story->onset_ns,
			 story->trend.nr);
	text_add(&t, "slope_bytes_per_s=%lld window_s=%lld insufficient_history=%d",
		 (long long)u64_of(story->trend.slope), (long long)u64_of(story->trend.window_s),
		 story->insufficient);
}

static void add_signal_evidence(const struct node *node, const struct death_signal *s,
				struct report_incident *out)
{
	struct text t = add_evidence(out, emit_probe_variant(node, "signal", "signal_generate"),
				     s->ts_ns, 1);

	text_add(&t, "sig=%d code=%d sender_pid=%u ignored=%d", s->sig, s->code,
		 s->code <= 0 ? s->sender.tgid : 0, s->ignored);
}

static void add_death_evidence(const struct node *node, const struct death *d,
			       struct report_incident *out)
{
	struct text t;

	add_oom_evidence(node, d, out);
	if (death_is_v8_oom(d))
		add_evidence(out, emit_probe_variant(node, "v8_oom", "uprobe"), d->v8_ns, 1);
	if (d->map_failed_ns)
		add_evidence(out, emit_probe_variant(node, "vm_events", "mmap"), d->map_failed_ns,
			     0);
	for (int i = 0; i < d->nr_signals; i++)
		add_signal_evidence(node, &d->signals[i], out);
	if (!d->exit_ns)
		return;
	t = add_evidence(out, emit_probe_variant(node, "exit", "sched_process_exit"), d->exit_ns,
			 1);
	text_add(&t, "status=%u peak_rss_bytes=%llu anon_bytes=%llu", d->status,
		 (ull)d->peak_rss_bytes, (ull)d->anon_bytes);
}

/* Two decimals, spelled without a locale. */
static void add_fraction(struct text *t, double value)
{
	uint64_t hundredths = u64_of(value * 100 + 0.5);

	text_add(t, "%llu.%02llu", (ull)(hundredths / 100), (ull)(hundredths % 100));
}

static const char *tasks_hook(const struct node *node)
{
	return emit_probe_variant(node, "tasks", "iter/task");
}

static const char *requests_hook(const struct node *node)
{
	return emit_probe_variant(node, "http_ingress", "cgroup_skb/ingress");
}

static void add_payload_evidence(const struct node *node, const struct traffic_story *s,
				 struct report_incident *out)
{
	struct text t;

	if (!s->payload_ns)
		return;
	t = add_evidence(out, requests_hook(node), s->payload_ns, 1);
	text_add(&t, "request_bytes=%llu growth_share=", (ull)s->largest_request_bytes);
	add_fraction(&t, s->payload_growth_share);
}

static void add_thrash_evidence(const struct node *node, const struct traffic_story *s,
				struct report_incident *out)
{
	struct text t;

	if (!s->thrash_ns)
		return;
	t = add_evidence(out, tasks_hook(node), s->thrash_ns, 0);
	text_add(&t, "cpu_per_request_ratio=");
	add_fraction(&t, s->cpu_per_request_ratio);
	text_add(&t, " request_rate_ratio=");
	add_fraction(&t, s->request_rate_ratio);
}

static void add_stall_evidence(const struct node *node, const struct incident *incident,
			       struct report_incident *out)
{
	const struct traffic_story *s = incident_traffic(incident);
	struct text t;

	if (!s->silent_ns)
		return;
	t = add_evidence(out, requests_hook(node), s->silent_ns, 0);
	text_add(&t, "in_flight=%llu major_faults_per_s=%llu limit_events_per_s=%llu cpu_share=",
		 (ull)s->in_flight, (ull)s->major_faults_per_s,
		 (ull)incident->facts.limit_events_per_s);
	add_fraction(&t, s->cpu_share);
}

static void add_pool_evidence(const struct node *node, const struct report_pool *pool,
			      struct report_incident *out)
{
	struct text t;

	if (!pool->saturated)
		return;
	t = add_evidence(out, emit_probe_variant(node, "tcp_state", "inet_sock_set_state"),
			 pool->since_ns, pool->connections);
	text_add(&t, "backend=");
	text_add_endpoint(&t, &pool->backend);
	text_add(&t, " connections=%u latency_ratio=", pool->connections);
	add_fraction(&t, pool->latency_ratio);
}

static void add_lives_evidence(const struct node *node, const struct incident *incident,
			       struct report_incident *out)
{
	const struct lives_story *lives = &incident->facts.lives;
	struct text t;

	if (!lives->lives || !incident->has_culprit)
		return;
	t = add_evidence(out, emit_probe_variant(node, "exit", "sched_process_exit"),
			 incident->culprit.death.proc.start_ns, lives->lives);
	text_add(&t, "lives_before=%u memory_deaths=%u similar_peaks=%d ceiling_bytes=%llu",
		 lives->lives, lives->memory_deaths, lives->similar_peaks,
		 (ull)max_u64(lives->memory_ceiling_bytes, lives->supervisor_ceiling_bytes));
}

static void add_cause_evidence(const struct node *node, const struct incident *incident,
			       struct report_incident *out)
{
	const struct traffic_story *traffic = incident_traffic(incident);

	if (incident->has_culprit)
		add_growth_evidence(node, incident_growth(incident), out);
	if (traffic->known) {
		add_payload_evidence(node, traffic, out);
		add_thrash_evidence(node, traffic, out);
		add_stall_evidence(node, incident, out);
		add_pool_evidence(node, &traffic->pool, out);
	}
	add_lives_evidence(node, incident, out);
}

static void add_reset_evidence(const char *hook, const struct impact *impact,
			       struct report_incident *out)
{
	uint64_t resets = impact->fail[FLOW_FAIL_RST_BEFORE] + impact->fail[FLOW_FAIL_FIN_BEFORE];
	struct text t;

	if (!resets)
		return;
	t = add_evidence(out, hook, impact->first_reset_ns, resets);
	text_add(&t, "rst=%llu fin=%llu on_reused=%llu", (ull)impact->fail[FLOW_FAIL_RST_BEFORE],
		 (ull)impact->fail[FLOW_FAIL_FIN_BEFORE],
		 (ull)impact->fail[FLOW_FAIL_RST_REUSED] + impact->fail[FLOW_FAIL_FIN_REUSED]);
}

static void add_connect_evidence(const char *hook, const struct impact *impact,
				 struct report_incident *out)
{
	uint64_t lost = impact->fail[FLOW_FAIL_CONNECT_TIMEOUT] +
			impact->fail[FLOW_FAIL_UNREACHABLE] + impact->fail[FLOW_FAIL_NO_PORT] +
			impact->accept_full;
	struct text t;

	if (impact->fail[FLOW_FAIL_REFUSED]) {
		t = add_evidence(out, hook, impact->first_refused_ns,
				 impact->fail[FLOW_FAIL_REFUSED]);
		text_add(&t, "refused=%llu", (ull)impact->fail[FLOW_FAIL_REFUSED]);
	}
	if (!lost)
		return;
	t = add_evidence(out, hook, impact->first_ns, lost);
	text_add(&t, "timed_out=%llu unreachable=%llu no_local_port=%llu accept_queue_full=%llu",
		 (ull)impact->fail[FLOW_FAIL_CONNECT_TIMEOUT],
		 (ull)impact->fail[FLOW_FAIL_UNREACHABLE], (ull)impact->fail[FLOW_FAIL_NO_PORT],
		 (ull)impact->accept_full);
}

static void add_answer_evidence(const struct node *node, const struct impact *impact,
				struct report_incident *out)
{
	struct text t;

	if (impact->app_answered) {
		t = add_evidence(out, requests_hook(node), impact->first_ns, impact->app_answered);
		text_add(&t, "answered_by=upstream");
	}
	if (!impact_client_failures(impact))
		return;
	t = add_evidence(out, emit_probe_variant(node, "http_egress", "cgroup_skb/egress"),
			 impact->first_ns, impact_client_failures(impact));
	text_add(&t, "status_502=%llu status_503=%llu status_504=%llu",
		 (ull)impact->client_status[FLOW_STATUS_502],
		 (ull)impact->client_status[FLOW_STATUS_503],
		 (ull)impact->client_status[FLOW_STATUS_504]);
}

void incident_fill_evidence(const struct core *core, const struct incident *incident,
			    const struct impact *impact, struct report_incident *out)
{
	const struct node *service = node_of(core, incident->node);
	const struct node *gateway = node_of(core, incident_gateway_node(core, incident));
	const char *tcp = emit_probe_variant(gateway, "tcp_state", "inet_sock_set_state");

	add_cause_evidence(service, incident, out);
	if (incident->has_culprit)
		add_death_evidence(service, &incident->culprit.death, out);
	add_reset_evidence(tcp, impact, out);
	add_connect_evidence(tcp, impact, out);
	add_answer_evidence(gateway, impact, out);
}
