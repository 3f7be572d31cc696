/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* take_socket.c - records about listeners and flows, into services and gateways. */
#include "core/take.h"

static void emit_listener(struct core *core, const struct record *r, uint64_t outage_ns)
{
	struct report *out = emit_begin(core, REPORT_LISTENER, r->node, r->ts_ns);

	emit_proc_id(core, &r->listener.owner, &out->listener.owner);
	out->listener.local = r->listener.local;
	out->listener.state = r->listener.state;
	out->listener.outage_ms =
		(struct measure){(double)outage_ns / NSEC_PER_MSEC, outage_ns != 0};
	emit_end(core);
}

void take_listener(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->listener.owner);
	uint64_t outage_ns;

	if (r->listener.state >= NR_LISTENER_STATES)
		return;
	if (p) {
		p->held_listener = true;
		p->created_listener |= r->listener.state == LISTENER_UP;
	}
	service_listener(&core->services, r->ts_ns, &r->listener, &outage_ns);
	if (r->listener.state != LISTENER_FOUND)
		emit_listener(core, r, outage_ns);
}

/*
 * What a flow says is put beside the memory of its process. The last flows of a process are read
 * after its end, and may be what explains it: then its death is told again.
 */
static void take_traffic(struct core *core, struct proc *p, const struct record *r)
{
	bool serves = r->flow.role == FLOW_SERVER && (r->flow.requests || r->flow.responses);
	struct traffic *t = process_traffic(core, p, serves);

	if (!t)
		return;
	if (p->anon_bytes && !t->has_anon)
		traffic_usage(t, r->ts_ns, p->anon_bytes, 0, 0);
	if (p->exit_ns)
		traffic_end(t, p->exit_ns);
	traffic_flow(t, r->ts_ns, &r->flow);
	if (p->death && proc_id_equal(&core->deaths.all[p->death].proc, &p->id) && p->exit_seen)
		traffic_conclude(t, p->exit_ns, &core->deaths.all[p->death].traffic);
}

static void take_server_flow(struct core *core, struct proc *p, const struct record *r)
{
	const struct record_flow *flow = &r->flow;
	struct service *s;

	if (!flow->requests && !flow->responses)
		return;
	p->served_http = true;
	p->requests = add_u64(p->requests, flow->responses);
	s = service_get(&core->services, &flow->endpoint, r->ts_ns);
	if (s) {
		service_serve(s, &p->id, r->ts_ns, false);
		service_count_requests(&core->services, s, flow->responses);
	}
	/* It may have died before its flow was read for the first time. */
	if (p->exit_seen && !p->death)
		death_conclude(core, p, death_get(core, p));
}

void take_flow(struct core *core, const struct record *r)
{
	struct proc *p = proctab_get(&core->procs, &r->flow.proc);
	struct node *node = &core->nodes[r->node];
	struct gateway_view view = {&core->procs, &core->services, &core->options,
				    node->flows_read_ns};

	node->heartbeat.batch_flows++;
	node->flows_now_ns = max_u64(node->flows_now_ns, r->ts_ns);
	if (!p)
		return;
	take_traffic(core, p, r);
	if (r->flow.role == FLOW_SERVER)
		take_server_flow(core, p, r);
	gateway_flow(&core->gateways, &view, p, &r->flow, r->ts_ns);
}
