/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* metrics_self.c - what metrics say of memswell itself: names, types and labels; see metrics_families.c. */
#include <stddef.h>
#include <string.h>

#include "sink/metrics_parts.h"

#define NS_PER_S 1e9
#define PPM	 1e6
#define NR(a)	 (sizeof(a) / sizeof((a)[0]))

static void write_build(struct metrics_text *t, const struct metrics *m, const char *name)
{
	if (!m->has_header)
		return;
	metrics_text_begin(t, name, METRICS_INFO);
	metrics_text_label(t, "version", m->header.detector_version);
	metrics_text_label(t, "kernel", m->header.kernel);
	metrics_text_label(t, "arch", m->header.arch);
	metrics_text_value(t, 1);
}

static void write_time(struct metrics_text *t, const struct metrics *m, const char *name,
		       uint64_t boot_ns)
{
	if (boot_ns)
		metrics_sample(t, name, METRICS_GAUGE, NULL, NULL,
			       (double)((int64_t)boot_ns + m->wall_offset_ns) / NS_PER_S);
}

static void write_start(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_time(t, m, name, m->started_ns);
}

static void write_tick(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_time(t, m, name, m->tick_ns);
}

static void write_tick_interval(struct metrics_text *t, const struct metrics *m, const char *name)
{
	if (m->has_header)
		metrics_sample(t, name, METRICS_GAUGE, NULL, NULL,
			       (double)m->header.tick_ns / NS_PER_S);
}

/* Single numbers of the newest heartbeat; 0 may mean unknown. */
struct self_family {
	const char *name;
	const char *unit;
	const char *help;
	enum metrics_type type;
	double scale;
	size_t offset;
	uint8_t size;
	bool zero_is_unknown;
};

#define SELF(n, u, t, s, member, z, h)                                                             \
	{                                                                                          \
		.name = "memswell_" n, .unit = u, .help = h, .type = t, .scale = s,                \
		.offset = offsetof(struct metrics_self, member),                                   \
		.size = sizeof(((struct metrics_self *)0)->member), .zero_is_unknown = z           \
	}

static const struct self_family self_families[] = {
	SELF("cpu_seconds", "seconds", METRICS_COUNTER, 1 / NS_PER_S, heartbeat.cpu_ns, false,
	     "Own CPU time, without BPF programs."),
	SELF("resident_memory_bytes", "bytes", METRICS_GAUGE, 1, heartbeat.rss_bytes, true,
	     "Own resident memory."),
	SELF("bpf_map_memory_bytes", "bytes", METRICS_GAUGE, 1, heartbeat.map_bytes, true,
	     "Memory of all BPF maps."),
	SELF("budget_ratio", "", METRICS_GAUGE, 1 / PPM, self.budget_ppm, true,
	     "What it may cost, as part of one core."),
	SELF("cost_ratio", "", METRICS_GAUGE, 1 / PPM, self.cost_ppm, true,
	     "What is compared with the budget."),
	SELF("records", "", METRICS_COUNTER, 1, heartbeat.records, false,
	     "Records that the core took in."),
	SELF("processes", "", METRICS_GAUGE, 1, heartbeat.processes, false,
	     "Living processes known."),
	SELF("flows", "", METRICS_GAUGE, 1, heartbeat.flows, false,
	     "Flows with traffic in the last tick."),
	SELF("flow_slots", "", METRICS_GAUGE, 1, self.flow_slots, true, "Slots for flows."),
	SELF("flow_slots_used", "", METRICS_GAUGE, 1, self.flow_slots_used, false,
	     "Slots for flows that are in use."),
};

static double self_number(const struct metrics_self *self, const struct self_family *f)
{
	const char *from = (const char *)self + f->offset;
	uint64_t wide;
	uint32_t narrow;

	if (f->size == sizeof(wide)) {
		memcpy(&wide, from, sizeof(wide));
		return (double)wide;
	}
	memcpy(&narrow, from, sizeof(narrow));
	return (double)narrow;
}

static void write_self_family(struct metrics_text *t, const struct metrics *m,
			      const struct self_family *f)
{
	double number = self_number(&m->self, f);

	metrics_text_family(t, f->name, f->type, f->unit, f->help);
	if (m->self.has && !(f->zero_is_unknown && number == 0))
		metrics_sample(t, f->name, f->type, NULL, NULL, number * f->scale);
}

static void write_bpf_time(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (unsigned int i = 0; m->self.self.bpf_time != BPF_TIME_NONE && i < NR_BPF_GROUPS; i++)
		metrics_sample(t, name, METRICS_COUNTER, "group", bpf_group_name(i),
			       (double)m->self.self.bpf_ns[i] / NS_PER_S);
}

static void write_bpf_runs(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (unsigned int i = 0; m->self.self.bpf_time != BPF_TIME_NONE && i < NR_BPF_GROUPS; i++)
		metrics_sample(t, name, METRICS_COUNTER, "group", bpf_group_name(i),
			       (double)m->self.self.bpf_runs[i]);
}

static void write_rings(struct metrics_text *t, const struct metrics *m, const char *name,
			const uint64_t bytes[NR_RINGS])
{
	for (unsigned int i = 0; m->self.self.ring_bytes[RING_CRITICAL] && i < NR_RINGS; i++)
		metrics_sample(t, name, METRICS_GAUGE, "ring", ring_name(i), (double)bytes[i]);
}

static void write_ring_size(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_rings(t, m, name, m->self.self.ring_bytes);
}

static void write_ring_used(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_rings(t, m, name, m->self.self.ring_used_bytes);
}

static void write_ring_peak(struct metrics_text *t, const struct metrics *m, const char *name)
{
	write_rings(t, m, name, m->self.self.ring_peak_bytes);
}

static void write_losses(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (uint32_t i = 0; i < m->self.nr_losses; i++) {
		const struct record_loss *loss = &m->self.losses[i];

		metrics_text_begin(t, name, METRICS_COUNTER);
		metrics_text_label(t, "stream", loss->stream);
		metrics_text_label(t, "reason", loss->reason);
		metrics_text_value(t, (double)loss->count);
	}
}

#define STREAM_FAMILY(member, metric)                                                              \
	static void write_stream_##member(struct metrics_text *t, const struct metrics *m,         \
					  const char *name)                                        \
	{                                                                                          \
		for (uint32_t i = 0; i < m->self.heartbeat.nr_streams; i++)                        \
			metrics_sample(t, name, metric, "stream", m->self.streams[i].stream,       \
				       (double)m->self.streams[i].member);                         \
	}

STREAM_FAMILY(produced, METRICS_COUNTER)
STREAM_FAMILY(delivered, METRICS_COUNTER)
STREAM_FAMILY(lost, METRICS_COUNTER)
STREAM_FAMILY(pending, METRICS_GAUGE)

static void write_hooks(struct metrics_text *t, const struct metrics *m, const char *name)
{
	for (uint32_t i = 0; i < m->self.nr_probes; i++)
		for (unsigned int state = 0; state < NR_PROBE_STATES; state++) {
			metrics_text_begin(t, name, METRICS_GAUGE);
			metrics_text_label(t, "hook", m->self.probes[i].name);
			metrics_text_label(t, "state", probe_state_name(state));
			metrics_text_value(t, m->self.probes[i].state == state);
		}
}

static void write_left_out(struct metrics_text *t, const struct metrics *m, const char *name)
{
	static const char *const words[NR_METRICS_TABLES] = {"gateways", "upstreams", "services",
							     "listeners", "deaths"};

	for (unsigned int i = 0; i < NR_METRICS_TABLES; i++)
		metrics_sample(t, name, METRICS_GAUGE, "table", words[i], m->tables[i].left_out);
	metrics_sample(t, name, METRICS_GAUGE, "table", "incidents", m->incidents.left_out);
	metrics_sample(t, name, METRICS_GAUGE, "table", "answer", (double)m->left_out);
}

static const struct metrics_family families[] = {
	{"memswell_build", "", "Which memswell this is.", METRICS_INFO, write_build},
	{"memswell_start_time_seconds", "seconds", "When this run began.", METRICS_GAUGE,
	 write_start},
	{"memswell_last_tick_timestamp_seconds", "seconds", "When the loop last went round.",
	 METRICS_GAUGE, write_tick},
	{"memswell_tick_interval_seconds", "seconds", "How often the loop is to go round.",
	 METRICS_GAUGE, write_tick_interval},
	{"memswell_bpf_run_seconds", "seconds", "Time in BPF programs.", METRICS_COUNTER,
	 write_bpf_time},
	{"memswell_bpf_runs", "", "Runs of BPF programs.", METRICS_COUNTER, write_bpf_runs},
	{"memswell_ring_size_bytes", "bytes", "Size of the ring.", METRICS_GAUGE, write_ring_size},
	{"memswell_ring_used_bytes", "bytes", "Used of the ring when it was last read.",
	 METRICS_GAUGE, write_ring_used},
	{"memswell_ring_peak_bytes", "bytes", "The most that was used of the ring.", METRICS_GAUGE,
	 write_ring_peak},
	{"memswell_losses", "", "What was lost.", METRICS_COUNTER, write_losses},
	{"memswell_stream_produced", "", "What a stream produced.", METRICS_COUNTER,
	 write_stream_produced},
	{"memswell_stream_delivered", "", "What arrived of a stream.", METRICS_COUNTER,
	 write_stream_delivered},
	{"memswell_stream_lost", "", "What was lost of a stream.", METRICS_COUNTER,
	 write_stream_lost},
	{"memswell_stream_pending", "", "What is under way in a stream.", METRICS_GAUGE,
	 write_stream_pending},
	{"memswell_hook_state", "", "The state that a hook is in is 1.", METRICS_GAUGE,
	 write_hooks},
	{"memswell_metrics_series_left_out", "", "What had no room in the tables.", METRICS_GAUGE,
	 write_left_out},
};

void metrics_write_self(struct metrics_text *t, const struct metrics *m)
{
	metrics_write_families(t, m, families, NR(families));
	for (size_t i = 0; i < NR(self_families); i++)
		write_self_family(t, m, &self_families[i]);
}
