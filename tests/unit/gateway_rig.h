/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* gateway_rig.h - a gateway, its upstreams and its clients, told in a few words; for unit tests. */
#ifndef MEMSWELL_GATEWAY_RIG_H
#define MEMSWELL_GATEWAY_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/gateway.h"

struct rig {
	struct proctab procs;
	struct gateways gateways;
	struct services services;
	struct core_options options;
	uint64_t now_ns;
};

static inline void rig_on_release(void *arg, struct proc *p)
{
	(void)arg;
	(void)p;
}

static inline struct rig *new_rig(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	proctab_init(&rig->procs, rig_on_release, NULL);
	rig->now_ns = 100 * NSEC_PER_SEC;
	return rig;
}

static inline struct proc *process(struct rig *rig, uint32_t tgid, uint32_t parent,
				   const char *comm)
{
	struct proc_id id = {.start_ns = tgid, .tgid = tgid};
	struct proc *p = proctab_get(&rig->procs, &id);

	p->parent = (struct proc_id){.start_ns = parent, .tgid = parent};
	strcpy(p->comm, comm);
	return p;
}

static inline struct record_flow client_of(uint16_t port)
{
	return (struct record_flow){.role = FLOW_CLIENT, .endpoint.port = port};
}

static inline struct record_flow server_on(uint16_t port)
{
	return (struct record_flow){.role = FLOW_SERVER, .endpoint.port = port};
}

static inline void feed(struct rig *rig, struct proc *p, struct record_flow *flow)
{
	struct gateway_view view = {&rig->procs, &rig->services, &rig->options, 0};

	for (int i = 0; i < NR_FLOW_FAILS; i++) {
		flow->fail_mark[i].first_ns = rig->now_ns - 1000;
		flow->fail_mark[i].last_ns = rig->now_ns - 10;
	}
	if (flow->role == FLOW_SERVER)
		p->served_http = true;
	gateway_flow(&rig->gateways, &view, p, flow, rig->now_ns);
}

/* On the legs of `p` to that port. */
static inline void leg_failed(struct rig *rig, struct proc *p, uint16_t port, enum flow_fail fail,
			      uint64_t n)
{
	struct record_flow flow = client_of(port);

	flow.fail[fail] = n;
	if (fail != FLOW_FAIL_REFUSED && fail != FLOW_FAIL_CONNECT_TIMEOUT &&
	    fail != FLOW_FAIL_UNREACHABLE && fail != FLOW_FAIL_NO_PORT)
		flow.requests = n;
	if (fail == FLOW_FAIL_RST_MID)
		flow.responses = flow.status[FLOW_STATUS_2XX] = n;
	feed(rig, p, &flow);
}

static inline void upstream_failed(struct rig *rig, struct proc *p, uint16_t port, uint64_t n)
{
	leg_failed(rig, p, port, FLOW_FAIL_REFUSED, n);
}

static inline void answered(struct rig *rig, struct proc *p, struct record_flow flow,
			    enum flow_status status, uint64_t n)
{
	flow.requests = flow.responses = flow.status[status] = n;
	if (status >= FLOW_STATUS_502)
		flow.fail[FLOW_FAIL_STATUS] = n;
	else
		flow.ok_mark = (struct flow_mark){rig->now_ns - 500, rig->now_ns - 5};
	feed(rig, p, &flow);
}

static inline void upstream_answered(struct rig *rig, struct proc *p, uint16_t port,
				     enum flow_status status, uint64_t n)
{
	answered(rig, p, client_of(port), status, n);
}

static inline void clients_told(struct rig *rig, struct proc *p, enum flow_status status,
				uint64_t n)
{
	answered(rig, p, server_on(80), status, n);
}

static inline void clients_got(struct rig *rig, struct proc *p, uint64_t n)
{
	clients_told(rig, p, FLOW_STATUS_502, n);
}

static inline void tick(struct rig *rig)
{
	gateway_tick(&rig->gateways, 0, rig->now_ns);
	rig->now_ns += NSEC_PER_SEC;
}

static inline void ticks(struct rig *rig, int n)
{
	while (n--)
		tick(rig);
}

static inline struct upstream *upstream(struct rig *rig, uint16_t port)
{
	for (int i = 1; i <= UPSTREAM_MAX; i++)
		if (rig->gateways.upstreams[i].gateway &&
		    rig->gateways.upstreams[i].endpoint.port == port)
			return &rig->gateways.upstreams[i];
	return NULL;
}

/* All that was put down to an upstream within the ring; port 0: to the gateway itself. */
static inline struct impact counted(struct rig *rig, uint16_t port)
{
	struct upstream *u = upstream(rig, port);
	struct impact sum = {0};

	if (u)
		burst_recent(&u->burst, 0, &sum);
	return sum;
}

static inline uint64_t blamed(struct rig *rig, uint16_t port)
{
	return counted(rig, port).client_status[FLOW_STATUS_502];
}

#endif
