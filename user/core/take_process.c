/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * take_process.c - records about processes, their memory and their cgroups, into the tables. How a
 * process ends is take_death.c.
 */
#include "core/take.h"
#include "model/text.h"

/* Watched since then, a process was watched from its start. */
#define YOUNG_NS (5 * NSEC_PER_SEC)

void process_set_anon(struct core *core, struct proc *p, uint64_t bytes)
{
	struct container *c = &core->containers.all[p->container];

	if (p->container)
		c->anon_bytes = add_u64(since_ns(c->anon_bytes, p->anon_bytes), bytes);
	p->anon_bytes = bytes;
	p->peak_anon_bytes = max_u64(p->peak_anon_bytes, bytes);
}

static void set_container(struct core *core, struct proc *p, const struct cgroup_id *id)
{
	uint64_t anon = p->anon_bytes;
	uint16_t index;

	if (!id->id || cgroup_id_equal(&core->containers.all[p->container].id, id))
		return;
	index = container_get(&core->containers, id, core->now_ns);
	process_set_anon(core, p, 0);
	if (index) /* before the old one may leave */
		core->containers.all[index].refs++;
	container_put(&core->containers, p->container);
	p->container = index;
	process_set_anon(core, p, anon);
}

void process_drop_growth(struct core *core, struct proc *p)
{
	growth_put(&core->growths, p->growth);
	p->growth = 0;
}

void process_drop_traffic(struct core *core, struct proc *p)
{
	traffic_put(&core->traffics, p->traffic);
	p->traffic = 0;
}

/* Whoever died is only remembered: the one dead for longest makes room for the living. */
static bool evict_dead_traffic(struct core *core)
{
	struct proc *oldest = NULL;

	for (uint16_t i = 1; i <= core->traffics.nr_touched; i++) {
		struct proc *p = proctab_find(&core->procs, &core->traffics.all[i].proc);

		if (p && p->exit_ns && p->traffic == i && (!oldest || p->exit_ns < oldest->exit_ns))
			oldest = p;
	}
	if (oldest)
		process_drop_traffic(core, oldest);
	return oldest != NULL;
}

struct traffic *process_traffic(struct core *core, struct proc *p, bool serves)
{
	struct traffics *t = &core->traffics;

	if (p->traffic)
		return &t->all[p->traffic];
	if (!serves && (!p->held_listener || t->nr_used >= TRAFFIC_MAX / 2))
		return NULL;
	if (traffic_full(t) && (p->traffic_refused || !evict_dead_traffic(core))) {
		t->refused += !p->traffic_refused;
		p->traffic_refused = true;
		return NULL;
	}
	p->traffic = traffic_take(t, &p->id);
	t->all[p->traffic].older =
		since_ns(node_of(core, p->id.node)->heartbeat.first_ns, p->id.start_ns) > YOUNG_NS;
	return &t->all[p->traffic];
}

void process_release(void *arg, struct proc *p)
{
	struct core *core = arg;

	process_drop_growth(core, p);
	process_drop_traffic(core, p);
	process_set_anon(core, p, 0);
	container_put(&core->containers, p->container);
	exetab_put(&core->exes, p->exe);
	exetab_put(&core->told_names, p->told_name);
	/* Its death stays: an incident may still ask for it, and it holds copies only. */
}

void process_set_comm(struct proc *p, const char comm[RECORD_COMM_LEN])
{
	if (comm[0])
		text_copy(p->comm, sizeof(p->comm), comm, RECORD_COMM_LEN);
}

static void set_told_name(struct core *core, struct proc *p, uint8_t source, const char *name,
			  uint32_t size)
{
	/* Taken before the old one is put back: it may be the same. */
	uint16_t index = exetab_take(&core->told_names, name, size);

	exetab_put(&core->told_names, p->told_name);
	p->told_name = index;
	p->told_name_source = source < NR_NAME_SOURCES ? source : NAME_SOURCE_NONE;
}

void take_proc(struct core *core, const struct record *r)
{
	const struct record_proc *in = &r->proc;
	struct proc *p = proctab_get(&core->procs, &in->proc);
	const struct proc *parent;

	if (!p)
		return;
	p->parent = in->parent;
	process_set_comm(p, in->comm);
	set_container(core, p, &in->memcg);
	parent = proctab_find(&core->procs, &in->parent);
	/* A fork runs what its parent ran until it says otherwise. */
	if (in->origin != PROC_FORKED || !parent || p->exe)
		return;
	p->runtime = parent->runtime;
	p->v8_probe = parent->v8_probe;
	p->runtime_version = parent->runtime_version;
	p->oom_exit = parent->oom_exit;
	p->heap_limit_bytes = parent->heap_limit_bytes;
	p->supervisor_limit_bytes = parent->supervisor_limit_bytes;
	p->exe = exetab_take(&core->exes, core->exes.exes[parent->exe].path, EXETAB_PATH_LEN);
	set_told_name(core, p, parent->told_name_source,
		      core->told_names.exes[parent->told_name].path, EXETAB_PATH_LEN);
}

void take_exec(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->exec.proc);

	if (!p)
		return;
	process_set_comm(p, r->exec.comm);
	set_container(core, p, &r->exec.memcg);
	/* Another program: what was known about the old one's memory and code is over. */
	p->runtime = RUNTIME_UNKNOWN;
	p->v8_probe = false;
	p->runtime_version = 0;
	p->oom_exit = OOM_EXIT_NONE;
	p->heap_limit_bytes = p->supervisor_limit_bytes = 0;
	exetab_put(&core->exes, p->exe);
	p->exe = 0;
	set_told_name(core, p, NAME_SOURCE_NONE, "", 1);
	process_drop_growth(core, p);
	process_drop_traffic(core, p);
}

void take_exe(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->exe.proc);

	if (!p)
		return;
	p->runtime = r->exe.runtime;
	p->v8_probe = r->exe.v8_probe != 0;
	p->runtime_version = r->exe.runtime_version;
	p->oom_exit = r->exe.oom_exit;
	p->heap_limit_bytes = r->exe.heap_limit_bytes;
	p->supervisor_limit_bytes = r->exe.supervisor_limit_bytes;
	exetab_put(&core->exes, p->exe);
	p->exe = exetab_take(&core->exes, r->exe.path, sizeof(r->exe.path));
	set_told_name(core, p, r->exe.name_source, r->exe.name, sizeof(r->exe.name));
}

/* Memory --------------------------------------------------------------------------------------- */

static struct growth *growth_of(struct core *core, struct proc *p)
{
	if (p->exit_ns)
		return NULL;
	if (p->growth)
		return &core->growths.all[p->growth];
	if (p->anon_bytes < GROWTH_MIN_ANON_BYTES)
		return NULL;
	if (growth_full(&core->growths)) {
		core->growths.refused += !p->growth_refused;
		p->growth_refused = true;
		return NULL;
	}
	p->growth = growth_take(&core->growths, &p->id);
	core->growths.all[p->growth].first_requests = p->requests;
	return &core->growths.all[p->growth];
}

void process_sample(struct core *core, struct proc *p, uint64_t ts_ns)
{
	struct growth *g = growth_of(core, p);
	bool was_due;

	if (!g)
		return;
	was_due = g->due;
	growth_sample(g, ts_ns, p->anon_bytes);
	if (g->due && !was_due && core->nr_due_growths < GROWTH_MAX)
		core->due_growths[core->nr_due_growths++] = p->growth;
}

static void sample_traffic(struct core *core, struct proc *p, uint64_t ts_ns,
			   const struct record_task *usage)
{
	struct traffic *t;

	if (!p->traffic && p->anon_bytes < GROWTH_MIN_ANON_BYTES)
		return;
	t = process_traffic(core, p, false);
	if (t)
		traffic_usage(t, ts_ns, p->anon_bytes, usage ? usage->cpu_ns : 0,
			      usage ? usage->major_faults : 0);
}

static void emit_sample(struct core *core, struct proc *p, const struct record *r)
{
	struct report *out = emit_begin(core, REPORT_SAMPLE, p->id.node, r->ts_ns);

	emit_proc(core, p, &out->sample.proc);
	out->sample.task = r->task;
	emit_end(core);
}

void take_task(struct core *core, const struct record *r)
{
	const struct record_task *in = &r->task;
	struct proc *p = proctab_get(&core->procs, &in->proc);
	struct growth *g;

	if (!p || p->exit_ns)
		return;
	set_container(core, p, &in->memcg);
	process_set_anon(core, p, in->anon_bytes);
	p->file_bytes = in->file_bytes;
	p->memcg_usage_bytes = in->memcg_usage_bytes;
	p->memcg_limit_bytes = in->memcg_limit_bytes;
	g = growth_of(core, p);
	if (g)
		g->native.brk_bytes = in->brk_bytes;
	process_sample(core, p, r->ts_ns);
	sample_traffic(core, p, r->ts_ns, in);
	if (core->options.include_samples)
		emit_sample(core, p, r);
}

void take_rss(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->rss.proc);

	if (!p || p->exit_ns)
		return;
	process_set_anon(core, p, r->rss.anon_bytes);
	process_sample(core, p, r->ts_ns);
	sample_traffic(core, p, r->ts_ns, NULL);
}

/* Address space or memory was refused: what runs out of it may end itself. */
static void note_map_failures(struct proc *p, const struct record_vm *vm, uint64_t ts_ns)
{
	uint64_t sum = add_u64(vm->mmap_failures, add_u64(vm->mremap_failures, vm->brk_failures));
	uint32_t failures = (uint32_t)min_u64(sum, UINT32_MAX);

	if (failures > p->map_failures)
		p->map_failed_ns = ts_ns;
	p->map_failures = failures;
}

void take_vm(struct core *core, const struct record *r)
{
	const struct record_vm *in = &r->vm;
	struct proc *p = proctab_get(&core->procs, &in->proc);
	struct growth *g;

	if (!p)
		return;
	note_map_failures(p, in, r->ts_ns);
	g = growth_of(core, p);
	if (!g)
		return;
	g->native.malloc_mapped_bytes = in->malloc_mapped_bytes;
	g->native.malloc_unmapped_bytes = in->malloc_unmapped_bytes;
	g->native.has_vm = true;
}

void take_cgroup(struct core *core, const struct record *r)
{
	uint16_t i;

	if (r->cgroup.removed) {
		container_remove(&core->containers, &r->cgroup.memcg);
		return;
	}
	i = container_get(&core->containers, &r->cgroup.memcg, core->now_ns);
	if (i)
		container_set_path(&core->containers, i, r->cgroup.path, sizeof(r->cgroup.path));
}

void take_container(struct core *core, const struct record *r)
{
	container_tell(&core->containers, r->node, &r->container);
}

void take_reclaim(struct core *core, const struct record *r)
{
	uint16_t i = container_get(&core->containers, &r->reclaim.memcg, core->now_ns);

	if (!i)
		return;
	container_reclaimed(&core->containers.all[i],
			    add_u64(r->reclaim.direct_ns, r->reclaim.memcg_ns), r->ts_ns);
	container_limit_hit(&core->containers.all[i], r->reclaim.memcg_count, r->ts_ns);
}
