/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * incident_memory_json.c - the numbers of an incident as text: memory, what its growth went with,
 * what had been predicted, the pool of connections that was full. It spells; it judges nothing.
 */
#include "model/incident_memory_json.h"

#include "model/address.h"

static void write_ceilings(struct line *line, const struct report_memory *memory)
{
	struct json_writer *w = &line->w;

	line_known_u64(line, "ceiling_bytes", memory->ceiling_bytes);
	line_known_string(line, "ceiling_source", ceiling_source_name(memory->ceiling_source));
	jw_open_array(w, "ceilings");
	for (uint32_t i = 0; i < line_at_most(memory->nr_ceilings, REPORT_MAX_CEILINGS); i++) {
		jw_open_object(w, NULL);
		line_known_string(line, "source", ceiling_source_name(memory->ceilings[i].source));
		jw_u64(w, "bytes", memory->ceilings[i].bytes);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_trend(struct line *line, const struct report_memory *memory)
{
	line_measure(line, "floor_slope_bytes_per_s", memory->floor_slope_bytes_per_s);
	line_measure(line, "floor_slope_p10_bytes_per_s", memory->slope_p10);
	line_measure(line, "floor_slope_p90_bytes_per_s", memory->slope_p90);
	line_measure(line, "mk_z", memory->mk_z);
	line_measure(line, "window_s", memory->window_s);
	line_measure(line, "concavity_ratio", memory->concavity);
}

static void write_explained(struct line *line, const struct report_explanation *explained)
{
	struct json_writer *w = &line->w;

	if (!explained->requests.has && !explained->received.has && !explained->in_flight.has &&
	    !explained->background.has) {
		jw_null(w, "growth_explained");
		return;
	}
	jw_open_object(w, "growth_explained");
	line_measure(line, "requests", explained->requests);
	line_measure(line, "rx_bytes", explained->received);
	line_measure(line, "inflight", explained->in_flight);
	line_measure(line, "background", explained->background);
	jw_close_object(w);
}

/* What it was doing meanwhile. */
static void write_load(struct line *line, const struct report_incident *incident)
{
	const struct report_explanation *explained = &incident->explanation;

	write_explained(line, explained);
	line_measure(line, "bytes_per_request", incident->memory.bytes_per_request);
	line_measure(line, "payload_amplification_ratio", explained->amplification);
	line_measure(line, "largest_request_bytes", explained->largest_request_bytes);
	line_measure(line, "inflight_peak", explained->in_flight_peak);
	line_measure(line, "cpu_per_request_ratio", explained->cpu_per_request_ratio);
	line_measure(line, "stalled_s", explained->stalled_s);
	line_measure(line, "limit_events_per_s", explained->limit_events_per_s);
	line_measure(line, "majflt_per_s", explained->major_faults_per_s);
}

void incident_memory_json(struct line *line, const struct report_incident *incident)
{
	const struct report_memory *memory = &incident->memory;
	struct json_writer *w = &line->w;

	jw_open_object(w, "memory");
	line_measure(line, "anon_bytes_at_death", memory->anon_bytes_at_death);
	line_measure(line, "peak_anon_bytes", memory->peak_anon_bytes);
	line_measure(line, "peak_rss_bytes", memory->peak_rss_bytes);
	line_measure(line, "limit_bytes", memory->limit_bytes);
	line_measure(line, "limit_usage_bytes", memory->limit_usage_bytes);
	write_ceilings(line, memory);
	write_trend(line, memory);
	write_load(line, incident);
	line_measure(line, "native_share_ratio", memory->native_share);
	line_measure(line, "predicted_exhaustion_s", incident->forecast.newest_s);
	line_known_time(line, "prediction_at", incident->forecast.newest_ns);
	line_measure(line, "reclaim_ms", memory->reclaim_ms);
	line_known_u64(line, "cgroup_version", memory->cgroup_version);
	jw_close_object(w);
}

void incident_forecast_json(struct line *line, const struct report_forecast *forecast)
{
	struct json_writer *w = &line->w;

	if (!forecast->first_ns && !forecast->newest_ns)
		return;
	jw_open_object(w, "forecast");
	line_known_time(line, "first_predicted_at", forecast->first_ns);
	line_measure(line, "first_exhaustion_s", forecast->first_s);
	line_known_time(line, "predicted_at", forecast->newest_ns);
	line_measure(line, "exhaustion_s", forecast->newest_s);
	line_measure(line, "lead_s", forecast->lead_s);
	line_measure(line, "error_s", forecast->error_s);
	jw_close_object(w);
}

void incident_pool_json(struct line *line, const struct report_pool *pool)
{
	struct measure ratio = {pool->latency_ratio, pool->latency_ratio > 0};
	char address[ADDRESS_TEXT_LEN];
	struct json_writer *w = &line->w;

	if (!pool->saturated)
		return;
	address_format(pool->backend.addr, address);
	jw_open_object(w, "pool");
	jw_string(w, "network.peer.address", address);
	jw_u64(w, "network.peer.port", pool->backend.port);
	jw_u64(w, "connections", pool->connections);
	line_measure(line, "latency_ratio", ratio);
	line_known_time(line, "saturated_at", pool->since_ns);
	jw_close_object(w);
}
