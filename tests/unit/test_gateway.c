/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_gateway.c - who is a gateway, and which upstream a bad answer is put down to. */
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
	struct core_options options;
	uint64_t now_ns;
};

static void on_release(void *arg, struct proc *p)
{
	(void)arg;
	(void)p;
}

static struct rig *new_rig(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	assert_non_null(rig);
	proctab_init(&rig->procs, on_release, NULL);
	rig->now_ns = 100 * NSEC_PER_SEC;
	return rig;
}

static struct proc *process(struct rig *rig, uint32_t tgid, uint32_t parent, const char *comm)
{
	struct proc_id id = {tgid, tgid};
	struct proc *p = proctab_get(&rig->procs, &id);

	p->parent = (struct proc_id){parent, parent};
	strcpy(p->comm, comm);
	return p;
}

static struct record_flow client_of(uint16_t port)
{
	return (struct record_flow){.role = FLOW_CLIENT, .endpoint.port = port};
}

static void feed(struct rig *rig, struct proc *p, struct record_flow *flow)
{
	for (int i = 0; i < NR_FLOW_FAILS; i++) {
		flow->fail_mark[i].first_ns = rig->now_ns - 1000;
		flow->fail_mark[i].last_ns = rig->now_ns - 10;
	}
	if (flow->role == FLOW_SERVER)
		p->served_http = true;
	gateway_flow(&rig->gateways, &rig->procs, p, flow, rig->now_ns, 0, &rig->options);
}

static void upstream_failed(struct rig *rig, struct proc *p, uint16_t port, uint64_t n)
{
	struct record_flow flow = client_of(port);

	flow.fail[FLOW_FAIL_REFUSED] = n;
	feed(rig, p, &flow);
}

static void clients_got(struct rig *rig, struct proc *p, uint64_t n)
{
	struct record_flow flow = {.role = FLOW_SERVER, .endpoint.port = 80};

	flow.requests = flow.responses = flow.status[FLOW_STATUS_502] = n;
	flow.fail[FLOW_FAIL_STATUS] = n;
	feed(rig, p, &flow);
}

static void tick(struct rig *rig)
{
	gateway_tick(&rig->gateways, rig->now_ns);
	rig->now_ns += NSEC_PER_SEC;
}

static struct upstream *upstream(struct rig *rig, uint16_t port)
{
	for (int i = 1; i <= UPSTREAM_MAX; i++)
		if (rig->gateways.upstreams[i].gateway &&
		    rig->gateways.upstreams[i].endpoint.port == port)
			return &rig->gateways.upstreams[i];
	return NULL;
}

/* All 502 put down to an upstream within the ring. */
static uint64_t blamed(struct rig *rig, uint16_t port)
{
	struct upstream *u = upstream(rig, port);
	uint64_t sum = 0;

	for (int i = 0; u && i < BURST_SECONDS; i++)
		sum += u->burst.ring[i].client_status[FLOW_STATUS_502];
	return sum;
}

static void workers_fold_into_their_master(void **state)
{
	struct rig *rig = new_rig();
	struct proc *master = process(rig, 10, 1, "nginx");
	struct proc *a = process(rig, 11, 10, "nginx");
	struct proc *b = process(rig, 12, 10, "nginx");

	(void)state;
	process(rig, 1, 0, "systemd");
	master->created_listener = true;
	upstream_failed(rig, a, 3000, 1);
	upstream_failed(rig, b, 3000, 2);
	clients_got(rig, a, 3);
	tick(rig);
	assert_int_equal(a->gateway, b->gateway);
	assert_int_equal(rig->gateways.all[a->gateway].root.tgid, 10);
	assert_int_equal(rig->gateways.all[a->gateway].nr_workers, 2);
	assert_int_equal(blamed(rig, 3000), 3);
	gateway_worker_exit(&rig->gateways, b);
	assert_int_equal(rig->gateways.all[a->gateway].nr_workers, 1);
	free(rig);
}

static void child_with_its_own_listener_is_its_own_gateway(void **state)
{
	struct rig *rig = new_rig();
	struct proc *child = process(rig, 11, 10, "node");

	(void)state;
	process(rig, 10, 1, "node");
	child->created_listener = true;
	assert_ptr_equal(gateway_root(&rig->procs, child), child);
	free(rig);
}

static void parents_in_a_circle_end(void **state)
{
	struct rig *rig = new_rig();
	struct proc *a = process(rig, 10, 11, "x");

	(void)state;
	process(rig, 11, 10, "x");
	assert_non_null(gateway_root(&rig->procs, a));
	free(rig);
}

static void answers_are_shared_by_failures_and_add_up(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");

	(void)state;
	clients_got(rig, p, 101);
	upstream_failed(rig, p, 3000, 30);
	upstream_failed(rig, p, 3001, 60);
	upstream_failed(rig, p, 3002, 10);
	tick(rig);
	assert_int_equal(blamed(rig, 3000) + blamed(rig, 3001) + blamed(rig, 3002), 101);
	assert_in_range(blamed(rig, 3000), 30, 31);
	assert_in_range(blamed(rig, 3001), 60, 61);
	free(rig);
}

static void healthy_upstream_is_not_blamed(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct record_flow good = client_of(3001);

	(void)state;
	good.requests = good.responses = good.status[FLOW_STATUS_2XX] = 1000;
	clients_got(rig, p, 5);
	feed(rig, p, &good);
	upstream_failed(rig, p, 3000, 5);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 5);
	assert_int_equal(blamed(rig, 3001), 0);
	free(rig);
}

static void what_an_upstream_answered_itself_is_not_the_gateways(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct record_flow own = client_of(3000);

	(void)state;
	own.requests = own.responses = own.status[FLOW_STATUS_502] = 40;
	own.fail[FLOW_FAIL_STATUS] = 40;
	clients_got(rig, p, 50);
	feed(rig, p, &own);
	upstream_failed(rig, p, 3001, 10);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 0);
	assert_int_equal(blamed(rig, 3001), 10);
	free(rig);
}

static void answer_passed_on_in_the_next_batch_is_not_the_gateways(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct record_flow own = client_of(3000);

	(void)state;
	own.requests = own.responses = own.status[FLOW_STATUS_502] = 4;
	upstream_failed(rig, p, 3000, 1);
	clients_got(rig, p, 1);
	tick(rig);
	feed(rig, p, &own);
	tick(rig);
	clients_got(rig, p, 4);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 1);
	free(rig);
}

static void no_live_answers_belong_to_who_failed_within_ten_seconds(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");

	(void)state;
	upstream_failed(rig, p, 3000, 2);
	clients_got(rig, p, 1);
	tick(rig);
	clients_got(rig, p, 100);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 101);
	rig->now_ns += 11 * NSEC_PER_SEC;
	clients_got(rig, p, 100);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 101);
	free(rig);
}

static void answer_read_before_its_failure_waits_for_it(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");

	(void)state;
	clients_got(rig, p, 7);
	tick(rig);
	upstream_failed(rig, p, 3000, 7);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 7);
	free(rig);
}

static void both_loopback_addresses_are_one_upstream(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct record_flow v6 = client_of(3000), v4 = client_of(3000);

	(void)state;
	v6.endpoint.addr[15] = 1;
	v4.endpoint = (struct endpoint){.addr = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
					.port = 3000};
	v6.fail[FLOW_FAIL_REFUSED] = v4.fail[FLOW_FAIL_REFUSED] = 5;
	feed(rig, p, &v6);
	feed(rig, p, &v4);
	clients_got(rig, p, 5);
	tick(rig);
	assert_int_equal(blamed(rig, 3000), 5);
	assert_int_equal(rig->gateways.upstreams[2].gateway, 0);
	free(rig);
}

static void filters_ask_for_comm_and_port_together(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct core_options crossed = {
		.nr_gateways = 2,
		.gateways = {{.comm = "haproxy", .port = 80}, {.comm = "nginx", .port = 81}},
	};

	(void)state;
	rig->options = (struct core_options){
		.nr_gateways = 2,
		.gateways = {{.comm = "haproxy", .port = 81}, {.comm = "nginx", .port = 80}},
	};
	clients_got(rig, p, 1);
	assert_false(gateway_watched(&rig->gateways.all[p->gateway], &rig->options));
	upstream_failed(rig, p, 3000, 1);
	assert_true(gateway_watched(&rig->gateways.all[p->gateway], &rig->options));
	free(rig);

	rig = new_rig();
	p = process(rig, 10, 1, "nginx");
	rig->options = crossed;
	clients_got(rig, p, 1);
	upstream_failed(rig, p, 3000, 1);
	assert_false(gateway_watched(&rig->gateways.all[p->gateway], &rig->options));
	free(rig);
}

static void full_tables_drop_the_idle_and_keep_open_bursts(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");

	(void)state;
	upstream_failed(rig, p, 3000, 100);
	clients_got(rig, p, 100);
	tick(rig);
	assert_int_equal(burst_decide(&upstream(rig, 3000)->burst, rig->now_ns), BURST_OPENED);
	for (uint32_t i = 0; i < 1000; i++) {
		struct proc *curl = process(rig, 1000 + i, 1, "curl");

		upstream_failed(rig, curl, (uint16_t)(10000 + i), 1);
		tick(rig);
	}
	assert_non_null(upstream(rig, 3000));
	assert_non_null(upstream(rig, 10999));
	assert_null(upstream(rig, 10000));
	assert_int_equal(rig->gateways.refused, 0);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_fold_into_their_master),
		cmocka_unit_test(child_with_its_own_listener_is_its_own_gateway),
		cmocka_unit_test(parents_in_a_circle_end),
		cmocka_unit_test(answers_are_shared_by_failures_and_add_up),
		cmocka_unit_test(healthy_upstream_is_not_blamed),
		cmocka_unit_test(what_an_upstream_answered_itself_is_not_the_gateways),
		cmocka_unit_test(answer_passed_on_in_the_next_batch_is_not_the_gateways),
		cmocka_unit_test(no_live_answers_belong_to_who_failed_within_ten_seconds),
		cmocka_unit_test(answer_read_before_its_failure_waits_for_it),
		cmocka_unit_test(both_loopback_addresses_are_one_upstream),
		cmocka_unit_test(filters_ask_for_comm_and_port_together),
		cmocka_unit_test(full_tables_drop_the_idle_and_keep_open_bursts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
