/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_gateway_share.c - which upstream a bad answer is put down to, and what is inferred. */
#include "gateway_rig.h"

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

/* What was measured: how one kind of failure shows on the leg and at the client ------------------ */

struct row {
	const char *comm;
	enum flow_fail leg;
	uint64_t per_client; /* failures of that kind on the leg for one client */
	enum flow_status client;
};

static const struct row matrix[] = {
	{"nginx", FLOW_FAIL_REFUSED, 1, FLOW_STATUS_502},
	{"nginx", FLOW_FAIL_CONNECT_TIMEOUT, 1, FLOW_STATUS_504},
	{"nginx", FLOW_FAIL_UNREACHABLE, 1, FLOW_STATUS_502},
	{"nginx", FLOW_FAIL_RST_BEFORE, 1, FLOW_STATUS_502},
	{"nginx", FLOW_FAIL_FIN_BEFORE, 1, FLOW_STATUS_502},
	{"nginx", FLOW_FAIL_RST_MID, 1, FLOW_STATUS_502}, /* in the middle of the header */
	{"nginx", FLOW_FAIL_ABANDONED, 1, FLOW_STATUS_504},
	{"haproxy", FLOW_FAIL_REFUSED, 4, FLOW_STATUS_503},
	{"haproxy", FLOW_FAIL_CONNECT_TIMEOUT, 4, FLOW_STATUS_503},
	{"haproxy", FLOW_FAIL_RST_BEFORE, 1, FLOW_STATUS_502},
	{"haproxy", FLOW_FAIL_FIN_BEFORE, 1, FLOW_STATUS_502},
	{"haproxy", FLOW_FAIL_ABANDONED, 1, FLOW_STATUS_504},
	{"envoy", FLOW_FAIL_RST_BEFORE, 1, FLOW_STATUS_503},
	{"node", FLOW_FAIL_REFUSED, 1, FLOW_STATUS_504}, /* http-proxy-middleware */
};

static struct proc *busy_gateway(struct rig *rig, const char *comm)
{
	struct proc *p = process(rig, 10, 1, comm);

	for (int i = 0; i < 3; i++) {
		upstream_answered(rig, p, 3000, FLOW_STATUS_2XX, 100);
		upstream_answered(rig, p, 3001, FLOW_STATUS_2XX, 100);
		clients_told(rig, p, FLOW_STATUS_2XX, 200);
		tick(rig);
	}
	return p;
}

/* Another upstream fails in another way, which this gateway would tell otherwise. */
static void each_failure_is_told_as_measured(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++) {
		const struct row *row = &matrix[i];
		struct rig *rig = new_rig();
		struct proc *p = busy_gateway(rig, row->comm);
		struct impact sum;

		leg_failed(rig, p, 3000, row->leg, 10 * row->per_client);
		clients_told(rig, p, row->client, 10);
		tick(rig);
		ticks(rig, 4);
		sum = counted(rig, 3000);
		assert_int_equal(sum.client_status[row->client], 10);
		assert_int_equal(impact_clients_told(&sum), 10);
		assert_int_equal(impact_no_live(&sum), 0);
		assert_int_equal(impact_masked(&sum), 0);
		assert_int_equal(sum.truncated, 0);
		assert_int_equal(sum.inferred, 0);
		assert_int_equal(sum.abandoned, row->leg == FLOW_FAIL_ABANDONED ? 10 : 0);
		assert_int_equal(impact_upstream_failures(&sum), 10 * row->per_client);
		sum = counted(rig, 3001);
		assert_int_equal(impact_clients_hurt(&sum), 0);
		assert_null(upstream(rig, 0));
		free(rig);
	}
}

/* The leg shows an answer, the client gets another one. */
static void header_that_ends_with_a_fin_is_the_upstreams(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct impact sum;

	(void)state;
	ticks(rig, 4);
	upstream_answered(rig, p, 3000, FLOW_STATUS_2XX, 10);
	clients_got(rig, p, 10);
	ticks(rig, 4);
	sum = counted(rig, 3000);
	assert_int_equal(sum.client_status[FLOW_STATUS_502], 10);
	assert_int_equal(sum.fail[FLOW_FAIL_FIN_MID], 10);
	assert_int_equal(sum.truncated, 0);
	assert_int_equal(impact_masked(&sum), 0);
	assert_null(upstream(rig, 0));
	free(rig);
}

static void each_status_goes_to_the_upstream_that_fails_that_way(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "haproxy");

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_REFUSED, 40);
	leg_failed(rig, p, 3001, FLOW_FAIL_RST_BEFORE, 10);
	clients_told(rig, p, FLOW_STATUS_503, 10);
	clients_told(rig, p, FLOW_STATUS_502, 10);
	tick(rig);
	assert_int_equal(counted(rig, 3000).client_status[FLOW_STATUS_503], 10);
	assert_int_equal(counted(rig, 3000).client_status[FLOW_STATUS_502], 0);
	assert_int_equal(counted(rig, 3001).client_status[FLOW_STATUS_502], 10);
	assert_int_equal(counted(rig, 3001).client_status[FLOW_STATUS_503], 0);
	free(rig);
}

static void answer_that_breaks_off_hurts_a_client_who_has_its_status(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct impact sum;

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_RST_MID, 6);
	clients_told(rig, p, FLOW_STATUS_2XX, 6);
	tick(rig);
	sum = counted(rig, 3000);
	assert_int_equal(sum.truncated, 6);
	assert_int_equal(impact_clients_hurt(&sum), 6);
	assert_int_equal(impact_clients_told(&sum), 0);
	assert_int_equal(impact_upstream_failures(&sum), 6);
	assert_int_equal(impact_masked(&sum), 0);
	assert_true(burst_decide(&upstream(rig, 3000)->burst, rig->now_ns) == BURST_OPENED);
	free(rig);
}

/* Two servers; the first failure takes each out for ten seconds. */
static void no_live_answers_go_to_both_servers_of_a_group(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	upstream_failed(rig, p, 3000, 1);
	upstream_failed(rig, p, 3001, 1);
	clients_got(rig, p, 1);
	tick(rig);
	for (int i = 0; i < 9; i++) {
		clients_got(rig, p, 10);
		tick(rig);
	}
	assert_int_equal(blamed(rig, 3000) + blamed(rig, 3001), 91);
	assert_in_range(blamed(rig, 3000), 45, 46);
	assert_null(upstream(rig, 0));
	free(rig);
}

static void answers_of_its_own_open_a_burst_and_count_once(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct impact sum;

	(void)state;
	for (int i = 0; i < 5; i++) {
		upstream_answered(rig, p, 3000, FLOW_STATUS_503, 20);
		clients_told(rig, p, FLOW_STATUS_503, 20);
		tick(rig);
	}
	ticks(rig, 4);
	sum = counted(rig, 3000);
	assert_int_equal(sum.app_answered, 100);
	assert_int_equal(sum.passed_on[1], 100);
	assert_int_equal(impact_client_failures(&sum), 0);
	assert_int_equal(impact_clients_hurt(&sum), 100);
	assert_int_equal(impact_upstream_failures(&sum), 0);
	assert_non_null(upstream(rig, 3000));
	assert_int_equal(burst_decide(&upstream(rig, 3000)->burst, rig->now_ns), BURST_OPENED);
	assert_null(upstream(rig, 0));
	free(rig);
}

/* Tried again elsewhere: nobody was told, and a later error of the gateway's own is its own. */
static void answer_that_was_not_passed_on_is_forgotten(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	upstream_answered(rig, p, 3000, FLOW_STATUS_503, 20);
	ticks(rig, 4);
	clients_told(rig, p, FLOW_STATUS_503, 20);
	upstream_failed(rig, p, 3001, 20);
	tick(rig);
	assert_int_equal(counted(rig, 3000).passed_on[1], 0);
	assert_int_equal(counted(rig, 3000).app_answered, 20);
	assert_int_equal(counted(rig, 3001).client_status[FLOW_STATUS_503], 20);
	free(rig);
}

static void answer_read_at_the_client_first_is_still_passed_on(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	clients_told(rig, p, FLOW_STATUS_503, 4);
	tick(rig);
	upstream_answered(rig, p, 3000, FLOW_STATUS_503, 4);
	ticks(rig, 5);
	assert_int_equal(counted(rig, 3000).passed_on[1], 4);
	assert_null(upstream(rig, 0));
	free(rig);
}

/* Timeouts ------------------------------------------------------------------------------------- */

static void client_that_hangs_up_is_no_failure(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct record_flow left = server_on(80);
	struct impact sum;

	(void)state;
	for (int i = 0; i < 10; i++) {
		leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 20);
		left.requests = left.fail[FLOW_FAIL_ABANDONED] = 20;
		feed(rig, p, &left);
		tick(rig);
	}
	ticks(rig, 5);
	sum = counted(rig, 3000);
	assert_int_equal(sum.fail[FLOW_FAIL_ABANDONED], 200);
	assert_int_equal(sum.abandoned, 0);
	assert_int_equal(impact_upstream_failures(&sum), 0);
	assert_int_equal(sum.last_ns, 0);
	assert_int_equal(burst_decide(&upstream(rig, 3000)->burst, rig->now_ns), BURST_SAME);
	free(rig);
}

static void hang_ups_beside_timeouts_are_told_apart(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct record_flow left = server_on(80);

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 50);
	left.requests = left.fail[FLOW_FAIL_ABANDONED] = 30;
	feed(rig, p, &left);
	clients_told(rig, p, FLOW_STATUS_504, 20);
	ticks(rig, 5);
	assert_int_equal(counted(rig, 3000).abandoned, 20);
	free(rig);
}

static void timeout_made_good_elsewhere_is_masked(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct impact sum;

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 20);
	upstream_answered(rig, p, 3001, FLOW_STATUS_2XX, 20);
	clients_told(rig, p, FLOW_STATUS_2XX, 20);
	ticks(rig, 5);
	sum = counted(rig, 3000);
	assert_int_equal(sum.abandoned, 20);
	assert_int_equal(impact_masked(&sum), 20);
	assert_int_equal(sum.last_ns, 103 * NSEC_PER_SEC - 10);
	free(rig);
}

static void workers_that_are_killed_gave_nothing_up(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct record_flow closed = server_on(80);
	struct impact sum;

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 20);
	closed.requests = closed.fail[FLOW_FAIL_FIN_BEFORE] = 20;
	feed(rig, p, &closed);
	ticks(rig, 5);
	sum = counted(rig, 3000);
	assert_int_equal(impact_upstream_failures(&sum), 0);
	assert_int_equal(impact_clients_told(&sum), 0);
	assert_null(upstream(rig, 0));
	free(rig);
}

static void program_that_gives_up_has_its_reasons(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "node");

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 20);
	ticks(rig, 5);
	assert_int_equal(counted(rig, 3000).abandoned, 0);
	free(rig);
}

/* The gateway itself ---------------------------------------------------------------------------- */

static void error_nobody_caused_is_the_gateways_own(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct impact sum;

	(void)state;
	clients_told(rig, p, FLOW_STATUS_503, 10);
	tick(rig);
	assert_null(upstream(rig, 0));
	ticks(rig, 3);
	sum = counted(rig, 0);
	assert_true(upstream(rig, 0)->local);
	assert_int_equal(sum.client_status[FLOW_STATUS_503], 10);
	assert_int_equal(sum.first_ns, 103 * NSEC_PER_SEC - 1000);
	assert_int_equal(sum.last_ns, 103 * NSEC_PER_SEC - 10);
	assert_int_equal(burst_decide(&upstream(rig, 0)->burst, rig->now_ns), BURST_OPENED);
	ticks(rig, 5);
	assert_int_equal(counted(rig, 0).client_status[FLOW_STATUS_503], 10);
	sum = counted(rig, 3000);
	assert_int_equal(impact_clients_hurt(&sum), 0);
	free(rig);
}

static void known_gateway_makes_other_errors_itself_a_program_may_mean_them(void **state)
{
	static const char *const comms[] = {"nginx", "node"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct rig *rig = new_rig();
		struct proc *p = busy_gateway(rig, comms[i]);

		upstream_answered(rig, p, 3000, FLOW_STATUS_5XX, 5); /* passed on */
		clients_told(rig, p, FLOW_STATUS_5XX, 55);
		ticks(rig, 4);
		if (i == 0)
			assert_int_equal(counted(rig, 0).client_errors, 50);
		else
			assert_null(upstream(rig, 0));
		free(rig);
	}
}

/* A hundredth of what was passed on was not seen on the leg. */
static void few_among_many_errors_passed_on_are_misses_of_ours(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	for (int i = 0; i < 20; i++) {
		upstream_answered(rig, p, 3000, FLOW_STATUS_5XX, 990);
		clients_told(rig, p, FLOW_STATUS_5XX, 1000);
		tick(rig);
	}
	ticks(rig, 4);
	assert_null(upstream(rig, 0));
	free(rig);
}

static void errors_among_answers_in_another_protocol_are_nobodys(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct record_flow tls = {.role = FLOW_BACKEND, .endpoint.port = 8443};

	(void)state;
	tls.requests = tls.responses = 100;
	feed(rig, p, &tls);
	clients_told(rig, p, FLOW_STATUS_502, 100);
	ticks(rig, 5);
	assert_null(upstream(rig, 0));
	free(rig);
}

/* The application's own 503 shows on the leg to it. */
static void error_of_a_program_behind_a_gateway_is_told_there(void **state)
{
	struct rig *rig = new_rig();
	struct proc *nginx = process(rig, 10, 1, "nginx");
	struct proc *api = process(rig, 20, 1, "node");

	(void)state;
	for (int i = 0; i < 5; i++) {
		upstream_answered(rig, nginx, 3000, FLOW_STATUS_503, 10);
		clients_told(rig, nginx, FLOW_STATUS_503, 10);
		upstream_answered(rig, api, 4000, FLOW_STATUS_2XX, 10);
		answered(rig, api, server_on(3000), FLOW_STATUS_503, 10);
		tick(rig);
	}
	ticks(rig, 4);
	assert_int_equal(counted(rig, 3000).app_answered, 50);
	assert_null(upstream(rig, 0));
	free(rig);
}

/* A health check that got an error took the server out; clients are told without asking it. */
static void failed_health_check_is_to_blame_when_nothing_else_is(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "haproxy");

	(void)state;
	for (int i = 0; i < 6; i++) {
		if (i % 2 == 0)
			upstream_answered(rig, p, 3000, FLOW_STATUS_5XX, 1);
		clients_told(rig, p, FLOW_STATUS_503, 50);
		tick(rig);
	}
	ticks(rig, 4);
	assert_int_equal(counted(rig, 3000).client_status[FLOW_STATUS_503], 300);
	assert_null(upstream(rig, 0));
	free(rig);
}

static void turned_away(struct rig *rig, struct proc *p, uint64_t n)
{
	struct record_flow closed = server_on(80);

	closed.requests = closed.fail[FLOW_FAIL_RST_BEFORE] = n;
	feed(rig, p, &closed);
}

/* It accepts and closes unread: worker_connections are used up. */
static void clients_turned_away_for_seconds_are_the_gateways_own(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	for (int i = 0; i < 5; i++) {
		turned_away(rig, p, 20);
		tick(rig);
	}
	ticks(rig, 4);
	assert_int_equal(counted(rig, 0).client_closed, 100);
	assert_int_equal(counted(rig, 3000).client_closed, 0);
	assert_int_equal(burst_decide(&upstream(rig, 0)->burst, rig->now_ns), BURST_OPENED);
	free(rig);
}

static void clients_turned_away_when_a_worker_ends_are_not(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	turned_away(rig, p, 20);
	ticks(rig, 5);
	assert_null(upstream(rig, 0));
	free(rig);
}

static void lack_of_ports_is_the_gateways_own(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");
	struct impact sum;

	(void)state;
	leg_failed(rig, p, 3000, FLOW_FAIL_NO_PORT, 10);
	clients_got(rig, p, 10);
	tick(rig);
	sum = counted(rig, 0);
	assert_int_equal(sum.fail[FLOW_FAIL_NO_PORT], 10);
	assert_int_equal(sum.client_status[FLOW_STATUS_502], 10);
	assert_int_equal(impact_no_live(&sum), 0);
	sum = counted(rig, 3000);
	assert_int_equal(impact_upstream_failures(&sum), 0);
	assert_int_equal(impact_clients_told(&sum), 0);
	free(rig);
}

/* Clients that cannot be read ------------------------------------------------------------------- */

static struct proc *opaque_gateway(struct rig *rig, const char *comm, uint16_t ports)
{
	struct proc *p = process(rig, 10, 1, comm);
	struct record_listener listener = {
		.owner = p->id, .local.port = 443, .sock_id = 1, .state = LISTENER_UP};
	uint64_t outage_ns;

	service_listener(&rig->services, rig->now_ns, &listener, &outage_ns);
	for (int i = 0; i < 3; i++) {
		for (uint16_t port = 3000; port < 3000 + ports; port++)
			upstream_answered(rig, p, port, FLOW_STATUS_2XX, 100);
		clients_told(rig, p, FLOW_STATUS_3XX, 1); /* to https */
		tick(rig);
	}
	return p;
}

static void what_clients_were_told_is_inferred_as_measured(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(matrix) / sizeof(matrix[0]); i++) {
		const struct row *row = &matrix[i];
		struct rig *rig = new_rig();
		struct proc *p = opaque_gateway(rig, row->comm, 1);
		bool told = row->leg != FLOW_FAIL_ABANDONED && row->leg != FLOW_FAIL_RST_MID;
		/* a connect that timed out is not tried so often */
		uint64_t tries = row->leg == FLOW_FAIL_REFUSED ? row->per_client : 1;
		struct impact sum;

		leg_failed(rig, p, 3000, row->leg, 10 * tries);
		ticks(rig, 4);
		sum = counted(rig, 3000);
		told &= strcmp(row->comm, "node") != 0;
		assert_int_equal(sum.client_status[row->client], told ? 10 : 0);
		assert_int_equal(sum.inferred, told ? 10 : 0);
		free(rig);
	}
}

static void connection_that_had_answered_breaks_differently(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = opaque_gateway(rig, "apache2", 1);
	struct record_flow flow = client_of(3000);
	struct impact sum;

	(void)state;
	flow.requests = flow.fail[FLOW_FAIL_RST_BEFORE] = 10;
	flow.fail[FLOW_FAIL_RST_REUSED] = 4;
	feed(rig, p, &flow);
	tick(rig);
	sum = counted(rig, 3000);
	assert_int_equal(sum.client_status[FLOW_STATUS_502], 6);
	assert_int_equal(sum.client_closed, 4);
	assert_int_equal(sum.inferred, 10);
	free(rig);
}

static void retry_that_was_answered_hides_what_clients_cannot_tell(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = opaque_gateway(rig, "nginx", 2);
	struct record_flow failed = client_of(3000);
	struct impact sum;

	(void)state;
	failed.fail[FLOW_FAIL_REFUSED] = 10;
	feed(rig, p, &failed);
	rig->now_ns += 1000;
	upstream_answered(rig, p, 3001, FLOW_STATUS_2XX, 10);
	tick(rig);
	sum = counted(rig, 3000);
	assert_int_equal(impact_upstream_failures(&sum), 10);
	assert_int_equal(impact_clients_told(&sum), 0);
	free(rig);
}

static void hanging_upstream_times_out_those_nobody_can_read(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = opaque_gateway(rig, "nginx", 1);
	struct impact sum;

	(void)state;
	for (int i = 0; i < 9; i++) {
		leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 5);
		tick(rig);
	}
	sum = counted(rig, 3000);
	assert_int_equal(impact_upstream_failures(&sum), 0); /* clients may have left */
	for (int i = 0; i < 9; i++) {
		leg_failed(rig, p, 3000, FLOW_FAIL_ABANDONED, 5);
		tick(rig);
	}
	sum = counted(rig, 3000);
	assert_true(sum.abandoned >= 25);
	assert_int_equal(sum.client_status[FLOW_STATUS_504], sum.abandoned);
	assert_int_equal(sum.inferred, sum.abandoned);
	free(rig);
}

static void clients_that_can_be_read_are_not_inferred(void **state)
{
	struct rig *rig = new_rig();
	struct proc *p = busy_gateway(rig, "nginx");

	(void)state;
	upstream_failed(rig, p, 3000, 10); /* and all was made good */
	tick(rig);
	assert_int_equal(counted(rig, 3000).inferred, 0);
	assert_int_equal(blamed(rig, 3000), 0);
	free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_shared_by_failures_and_add_up),
		cmocka_unit_test(healthy_upstream_is_not_blamed),
		cmocka_unit_test(what_an_upstream_answered_itself_is_not_the_gateways),
		cmocka_unit_test(answer_passed_on_in_the_next_batch_is_not_the_gateways),
		cmocka_unit_test(no_live_answers_belong_to_who_failed_within_ten_seconds),
		cmocka_unit_test(answer_read_before_its_failure_waits_for_it),
		cmocka_unit_test(each_failure_is_told_as_measured),
		cmocka_unit_test(header_that_ends_with_a_fin_is_the_upstreams),
		cmocka_unit_test(each_status_goes_to_the_upstream_that_fails_that_way),
		cmocka_unit_test(answer_that_breaks_off_hurts_a_client_who_has_its_status),
		cmocka_unit_test(no_live_answers_go_to_both_servers_of_a_group),
		cmocka_unit_test(answers_of_its_own_open_a_burst_and_count_once),
		cmocka_unit_test(answer_that_was_not_passed_on_is_forgotten),
		cmocka_unit_test(answer_read_at_the_client_first_is_still_passed_on),
		cmocka_unit_test(client_that_hangs_up_is_no_failure),
		cmocka_unit_test(hang_ups_beside_timeouts_are_told_apart),
		cmocka_unit_test(timeout_made_good_elsewhere_is_masked),
		cmocka_unit_test(workers_that_are_killed_gave_nothing_up),
		cmocka_unit_test(program_that_gives_up_has_its_reasons),
		cmocka_unit_test(error_nobody_caused_is_the_gateways_own),
		cmocka_unit_test(known_gateway_makes_other_errors_itself_a_program_may_mean_them),
		cmocka_unit_test(few_among_many_errors_passed_on_are_misses_of_ours),
		cmocka_unit_test(errors_among_answers_in_another_protocol_are_nobodys),
		cmocka_unit_test(error_of_a_program_behind_a_gateway_is_told_there),
		cmocka_unit_test(failed_health_check_is_to_blame_when_nothing_else_is),
		cmocka_unit_test(clients_turned_away_for_seconds_are_the_gateways_own),
		cmocka_unit_test(clients_turned_away_when_a_worker_ends_are_not),
		cmocka_unit_test(lack_of_ports_is_the_gateways_own),
		cmocka_unit_test(what_clients_were_told_is_inferred_as_measured),
		cmocka_unit_test(connection_that_had_answered_breaks_differently),
		cmocka_unit_test(retry_that_was_answered_hides_what_clients_cannot_tell),
		cmocka_unit_test(hanging_upstream_times_out_those_nobody_can_read),
		cmocka_unit_test(clients_that_can_be_read_are_not_inferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
