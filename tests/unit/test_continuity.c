/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_continuity.c - which gaps are told, how the run before ended, and what happened in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "caught_records.h"
#include "scratch.h"
#include "source/continuity.h"
#include "source/decode.h"

static struct continuity c;

static void feed(const struct record *record)
{
	continuity_take(&c, record, take, NULL);
}

static struct record record_at(enum record_kind kind, uint64_t ts_ns)
{
	struct record record;

	record_init(&record, kind, ts_ns);
	return record;
}

static void header(const char *boot_id, uint64_t ts_ns)
{
	struct record r = record_at(RECORD_HEADER, ts_ns);

	snprintf(r.header.boot_id, sizeof(r.header.boot_id), "%s", boot_id);
	r.header.tick_ns = SECOND;
	r.header.wall_offset_ns = 1000 * (int64_t)SECOND;
	feed(&r);
}

static void tick(uint64_t ts_ns)
{
	struct record r = record_at(RECORD_TICK, ts_ns);

	feed(&r);
}

static void stop(uint64_t ts_ns)
{
	struct record r = record_at(RECORD_STOP, ts_ns);

	feed(&r);
}

static void found(uint32_t tgid)
{
	struct record r = record_at(RECORD_PROC, SECOND);

	r.proc.proc = proc_of(tgid);
	feed(&r);
}

static void listens(uint32_t tgid, uint16_t port, enum listener_state state)
{
	struct record r = record_at(RECORD_LISTENER, SECOND);

	r.listener.owner = proc_of(tgid);
	r.listener.local.port = port;
	r.listener.state = (uint8_t)state;
	feed(&r);
}

static void serves(uint32_t tgid, uint16_t port)
{
	struct record r = record_at(RECORD_FLOW, SECOND);

	r.flow.proc = proc_of(tgid);
	r.flow.endpoint.port = port;
	r.flow.role = FLOW_SERVER;
	feed(&r);
}

static void exits(uint32_t tgid)
{
	struct record r = record_at(RECORD_EXIT, SECOND);

	r.exit.proc = proc_of(tgid);
	feed(&r);
}

static void incident(const char *id, enum incident_record what)
{
	static struct report report;

	memset(&report, 0, sizeof(report));
	report.kind = REPORT_INCIDENT;
	report.seq = 6;
	report.incident.record = what;
	snprintf(report.incident.id, sizeof(report.incident.id), "%s", id);
	continuity_report(&c, &report);
}

static uint32_t dead; /* its last flows are still to come */

static bool is_alive(const struct proc_id *proc)
{
	return proc->tgid && proc->tgid != dead;
}

static void begin(void)
{
	nr_out = 0;
	dead = 0;
	assert_int_equal(continuity_open(&c, scratch_file), 0);
	c.is_alive = is_alive;
}

static uint32_t count(enum record_kind kind)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < nr_out; i++)
		nr += out[i].kind == kind;
	return nr;
}

static const struct record *first(enum record_kind kind)
{
	for (uint32_t i = 0; i < nr_out; i++)
		if (out[i].kind == kind)
			return &out[i];
	fail_msg("no record of kind %d", kind);
	return NULL;
}

static int fresh(void **state)
{
	(void)state;
	unlink(scratch_file);
	return 0;
}

/* A run with three processes that serve, left without a word at second 20. */
static void earlier_run(void)
{
	begin();
	header("boot", 10 * SECOND);
	listens(1, 80, LISTENER_FOUND);
	listens(2, 81, LISTENER_UP);
	serves(3, 80);
	listens(4, 82, LISTENER_UP);
	listens(4, 82, LISTENER_DOWN);
	serves(5, 83);
	exits(5);
	dead = 5;
	serves(5, 83);
	incident("A", INCIDENT_OPEN);
	incident("B", INCIDENT_OPEN);
	incident("A", INCIDENT_CLOSE);
	tick(20 * SECOND);
	continuity_close(&c);
}

static void the_first_run_has_no_gap(void **state)
{
	(void)state;
	begin();
	header("boot", SECOND);
	tick(2 * SECOND);
	tick(3 * SECOND);
	assert_int_equal(nr_out, 3);
	continuity_close(&c);
}

static void a_killed_run_leaves_a_gap_with_who_went_and_came(void **state)
{
	const struct record *gap;

	(void)state;
	earlier_run();
	begin();
	header("boot", 50 * SECOND);
	found(1);
	found(9);
	listens(1, 80, LISTENER_FOUND);
	listens(9, 81, LISTENER_FOUND);
	tick(51 * SECOND);
	tick(52 * SECOND);
	assert_int_equal(count(RECORD_GAP), 1);
	gap = first(RECORD_GAP);
	assert_int_equal(gap->ts_ns, 51 * SECOND);
	assert_int_equal(gap->gap.cause, GAP_KILLED);
	assert_int_equal(gap->gap.from_ns, 20 * SECOND);
	assert_int_equal(gap->gap.from_wall_ns, 1020 * SECOND);
	assert_int_equal(gap->gap.earlier_pid, getpid());
	assert_int_equal(gap->gap.earlier_lines, 7);
	assert_int_equal(gap->gap.nr_served, 3);
	assert_int_equal(gap->gap.nr_gone, 2);
	assert_int_equal(gap->gap.nr_incidents, 1);
	/* in order: the gap, who is gone, which incidents, the tick */
	assert_int_equal((gap + 1)->kind, RECORD_GAP_SERVICE);
	assert_int_equal((gap + 1)->gap_service.proc.tgid, 2);
	assert_int_equal((gap + 1)->gap_service.successor.tgid, 9);
	assert_int_equal((gap + 2)->gap_service.proc.tgid, 3);
	assert_int_equal((gap + 2)->gap_service.successor.tgid, 1);
	assert_int_equal((gap + 3)->kind, RECORD_GAP_INCIDENT);
	assert_string_equal((gap + 3)->gap_incident.id, "B");
	assert_int_equal((gap + 4)->kind, RECORD_TICK);
	continuity_close(&c);
}

static void nobody_listens_any_more(void **state)
{
	(void)state;
	earlier_run();
	begin();
	header("boot", 50 * SECOND);
	tick(51 * SECOND);
	assert_int_equal(count(RECORD_GAP_SERVICE), 3);
	assert_int_equal(first(RECORD_GAP_SERVICE)->gap_service.successor.tgid, 0);
	continuity_close(&c);
}

static void an_orderly_end_is_told_as_one(void **state)
{
	(void)state;
	begin();
	header("boot", 10 * SECOND);
	tick(11 * SECOND);
	stop(12 * SECOND);
	continuity_close(&c);
	begin();
	header("boot", 20 * SECOND);
	tick(21 * SECOND);
	assert_int_equal(first(RECORD_GAP)->gap.cause, GAP_STOPPED);
	assert_int_equal(first(RECORD_GAP)->gap.from_ns, 12 * SECOND);
	continuity_close(&c);
	/* the end of the run before last is not that of the last one */
	begin();
	header("boot", 30 * SECOND);
	tick(31 * SECOND);
	assert_int_equal(first(RECORD_GAP)->gap.cause, GAP_KILLED);
	continuity_close(&c);
}

static void of_another_boot_only_the_gap_and_its_incidents_are_told(void **state)
{
	(void)state;
	earlier_run();
	begin();
	header("other", 5 * SECOND);
	tick(6 * SECOND);
	assert_int_equal(first(RECORD_GAP)->gap.cause, GAP_REBOOTED);
	assert_int_equal(first(RECORD_GAP)->gap.from_ns, 0);
	assert_int_equal(first(RECORD_GAP)->gap.from_wall_ns, 1020 * SECOND);
	assert_int_equal(count(RECORD_GAP_SERVICE), 0);
	assert_int_equal(count(RECORD_GAP_INCIDENT), 1);
	continuity_close(&c);
}

static void a_damaged_state_is_a_gap_of_unknown_length(void **state)
{
	FILE *file = fopen(scratch_file, "w");

	(void)state;
	fputs("nonsense", file);
	fclose(file);
	begin();
	header("boot", 5 * SECOND);
	tick(6 * SECOND);
	assert_int_equal(first(RECORD_GAP)->gap.cause, GAP_UNKNOWN);
	assert_int_equal(first(RECORD_GAP)->gap.from_ns, 0);
	assert_int_equal(first(RECORD_GAP)->gap.from_wall_ns, 0);
	continuity_close(&c);
}

static void a_tick_that_comes_much_too_late_is_a_gap(void **state)
{
	(void)state;
	nr_out = 0;
	assert_int_equal(continuity_open(&c, NULL), 0);
	header("boot", SECOND);
	tick(2 * SECOND);
	tick(3 * SECOND);
	tick(6 * SECOND); /* as late as a busy machine may be */
	assert_int_equal(count(RECORD_GAP), 0);
	tick(6 * SECOND + 3 * SECOND + 1);
	assert_int_equal(count(RECORD_GAP), 1);
	assert_int_equal(first(RECORD_GAP)->gap.cause, GAP_STALLED);
	assert_int_equal(first(RECORD_GAP)->gap.from_ns, 6 * SECOND);
	assert_int_equal(first(RECORD_GAP)->gap.earlier_pid, 0);
	tick(10 * SECOND);
	assert_int_equal(count(RECORD_GAP), 1);
	continuity_close(&c);
}

static void a_sleep_of_the_machine_is_told_as_one(void **state)
{
	(void)state;
	nr_out = 0;
	assert_int_equal(continuity_open(&c, NULL), 0);
	header("boot", SECOND);
	tick(100 * SECOND);
	/* as if the clocks had been closer to each other then; unsigned, so it may wrap */
	c.now.suspended_ns -= 50 * SECOND;
	tick(160 * SECOND);
	assert_int_equal(first(RECORD_GAP)->gap.cause, GAP_SUSPENDED);
	assert_int_equal(first(RECORD_GAP)->gap.suspended_ns, 50 * SECOND);
	continuity_close(&c);
}

static void more_than_fits_is_left_out(void **state)
{
	(void)state;
	begin();
	header("boot", SECOND);
	for (uint32_t i = 1; i <= RUN_STATE_SERVED + 50; i++)
		continuity_take(&c,
				&(struct record){.kind = RECORD_LISTENER,
						 .listener = {.owner = {.tgid = 1000000 + i},
							      .local = {.port = (uint16_t)i},
							      .state = LISTENER_UP}},
				take, (nr_out = 0, NULL));
	for (int i = 0; i < RUN_STATE_INCIDENTS + 5; i++) {
		char id[16];

		snprintf(id, sizeof(id), "I%d", i);
		incident(id, INCIDENT_OPEN);
	}
	tick(2 * SECOND);
	assert_int_equal(c.now.nr_served, RUN_STATE_SERVED);
	assert_int_equal(c.now.nr_incidents, RUN_STATE_INCIDENTS);
	continuity_close(&c);
}

static void knows_the_name_of_who_serves(void **state)
{
	(void)state;
	begin();
	serves((uint32_t)getpid(), 80);
	assert_string_equal(c.now.served[0].comm, "test_continuity");
	continuity_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_first_run_has_no_gap, fresh),
		cmocka_unit_test_setup(a_killed_run_leaves_a_gap_with_who_went_and_came, fresh),
		cmocka_unit_test_setup(nobody_listens_any_more, fresh),
		cmocka_unit_test_setup(an_orderly_end_is_told_as_one, fresh),
		cmocka_unit_test_setup(of_another_boot_only_the_gap_and_its_incidents_are_told,
				       fresh),
		cmocka_unit_test_setup(a_damaged_state_is_a_gap_of_unknown_length, fresh),
		cmocka_unit_test_setup(a_tick_that_comes_much_too_late_is_a_gap, fresh),
		cmocka_unit_test_setup(a_sleep_of_the_machine_is_told_as_one, fresh),
		cmocka_unit_test_setup(more_than_fits_is_left_out, fresh),
		cmocka_unit_test_setup(knows_the_name_of_who_serves, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
