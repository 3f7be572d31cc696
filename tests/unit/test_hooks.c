/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_hooks.c - what verdicts make of missing hooks: whatever one of them would have told, its
 * silence founds nothing, and what remains is less certain.
 */
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
#include "source/probes.h"

#define S(n) ((uint64_t)(n)*NSEC_PER_SEC)

static struct report_verdict decide(const struct verdict_facts *f)
{
	struct report_verdict out;

	verdict_decide(f, &out);
	return out;
}

/* Facts by class ------------------------------------------------------------------------------- */

static struct verdict_facts grown(void)
{
	return (struct verdict_facts){
		.at_ns = S(500),
		.failures = 40,
		.answers = 60,
		.ever_answered = true,
		.service_known = true,
		.same_host = true,
		.managed_heap = true,
		.v8_runtime = true,
		.v8_watched = true,
		.lifetime_ns = S(300),
		.peak_anon_bytes = 300 * MIB,
		.served = true,
		.story = {.known = true, .grew = true, .native_share = {0.1, true}},
		.traffic = {.known = true, .baseline_anon_bytes = 30 * MIB},
	};
}

static void end_by(struct verdict_facts *f, enum sender_kind sender, int signal)
{
	f->died = true;
	f->signal_known = true;
	f->sender = sender;
	f->signal = signal;
	f->killed = signal == SIGKILL;
	f->signal_from_kernel = sender == SENDER_KERNEL;
	f->exit_code = 128 + signal;
	f->asked = signal == SIGTERM;
}

static struct verdict_facts facts_of(enum verdict_class class)
{
	struct verdict_facts f = grown();

	switch (class) {
	case VERDICT_MEMORY_DEATH:
		end_by(&f, SENDER_KERNEL, SIGKILL);
		f.oom_kill = f.oom_confirmed = true;
		break;
	case VERDICT_NODE_PRESSURE_VICTIM:
		end_by(&f, SENDER_KERNEL, SIGKILL);
		f.oom_kill = f.oom_confirmed = f.oom_shared_limit = true;
		f.oom_share = 0.1;
		break;
	case VERDICT_UPSTREAM_DOWN_NONMEMORY:
		end_by(&f, SENDER_OTHER, SIGKILL);
		break;
	case VERDICT_DEPLOY_RESTART:
		end_by(&f, SENDER_OTHER, SIGTERM);
		f.replaced = true;
		break;
	case VERDICT_SUPERVISOR_MEMORY_RESTART:
		end_by(&f, SENDER_PARENT, SIGTERM);
		f.replaced = true;
		f.ceilings.nr = 1;
		f.ceilings.all[0].source = CEILING_SUPERVISOR_CONFIG;
		f.ceilings.all[0].bytes = 300 * MIB;
		break;
	case VERDICT_MEMORY_STALL:
		f.owner_alive = f.listener_stayed = true;
		f.limit_used = 0.98;
		f.limit_events_per_s = 80000;
		f.traffic.silent_ns = S(480);
		f.failures = f.abandoned = f.client_504 = 80;
		break;
	case VERDICT_GC_THRASH:
		f.owner_alive = f.listener_stayed = true;
		f.traffic.cpu_per_request_ratio = 8;
		f.traffic.thrash_ns = S(490);
		f.failures = f.abandoned = f.client_504 = 60;
		break;
	case VERDICT_KEEPALIVE_RACE:
		f = (struct verdict_facts){.failures = 40, .on_reused = 40, .answers = 100};
		f.service_known = f.listener_stayed = true;
		break;
	case VERDICT_APP_ERROR_STATUS:
		f = (struct verdict_facts){.app_answered = 100, .answers = 200};
		f.owner_alive = true;
		break;
	case VERDICT_BACKEND_OVERLOAD:
		f = (struct verdict_facts){
			.failures = 100, .abandoned = 100, .client_504 = 100, .answers = 500};
		f.service_known = f.listener_stayed = f.owner_alive = true;
		f.traffic.in_flight_usual = 5;
		f.traffic.in_flight_peak = 200;
		break;
	case VERDICT_PROXY_LOCAL_EXHAUSTION:
		f = (struct verdict_facts){.local = true, .known_gateway = true};
		f.client_errors = 40;
		break;
	case VERDICT_NETWORK:
		f = (struct verdict_facts){.failures = 40, .timed_out = 40};
		f.ever_answered = true;
		break;
	case VERDICT_CONFIG:
		f = (struct verdict_facts){.failures = 40, .refused = 40, .watched_ns = S(100)};
		break;
	default:
		f = (struct verdict_facts){.failures = 10};
		break;
	}
	return f;
}

/* Each hook and each class --------------------------------------------------------------------- */

static void each_class_has_facts_that_make_it(void **state)
{
	(void)state;
	for (int c = 0; c < NR_VERDICT_CLASSES; c++) {
		struct verdict_facts f = facts_of((enum verdict_class)c);

		assert_string_equal(verdict_class_name(decide(&f).class),
				    verdict_class_name((enum verdict_class)c));
	}
}

static void missing_hook_lowers_what_depends_on_it_and_turns_nothing_into_another(void **state)
{
	(void)state;
	for (int c = VERDICT_UNEXPLAINED + 1; c < NR_VERDICT_CLASSES; c++) {
		struct verdict_facts f = facts_of((enum verdict_class)c);
		struct report_verdict whole = decide(&f), v;

		for (int hook = 0; hook < NR_HOOKS; hook++) {
			const struct hook_row *row = hook_row((enum hook)hook);
			bool depends = row->classes & CLASS(c) || row->causes & CAUSE(whole.cause);

			f.unseen = HOOK_BIT(hook);
			v = decide(&f);
			if (v.class != whole.class && v.class != VERDICT_UNEXPLAINED)
				fail_msg("without %s %s becomes %s", row->name,
					 verdict_class_name(whole.class),
					 verdict_class_name(v.class));
			if (depends && v.class == whole.class && v.confidence >= whole.confidence)
				fail_msg("without %s %s is no less certain", row->name,
					 verdict_class_name(whole.class));
		}
	}
}

static void without_any_hook_nobody_is_accused_by_silence(void **state)
{
	(void)state;
	for (int c = 0; c < NR_VERDICT_CLASSES; c++) {
		struct verdict_facts f = facts_of((enum verdict_class)c);
		struct report_verdict v;

		f.unseen = (1u << NR_HOOKS) - 1;
		v = decide(&f);
		if (v.class != (enum verdict_class)c && v.class != VERDICT_UNEXPLAINED)
			fail_msg("%s becomes %s", verdict_class_name((enum verdict_class)c),
				 verdict_class_name(v.class));
	}
}

/* What it looks like when a hook does not tell its part ---------------------------------------- */

struct blind_spot {
	const char *what;
	uint32_t missing;
	enum verdict_class truth;
	void (*hide)(struct verdict_facts *f); /* what the missing hook would have told */
};

static void hide_oom(struct verdict_facts *f)
{
	f->oom_kill = f->oom_confirmed = f->oom_shared_limit = false;
	f->oom_share = 0;
}

static void hide_signal(struct verdict_facts *f)
{
	f->signal_known = f->signal_from_kernel = f->asked = f->oom_confirmed = false;
	f->sender = SENDER_UNKNOWN;
}

static void hide_oom_and_signal(struct verdict_facts *f)
{
	hide_oom(f);
	hide_signal(f);
}

/* V8 gave up: its abort is all that is left. */
static void hide_v8_oom(struct verdict_facts *f)
{
	hide_oom(f);
	end_by(f, SENDER_ITSELF, SIGABRT);
	f->killed = f->signal_from_kernel = f->v8_watched = false;
	f->aborted_itself = true;
	f->story.grew = false;
}

/* Memory was refused and it ended with an error of its own. */
static void hide_refusals(struct verdict_facts *f)
{
	hide_oom_and_signal(f);
	f->killed = f->v8_runtime = f->v8_watched = false;
	f->signal = 0;
	f->exit_code = 1;
}

static void hide_answers(struct verdict_facts *f)
{
	f->answers = f->app_answered = 0;
	f->served = f->ever_answered = false;
	f->traffic.rate_now = 0;
	f->silent_ns = S(400);
	f->traffic.silent_ns = S(100);
}

/* One that was served all the time looks as if it was not: nothing may come of it. */
static void hide_answers_at_the_limit(struct verdict_facts *f)
{
	hide_answers(f);
	f->owner_alive = true;
	f->limit_used = 0.98;
	f->heap_used = 0.9;
	f->managed_heap = true;
	f->traffic.cpu_share = 0.9;
	f->traffic.in_flight_peak = 200;
	f->traffic.thrash_ns = S(1);
	f->at_ns = S(500);
}

/* A service that is down refuses; without the refusals only what broke on the way is left. */
static void hide_refused(struct verdict_facts *f)
{
	*f = facts_of(VERDICT_KEEPALIVE_RACE);
}

/* Who listened before memswell began, and answered, refuses for a while. */
static void hide_listeners(struct verdict_facts *f)
{
	*f = facts_of(VERDICT_CONFIG);
}

static void hide_attempts(struct verdict_facts *f)
{
	*f = facts_of(VERDICT_PROXY_LOCAL_EXHAUSTION);
}

static void hide_death(struct verdict_facts *f)
{
	*f = facts_of(VERDICT_KEEPALIVE_RACE);
}

#define H(hook) HOOK_BIT(HOOK_##hook)

static const struct blind_spot blind_spots[] = {
	{"an OOM kill without its mark", H(OOM), VERDICT_MEMORY_DEATH, hide_oom},
	{"an OOM kill without its mark and signal", H(OOM) | H(SIGNAL), VERDICT_MEMORY_DEATH,
	 hide_oom_and_signal},
	{"a victim without mark", H(OOM), VERDICT_NODE_PRESSURE_VICTIM, hide_oom},
	{"V8 giving up, unwatched", H(V8_OOM), VERDICT_MEMORY_DEATH, hide_v8_oom},
	{"refused memory", H(VM_EVENTS), VERDICT_MEMORY_DEATH, hide_refusals},
	{"a service that is down", H(TCP_STATE), VERDICT_UPSTREAM_DOWN_NONMEMORY, hide_refused},
	{"a death", H(EXIT), VERDICT_UPSTREAM_DOWN_NONMEMORY, hide_death},
	{"an old listener", H(SOCKETS_AT_START), VERDICT_UNEXPLAINED, hide_listeners},
	{"answers to whoever is refused now", HOOKS_HTTP, VERDICT_UNEXPLAINED, hide_listeners},
	{"a gateway's attempts", H(TCP_STATE), VERDICT_UNEXPLAINED, hide_attempts},
	{"a gateway's requests", H(HTTP_EGRESS), VERDICT_UNEXPLAINED, hide_attempts},
	{"whose attempts they were", H(OWNER_CREATE), VERDICT_UNEXPLAINED, hide_attempts},
	{"answers, on the way out", H(HTTP_EGRESS), VERDICT_APP_ERROR_STATUS,
	 hide_answers_at_the_limit},
	{"answers, on the way in", H(HTTP_INGRESS), VERDICT_BACKEND_OVERLOAD,
	 hide_answers_at_the_limit},
	{"a stall that somebody ended", HOOKS_HTTP, VERDICT_MEMORY_DEATH, hide_signal},
};

static void what_a_missing_hook_hides_is_never_taken_for_something_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(blind_spots) / sizeof(blind_spots[0]); i++) {
		const struct blind_spot *spot = &blind_spots[i];
		struct verdict_facts f = facts_of(spot->truth);
		enum verdict_class class;

		spot->hide(&f);
		f.unseen = spot->missing;
		class = decide(&f).class;
		if (class != spot->truth && class != VERDICT_UNEXPLAINED)
			fail_msg("%s is taken for %s", spot->what, verdict_class_name(class));
	}
}

/* Each of these tests can fail: with the hooks attached, the same silence is a fact. */
static void silence_of_an_attached_hook_is_a_fact(void **state)
{
	struct verdict_facts f = facts_of(VERDICT_MEMORY_DEATH);

	(void)state;
	hide_refusals(&f);
	assert_int_equal(decide(&f).class, VERDICT_UPSTREAM_DOWN_NONMEMORY);
	f = facts_of(VERDICT_BACKEND_OVERLOAD);
	hide_answers_at_the_limit(&f);
	assert_int_equal(decide(&f).class, VERDICT_MEMORY_STALL);
}

static void stall_that_somebody_ended_is_no_deploy_where_answers_are_unseen(void **state)
{
	struct verdict_facts f = facts_of(VERDICT_DEPLOY_RESTART);

	(void)state;
	f.limit_used = 0.98;
	assert_int_equal(decide(&f).class, VERDICT_DEPLOY_RESTART);
	f.unseen = HOOKS_HTTP;
	assert_int_equal(decide(&f).class, VERDICT_UNEXPLAINED);
	f.limit_used = 0.3;
	assert_int_equal(decide(&f).class, VERDICT_DEPLOY_RESTART);
}

static void place_of_growth_is_less_certain_without_vm_events(void **state)
{
	struct verdict_facts f = facts_of(VERDICT_MEMORY_DEATH);
	struct report_verdict whole = decide(&f), v;

	(void)state;
	assert_int_equal(whole.cause, CAUSE_HEAP_LEAK);
	f.unseen = H(VM_EVENTS);
	v = decide(&f);
	assert_int_equal(v.class, VERDICT_MEMORY_DEATH);
	assert_true(v.confidence < whole.confidence);
	/* the death itself is as certain as before */
	f.story.grew = false;
	v = decide(&f);
	assert_int_equal(v.cause, CAUSE_UNKNOWN_GROWTH);
	f.unseen = 0;
	assert_true(v.confidence == decide(&f).confidence);
}

/* The tables ----------------------------------------------------------------------------------- */

static bool is_rule(const char *name)
{
	const struct verdict_rules tables[RULE_TABLES] = {rules_memory(), rules_cause(),
							  rules_other()};

	for (int t = 0; t < RULE_TABLES; t++)
		for (size_t r = 0; r < tables[t].nr; r++)
			if (strcmp(tables[t].rows[r].name, name) == 0)
				return true;
	return false;
}

static void silences_name_rules_and_hooks(void **state)
{
	size_t nr;
	const struct hook_silence *rows = hook_silences(&nr);

	(void)state;
	for (size_t i = 0; i < nr; i++) {
		if (!is_rule(rows[i].rule))
			fail_msg("no rule %s", rows[i].rule);
		assert_true(rows[i].hooks && rows[i].hooks < HOOK_BIT(NR_HOOKS));
		assert_true(rows[i].why[0]);
		assert_int_equal(hook_silence_of(rows[i].rule), rows[i].hooks);
	}
	assert_int_equal(hook_silence_of("oom_kill_confirmed"), 0);
}

static void every_hook_of_the_source_is_known_here(void **state)
{
	uint32_t nr;
	const struct probe_hook *probes = probes_table(&nr);

	(void)state;
	assert_int_equal(nr, NR_HOOKS);
	for (int hook = 0; hook < NR_HOOKS; hook++) {
		const struct hook_row *row = hook_row((enum hook)hook);
		uint32_t found = 0;

		assert_true(row->classes || row->causes);
		assert_true(row->why[0]);
		for (uint32_t i = 0; i < nr; i++)
			found += strcmp(probes[i].name, row->name) == 0;
		if (found != 1)
			fail_msg("the source has no hook %s", row->name);
	}
}

/* MEMSWELL_PRINT_RULES=1 prints the rows for docs/verdicts.md. */
static void look_up(const char *text, const char *line)
{
	if (getenv("MEMSWELL_PRINT_RULES"))
		puts(line);
	else if (!strstr(text, line))
		fail_msg("docs/verdicts.md lacks: %s", line);
}

static void add_name(char *list, size_t size, const char *name)
{
	snprintf(list + strlen(list), size - strlen(list), "%s%s", *list ? ", " : "", name);
}

static void documentation_lists_every_hook(void **state)
{
	static char text[128 * 1024];
	FILE *file = fopen("docs/verdicts.md", "r");
	char line[900];
	size_t nr;
	const struct hook_silence *silences = hook_silences(&nr);

	(void)state;
	if (!file)
		skip(); /* not run from the top of the tree */
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	for (int hook = 0; hook < NR_HOOKS; hook++) {
		const struct hook_row *row = hook_row((enum hook)hook);
		char about[500] = "";

		bool every = row->classes == CLASS(NR_VERDICT_CLASSES) - 1;

		if (every)
			add_name(about, sizeof(about), "every class");
		for (int c = 0; c < NR_VERDICT_CLASSES && !every; c++)
			if (row->classes & CLASS(c))
				add_name(about, sizeof(about),
					 verdict_class_name((enum verdict_class)c));
		for (int c = 0; c < NR_VERDICT_CAUSES; c++)
			if (row->causes & CAUSE(c))
				add_name(about, sizeof(about),
					 verdict_cause_name((enum verdict_cause)c));
		snprintf(line, sizeof(line), "| `%s` | %s | %s |", row->name, about, row->why);
		look_up(text, line);
	}
	for (size_t i = 0; i < nr; i++) {
		char about[300] = "";

		for (int hook = 0; hook < NR_HOOKS; hook++)
			if (silences[i].hooks & HOOK_BIT(hook))
				add_name(about, sizeof(about), hook_row((enum hook)hook)->name);
		snprintf(line, sizeof(line), "| `%s` | %s | %s |", silences[i].rule, about,
			 silences[i].why);
		look_up(text, line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_class_has_facts_that_make_it),
		cmocka_unit_test(
			missing_hook_lowers_what_depends_on_it_and_turns_nothing_into_another),
		cmocka_unit_test(without_any_hook_nobody_is_accused_by_silence),
		cmocka_unit_test(what_a_missing_hook_hides_is_never_taken_for_something_else),
		cmocka_unit_test(silence_of_an_attached_hook_is_a_fact),
		cmocka_unit_test(stall_that_somebody_ended_is_no_deploy_where_answers_are_unseen),
		cmocka_unit_test(place_of_growth_is_less_certain_without_vm_events),
		cmocka_unit_test(silences_name_rules_and_hooks),
		cmocka_unit_test(every_hook_of_the_source_is_known_here),
		cmocka_unit_test(documentation_lists_every_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
