/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_verdict.c - what the rule table makes of facts, and that its sums can be redone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/rules.h"
#include "core/verdict.h"

static struct report_verdict decide(const struct verdict_facts *f)
{
	struct report_verdict out;

	verdict_decide(f, &out);
	return out;
}

static struct verdict_facts oom_after_growth(void)
{
	return (struct verdict_facts){
		.died = true,
		.oom_kill = true,
		.oom_confirmed = true,
		.killed = true,
		.signal_known = true,
		.signal_from_kernel = true,
		.managed_heap = true,
		.v8_runtime = true,
		.v8_watched = true,
		.service_known = true,
		.failures = 10,
		.story = {.known = true, .grew = true, .native_share = {0.1, true}},
	};
}

static struct verdict_facts race(void)
{
	return (struct verdict_facts){
		.failures = 40,
		.on_reused = 40,
		.answers = 100,
		.service_known = true,
		.listener_stayed = true,
	};
}

static void place_of_the_growth_decides_the_cause(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
	assert_true(decide(&f).confidence >= 0.9);
	f.story.native_share.value = 0.8;
	assert_int_equal(decide(&f).cause, CAUSE_NATIVE_LEAK);
	f.managed_heap = false;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
	f.story.grew = false;
	assert_int_equal(decide(&f).cause, CAUSE_UNKNOWN_GROWTH);
}

/* As a container of docker or podman does: its network interface is gone until it runs again. */
static void the_dead_take_their_address_with_them(void **state)
{
	struct verdict_facts f = oom_after_growth();
	double before = decide(&f).confidence;

	(void)state;
	f.unreachable = 9;
	f.traffic.rate_now = 50;
	assert_int_equal(decide(&f).class, VERDICT_MEMORY_DEATH);
	assert_true(decide(&f).confidence >= 0.9 && decide(&f).confidence >= before - 0.02);
}

static void full_v8_heap_is_in_the_heap_whatever_else_grew(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.oom_kill = f.oom_confirmed = false;
	f.v8_oom = true;
	f.story.native_share.value = 0.8;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
}

static void growth_without_death_accuses_nobody(void **state)
{
	struct verdict_facts f = {.story = {.known = true, .grew = true}, .failures = 10};

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
}

static void growth_does_not_make_a_user_kill_a_memory_death(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.oom_kill = f.oom_confirmed = f.signal_from_kernel = false;
	assert_int_equal(decide(&f).class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	assert_true(decide(&f).confidence >= 0.9);
}

static void short_history_is_never_confirmed(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.story.insufficient = true;
	assert_int_equal(decide(&f).cause, CAUSE_HEAP_LEAK);
	assert_true(decide(&f).insufficient_history);
	assert_true(decide(&f).confidence <= 0.8);
}

static void race_needs_reuse_survivors_and_a_living_listener(void **state)
{
	struct verdict_facts f = race();

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_KEEPALIVE_RACE);
	f.on_reused = 20;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.listener_stayed = false;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.refused = 1;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.deaths_behind = 1;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f = race();
	f.unseen |= HOOK_BIT(HOOK_EXIT);
	f.answers = 0;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
}

static void unseen_oom_killer_leaves_a_sigkill_unexplained(void **state)
{
	struct verdict_facts f = {.died = true, .killed = true, .exit_code = 137};

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	assert_true(decide(&f).confidence < 0.9);
	f.unseen |= HOOK_BIT(HOOK_OOM);
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f.unseen &= ~HOOK_BIT(HOOK_OOM);
	f.events_lost = 1;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
}

static void losses_lower_the_confidence_and_say_so(void **state)
{
	struct verdict_facts f = oom_after_growth();
	double sure = decide(&f).confidence;
	struct report_verdict v;
	bool told = false;

	(void)state;
	f.events_lost = 7;
	v = decide(&f);
	assert_true(v.confidence < sure);
	for (uint32_t i = 0; i < v.nr_scores; i++)
		told |= strcmp(v.scores[i].rule, "events_lost") == 0 && v.scores[i].value == 7;
	assert_true(told);
}

static void probabilities_stay_within_one(void **state)
{
	struct verdict_facts f = oom_after_growth();
	struct report_verdict v = decide(&f);
	double sum = v.confidence;

	(void)state;
	for (uint32_t i = 0; i < v.nr_alternatives; i++) {
		assert_true(i == 0 ||
			    v.alternatives[i].confidence <= v.alternatives[i - 1].confidence);
		sum += v.alternatives[i].confidence;
	}
	assert_true(sum <= 1 + 1e-9);
	assert_true(v.nr_scores <= REPORT_MAX_SCORES);
}

static void scores_of_the_winner_tell_what_found_nothing(void **state)
{
	struct verdict_facts f = oom_after_growth();
	struct report_verdict v = decide(&f);
	bool looked = false;

	(void)state;
	for (uint32_t i = 0; i < v.nr_scores; i++)
		looked |= strcmp(v.scores[i].rule, "v8_fatal_oom") == 0 && v.scores[i].weight == 0;
	assert_true(looked);
}

static void nothing_known_is_unexplained_without_confidence(void **state)
{
	struct verdict_facts f = {0};

	(void)state;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	assert_true(decide(&f).confidence <= 0.5);
	assert_int_equal(decide(&f).nr_alternatives, 0);
}

/* Every class and cause: what it needs, what is not enough, what it is taken for --------------- */

#define S(n) ((uint64_t)(n)*NSEC_PER_SEC)

static void assert_class(const struct verdict_facts *f, enum verdict_class class)
{
	assert_string_equal(verdict_class_name(decide(f).class), verdict_class_name(class));
}

static void assert_cause(const struct verdict_facts *f, enum verdict_cause cause)
{
	assert_string_equal(verdict_cause_name(decide(f).cause), verdict_cause_name(cause));
}

static void set_ceiling(struct verdict_facts *f, enum ceiling_source source, uint64_t bytes)
{
	f->ceilings.all[f->ceilings.nr++] = (struct report_ceiling){source, bytes};
}

/* Its trend, explanation and room, as of a leak of 250 MiB at 300. */
static struct verdict_facts leak(void)
{
	struct verdict_facts f = oom_after_growth();

	f.served = true;
	f.at_ns = S(500);
	f.peak_anon_bytes = 290 * MIB;
	f.traffic.known = true;
	f.traffic.baseline_anon_bytes = 40 * MIB;
	f.traffic.explained.requests = (struct measure){0.9, true};
	f.traffic.explained.received = (struct measure){0.03, true};
	f.traffic.explained.in_flight = (struct measure){0.02, true};
	f.traffic.explained.background = (struct measure){0.05, true};
	f.story.concavity = 1;
	f.story.onset_ns = S(100);
	set_ceiling(&f, CEILING_CGROUP, 300 * MIB);
	return f;
}

/* The same process, serving, before anything happened to it. */
static struct verdict_facts alive(void)
{
	struct verdict_facts f = leak();

	f.died = f.oom_kill = f.oom_confirmed = f.killed = false;
	f.signal_known = f.signal_from_kernel = false;
	f.owner_alive = f.service_known = f.listener_stayed = f.same_host = true;
	f.ever_answered = true;
	f.watched_ns = S(300);
	f.failures = 0;
	return f;
}

/* Ended by a signal of somebody. */
static struct verdict_facts ended(enum sender_kind sender, int signal)
{
	struct verdict_facts f = alive();

	f.died = f.signal_known = true;
	f.owner_alive = f.listener_stayed = false;
	f.sender = sender;
	f.signal = signal;
	f.killed = signal == SIGKILL;
	f.asked = !f.killed && signal != SIGABRT && signal != SIGSEGV;
	f.exit_code = 128 + signal;
	f.failures = f.refused = 50;
	f.deaths_behind = 1;
	return f;
}

static void leak_in_a_small_container_stays_a_leak(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	assert_cause(&f, CAUSE_HEAP_LEAK);
	/* dies at the same size again and again, and its heap limit cannot be respected */
	f.lives = (struct lives_story){
		.lives = 3, .memory_deaths = 3, .similar_peaks = true, .similar_spans = true};
	set_ceiling(&f, CEILING_HEAP_COMPUTED, 400 * MIB);
	assert_cause(&f, CAUSE_HEAP_LEAK);
	assert_true(decide(&f).confidence >= 0.9);
	/* a timer's leak, at no traffic */
	f.traffic.explained.requests.value = 0.02;
	f.traffic.explained.background.value = 0.95;
	assert_cause(&f, CAUSE_HEAP_LEAK);
}

static void working_set_beyond_the_limit_is_limit_too_small(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.traffic.baseline_anon_bytes = 220 * MIB;
	f.story.concave = true;
	f.story.concavity = 0.2;
	assert_cause(&f, CAUSE_LIMIT_TOO_SMALL);
	/* most of the room is there at the start: no reason by itself, a straight line goes on */
	f = leak();
	f.traffic.baseline_anon_bytes = 190 * MIB;
	assert_false(decide(&f).cause == CAUSE_LIMIT_TOO_SMALL);
	/* the same peak in each life, and nothing that requests keep */
	f = leak();
	f.traffic.explained.requests.value = 0.3;
	f.traffic.baseline_anon_bytes = 150 * MIB;
	f.story.concave = true;
	f.lives = (struct lives_story){.lives = 2, .memory_deaths = 2, .similar_peaks = true};
	assert_cause(&f, CAUSE_LIMIT_TOO_SMALL);
	f.lives.similar_peaks = false;
	f.story.concave = false;
	assert_cause(&f, CAUSE_HEAP_LEAK);
}

/* Where requests are the reason, their rate must not bend the growth. */
static void slower_per_request_is_what_counts(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.lives = (struct lives_story){.lives = 2, .memory_deaths = 2, .similar_peaks = true};
	f.story.concave = true;
	f.traffic.retention = (struct retention_shape){.known = true, .ratio = 0.9};
	assert_cause(&f, CAUSE_HEAP_LEAK); /* fewer and fewer requests */
	f.story.concave = false;
	f.traffic.explained.requests.value = 0.6;
	f.traffic.retention = (struct retention_shape){true, true, 0.2};
	assert_cause(&f, CAUSE_LIMIT_TOO_SMALL);
	f.lives = (struct lives_story){.lives = 1};
	assert_cause(&f, CAUSE_HEAP_LEAK); /* one life proves nothing */
}

static void death_before_the_first_request_each_time_is_limit_too_small(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.served = false;
	f.traffic = (struct traffic_story){0};
	f.story.grew = true;
	f.story.insufficient = true;
	f.lives = (struct lives_story){.lives = 2, .memory_deaths = 2, .similar_peaks = true};
	assert_cause(&f, CAUSE_LIMIT_TOO_SMALL);
	f.lives.memory_deaths = 0;
	assert_cause(&f, CAUSE_HEAP_LEAK);
	f.lives.memory_deaths = 2;
	f.unseen |= HOOKS_HTTP;
	assert_cause(&f, CAUSE_HEAP_LEAK);
}

static void growth_after_a_large_request_is_a_payload(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.story.grew = false;
	f.story.jump_share = 0.9;
	f.traffic.payload_ns = S(499);
	f.traffic.payload_growth_share = 0.95;
	f.traffic.largest_request_bytes = 60 * MIB;
	f.traffic.explained = (struct report_explanation){0};
	assert_cause(&f, CAUSE_LARGE_PAYLOAD);
	assert_true(decide(&f).confidence >= 0.9);
	/* steadily, with many middling bodies */
	f = leak();
	f.story.grew = true;
	f.traffic.explained.requests.value = 0.05;
	f.traffic.explained.received.value = 0.9;
	f.traffic.payload_ns = S(100);
	f.traffic.payload_growth_share = 0.9;
	assert_cause(&f, CAUSE_LARGE_PAYLOAD);
	/* a large request long ago that nothing followed */
	f = leak();
	f.traffic.payload_ns = S(100);
	f.traffic.payload_growth_share = 0.05;
	assert_cause(&f, CAUSE_HEAP_LEAK);
}

static void leak_with_a_payload_as_last_straw_is_a_leak(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.traffic.payload_ns = S(499);
	f.traffic.payload_growth_share = 0.35;
	assert_cause(&f, CAUSE_HEAP_LEAK);
	/* even where the last straw weighs more: alone it would have fitted */
	f.traffic.payload_growth_share = 0.6;
	assert_cause(&f, CAUSE_HEAP_LEAK);
	f.traffic.payload_growth_share = 0.95;
	f.story.grew = false;
	assert_cause(&f, CAUSE_LARGE_PAYLOAD);
}

static void growth_with_waiting_requests_is_the_pool_or_a_surge(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.traffic.explained.requests.value = 0.05;
	f.traffic.explained.in_flight.value = 0.85;
	f.traffic.pool = (struct report_pool){
		.saturated = true, .connections = 10, .latency_ratio = 5, .since_ns = S(90)};
	assert_class(&f, VERDICT_MEMORY_DEATH);
	assert_cause(&f, CAUSE_DB_POOL_EXHAUSTION);
	/* the pool was fine: requests waited for something else */
	f.traffic.pool.saturated = false;
	assert_cause(&f, CAUSE_UNKNOWN_GROWTH);
	/* a leak that slows the service until the pool fills up as well */
	f = leak();
	f.traffic.pool =
		(struct report_pool){.saturated = true, .connections = 10, .since_ns = S(490)};
	assert_cause(&f, CAUSE_HEAP_LEAK);
}

static void full_heap_of_another_runtime_is_memory_death(void **state)
{
	struct verdict_facts f = ended(SENDER_UNKNOWN, 0);

	(void)state;
	f.v8_runtime = f.signal_known = f.asked = false;
	f.exit_code = 3;
	f.heap_full_exit = true;
	assert_class(&f, VERDICT_MEMORY_DEATH);
	assert_cause(&f, CAUSE_HEAP_LEAK);
	f.heap_full_exit = false;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	/* memory was refused to it, and it ended */
	f.exit_code = 1;
	f.map_failed = true;
	assert_class(&f, VERDICT_MEMORY_DEATH);
	f.killed = true;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
}

static void victim_of_others_is_not_a_memory_death(void **state)
{
	struct verdict_facts f = leak();

	(void)state;
	f.oom_shared_limit = true;
	f.oom_share = 0.9;
	assert_class(&f, VERDICT_MEMORY_DEATH);
	f.oom_share = 0.1;
	assert_class(&f, VERDICT_NODE_PRESSURE_VICTIM);
	f.oom_share = 0.6;
	f.oom_other_grew = true;
	assert_class(&f, VERDICT_NODE_PRESSURE_VICTIM);
	/* at its own limit its share does not matter: one of many workers */
	f.oom_shared_limit = false;
	assert_class(&f, VERDICT_MEMORY_DEATH);
}

static struct verdict_facts stalled(void)
{
	struct verdict_facts f = alive();

	f.limit_used = 0.98;
	f.limit_events_per_s = 80000;
	f.traffic.silent_ns = S(480);
	f.traffic.in_flight = f.traffic.in_flight_peak = 100;
	f.failures = f.abandoned = f.client_504 = 80;
	return f;
}

static void silence_at_the_limit_is_a_stall_until_memory_kills(void **state)
{
	struct verdict_facts f = stalled();

	(void)state;
	f.story.native_share.value = 0.8;
	assert_class(&f, VERDICT_MEMORY_STALL);
	assert_cause(&f, CAUSE_NATIVE_LEAK);
	assert_true(decide(&f).confidence >= 0.9);
	f.limit_events_per_s = 0;
	f.traffic.major_faults_per_s = 120;
	assert_class(&f, VERDICT_MEMORY_STALL);
	/* somebody lost patience: the same */
	f.died = f.killed = f.signal_known = true;
	f.sender = SENDER_OTHER;
	assert_class(&f, VERDICT_MEMORY_STALL);
	/* the OOM killer came after all */
	f.oom_kill = f.oom_confirmed = f.signal_from_kernel = true;
	assert_class(&f, VERDICT_MEMORY_DEATH);
}

static void limit_full_of_other_memory_is_no_leak_of_the_heap(void **state)
{
	struct verdict_facts f = oom_after_growth();

	(void)state;
	f.oom_anon_share = 0.9;
	assert_cause(&f, CAUSE_HEAP_LEAK);
	f.oom_anon_share = 0.2; /* shared memory, tmpfs, stacks of threads */
	assert_class(&f, VERDICT_MEMORY_DEATH);
	assert_cause(&f, CAUSE_UNKNOWN_GROWTH);
}

/* What is never accepted is not in flight at the service; the gateway knows that it waits. */
static void silence_is_also_seen_by_the_gateway(void **state)
{
	struct verdict_facts f = stalled();

	(void)state;
	f.traffic.silent_ns = 0;
	f.silent_ns = S(8);
	f.accept_full = 2000;
	assert_class(&f, VERDICT_MEMORY_STALL);
	/* with room, it hangs for a reason that is not seen; more capacity would not help */
	f.limit_used = 0.5;
	assert_class(&f, VERDICT_UNEXPLAINED);
	f.silent_ns = S(2);
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
	f.silent_ns = S(8);
	f.traffic.pool = (struct report_pool){.saturated = true, .connections = 10};
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
}

static void slow_or_big_alone_is_no_stall(void **state)
{
	struct verdict_facts f = stalled();

	(void)state;
	f.traffic.silent_ns = S(498);
	assert_false(decide(&f).class == VERDICT_MEMORY_STALL);
	f = stalled();
	f.limit_used = 0.7;
	assert_false(decide(&f).class == VERDICT_MEMORY_STALL);
	f = stalled();
	f.traffic.silent_ns = 0;
	assert_false(decide(&f).class == VERDICT_MEMORY_STALL);
	/* the loop of a busy event loop, killed by a watcher: memory had room */
	f = ended(SENDER_OTHER, SIGKILL);
	f.traffic.silent_ns = S(480);
	f.limit_used = 0.3;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
}

static struct verdict_facts thrashing(void)
{
	struct verdict_facts f = alive();

	f.traffic.cpu_per_request_ratio = 8;
	f.traffic.thrash_ns = S(490);
	f.traffic.rate_now = 100;
	f.failures = f.abandoned = f.client_504 = 60;
	f.answers = 20;
	set_ceiling(&f, CEILING_HEAP_FLAG, 310 * MIB);
	return f;
}

static void late_answers_of_a_full_heap_are_gc_thrash(void **state)
{
	struct verdict_facts f = thrashing();

	(void)state;
	assert_class(&f, VERDICT_GC_THRASH);
	assert_cause(&f, CAUSE_HEAP_LEAK);
	/* then V8 gave up */
	f.died = f.v8_oom = true;
	assert_class(&f, VERDICT_MEMORY_DEATH);
	f = thrashing();
	f.managed_heap = false;
	assert_false(decide(&f).class == VERDICT_GC_THRASH);
	f = thrashing();
	f.story.grew = false;
	assert_false(decide(&f).class == VERDICT_GC_THRASH);
	/* a busy loop in a heap with room, killed by a watcher */
	f = thrashing();
	f.peak_anon_bytes = 100 * MIB;
	assert_false(decide(&f).class == VERDICT_GC_THRASH);
	f.died = f.killed = f.signal_known = true;
	f.sender = SENDER_OTHER;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	f = thrashing();
	f.traffic.thrash_ns = S(499);
	assert_false(decide(&f).class == VERDICT_GC_THRASH);
}

static struct verdict_facts supervised(void)
{
	struct verdict_facts f = ended(SENDER_PARENT, SIGINT);

	f.replaced = true;
	f.peak_anon_bytes = 140 * MIB;
	f.peak_rss_bytes = 185 * MIB;
	set_ceiling(&f, CEILING_SUPERVISOR_CONFIG, 180 * MIB);
	return f;
}

static void restart_by_the_supervisor_at_its_limit(void **state)
{
	struct verdict_facts f = supervised();

	(void)state;
	assert_class(&f, VERDICT_SUPERVISOR_MEMORY_RESTART);
	assert_cause(&f, CAUSE_HEAP_LEAK);
	/* it did not listen and was killed */
	f.signal = SIGKILL;
	f.killed = true;
	assert_class(&f, VERDICT_SUPERVISOR_MEMORY_RESTART);
	/* far below: an operator asked the supervisor */
	f = supervised();
	f.peak_rss_bytes = f.peak_anon_bytes = 90 * MIB;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
	/* at that level by chance, by another hand */
	f = supervised();
	f.sender = SENDER_OTHER;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
	/* the level it has shown is of anonymous memory */
	f = supervised();
	f.ceilings.all[1].source = CEILING_SUPERVISOR_OBSERVED;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
	f.peak_anon_bytes = 175 * MIB;
	assert_class(&f, VERDICT_SUPERVISOR_MEMORY_RESTART);
	/* ended there for another reason: it had hung */
	f.failures = f.abandoned = 20;
	f.silent_ns = 8 * NSEC_PER_SEC;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	/* ... or at the size it always has */
	f.abandoned = f.silent_ns = 0;
	f.story.grew = false;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
	/* not started again: not a restart */
	f.replaced = false;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
}

static void restart_just_before_the_end_is_the_supervisors(void **state)
{
	struct verdict_facts f = ended(SENDER_PARENT, SIGTERM);

	(void)state;
	f.replaced = true;
	f.story.prediction_ns = S(480);
	f.story.predicted_s = 40;
	assert_class(&f, VERDICT_SUPERVISOR_MEMORY_RESTART);
	assert_true(decide(&f).confidence < 0.97);
	f.story.predicted_s = 4000;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
}

static void restart_in_order_is_a_deploy_only_if_asked_and_replaced(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR2};

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct verdict_facts f = ended(SENDER_OTHER, signals[i]);

		assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
		f.replaced = true;
		assert_class(&f, VERDICT_DEPLOY_RESTART);
		f.exit_code = 0;
		assert_class(&f, VERDICT_DEPLOY_RESTART);
	}
	struct verdict_facts f = ended(SENDER_OTHER, SIGKILL);

	f.replaced = true;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	/* killed because it did not end when it was asked to */
	f.asked = true;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
	/* asked since it hung */
	f.traffic.silent_ns = S(480);
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	f = ended(SENDER_UNKNOWN, 0);
	f.replaced = true;
	f.asked = f.signal_known = false;
	f.exit_code = 0;
	assert_class(&f, VERDICT_DEPLOY_RESTART);
	f.exit_code = 1;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	f = ended(SENDER_ITSELF, SIGSEGV);
	f.replaced = true;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
}

static void worker_killed_by_its_arbiter_is_not_memory_unless_it_stalled(void **state)
{
	struct verdict_facts f = ended(SENDER_PARENT, SIGABRT);

	(void)state;
	f.replaced = true;
	f.traffic.silent_ns = S(470);
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	f.signal = SIGKILL;
	f.killed = true;
	assert_class(&f, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	f.limit_used = 0.98;
	f.limit_events_per_s = 5000;
	assert_class(&f, VERDICT_MEMORY_STALL);
}

static void answers_of_the_application_are_its_own(void **state)
{
	struct verdict_facts f = alive();

	(void)state;
	f.story = (struct growth_story){.known = true};
	f.app_answered = 100;
	f.answers = 200;
	assert_class(&f, VERDICT_APP_ERROR_STATUS);
	f.failures = f.client_502 = 20;
	assert_class(&f, VERDICT_APP_ERROR_STATUS);
	f.failures = f.client_502 = 100;
	assert_class(&f, VERDICT_UNEXPLAINED);
	/* on another host */
	f.failures = f.client_502 = 0;
	f.service_known = f.owner_alive = f.same_host = false;
	assert_class(&f, VERDICT_APP_ERROR_STATUS);
}

static struct verdict_facts overload(void)
{
	struct verdict_facts f = alive();

	f.story = (struct growth_story){.known = true};
	f.traffic.in_flight_usual = 5;
	f.traffic.in_flight_peak = 200;
	f.traffic.rate_now = 300;
	f.failures = f.abandoned = f.client_504 = 100;
	f.answers = 500;
	return f;
}

static void too_much_work_is_overload(void **state)
{
	struct verdict_facts f = overload();

	(void)state;
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
	assert_cause(&f, CAUSE_NONE);
	f.traffic.in_flight_peak = 8;
	assert_class(&f, VERDICT_UNEXPLAINED);
	f.accept_full = 30;
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
	f = overload();
	f.traffic.pool = (struct report_pool){.saturated = true, .connections = 10};
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
	assert_cause(&f, CAUSE_DB_POOL_EXHAUSTION);
	/* memory that grew with what waits changes nothing while nobody dies */
	f.story.grew = true;
	f.traffic.explained.in_flight.value = 0.9;
	f.traffic.explained.requests.value = 0.05;
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
	f.limit_used = 0.99;
	f.limit_events_per_s = 9000;
	f.traffic.silent_ns = S(470);
	assert_class(&f, VERDICT_MEMORY_STALL);
	assert_cause(&f, CAUSE_DB_POOL_EXHAUSTION);
}

static void connects_that_get_lost_are_the_network(void **state)
{
	struct verdict_facts f = {.failures = 40, .timed_out = 40, .ever_answered = true};

	(void)state;
	assert_class(&f, VERDICT_NETWORK);
	f.ever_answered = false;
	assert_class(&f, VERDICT_NETWORK);
	f.same_host = true;
	assert_class(&f, VERDICT_UNEXPLAINED);
	f = (struct verdict_facts){.failures = 40, .unreachable = 40, .ever_answered = true};
	assert_class(&f, VERDICT_NETWORK);
	/* its door is open and not crowded */
	f = alive();
	f.failures = f.timed_out = 40;
	f.traffic.rate_now = 50;
	assert_class(&f, VERDICT_NETWORK);
	f.accept_full = 40;
	assert_class(&f, VERDICT_BACKEND_OVERLOAD);
	f.accept_full = 0;
	f.unseen |= HOOK_BIT(HOOK_HTTP_INGRESS);
	assert_class(&f, VERDICT_UNEXPLAINED);
	/* requests that wait are not connects that get lost */
	f = (struct verdict_facts){
		.failures = 40, .abandoned = 40, .client_504 = 40, .ever_answered = true};
	assert_class(&f, VERDICT_UNEXPLAINED);
}

static void address_that_never_worked_is_config(void **state)
{
	struct verdict_facts f = {.failures = 40, .refused = 40, .watched_ns = S(100)};

	(void)state;
	f.same_host = true;
	assert_class(&f, VERDICT_CONFIG);
	assert_true(decide(&f).confidence >= 0.9);
	f.watched_ns = S(3); /* it may have died before */
	assert_true(decide(&f).confidence < 0.9);
	f.ever_answered = true;
	assert_class(&f, VERDICT_UNEXPLAINED);
	/* who dies of memory before it listens may be who should listen there */
	f.ever_answered = false;
	f.watched_ns = S(100);
	f.died_unheard = 3;
	assert_class(&f, VERDICT_UNEXPLAINED);
	f = (struct verdict_facts){.failures = 40, .unreachable = 40, .watched_ns = S(100)};
	assert_class(&f, VERDICT_CONFIG);
	f = (struct verdict_facts){.failures = 40, .refused = 40, .watched_ns = S(100)};
	f.deaths_behind = 1;
	assert_class(&f, VERDICT_UNEXPLAINED);
	f.deaths_behind = 0;
	f.unseen |= HOOK_BIT(HOOK_EXIT);
	assert_class(&f, VERDICT_UNEXPLAINED);
	/* somebody listens on the port, on an address that is not asked */
	f = (struct verdict_facts){.failures = 40, .refused = 40, .watched_ns = S(100)};
	f.service_known = f.listener_stayed = true;
	f.failing_ns = S(10);
	assert_class(&f, VERDICT_CONFIG);
	f.listener_came = true; /* late, after the gateway */
	assert_class(&f, VERDICT_UNEXPLAINED);
}

static void gateway_that_asks_nobody_fails_by_itself(void **state)
{
	struct verdict_facts f = {.failures = 40, .no_port = 40, .service_known = true};

	(void)state;
	assert_class(&f, VERDICT_PROXY_LOCAL_EXHAUSTION);
	f = (struct verdict_facts){.local = true, .known_gateway = true, .client_errors = 40};
	assert_class(&f, VERDICT_PROXY_LOCAL_EXHAUSTION);
	f.known_gateway = false; /* an application that answers 500 */
	assert_class(&f, VERDICT_UNEXPLAINED);
	f.known_gateway = true;
	f.client_errors = 0;
	assert_class(&f, VERDICT_UNEXPLAINED);
}

static void missing_hooks_count_where_they_matter(void **state)
{
	struct verdict_facts f = stalled();
	double sure = decide(&f).confidence;

	(void)state;
	f.unseen |= HOOK_BIT(HOOK_RECLAIM_MEMCG);
	assert_true(decide(&f).confidence < sure);
	f = overload();
	sure = decide(&f).confidence;
	f.unseen |= HOOK_BIT(HOOK_RECLAIM_MEMCG);
	assert_true(decide(&f).confidence == sure);
	f.unseen |= HOOK_BIT(HOOK_HTTP_INGRESS);
	assert_true(decide(&f).confidence < sure);
}

static void causes_that_are_equally_likely_are_alternatives(void **state)
{
	struct verdict_facts f = leak();
	struct report_verdict v;

	(void)state;
	/* a heap that grew, and a pool that was full before: nobody can tell */
	f.traffic.explained = (struct report_explanation){0};
	f.traffic.pool = (struct report_pool){.saturated = true, .since_ns = S(90)};
	f.story.concave = true;
	v = decide(&f);
	assert_int_equal(v.class, VERDICT_MEMORY_DEATH);
	assert_true(v.nr_alternatives >= 2);
	/* each with its own sign: the class is sure, the cause open */
	f.story.concave = false;
	f.traffic.explained.requests = (struct measure){0.55, true};
	f.traffic.explained.received = (struct measure){0.55, true};
	f.events_lost = 1;
	v = decide(&f);
	assert_string_equal(verdict_cause_name(v.cause), "unknown_growth");
	assert_true(v.confidence > 0.8 && v.nr_alternatives >= 3);
}

static const struct verdict_rule *rule_at(size_t i)
{
	const struct verdict_rules tables[RULE_TABLES] = {rules_memory(), rules_cause(),
							  rules_other()};

	for (int t = 0; t < RULE_TABLES; i -= tables[t++].nr)
		if (i < tables[t].nr)
			return &tables[t].rows[i];
	return NULL;
}

static void every_rule_says_why_and_knows_its_subject(void **state)
{
	const struct verdict_rule *rule;

	(void)state;
	for (size_t i = 0; (rule = rule_at(i)); i++) {
		assert_true(rule->classes && rule->weight != 0);
		assert_true(rule->why[0] && strlen(rule->name) < 48);
		assert_true(!rule->founds || rule->weight > 0);
		if (rule->causes & ~CAUSE(CAUSE_DB_POOL_EXHAUSTION))
			assert_int_equal(rule->classes & ~MEMORY_CLASSES, 0);
	}
}

/* Rows as docs/verdicts.md has them; MEMSWELL_PRINT_RULES=1 prints them for it. */
static void format_rule(const struct verdict_rule *rule, char *line, size_t size)
{
	char about[400] = "";

	for (int c = 0; c < NR_VERDICT_CLASSES && !rule->causes; c++)
		if (rule->classes & CLASS(c))
			snprintf(about + strlen(about), sizeof(about) - strlen(about), "%s%s",
				 about[0] ? ", " : "", verdict_class_name((enum verdict_class)c));
	for (int c = 0; c < NR_VERDICT_CAUSES; c++)
		if (rule->causes & CAUSE(c))
			snprintf(about + strlen(about), sizeof(about) - strlen(about), "%s%s",
				 about[0] ? ", " : "", verdict_cause_name((enum verdict_cause)c));
	snprintf(line, size, "| `%s` | %s | %+g%s | %s |", rule->name, about, rule->weight,
		 rule->founds ? ", founds" : "", rule->why);
}

static void documentation_lists_every_rule(void **state)
{
	static char text[128 * 1024];
	const struct verdict_rule *rule;
	FILE *file = fopen("docs/verdicts.md", "r");
	char line[700];

	(void)state;
	if (!file)
		skip(); /* not run from the top of the tree */
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (size_t i = 0; (rule = rule_at(i)); i++) {
		format_rule(rule, line, sizeof(line));
		if (getenv("MEMSWELL_PRINT_RULES"))
			puts(line);
		else if (!strstr(text, line))
			fail_msg("docs/verdicts.md lacks: %s", line);
	}
	for (int c = 0; c < NR_VERDICT_CLASSES; c++) {
		snprintf(line, sizeof(line), "\n### %s\n",
			 verdict_class_name((enum verdict_class)c));
		if (!strstr(text, line))
			fail_msg("docs/verdicts.md lacks the class %s", line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(place_of_the_growth_decides_the_cause),
		cmocka_unit_test(full_v8_heap_is_in_the_heap_whatever_else_grew),
		cmocka_unit_test(growth_without_death_accuses_nobody),
		cmocka_unit_test(growth_does_not_make_a_user_kill_a_memory_death),
		cmocka_unit_test(short_history_is_never_confirmed),
		cmocka_unit_test(race_needs_reuse_survivors_and_a_living_listener),
		cmocka_unit_test(unseen_oom_killer_leaves_a_sigkill_unexplained),
		cmocka_unit_test(losses_lower_the_confidence_and_say_so),
		cmocka_unit_test(probabilities_stay_within_one),
		cmocka_unit_test(scores_of_the_winner_tell_what_found_nothing),
		cmocka_unit_test(nothing_known_is_unexplained_without_confidence),
		cmocka_unit_test(leak_in_a_small_container_stays_a_leak),
		cmocka_unit_test(working_set_beyond_the_limit_is_limit_too_small),
		cmocka_unit_test(slower_per_request_is_what_counts),
		cmocka_unit_test(death_before_the_first_request_each_time_is_limit_too_small),
		cmocka_unit_test(growth_after_a_large_request_is_a_payload),
		cmocka_unit_test(leak_with_a_payload_as_last_straw_is_a_leak),
		cmocka_unit_test(growth_with_waiting_requests_is_the_pool_or_a_surge),
		cmocka_unit_test(full_heap_of_another_runtime_is_memory_death),
		cmocka_unit_test(victim_of_others_is_not_a_memory_death),
		cmocka_unit_test(silence_at_the_limit_is_a_stall_until_memory_kills),
		cmocka_unit_test(silence_is_also_seen_by_the_gateway),
		cmocka_unit_test(limit_full_of_other_memory_is_no_leak_of_the_heap),
		cmocka_unit_test(slow_or_big_alone_is_no_stall),
		cmocka_unit_test(late_answers_of_a_full_heap_are_gc_thrash),
		cmocka_unit_test(restart_by_the_supervisor_at_its_limit),
		cmocka_unit_test(restart_just_before_the_end_is_the_supervisors),
		cmocka_unit_test(restart_in_order_is_a_deploy_only_if_asked_and_replaced),
		cmocka_unit_test(worker_killed_by_its_arbiter_is_not_memory_unless_it_stalled),
		cmocka_unit_test(answers_of_the_application_are_its_own),
		cmocka_unit_test(too_much_work_is_overload),
		cmocka_unit_test(connects_that_get_lost_are_the_network),
		cmocka_unit_test(the_dead_take_their_address_with_them),
		cmocka_unit_test(address_that_never_worked_is_config),
		cmocka_unit_test(gateway_that_asks_nobody_fails_by_itself),
		cmocka_unit_test(missing_hooks_count_where_they_matter),
		cmocka_unit_test(causes_that_are_equally_likely_are_alternatives),
		cmocka_unit_test(every_rule_says_why_and_knows_its_subject),
		cmocka_unit_test(documentation_lists_every_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
