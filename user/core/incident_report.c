/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* incident_report.c - turns an incident into its report: memory, timeline, evidence, quality. */
#include <string.h>

#include "core/incident.h"
#include "core/state.h"
#include "core/text.h"

#define SEVERITY_WARN  13
#define SEVERITY_ERROR 17

static uint64_t wall_ms(const struct core *core, uint64_t ts_ns)
{
	return (ts_ns + (uint64_t)core->wall_offset_ns) / NSEC_PER_MSEC;
}

void incident_make_ids(const struct core *core, struct incident *incident)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];
	const struct gateway *g = &core->gateways.all[u->gateway];
	uint64_t first_ns = u->burst.sum.first_ns;
	struct ulid_seed seed = {0};

	ulid_seed_add(&seed, core->header.host_id, strlen(core->header.host_id));
	ulid_seed_add(&seed, core->header.boot_id, strlen(core->header.boot_id));
	ulid_seed_add(&seed, core->header.host_name, strlen(core->header.host_name));
	ulid_seed_add(&seed, &g->root.tgid, sizeof(g->root.tgid));
	ulid_seed_add(&seed, &g->root.start_ns, sizeof(g->root.start_ns));
	ulid_seed_add(&seed, u->endpoint.addr, sizeof(u->endpoint.addr));
	ulid_seed_add(&seed, &u->endpoint.netns, sizeof(u->endpoint.netns));
	ulid_seed_add(&seed, &u->endpoint.port, sizeof(u->endpoint.port));
	ulid_seed_add(&seed, &first_ns, sizeof(first_ns));
	ulid_format(&seed, wall_ms(core, first_ns), incident->id);
	ulid_seed_add(&seed, "burst", 5);
	ulid_format(&seed, wall_ms(core, first_ns), incident->burst_id);
}

static struct measure measure_of(double value, bool has)
{
	return (struct measure){has ? value : 0, has};
}

static void fill_growth(const struct growth_story *story, struct report_memory *out)
{
	bool trend = story->grew && !story->insufficient;

	out->floor_slope_bytes_per_s = measure_of(story->trend.slope, story->grew);
	out->slope_p10 = measure_of(story->trend.slope_p10, trend);
	out->slope_p90 = measure_of(story->trend.slope_p90, trend);
	out->mk_z = measure_of(story->trend.mk_z, trend);
	out->window_s = measure_of(story->trend.window_s, story->grew);
	out->bytes_per_request = story->bytes_per_request;
	out->native_share = story->native_share;
	out->predicted_exhaustion_s = measure_of(story->predicted_s, story->prediction_ns != 0);
	out->prediction_ns = story->prediction_ns;
}

static void fill_memory(const struct culprit *c, struct report_memory *out)
{
	const struct death *d = &c->death;
	bool oom = death_is_oom_kill(d);
	uint64_t limit = oom ? d->oom.limit_bytes : c->memcg_limit_bytes;
	uint64_t usage = oom ? d->oom.usage_bytes : c->memcg_usage_bytes;

	out->anon_bytes_at_death = measure_of((double)d->anon_bytes, d->anon_bytes != 0);
	out->peak_rss_bytes = measure_of((double)d->peak_rss_bytes, d->peak_rss_bytes != 0);
	out->limit_bytes = measure_of((double)limit, limit != RECORD_NO_LIMIT);
	out->limit_usage_bytes = measure_of((double)usage, limit && usage);
	out->ceiling_bytes = limit;
	out->ceiling_source = limit ? "cgroup" : "";
	if (death_is_v8_oom(d) && !oom) {
		out->ceiling_bytes = max_u64(d->anon_bytes, d->v8_anon_bytes);
		out->ceiling_source = out->ceiling_bytes ? "v8_observed" : "";
	}
	fill_growth(&d->story, out);
	out->reclaim_ms = measure_of((double)(c->reclaim_ns / NSEC_PER_MSEC), c->memcg.id != 0);
	if (c->memcg.id)
		out->cgroup_version = c->memcg.hierarchy ? 1 : 2;
}

static void fill_culprit(const struct incident *incident, struct report_incident *out)
{
	const struct culprit *c = &incident->culprit;

	out->culprit.comm = out->culprit.exe_path = out->culprit.cgroup_path = "";
	out->death.sender_comm = out->memory.ceiling_source = "";
	out->has_culprit = incident->has_culprit;
	if (!incident->has_culprit)
		return;
	out->culprit = (struct report_proc){
		.id = c->death.proc,
		.parent_tgid = c->parent.tgid,
		.runtime = c->runtime < NR_RUNTIMES ? c->runtime : RUNTIME_UNKNOWN,
		.comm = c->comm,
		.exe_path = c->exe_path,
		.cgroup_path = c->cgroup_path,
		.memcg = c->memcg,
	};
	out->died = c->death.exit_ns != 0;
	death_decode(&c->death, &out->death);
	fill_memory(c, &out->memory);
}

/* Timeline ------------------------------------------------------------------------------------- */

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

static void add_growth_moments(const struct growth_story *story, struct report_incident *out)
{
	struct report_moment *m;
	struct text t;

	if (story->grew) {
		m = add_moment(out, story->onset_ns, MOMENT_GROWTH_ONSET, 0);
		if (m) {
			t = detail_of(m);
			text_add(&t, "floor grows by ");
			text_add_mib(&t, u64_of(story->trend.slope));
			text_add(&t, " per second");
		}
	}
	m = add_moment(out, story->prediction_ns, MOMENT_PREDICTION, 0);
	if (!m)
		return;
	t = detail_of(m);
	text_add(&t, "ceiling expected in ");
	text_add_seconds(&t, u64_of(story->predicted_s * 1e9));
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

	add_growth_moments(&d->story, out);
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

static void fill_timeline(const struct incident *incident, const struct impact *impact,
			  struct report_incident *out)
{
	uint64_t resets = impact->fail[FLOW_FAIL_RST_BEFORE] + impact->fail[FLOW_FAIL_FIN_BEFORE] +
			  impact->fail[FLOW_FAIL_RST_MID];

	if (incident->has_culprit)
		add_death_moments(&incident->culprit.death, out);
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

/* Evidence ------------------------------------------------------------------------------------- */

static struct text add_evidence(struct report_incident *out, const char *source, uint64_t ts_ns,
				uint64_t count)
{
	struct report_evidence *e = &out->evidence[out->nr_evidence];
	struct text t;

	/* Callers add far fewer than there is room for; the last one would be overwritten. */
	if (out->nr_evidence < REPORT_MAX_EVIDENCE - 1)
		out->nr_evidence++;
	memset(e, 0, sizeof(*e));
	e->source = source;
	e->ts_ns = ts_ns;
	e->count = count;
	text_init(&t, e->fields, sizeof(e->fields));
	return t;
}

static void add_oom_evidence(const struct core *core, const struct death *d,
			     struct report_incident *out)
{
	struct text t;

	if (!d->oom_ns)
		return;
	t = add_evidence(out, emit_probe_variant(core, "oom", "mark_victim"), d->oom_ns, 1);
	text_add(&t,
		 "memcg_id=%llu usage_bytes=%llu limit_bytes=%llu anon_bytes=%llu trigger_pid=%u",
		 (unsigned long long)d->oom.memcg.id, (unsigned long long)d->oom.usage_bytes,
		 (unsigned long long)d->oom.limit_bytes, (unsigned long long)d->oom.anon_bytes,
		 d->oom.trigger.tgid);
}

static void add_growth_evidence(const struct core *core, const struct growth_story *story,
				struct report_incident *out)
{
	struct text t;

	if (!story->grew)
		return;
	t = add_evidence(out, emit_probe_variant(core, "tasks", "iter/task"), story->onset_ns,
			 story->trend.nr);
	text_add(&t, "slope_bytes_per_s=%lld window_s=%lld insufficient_history=%d",
		 (long long)u64_of(story->trend.slope), (long long)u64_of(story->trend.window_s),
		 story->insufficient);
}

static void add_death_evidence(const struct core *core, const struct death *d,
			       struct report_incident *out)
{
	struct text t;

	add_growth_evidence(core, &d->story, out);
	add_oom_evidence(core, d, out);
	if (death_is_v8_oom(d))
		add_evidence(out, emit_probe_variant(core, "v8_oom", "uprobe"), d->v8_ns, 1);
	for (int i = 0; i < d->nr_signals; i++) {
		const struct death_signal *s = &d->signals[i];

		t = add_evidence(out, emit_probe_variant(core, "signal", "signal_generate"),
				 s->ts_ns, 1);
		text_add(&t, "sig=%d code=%d sender_pid=%u ignored=%d", s->sig, s->code,
			 s->code <= 0 ? s->sender.tgid : 0, s->ignored);
	}
	t = add_evidence(out, emit_probe_variant(core, "exit", "sched_process_exit"), d->exit_ns,
			 1);
	text_add(&t, "status=%u peak_rss_bytes=%llu anon_bytes=%llu", d->status,
		 (unsigned long long)d->peak_rss_bytes, (unsigned long long)d->anon_bytes);
}

static void fill_evidence(const struct core *core, const struct incident *incident,
			  const struct impact *impact, struct report_incident *out)
{
	const char *tcp = emit_probe_variant(core, "tcp_state", "inet_sock_set_state");
	uint64_t resets = impact->fail[FLOW_FAIL_RST_BEFORE] + impact->fail[FLOW_FAIL_FIN_BEFORE];
	struct text t;

	if (incident->has_culprit)
		add_death_evidence(core, &incident->culprit.death, out);
	if (resets) {
		t = add_evidence(out, tcp, impact->first_reset_ns, resets);
		text_add(&t, "rst=%llu fin=%llu on_reused=%llu",
			 (unsigned long long)impact->fail[FLOW_FAIL_RST_BEFORE],
			 (unsigned long long)impact->fail[FLOW_FAIL_FIN_BEFORE],
			 (unsigned long long)(impact->fail[FLOW_FAIL_RST_REUSED] +
					      impact->fail[FLOW_FAIL_FIN_REUSED]));
	}
	if (impact->fail[FLOW_FAIL_REFUSED]) {
		t = add_evidence(out, tcp, impact->first_refused_ns,
				 impact->fail[FLOW_FAIL_REFUSED]);
		text_add(&t, "refused=%llu", (unsigned long long)impact->fail[FLOW_FAIL_REFUSED]);
	}
	if (impact_client_failures(impact)) {
		t = add_evidence(out, emit_probe_variant(core, "http_egress", "cgroup_skb/egress"),
				 impact->first_ns, impact_client_failures(impact));
		text_add(&t, "status_502=%llu status_503=%llu status_504=%llu",
			 (unsigned long long)impact->client_status[FLOW_STATUS_502],
			 (unsigned long long)impact->client_status[FLOW_STATUS_503],
			 (unsigned long long)impact->client_status[FLOW_STATUS_504]);
	}
}

/* The whole ------------------------------------------------------------------------------------ */

static void fill_quality(const struct core *core, const struct incident *incident,
			 struct report_incident *out)
{
	out->events_lost = since_ns(heartbeat_events_lost(&core->heartbeat), incident->lost_before);
	for (uint32_t i = 0; i < core->nr_probes && out->nr_missing_probes < 8; i++)
		if (core->probes[i].state == PROBE_UNAVAILABLE)
			out->missing_probes[out->nr_missing_probes++] = core->probes[i].name;
}

/* A systemd unit names its service; else the program has to. */
static void fill_service_name(const struct incident *incident, struct report_incident *out)
{
	static const char suffix[] = ".service";
	const char *name = incident->has_culprit ? incident->culprit.comm : incident->owner_comm;
	const char *unit = strrchr(out->culprit.cgroup_path, '/');
	size_t len = unit ? strlen(unit + 1) : 0;

	if (len > sizeof(suffix) - 1 && strcmp(unit + 1 + len - (sizeof(suffix) - 1), suffix) == 0)
		text_copy(out->service_name, sizeof(out->service_name), unit + 1,
			  len - (sizeof(suffix) - 1));
	else
		text_copy(out->service_name, sizeof(out->service_name), name, RECORD_COMM_LEN);
}

void incident_emit(struct core *core, const struct incident *incident, enum incident_record record)
{
	const struct upstream *u = &core->gateways.upstreams[incident->upstream];
	const struct impact *impact = &u->burst.sum;
	struct report *r = emit_begin(core, REPORT_INCIDENT, core->now_ns);
	struct report_incident *out = &r->incident;

	memcpy(out->id, incident->id, sizeof(out->id));
	out->record = record;
	out->revision = incident->revision;
	out->status = incident->status;
	out->severity_number = impact_clients_hurt(impact) ? SEVERITY_ERROR : SEVERITY_WARN;
	out->verdict = incident->verdict;
	out->next_tgid = incident->next_tgid;
	out->restarts_10m = incident->restarts_10m;
	out->upstream = u->endpoint;
	emit_gateway(core, &core->gateways.all[u->gateway], &out->gateway);
	emit_impact(impact, &out->impact);
	fill_culprit(incident, out);
	fill_timeline(incident, impact, out);
	fill_evidence(core, incident, impact, out);
	fill_quality(core, incident, out);
	fill_service_name(incident, out);
	incident_summary(incident, out);
	incident_actions(out);
	emit_end(core);
}
