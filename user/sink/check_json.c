/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* check_json.c - see check_json.h. */
#include "sink/check_json.h"

#include "base/json_writer.h"
#include "sink/check_view.h"

/* That of docs/schema/check.schema.json. */
#define CHECK_SCHEMA_VERSION "1.0.0"
/* The document is bounded by the tables of struct host; this is several times what they take. */
#define DOCUMENT_MAX (128 * 1024)

static const char *const cgroup_modes[] = {
	[HOST_CGROUP_NONE] = "none",
	[HOST_CGROUP_V1] = "v1",
	[HOST_CGROUP_HYBRID] = "hybrid",
	[HOST_CGROUP_V2] = "v2",
};
_Static_assert(sizeof(cgroup_modes) / sizeof(cgroup_modes[0]) == NR_HOST_CGROUP_MODES,
	       "a word for each mode");

const char *check_cgroup_mode(enum host_cgroup_mode mode)
{
	return cgroup_modes[mode];
}

static void text_or_null(struct json_writer *w, const char *key, const char *text)
{
	if (text && *text)
		jw_string(w, key, text);
	else
		jw_null(w, key);
}

static void number_or_null(struct json_writer *w, const char *key, int value)
{
	if (value == HOST_UNKNOWN)
		jw_null(w, key);
	else
		jw_i64(w, key, value);
}

static void write_kernel(struct json_writer *w, const struct host *host)
{
	const struct host_kernel *k = &host->kernel;

	jw_open_object(w, "kernel");
	jw_string(w, "release", k->release);
	jw_string(w, "arch", k->arch);
	jw_u64(w, "cpus", host->nr_cpus);
	jw_bool(w, "btf", k->btf);
	text_or_null(w, "lockdown", k->lockdown);
	number_or_null(w, "perf_event_paranoid", k->perf_event_paranoid);
	number_or_null(w, "unprivileged_bpf_disabled", k->unprivileged_bpf_disabled);
	jw_bool(w, "psi", k->psi);
	text_or_null(w, "tracefs", k->tracefs);
	jw_close_object(w);
}

static void write_cgroups(struct json_writer *w, const struct host_cgroups *c)
{
	jw_open_object(w, "cgroup");
	jw_string(w, "mode", check_cgroup_mode(c->mode));
	text_or_null(w, "v2_mount", c->v2);
	jw_open_object(w, "memory_controller");
	jw_string(w, "state",
		  c->memory_disabled  ? "disabled"
		  : c->memory_version ? "enabled"
				      : "not_mounted");
	number_or_null(w, "version", c->memory_version ? c->memory_version : HOST_UNKNOWN);
	text_or_null(w, "mount", c->memory);
	jw_bool(w, "in_children", c->memory_in_children);
	jw_close_object(w);
	jw_close_object(w);
}

static void write_capabilities(struct json_writer *w, const struct host *host)
{
	jw_open_array(w, "capabilities");
	for (uint32_t i = 0; i < host->nr_capabilities; i++) {
		const struct host_capability *c = &host->capabilities[i];

		jw_open_object(w, NULL);
		jw_string(w, "name", c->name);
		jw_bool(w, "held", c->held);
		jw_bool(w, "implied_by_sys_admin", c->implied);
		jw_bool(w, "required", c->required);
		jw_string(w, "purpose", c->purpose);
		jw_string(w, "without", c->without);
		jw_string(w, "kernels", c->kernels);
		jw_string(w, "after_start", c->running);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_self(struct json_writer *w, const struct host *host)
{
	jw_open_array(w, "container_runtimes");
	for (uint32_t i = 0; i < host->nr_runtimes; i++) {
		jw_open_object(w, NULL);
		jw_string(w, "name", host->runtimes[i].name);
		jw_string(w, "evidence", host->runtimes[i].evidence);
		text_or_null(w, "metadata", host->runtimes[i].metadata);
		jw_close_object(w);
	}
	jw_close_array(w);
	jw_open_object(w, "self");
	jw_bool(w, "in_container", host->self.in_container);
	text_or_null(w, "container_evidence", host->self.container_evidence);
	jw_bool(w, "initial_pid_namespace", host->self.initial_pid_namespace);
	jw_bool(w, "initial_cgroup_namespace", host->self.initial_cgroup_namespace);
	jw_close_object(w);
}

static void write_hooks(struct json_writer *w, const struct host *host)
{
	jw_u64(w, "hooks_attached", check_attached(host));
	jw_open_array(w, "hooks");
	for (uint32_t i = 0; i < host->nr_hooks; i++) {
		const struct host_hook *h = &host->hooks[i];

		jw_open_object(w, NULL);
		jw_string(w, "name", h->name);
		jw_string(w, "state", probe_state_name(h->state));
		text_or_null(w, "variant", h->variant);
		text_or_null(w, "note", h->note);
		text_or_null(w, "why", h->why);
		jw_string(w, "consequence", h->consequence);
		text_or_null(w, "fix", h->fix);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_limitations(struct json_writer *w, const struct host *host)
{
	jw_open_array(w, "limitations");
	for (uint32_t i = 0; i < host->nr_limitations; i++) {
		jw_open_object(w, NULL);
		jw_string(w, "what", host->limitations[i].what);
		jw_string(w, "consequence", host->limitations[i].consequence);
		jw_string(w, "fix", host->limitations[i].fix);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_tables(struct json_writer *w, const struct host *host)
{
	jw_open_array(w, "tables");
	for (uint32_t i = 0; i < host->nr_memory; i++) {
		const struct host_memory *m = &host->memory[i];

		jw_open_object(w, NULL);
		jw_string(w, "layer", m->layer);
		jw_string(w, "name", m->row.name);
		jw_u64(w, "limit", m->row.limit);
		jw_u64(w, "bytes", m->row.bytes);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_maps(struct json_writer *w, const struct host *host)
{
	jw_open_array(w, "maps");
	for (uint32_t i = 0; i < host->nr_maps; i++) {
		const struct host_map *m = &host->maps[i];

		jw_open_object(w, NULL);
		jw_string(w, "name", m->name);
		jw_string(w, "type", m->type);
		jw_u64(w, "limit", m->limit);
		jw_u64(w, "bytes", m->bytes);
		jw_u64(w, "kernel_bytes", m->kernel_bytes);
		jw_u64(w, "mapped_bytes", m->mapped_bytes);
		text_or_null(w, "each", m->each);
		jw_u64(w, "each_bytes", m->each_bytes);
		jw_close_object(w);
	}
	jw_close_array(w);
}

static void write_ceilings(struct json_writer *w, const struct host *host)
{
	jw_open_object(w, "ceilings");
	jw_u64(w, "rss_bytes", check_view_rss_ceiling(host));
	jw_u64(w, "rss_budget_bytes", HOST_RSS_BUDGET);
	jw_u64(w, "map_bytes", check_view_map_ceiling(host));
	jw_u64(w, "map_budget_bytes", HOST_MAP_BUDGET);
	write_tables(w, host);
	write_maps(w, host);
	jw_close_object(w);
}

void check_json_print(const struct host *host, FILE *to)
{
	static char buf[DOCUMENT_MAX];
	struct json_writer w;

	jw_init(&w, buf, sizeof(buf));
	jw_open_object(&w, NULL);
	jw_string(&w, "schema", "memswell.check");
	jw_string(&w, "schema_version", CHECK_SCHEMA_VERSION);
	jw_string(&w, "detector_version", host->version);
	jw_string(&w, "status", check_status(host));
	jw_i64(&w, "exit_code", host->exit_code);
	text_or_null(&w, "error", host->error);
	write_kernel(&w, host);
	write_cgroups(&w, &host->cgroups);
	write_capabilities(&w, host);
	write_self(&w, host);
	write_hooks(&w, host);
	write_limitations(&w, host);
	write_ceilings(&w, host);
	jw_close_object(&w);
	fprintf(to, "%s\n", buf);
}
