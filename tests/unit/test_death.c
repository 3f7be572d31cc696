/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_death.c - joining marks, signals and exit status into how a process ended. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/death.h"

static const struct proc_id self = {.start_ns = 100, .tgid = 7};
static const struct proc_id shell = {.start_ns = 50, .tgid = 5};

static struct death died(uint32_t status)
{
	return (struct death){.proc = self, .exit_ns = 100 * NSEC_PER_SEC, .status = status};
}

static void signal_at(struct death *d, uint64_t ts_ns, struct proc_id sender, int sig, int code,
		      bool ignored)
{
	struct record_signal s = {
		.target = self,
		.sender = sender,
		.sig = sig,
		.code = code,
		.ignored = ignored,
		.sender_comm = "sender",
	};

	death_add_signal(d, ts_ns, &s);
}

static struct report_death decode(const struct death *d)
{
	struct report_death out;

	death_decode(d, &out);
	return out;
}

static void mark_and_kernel_sigkill_are_an_oom_kill(void **state)
{
	struct death d = died(SIGKILL);

	(void)state;
	d.oom_ns = d.exit_ns - 5;
	d.oom.memcg.id = 3;
	signal_at(&d, d.exit_ns - 10, self, SIGKILL, SI_KERNEL, false);
	assert_true(death_is_oom_kill(&d) && death_oom_confirmed(&d));
	assert_true(decode(&d).memcg_oom);
	assert_int_equal(decode(&d).exit_code, 137);
	d.oom.memcg.id = 0;
	assert_true(decode(&d).oom_kill);
	assert_false(decode(&d).memcg_oom);
}

static void mark_without_seen_sigkill_is_an_unconfirmed_oom_kill(void **state)
{
	struct death d = died(SIGKILL);

	(void)state;
	d.oom_ns = d.exit_ns - 5;
	assert_true(death_is_oom_kill(&d));
	assert_false(death_oom_confirmed(&d));
	assert_false(decode(&d).has_signal_code);
}

static void mark_of_a_process_killed_by_a_user_is_no_oom_kill(void **state)
{
	struct death d = died(SIGKILL);

	(void)state;
	signal_at(&d, d.exit_ns - 20, shell, SIGKILL, SI_USER, false);
	d.oom_ns = d.exit_ns - 5;
	signal_at(&d, d.exit_ns - 4, self, SIGKILL, SI_KERNEL, false);
	assert_false(death_is_oom_kill(&d));
	assert_int_equal(decode(&d).sender_tgid, 5);
}

static void mark_of_a_process_that_exits_otherwise_is_no_oom_kill(void **state)
{
	struct death d = died(0);

	(void)state;
	d.oom_ns = d.exit_ns - 5;
	assert_false(death_is_oom_kill(&d));
}

static void abort_of_the_first_process_of_a_namespace_ends_in_139(void **state)
{
	struct death d = died(SIGSEGV);

	(void)state;
	signal_at(&d, d.exit_ns - 20, self, SIGABRT, SI_TKILL, true);
	signal_at(&d, d.exit_ns - 10, self, SIGSEGV, SI_KERNEL, false);
	assert_true(death_abort_ignored(&d) && death_aborted_itself(&d));
	assert_int_equal(decode(&d).exit_code, 139);
	assert_int_equal(decode(&d).signal_code, SI_KERNEL);
}

static void abort_sent_by_somebody_else_is_not_its_own(void **state)
{
	struct death d = died(SIGABRT);

	(void)state;
	signal_at(&d, d.exit_ns - 20, shell, SIGABRT, SI_USER, false);
	assert_false(death_aborted_itself(&d));
	assert_int_equal(decode(&d).exit_code, 134);
}

static void plain_segfault_is_no_abort(void **state)
{
	struct death d = died(SIGSEGV);

	(void)state;
	signal_at(&d, d.exit_ns - 10, self, SIGSEGV, 1, false);
	assert_false(death_abort_ignored(&d));
}

static void exit_after_sigterm_names_who_asked(void **state)
{
	struct death d = died(143 << 8);

	(void)state;
	signal_at(&d, d.exit_ns - NSEC_PER_SEC, shell, SIGTERM, SI_USER, false);
	assert_int_equal(decode(&d).signal, 0);
	assert_int_equal(decode(&d).exit_code, 143);
	assert_int_equal(decode(&d).sender_tgid, 5);
	assert_string_equal(decode(&d).sender_comm, "sender");
}

static void signal_long_before_the_exit_is_not_its_cause(void **state)
{
	struct death d = died(1 << 8);

	(void)state;
	signal_at(&d, d.exit_ns - 31 * NSEC_PER_SEC, shell, SIGTERM, SI_USER, false);
	assert_false(decode(&d).has_signal_code);
	assert_string_equal(decode(&d).sender_comm, "");
}

static void repeated_signal_keeps_its_first_time(void **state)
{
	struct death d = died(SIGKILL);

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		signal_at(&d, 1000 + i, shell, SIGTERM, SI_USER, false);
	signal_at(&d, 5000, shell, SIGKILL, SI_USER, false);
	assert_int_equal(d.nr_signals, 2);
	assert_int_equal(d.signals[0].ts_ns, 1000);
	for (uint32_t i = 0; i < 10; i++)
		signal_at(&d, 6000 + i, (struct proc_id){.start_ns = 1, .tgid = i + 1}, SIGTERM,
			  SI_USER, false);
	assert_int_equal(d.nr_signals, DEATH_SIGNALS);
}

static void handled_signal_names_its_first_sender(void **state)
{
	struct death d = died(0), again = died(SIGTERM), other = died(SIGKILL);

	(void)state;
	/* It handles SIGTERM and exits in its own time, while somebody else knocks too. */
	signal_at(&d, d.exit_ns - 5 * NSEC_PER_SEC, shell, SIGTERM, SI_USER, false);
	signal_at(&d, d.exit_ns - 1, (struct proc_id){.start_ns = 1, .tgid = 1}, SIGINT, SI_USER,
		  false);
	assert_int_equal(decode(&d).sender_tgid, 5);
	/* Its handler cleans up and sends the signal again, to itself. */
	signal_at(&again, again.exit_ns - NSEC_PER_SEC, shell, SIGTERM, SI_USER, false);
	signal_at(&again, again.exit_ns - 1, self, SIGTERM, SI_TKILL, false);
	assert_int_equal(decode(&again).sender_tgid, 5);
	/* ... or another one. */
	signal_at(&other, other.exit_ns - NSEC_PER_SEC, shell, SIGINT, SI_USER, false);
	signal_at(&other, other.exit_ns - 1, self, SIGKILL, SI_USER, false);
	assert_int_equal(decode(&other).sender_tgid, 5);
}

static void abort_after_a_request_to_end_is_its_own(void **state)
{
	struct death d = died(SIGABRT);

	(void)state;
	signal_at(&d, d.exit_ns - 9 * NSEC_PER_SEC, shell, SIGTERM, SI_USER, false);
	signal_at(&d, d.exit_ns - 1, self, SIGABRT, SI_TKILL, false);
	assert_int_equal(decode(&d).sender_tgid, 7);
	assert_true(death_aborted_itself(&d));
	d.v8_ns = d.exit_ns - 2;
	assert_true(death_is_v8_oom(&d));
}

static void arbiter_that_aborts_a_worker_is_named_though_it_exits(void **state)
{
	struct death d = died(1 << 8);

	(void)state;
	signal_at(&d, d.exit_ns - NSEC_PER_SEC, shell, SIGABRT, SI_USER, false);
	assert_int_equal(decode(&d).sender_tgid, 5);
	d.map_failed_ns = d.exit_ns - 1;
	assert_false(death_is_map_failure(&d));
}

static void hangup_long_before_was_no_request_to_end(void **state)
{
	struct death d = died(1 << 8);

	(void)state;
	signal_at(&d, d.exit_ns - 20 * NSEC_PER_SEC, shell, SIGHUP, SI_USER, false);
	signal_at(&d, d.exit_ns - 10 * NSEC_PER_SEC, (struct proc_id){.start_ns = 1, .tgid = 1},
		  SIGTERM, SI_USER, false);
	assert_int_equal(decode(&d).sender_tgid, 1);
}

static void first_sender_is_kept_among_many(void **state)
{
	struct death d = died(0);

	(void)state;
	signal_at(&d, d.exit_ns - NSEC_PER_SEC, shell, SIGTERM, SI_USER, false);
	for (uint32_t i = 0; i < 10; i++)
		signal_at(&d, d.exit_ns - 500 + i, (struct proc_id){.start_ns = 1, .tgid = 100 + i},
			  SIGINT, SI_USER, false);
	assert_int_equal(d.nr_signals, DEATH_SIGNALS);
	assert_int_equal(decode(&d).sender_tgid, 5);
	assert_int_equal(d.signals[DEATH_SIGNALS - 1].sender.tgid, 109);
}

static void refused_memory_ends_what_cannot_go_on(void **state)
{
	struct death d = died(2 << 8), late = died(1 << 8), fine = died(0), killed = died(SIGKILL);

	(void)state;
	d.map_failed_ns = d.exit_ns - NSEC_PER_SEC;
	assert_true(death_is_map_failure(&d) && death_by_memory(&d));
	late.map_failed_ns = late.exit_ns - 3 * NSEC_PER_SEC;
	assert_false(death_is_map_failure(&late));
	fine.map_failed_ns = fine.exit_ns - 1;
	assert_false(death_is_map_failure(&fine));
	fine.story.grew = true; /* a server whose threads the error took, one by one */
	assert_true(death_is_map_failure(&fine));
	killed.map_failed_ns = killed.exit_ns - 1;
	assert_false(death_is_map_failure(&killed));
	d = died(SIGABRT);
	d.map_failed_ns = d.exit_ns - 1;
	signal_at(&d, d.exit_ns - 1, self, SIGABRT, SI_TKILL, false);
	assert_true(death_is_map_failure(&d));
}

static void full_heap_exit_is_a_death_of_memory(void **state)
{
	struct death d = died(3 << 8);

	(void)state;
	assert_false(death_by_memory(&d));
	d.heap_full_exit = true;
	assert_true(death_by_memory(&d));
}

static void ring_counts_what_it_loses_unreported(void **state)
{
	struct deaths *t = calloc(1, sizeof(*t));

	(void)state;
	assert_non_null(t);
	for (uint32_t i = 0; i < DEATH_MAX + 10; i++) {
		struct proc_id id = {.start_ns = i, .tgid = i + 1};

		t->all[death_take(t, &id)].exit_ns = 1;
	}
	assert_int_equal(t->lost, 10);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mark_and_kernel_sigkill_are_an_oom_kill),
		cmocka_unit_test(mark_without_seen_sigkill_is_an_unconfirmed_oom_kill),
		cmocka_unit_test(mark_of_a_process_killed_by_a_user_is_no_oom_kill),
		cmocka_unit_test(mark_of_a_process_that_exits_otherwise_is_no_oom_kill),
		cmocka_unit_test(abort_of_the_first_process_of_a_namespace_ends_in_139),
		cmocka_unit_test(abort_sent_by_somebody_else_is_not_its_own),
		cmocka_unit_test(plain_segfault_is_no_abort),
		cmocka_unit_test(exit_after_sigterm_names_who_asked),
		cmocka_unit_test(signal_long_before_the_exit_is_not_its_cause),
		cmocka_unit_test(repeated_signal_keeps_its_first_time),
		cmocka_unit_test(handled_signal_names_its_first_sender),
		cmocka_unit_test(abort_after_a_request_to_end_is_its_own),
		cmocka_unit_test(arbiter_that_aborts_a_worker_is_named_though_it_exits),
		cmocka_unit_test(hangup_long_before_was_no_request_to_end),
		cmocka_unit_test(first_sender_is_kept_among_many),
		cmocka_unit_test(refused_memory_ends_what_cannot_go_on),
		cmocka_unit_test(full_heap_exit_is_a_death_of_memory),
		cmocka_unit_test(ring_counts_what_it_loses_unreported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
