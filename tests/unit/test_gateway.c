/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_gateway.c - who is a gateway, what its upstreams are, and what joins their legs. */
#include "gateway_rig.h"

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

static void known_gateway_with_a_listener_serves_whom_it_cannot_read(void **state)
{
	struct rig *rig = new_rig();
	struct proc *master = process(rig, 10, 1, "nginx");
	struct proc *worker = process(rig, 11, 10, "nginx");
	struct record_listener listener = {
		.owner = master->id, .local.port = 443, .sock_id = 1, .state = LISTENER_UP};
	uint64_t outage_ns;

	(void)state;
	master->created_listener = true;
	rig->options = (struct core_options){.nr_gateways = 1, .gateways = {{.port = 443}}};
	service_listener(&rig->services, rig->now_ns, &listener, &outage_ns);
	upstream_answered(rig, worker, 3000, FLOW_STATUS_2XX, 10);
	assert_true(gateway_watched(&rig->gateways.all[worker->gateway], &rig->options));
	rig->options.gateways[0].port = 444;
	rig->gateways.all[worker->gateway].filters = 0;
	upstream_answered(rig, worker, 3000, FLOW_STATUS_2XX, 10);
	assert_false(gateway_watched(&rig->gateways.all[worker->gateway], &rig->options));
	free(rig);
}

static void program_with_a_listener_and_http_clients_is_no_gateway(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "node");
	struct record_listener listener = {
		.owner = p->id, .local.port = 443, .sock_id = 1, .state = LISTENER_UP};
	uint64_t outage_ns;

	(void)state;
	service_listener(&rig->services, rig->now_ns, &listener, &outage_ns);
	upstream_failed(rig, p, 3000, 10);
	assert_false(gateway_watched(&rig->gateways.all[p->gateway], &rig->options));
	free(rig);
}

static void known_gateway_without_a_listener_serves_nobody(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");

	(void)state;
	upstream_failed(rig, p, 3000, 10);
	assert_false(gateway_watched(&rig->gateways.all[p->gateway], &rig->options));
	free(rig);
}

static struct service *service_of(struct rig *rig, uint16_t port, const struct proc *p)
{
	struct endpoint local = {.port = port};
	struct service *s = service_get(&rig->services, &local, rig->now_ns);

	service_serve(s, &p->id, rig->now_ns, true);
	return s;
}

static void what_the_server_saw_joins_the_legs_that_lead_to_it(void **state)
{
	struct rig *rig = new_rig();
	struct proc *nginx = process(rig, 10, 1, "nginx");
	struct proc *node = process(rig, 20, 1, "node");
	struct record_flow server = server_on(3000);

	(void)state;
	upstream_answered(rig, nginx, 3000, FLOW_STATUS_2XX, 5);
	upstream_answered(rig, nginx, 3001, FLOW_STATUS_2XX, 5);
	clients_told(rig, nginx, FLOW_STATUS_2XX, 10);
	tick(rig);
	server.fail[FLOW_FAIL_FIN_MID] = 3;
	server.fail[FLOW_FAIL_ACCEPT_FULL] = 7;
	feed(rig, node, &server);
	tick(rig);
	assert_int_equal(counted(rig, 3000).truncated, 3);
	assert_int_equal(counted(rig, 3000).fail[FLOW_FAIL_FIN_MID], 3);
	assert_int_equal(counted(rig, 3000).accept_full, 7);
	assert_int_equal(counted(rig, 3000).first_reset_ns, rig->now_ns - NSEC_PER_SEC - 1000);
	assert_int_equal(counted(rig, 3001).truncated, 0);
	assert_int_equal(counted(rig, 3001).accept_full, 0);
	free(rig);
}

/* They are different ones: a server counts what its client cannot know. */
static void truncations_of_client_and_server_add_up(void **state)
{
	struct rig *rig = new_rig();
	struct proc *nginx = process(rig, 10, 1, "nginx");
	struct proc *node = process(rig, 20, 1, "node");
	struct endpoint at = server_on(3000).endpoint;
	struct record_flow leg = {.role = FLOW_CLIENT, .endpoint = at, .requests = 5};
	struct record_flow server = server_on(3000);

	(void)state;
	leg.fail[FLOW_FAIL_FIN_MID] = 2;
	server.fail[FLOW_FAIL_FIN_MID] = 1;
	feed(rig, nginx, &leg);
	feed(rig, node, &server);
	tick(rig);
	assert_int_equal(counted(rig, 3000).fail[FLOW_FAIL_FIN_MID], 3);
	assert_int_equal(counted(rig, 3000).truncated, 3);
	free(rig);
}

static void what_the_server_saw_is_shared_by_two_gateways_in_front(void **state)
{
	struct rig *rig = new_rig();
	struct proc *nginx = process(rig, 10, 1, "nginx");
	struct proc *haproxy = process(rig, 11, 1, "haproxy");
	struct proc *node = process(rig, 20, 1, "node");
	struct record_flow server = server_on(3000);
	uint64_t sum = 0;

	(void)state;
	upstream_answered(rig, nginx, 3000, FLOW_STATUS_2XX, 5);
	upstream_answered(rig, haproxy, 3000, FLOW_STATUS_2XX, 5);
	server.fail[FLOW_FAIL_FIN_MID] = 5;
	feed(rig, node, &server);
	tick(rig);
	for (int i = 1; i <= 2; i++) {
		struct impact recent;

		burst_recent(&rig->gateways.upstreams[i].burst, 0, &recent);
		sum += recent.truncated;
	}
	assert_int_equal(sum, 5);
	free(rig);
}

static void server_in_another_namespace_joins_if_it_is_the_only_one(void **state)
{
	struct rig *rig = new_rig();
	struct proc *nginx = process(rig, 10, 1, "nginx");
	struct proc *node = process(rig, 20, 1, "node");
	struct endpoint pod = {
		.addr = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 7}, .netns = 1, .port = 3000};
	struct record_flow leg = {.role = FLOW_CLIENT, .endpoint = pod, .requests = 1};
	struct record_flow server = {.role = FLOW_SERVER, .endpoint = pod};

	(void)state;
	server.endpoint.netns = 2;
	server.fail[FLOW_FAIL_FIN_MID] = 1;
	feed(rig, nginx, &leg);
	assert_non_null(service_get(&rig->services, &server.endpoint, rig->now_ns));
	feed(rig, node, &server);
	tick(rig);
	assert_int_equal(counted(rig, 3000).truncated, 1);
	pod.netns = 3;
	assert_non_null(service_get(&rig->services, &pod, rig->now_ns));
	feed(rig, node, &server);
	tick(rig);
	assert_int_equal(counted(rig, 3000).truncated, 1);
	free(rig);
}

static void next_gateway_of_a_chain_is_found_behind_the_service(void **state)
{
	struct rig *rig = new_rig();
	struct proc *nginx = process(rig, 10, 1, "nginx");
	struct proc *api = process(rig, 20, 1, "node");
	struct proc *backend = process(rig, 30, 1, "node");
	struct service *front = service_of(rig, 3000, api);
	struct gateway *next;

	(void)state;
	answered(rig, api, server_on(3000), FLOW_STATUS_503, 5);
	upstream_failed(rig, api, 4000, 5);
	upstream_answered(rig, nginx, 3000, FLOW_STATUS_503, 5);
	clients_told(rig, nginx, FLOW_STATUS_503, 5);
	tick(rig);
	next = gateway_of_service(&rig->gateways, &rig->procs, front);
	assert_non_null(next);
	assert_int_equal(next->root.tgid, 20);
	assert_int_equal(gateway_next_upstream(&rig->gateways, next, NULL)->endpoint.port, 4000);
	assert_int_equal(counted(rig, 3000).app_answered, 5);
	assert_int_equal(counted(rig, 4000).client_status[FLOW_STATUS_503], 5);
	assert_null(
		gateway_of_service(&rig->gateways, &rig->procs, service_of(rig, 4000, backend)));
	free(rig);
}

static void newest_answer_of_any_status_is_remembered(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	uint64_t answered_ns;

	(void)state;
	upstream_answered(rig, p, 3000, FLOW_STATUS_2XX, 1);
	answered_ns = upstream(rig, 3000)->answered_ns;
	assert_int_equal(answered_ns, rig->now_ns - 5);
	tick(rig);
	upstream_answered(rig, p, 3000, FLOW_STATUS_503, 1);
	assert_int_equal(upstream(rig, 3000)->answered_ns, rig->now_ns - 10);
	answered_ns = upstream(rig, 3000)->answered_ns;
	tick(rig);
	upstream_failed(rig, p, 3000, 1);
	assert_int_equal(upstream(rig, 3000)->answered_ns, answered_ns);
	free(rig);
}

/* A refused client repeats its request at once, a surge waits for answers. */
static void load_is_what_was_not_refused_at_once(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct gateway *g;

	(void)state;
	for (int i = 0; i < 60; i++) {
		upstream_answered(rig, p, 3000, FLOW_STATUS_2XX, 100);
		clients_told(rig, p, FLOW_STATUS_2XX, 100);
		tick(rig);
	}
	g = &rig->gateways.all[p->gateway];
	for (int i = 0; i < 5; i++) {
		upstream_failed(rig, p, 3000, 5000);
		clients_got(rig, p, 5000);
		tick(rig);
	}
	assert_in_range((uint64_t)(gateway_load_ratio(g, rig->now_ns) * 100), 90, 110);
	for (int i = 0; i < 6; i++) {
		upstream_answered(rig, p, 3000, FLOW_STATUS_2XX, 1000);
		clients_told(rig, p, FLOW_STATUS_2XX, 1000);
		tick(rig);
	}
	assert_true(gateway_load_ratio(g, rig->now_ns) > 5);
	free(rig);
}

static void half_a_record_of_anybody_does_no_harm(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = process(rig, 10, 1, "nginx");
	struct record_flow worst;

	(void)state;
	memset(&worst, 0xff, sizeof(worst));
	for (int role = 0; role < 5; role++) {
		for (int port = 0; port < 2; port++) {
			worst.role = (uint8_t)role;
			worst.endpoint.port = (uint16_t)port;
			feed(rig, p, &worst);
			tick(rig);
		}
	}
	ticks(rig, 5);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_fold_into_their_master),
		cmocka_unit_test(child_with_its_own_listener_is_its_own_gateway),
		cmocka_unit_test(parents_in_a_circle_end),
		cmocka_unit_test(both_loopback_addresses_are_one_upstream),
		cmocka_unit_test(filters_ask_for_comm_and_port_together),
		cmocka_unit_test(full_tables_drop_the_idle_and_keep_open_bursts),
		cmocka_unit_test(known_gateway_with_a_listener_serves_whom_it_cannot_read),
		cmocka_unit_test(program_with_a_listener_and_http_clients_is_no_gateway),
		cmocka_unit_test(known_gateway_without_a_listener_serves_nobody),
		cmocka_unit_test(what_the_server_saw_joins_the_legs_that_lead_to_it),
		cmocka_unit_test(truncations_of_client_and_server_add_up),
		cmocka_unit_test(what_the_server_saw_is_shared_by_two_gateways_in_front),
		cmocka_unit_test(server_in_another_namespace_joins_if_it_is_the_only_one),
		cmocka_unit_test(next_gateway_of_a_chain_is_found_behind_the_service),
		cmocka_unit_test(newest_answer_of_any_status_is_remembered),
		cmocka_unit_test(load_is_what_was_not_refused_at_once),
		cmocka_unit_test(half_a_record_of_anybody_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
