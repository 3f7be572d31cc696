/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * words.c - see words.h. Tables only; a unit test holds them against the vocabulary and the rules of
 * the core, so that no new word goes without its translation.
 */
#include "view/words.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/units.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

struct word {
	const char *name;
	const char *words;
};

static const char *find(const struct word *table, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (strcmp(table[i].name, name) == 0)
			return table[i].words;
	return name;
}

#define FIND(table, name) find(table, NR(table), name)

static const struct class_row {
	const char *name;
	const char *words;
	bool memory;
} classes[] = {
	{"unexplained", "Unexplained", false},
	{"memory_death", "Memory death", true},
	{"upstream_down_nonmemory", "Upstream down, not by memory", false},
	{"keepalive_race", "Keep-alive race", false},
	{"memory_stall", "Stall at the memory limit", true},
	{"gc_thrash", "Garbage collection thrash", true},
	{"supervisor_memory_restart", "Restarted by its supervisor for memory", true},
	{"node_pressure_victim", "Killed for the memory of others", true},
	{"deploy_restart", "Planned restart", false},
	{"app_error_status", "Errors of the application's own", false},
	{"backend_overload", "Backend overload", false},
	{"proxy_local_exhaustion", "Gateway out of its own resources", false},
	{"network", "Network failure", false},
	{"config", "Wrong address or missing service", false},
};

static const struct word causes[] = {
	{"heap_leak", "heap leak"},
	{"native_leak", "native leak"},
	{"unknown_growth", "growth of unknown cause"},
	{"limit_too_small", "limit too small"},
	{"large_payload", "large payload"},
	{"db_pool_exhaustion", "exhausted pool of connections"},
};

static const struct word statuses[] = {
	{"ongoing", "ongoing"},
	{"recovered", "recovered"},
	{"crash_loop", "crash loop"},
};

static const struct word moments[] = {
	{"growth_onset", "growth begins"},
	{"prediction", "warning"},
	{"oom_mark", "OOM killer chooses it"},
	{"v8_fatal", "V8 is out of memory"},
	{"signal", "signal"},
	{"exit", "process exits"},
	{"listener_down", "listener down"},
	{"first_reset", "first reset"},
	{"first_refused", "first refused connect"},
	{"first_failure", "first failure"},
	{"last_failure", "last failure"},
	{"listener_up", "listener up"},
	{"recovered", "recovered"},
	{"pool_saturated", "pool is full"},
	{"large_request", "large request"},
	{"gc_thrash", "garbage collection takes over"},
	{"stall", "stall begins"},
	{"death", "further death"},
};

static const struct word ceilings[] = {
	{"cgroup", "cgroup limit"},
	{"heap_flag", "heap limit, as told"},
	{"heap_computed", "heap limit, computed"},
	{"v8_observed", "where V8 gave up"},
	{"previous_life", "where earlier lives ended"},
	{"supervisor_config", "supervisor's threshold, as told"},
	{"supervisor_observed", "where its supervisor ended it before"},
};

static const struct word failures[] = {
	{"connect_refused", "connects refused"},
	{"connect_timeout", "connects timed out"},
	{"rst_before_response", "reset before an answer"},
	{"fin_before_response", "closed before an answer"},
	{"rst_mid_response", "reset within an answer"},
	{"rst_before_response_reused", "of the resets, on a kept-alive connection"},
	{"fin_before_response_reused", "of the closes, on a kept-alive connection"},
	{"abandoned", "given up waiting"},
	{"gateway_status", "answered 502, 503 or 504"},
	{"rst_sent", "resets sent"},
	{"fin_mid_response", "closed within an answer"},
	{"accept_queue_full", "met a full accept queue"},
	{"unreachable", "unreachable"},
	{"no_local_port", "no local port left"},
	{"no_live", "failed without any attempt upstream"},
};

static const struct field_row {
	const char *name;
	const char *words;
	enum unit unit;
} fields[] = {
	{"slope_bytes_per_s", "floor grows by", UNIT_BYTES_PER_S},
	{"window_s", "over", UNIT_SECONDS},
	{"insufficient_history", "too short a history", UNIT_YES},
	{"memcg_id", "cgroup", UNIT_NUMBER},
	{"usage_bytes", "usage", UNIT_BYTES},
	{"limit_bytes", "limit", UNIT_BYTES},
	{"anon_bytes", "anonymous memory", UNIT_BYTES},
	{"peak_rss_bytes", "peak RSS", UNIT_BYTES},
	{"request_bytes", "request of", UNIT_BYTES},
	{"ceiling_bytes", "ceiling", UNIT_BYTES},
	{"trigger_pid", "triggered by pid", UNIT_NUMBER},
	{"sig", "signal", UNIT_NUMBER},
	{"code", "code", UNIT_NUMBER},
	{"sender_pid", "sender pid", UNIT_NUMBER},
	{"ignored", "ignored", UNIT_YES},
	{"status", "wait status", UNIT_NUMBER},
	{"growth_share", "share of all growth", UNIT_PERCENT},
	{"cpu_per_request_ratio", "CPU per request, to its past", UNIT_TIMES},
	{"request_rate_ratio", "request rate, to its past", UNIT_TIMES},
	{"in_flight", "requests in flight", UNIT_NUMBER},
	{"major_faults_per_s", "major faults per second", UNIT_NUMBER},
	{"limit_events_per_s", "limit events per second", UNIT_NUMBER},
	{"cpu_share", "CPU cores busy", UNIT_NUMBER},
	{"backend", "backend", UNIT_NONE},
	{"connections", "connections", UNIT_NUMBER},
	{"latency_ratio", "latency, to its past", UNIT_TIMES},
	{"lives_before", "earlier lives", UNIT_NUMBER},
	{"memory_deaths", "of them ended by memory", UNIT_NUMBER},
	{"similar_peaks", "with the same peak", UNIT_YES},
	{"rst", "by reset", UNIT_NUMBER},
	{"fin", "by close", UNIT_NUMBER},
	{"on_reused", "on kept-alive connections", UNIT_NUMBER},
	{"refused", "refused", UNIT_NUMBER},
	{"timed_out", "timed out", UNIT_NUMBER},
	{"unreachable", "unreachable", UNIT_NUMBER},
	{"no_local_port", "without a local port", UNIT_NUMBER},
	{"accept_queue_full", "at a full accept queue", UNIT_NUMBER},
	{"status_502", "502", UNIT_NUMBER},
	{"status_503", "503", UNIT_NUMBER},
	{"status_504", "504", UNIT_NUMBER},
};

/* '#' stands for the value. */
static const struct rule_row {
	const char *name;
	enum unit unit;
	const char *words;
} rules[] = {
	/* was it memory */
	{"oom_kill_confirmed", UNIT_NONE,
	 "the kernel's OOM killer chose it, and its SIGKILL was seen"},
	{"oom_kill_unconfirmed", UNIT_NONE,
	 "the kernel's OOM killer chose it, though its SIGKILL was not seen"},
	{"v8_fatal_oom", UNIT_NONE, "V8 itself reported that it was out of memory"},
	{"heap_full_exit", UNIT_NUMBER,
	 "it ended with code #, just as its runtime was told to when its heap is full"},
	{"v8_abort_while_growing", UNIT_BYTES_PER_S,
	 "it aborted itself while its memory grew by #, as V8 does at its limit"},
	{"allocation_refused", UNIT_NUMBER,
	 "the kernel refused it memory and it ended at once (code #)"},
	{"killed_for_others", UNIT_PERCENT,
	 "the limit that was hit is not its own: it held # of what filled it"},
	{"silent_at_limit", UNIT_SECONDS,
	 "it stood at its limit with requests waiting, and answered none for #"},
	{"reclaim_storm", UNIT_NUMBER,
	 "the kernel took its pages back and gave them again # times a second"},
	{"thrashing", UNIT_TIMES,
	 "a request took # the CPU it used to take, with memory at its highest"},
	{"busy_with_full_heap", UNIT_NUMBER,
	 "its heap was full, it computed without a pause (# cores) and answered nobody"},
	{"waits_in_vain", UNIT_PERCENT,
	 "# of the failures were waits given up, not refused connects"},
	{"heap_nearly_full", UNIT_PERCENT, "it had filled # of its heap limit"},
	{"ended_at_supervisor_limit", UNIT_BYTES,
	 "who starts it ended it at # of memory, the level that it was told or has shown before"},
	{"ended_before_ceiling", UNIT_SECONDS,
	 "its supervisor ended it # before its memory would have reached its ceiling"},
	/* what made it grow */
	{"cause_head_start", UNIT_NONE, "a cause has to be more likely than not"},
	{"floor_growing", UNIT_NUMBER,
	 "the floor of its memory rose steadily (trend #): something kept what it took"},
	{"grew_from_start", UNIT_BYTES_PER_S, "it grew by # for as long as it was seen"},
	{"no_growth_seen", UNIT_PERCENT,
	 "no steady growth was seen before (the largest single step was # of all)"},
	{"filled_otherwise", UNIT_PERCENT,
	 "of its full limit only # was anonymous memory; the rest was shared memory, files in "
	 "memory "
	 "or the kernel's own"},
	{"growth_in_managed_heap", UNIT_PERCENT,
	 "it grew in its managed heap: malloc holds only # of what was kept"},
	{"growth_in_process_heap", UNIT_BYTES_PER_S, "it grew by # in its heap, and has no other"},
	{"growth_place_unknown", UNIT_NONE,
	 "where it grew could not be seen, and most leaks are of objects"},
	{"heap_full", UNIT_NONE, "the managed heap itself was full"},
	{"heap_filled_in_steps", UNIT_PERCENT,
	 "its heap filled little by little: the largest step was # of it"},
	{"growth_outside_heap", UNIT_PERCENT,
	 "it grew outside its managed heap: malloc holds # of what was kept"},
	{"retained_per_request", UNIT_PERCENT,
	 "# of the growth goes with requests: each keeps about as much"},
	{"retained_without_requests", UNIT_PERCENT, "# of the growth came with time alone"},
	{"steady_retention", UNIT_NONE, "it grew in a straight line, which ends at any limit"},
	{"grew_with_bodies", UNIT_PERCENT,
	 "# of the growth followed the bytes received, not the number of requests"},
	{"grew_after_large_request", UNIT_PERCENT,
	 "# of all growth came within seconds of a large request"},
	{"one_jump_after_large_request", UNIT_PERCENT, "# of the growth was one single step"},
	{"payload_would_have_fitted", UNIT_PERCENT,
	 "without what was kept before, the request would have fitted (# of the ceiling)"},
	{"big_from_the_start", UNIT_PERCENT,
	 "# of its room was taken before it had anything to do"},
	{"room_at_the_start", UNIT_PERCENT, "only # of its room was taken when it began"},
	{"grew_ever_slower", UNIT_TIMES,
	 "it grew ever slower: the last half at # the pace of the whole"},
	{"dies_alike_at_rest", UNIT_NUMBER,
	 "# earlier lives ended at the same peak, and it grew ever slower on the way there"},
	{"dies_before_serving", UNIT_NUMBER,
	 "it ended before its first request, as did # earlier lives"},
	{"heap_limit_above_cgroup_limit", UNIT_TIMES,
	 "its heap may take # its cgroup's limit: its collector cannot know where to stop"},
	{"pool_saturated_before_growth", UNIT_NUMBER,
	 "all # connections to its backend were in use before it grew"},
	{"grew_with_waiting_requests", UNIT_PERCENT,
	 "# of the growth is requests that waited for the pool"},
	{"pool_saturated", UNIT_NUMBER, "all # connections to its backend were in use"},
	{"grew_with_in_flight", UNIT_PERCENT,
	 "# of the growth goes with requests in flight, which let go of it when answered"},
	{"grew_with_a_surge", UNIT_PERCENT,
	 "# of the growth is requests that waited, nobody knows for what"},
	/* what else it was */
	{"death_without_memory_evidence", UNIT_NUMBER,
	 "who served is gone (exit code #), and nothing says that memory took it"},
	{"sender_known", UNIT_NONE, "who ended it was seen"},
	{"sigkill_of_unknown_origin", UNIT_NONE,
	 "it was ended by SIGKILL, and nobody was seen to send it"},
	{"oom_killer_unseen", UNIT_NONE, "the OOM killer's mark could not have been seen"},
	{"v8_abort_unwatched", UNIT_NONE, "V8's last words could not have been seen"},
	{"refusals_unseen", UNIT_NUMBER,
	 "it had grown when it gave up (exit code #), and refused memory could not have been seen"},
	{"waiting_unseen", UNIT_PERCENT,
	 "it stood near a limit of memory (#), and whether it still answered could not be seen"},
	{"replaced_in_order", UNIT_MS,
	 "asked to end, it ended, and the same program took its place (nobody listened for #)"},
	{"replaced_before_it_ended", UNIT_NONE, "its successor was there before it ended"},
	{"hung_when_asked", UNIT_SECONDS, "requests had waited in vain for # when it was ended"},
	{"answered_so_itself", UNIT_PERCENT,
	 "# of the failures were answers the upstream gave itself"},
	{"only_reused_connections", UNIT_PERCENT,
	 "# of the failures hit kept-alive connections that had been idle"},
	{"listener_and_owners_stayed", UNIT_NONE, "nobody died and its listener stayed open"},
	{"others_succeed", UNIT_TIMES, "meanwhile # as many requests were answered as failed"},
	{"owner_unknown", UNIT_NONE,
	 "who serves there is not on this host: a death would not be seen"},
	{"not_a_race", UNIT_NUMBER,
	 "connects were refused or somebody died, and a race does neither"},
	{"exits_unseen", UNIT_NUMBER, "events were lost (#): a death may have been missed"},
	{"upstream_lives", UNIT_NUMBER, "who answered is still there (# answers)"},
	{"accept_queue_full", UNIT_NUMBER,
	 "# connects met a full accept queue: the service did not take them"},
	{"answers_nobody", UNIT_SECONDS,
	 "it answered nobody for #: that hangs, and more capacity would not help"},
	{"late_with_many_in_flight", UNIT_NUMBER,
	 "it answered later than clients wait, with # requests in flight"},
	{"load_high", UNIT_TIMES, "load was # the usual"},
	{"pool_in_use", UNIT_NUMBER, "all # connections to one of its backends were in use"},
	{"stands_at_its_limit", UNIT_PERCENT, "it stood at its memory limit (#)"},
	{"listener_went", UNIT_NUMBER, "its listener went away, which overload does not do"},
	{"address_unreachable", UNIT_PERCENT,
	 "a router or the kernel said that there is no way to it"},
	{"connects_lost_elsewhere", UNIT_PERCENT,
	 "connects to another host got no answer at all (# of the failures)"},
	{"connects_lost_at_open_door", UNIT_PERCENT,
	 "its listener is up and not full, so the connects never arrived"},
	{"service_works_for_others", UNIT_NUMBER, "who reached it was served (# requests)"},
	{"never_answered", UNIT_NUMBER, "nothing there has ever answered"},
	{"refused_from_the_first", UNIT_PERCENT,
	 "no answer, no listener and no death was ever seen there"},
	{"refused_beside_a_listener", UNIT_PERCENT,
	 "somebody listens on that port, but not at the address the gateway asks"},
	{"died_unheard", UNIT_NUMBER,
	 "# processes ran out of memory before they listened anywhere: one may be who should"},
	{"watched_too_briefly", UNIT_SECONDS, "it had been watched for # only when it began"},
	{"refused_for_long", UNIT_SECONDS, "it has refused for #, and restarts end sooner"},
	{"no_local_port", UNIT_NUMBER, "for # connects the kernel had no local port left"},
	{"errors_without_trying", UNIT_NUMBER,
	 "the gateway made # errors of its own and asked no upstream"},
	{"statuses_without_trying", UNIT_NUMBER,
	 "the gateway answered # times with an error without asking an upstream"},
	{"head_start", UNIT_NONE, "a verdict has to be more likely than not"},
	/* what could not be seen */
	{"hooks_missing", UNIT_NUMBER, "# hooks that bear on it were missing"},
	{"events_lost", UNIT_NUMBER, "# events were lost in its time"},
	{"unwatched_s", UNIT_SECONDS, "nobody watched for # of its time"},
};

const char *class_words(const char *class)
{
	for (size_t i = 0; i < NR(classes); i++)
		if (strcmp(classes[i].name, class) == 0)
			return classes[i].words;
	return class;
}

bool class_is_memory(const char *class)
{
	for (size_t i = 0; i < NR(classes); i++)
		if (strcmp(classes[i].name, class) == 0)
			return classes[i].memory;
	return false;
}

const char *cause_words(const char *cause)
{
	return FIND(causes, cause);
}

const char *status_words(const char *status)
{
	return FIND(statuses, status);
}

const char *moment_words(const char *kind)
{
	return FIND(moments, kind);
}

const char *ceiling_words(const char *source)
{
	return FIND(ceilings, source);
}

const char *failure_words(const char *fail)
{
	return FIND(failures, fail);
}

const char *field_words(const char *field, enum unit *unit)
{
	*unit = UNIT_NUMBER;
	for (size_t i = 0; i < NR(fields); i++) {
		if (strcmp(fields[i].name, field) != 0)
			continue;
		*unit = fields[i].unit;
		return fields[i].words;
	}
	return field;
}

/* Values of lines may be anything that JSON calls a number. */
static uint64_t magnitude(struct text *t, double value)
{
	if (value < 0)
		text_add(t, "-");
	return u64_of(fabs(value) + 0.5);
}

static void add_number(struct text *t, double value)
{
	if (value != floor(value) && fabs(value) < 1000) {
		if (value < 0)
			text_add(t, "-");
		text_add_decimal(t, fabs(value));
	} else {
		text_add(t, "%llu", (unsigned long long)magnitude(t, value));
	}
}

void text_add_unit(struct text *t, enum unit unit, double value)
{
	switch (unit) {
	case UNIT_PERCENT:
		text_add(t, "%llu %%", (unsigned long long)magnitude(t, value * 100));
		break;
	case UNIT_TIMES:
		text_add_decimal(t, value);
		text_add(t, " times");
		break;
	case UNIT_BYTES:
		text_add_bytes(t, u64_of(value));
		break;
	case UNIT_BYTES_PER_S:
		text_add_rate(t, value);
		break;
	case UNIT_SECONDS:
		text_add_duration(t, u64_of(value * (double)NSEC_PER_SEC));
		break;
	case UNIT_MS:
		text_add_duration(t, u64_of(value * (double)NSEC_PER_MSEC));
		break;
	case UNIT_YES:
		text_add(t, "%s", value != 0 ? "yes" : "no");
		break;
	default:
		add_number(t, value);
	}
}

bool text_add_rule(struct text *t, const char *rule, double value)
{
	for (size_t i = 0; i < NR(rules); i++) {
		const char *words = rules[i].words;
		const char *place = strchr(words, '#');

		if (strcmp(rules[i].name, rule) != 0)
			continue;
		if (!place) {
			text_add(t, "%s", words);
			return true;
		}
		text_add(t, "%.*s", (int)(place - words), words);
		text_add_unit(t, rules[i].unit, value);
		text_add(t, "%s", place + 1);
		return true;
	}
	return false;
}
