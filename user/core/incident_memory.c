/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_memory.c - the numbers of an incident: how much memory, which ceilings, what the growth
 * went with, and how good the forecast was. Copies and compares; what they mean is the verdict's.
 */
#include "core/incident_sections.h"

/* A forecast made while the process is dying is no warning; an earlier one is scored instead. */
#define FORECAST_SCORED_NS (10 * NSEC_PER_SEC)

const struct growth_story *incident_growth(const struct incident *incident)
{
	return incident_death(incident) ? &incident->culprit.death.story : &incident->facts.story;
}

const struct traffic_story *incident_traffic(const struct incident *incident)
{
	return incident_death(incident) ? &incident->culprit.death.traffic
					: &incident->facts.traffic;
}

const struct ceilings *incident_ceilings(const struct incident *incident)
{
	return incident_death(incident) ? &incident->culprit.death.ceilings
					: &incident->facts.ceilings;
}

static struct measure measure_of(double value, bool has)
{
	return (struct measure){has ? value : 0, has};
}

/* 0 means "unknown" in what it is taken from. */
static struct measure measure_known(double value)
{
	return measure_of(value, value > 0);
}

static void fill_growth(const struct growth_story *story, struct report_memory *out)
{
	bool trend = story->grew && !story->insufficient;

	out->floor_slope_bytes_per_s = measure_of(story->trend.slope, story->grew);
	out->slope_p10 = measure_of(story->trend.slope_p10, trend);
	out->slope_p90 = measure_of(story->trend.slope_p90, trend);
	out->mk_z = measure_of(story->trend.mk_z, trend);
	out->window_s = measure_of(story->trend.window_s, story->grew);
	out->concavity = measure_of(story->concavity, trend);
	out->bytes_per_request = story->bytes_per_request;
	out->native_share = story->native_share;
}

static const struct report_ceiling *find_ceiling(const struct ceilings *c,
						 enum ceiling_source first,
						 enum ceiling_source last)
{
	for (uint32_t i = 0; i < c->nr && i < REPORT_MAX_CEILINGS; i++)
		if (c->all[i].source >= first && c->all[i].source <= last)
			return &c->all[i];
	return NULL;
}

/* The ceiling that ended it; where none did, the one it is nearest to. */
static struct report_ceiling met_ceiling(const struct incident *incident,
					 const struct report_memory *memory)
{
	const struct ceilings *known = incident_ceilings(incident);
	const struct death *d = &incident->culprit.death;
	struct report_ceiling cgroup = {CEILING_CGROUP, u64_of(memory->limit_bytes.value)};
	uint64_t v8_bytes = max_u64(d->anon_bytes, d->v8_anon_bytes);
	const struct report_ceiling *found = NULL;

	if (death_is_oom_kill(d))
		return cgroup;
	if (death_is_v8_oom(d) && v8_bytes)
		return (struct report_ceiling){CEILING_V8_OBSERVED, v8_bytes};
	if (d->heap_full_exit)
		found = find_ceiling(known, CEILING_HEAP_FLAG, CEILING_HEAP_COMPUTED);
	else if (incident->verdict.class == VERDICT_SUPERVISOR_MEMORY_RESTART)
		found = find_ceiling(known, CEILING_SUPERVISOR_CONFIG, CEILING_SUPERVISOR_OBSERVED);
	if (!found && known->nr)
		found = &known->all[0];
	return found ? *found : cgroup;
}

static void fill_ceilings(const struct incident *incident, struct report_memory *out)
{
	const struct ceilings *known = incident_ceilings(incident);
	struct report_ceiling met = met_ceiling(incident, out);

	out->ceiling_bytes = met.bytes;
	out->ceiling_source = met.bytes ? met.source : CEILING_NONE;
	for (uint32_t i = 0; i < known->nr && i < REPORT_MAX_CEILINGS; i++)
		out->ceilings[out->nr_ceilings++] = known->all[i];
}

static void fill_memory(const struct incident *incident, struct report_memory *out)
{
	const struct culprit *c = &incident->culprit;
	const struct death *d = &c->death;
	bool oom = death_is_oom_kill(d);
	uint64_t limit = oom ? d->oom.limit_bytes : c->memcg_limit_bytes;
	uint64_t usage = oom ? d->oom.usage_bytes : c->memcg_usage_bytes;
	uint64_t peak = max_u64(d->peak_anon_bytes, incident->facts.peak_anon_bytes);

	out->anon_bytes_at_death = measure_known((double)d->anon_bytes);
	out->peak_anon_bytes = measure_known((double)peak);
	out->peak_rss_bytes = measure_known((double)d->peak_rss_bytes);
	out->limit_bytes = measure_of((double)limit, limit != RECORD_NO_LIMIT);
	out->limit_usage_bytes = measure_of((double)usage, limit && usage);
	fill_ceilings(incident, out);
	out->reclaim_ms = measure_of((double)(c->reclaim_ns / NSEC_PER_MSEC), c->memcg.id != 0);
	if (c->memcg.id)
		out->cgroup_version = c->memcg.hierarchy ? 1 : 2;
}

static struct measure known_or(struct measure explained, double value)
{
	return explained.has ? explained : measure_known(value);
}

static void fill_explanation(const struct core *core, const struct incident *incident,
			     struct report_incident *out)
{
	const struct traffic_story *traffic = incident_traffic(incident);
	struct report_explanation *e = &out->explanation;
	uint64_t until_ns =
		incident_death(incident) ? incident->culprit.death.exit_ns : core->now_ns;

	e->limit_events_per_s = measure_known((double)incident->facts.limit_events_per_s);
	if (!traffic->known)
		return;
	*e = traffic->explained;
	e->limit_events_per_s =
		known_or(e->limit_events_per_s, (double)incident->facts.limit_events_per_s);
	e->largest_request_bytes =
		known_or(e->largest_request_bytes, (double)traffic->largest_request_bytes);
	e->cpu_per_request_ratio =
		known_or(e->cpu_per_request_ratio, traffic->cpu_per_request_ratio);
	e->in_flight_peak = known_or(e->in_flight_peak, (double)traffic->in_flight_peak);
	e->major_faults_per_s =
		known_or(e->major_faults_per_s, (double)traffic->major_faults_per_s);
	if (!e->stalled_s.has && traffic->silent_ns)
		e->stalled_s = measure_of((double)since_ns(until_ns, traffic->silent_ns) /
						  (double)NSEC_PER_SEC,
					  true);
	if (traffic->bytes_per_request.has)
		out->memory.bytes_per_request = traffic->bytes_per_request;
	out->pool = traffic->pool;
}

static void score_forecast(uint64_t death_ns, struct report_forecast *out)
{
	double predicted_ns = (double)out->newest_ns + out->newest_s.value * (double)NSEC_PER_SEC;

	out->lead_s =
		measure_of((double)since_ns(death_ns, out->first_ns) / (double)NSEC_PER_SEC, true);
	out->error_s = measure_of((predicted_ns - (double)death_ns) / (double)NSEC_PER_SEC, true);
}

static void fill_forecast(const struct incident *incident, struct report_forecast *out)
{
	const struct growth_story *story = incident_growth(incident);
	uint64_t death_ns = incident->culprit.death.exit_ns;
	bool has_first = story->first_prediction_ns != 0;

	if (!story->prediction_ns)
		return;
	out->first_ns = has_first ? story->first_prediction_ns : story->prediction_ns;
	out->first_s = measure_of(has_first ? story->first_predicted_s : story->predicted_s, true);
	out->newest_ns = story->prediction_ns;
	out->newest_s = measure_of(story->predicted_s, true);
	if (!incident_death(incident))
		return;
	if (since_ns(death_ns, out->newest_ns) < FORECAST_SCORED_NS &&
	    since_ns(death_ns, out->first_ns) >= FORECAST_SCORED_NS) {
		out->newest_ns = out->first_ns;
		out->newest_s = out->first_s;
	}
	score_forecast(death_ns, out);
}

void incident_fill_memory(const struct core *core, const struct incident *incident,
			  struct report_incident *out)
{
	if (incident->has_culprit) {
		fill_memory(incident, &out->memory);
		fill_growth(incident_growth(incident), &out->memory);
		fill_forecast(incident, &out->forecast);
	}
	fill_explanation(core, incident, out);
}
