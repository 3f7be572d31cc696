/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* hooks.c - see hooks.h. */
#include "core/hooks.h"

#include <string.h>

#include "core/rules.h"

#define EVERY	 ((1u << NR_VERDICT_CLASSES) - 1)
#define DEATH	 CLASS(VERDICT_MEMORY_DEATH)
#define STALL	 CLASS(VERDICT_MEMORY_STALL)
#define THRASH	 CLASS(VERDICT_GC_THRASH)
#define VICTIM	 CLASS(VERDICT_NODE_PRESSURE_VICTIM)
#define DOWN	 CLASS(VERDICT_UPSTREAM_DOWN_NONMEMORY)
#define DEPLOY	 CLASS(VERDICT_DEPLOY_RESTART)
#define RACE	 CLASS(VERDICT_KEEPALIVE_RACE)
#define OVERLOAD CLASS(VERDICT_BACKEND_OVERLOAD)
#define NETWORK	 CLASS(VERDICT_NETWORK)
#define CONFIG	 CLASS(VERDICT_CONFIG)
/* Those that say how memory grew; that it is not known how needs no hook. */
#define GROWTH                                                                                     \
	(((1u << NR_VERDICT_CAUSES) - 1) & ~(CAUSE(CAUSE_NONE) | CAUSE(CAUSE_UNKNOWN_GROWTH)))

static const struct hook_row hooks[NR_HOOKS] = {
	[HOOK_FORK] = {"fork", MEMORY_CLASSES | DOWN | DEPLOY, 0,
		       "who started it, and what took its place, is told late or not"},
	[HOOK_EXEC] = {"exec", MEMORY_CLASSES | DOWN | DEPLOY, 0,
		       "whether the same program came back is not known"},
	[HOOK_EXIT] = {"exit", EVERY, 0, "a death behind the failures may have been missed"},
	[HOOK_SIGNAL] = {"signal", EVERY, 0, "whether somebody ended it is not known"},
	[HOOK_TASKS] = {"tasks", MEMORY_CLASSES | VICTIM, GROWTH, "its memory was not sampled"},
	[HOOK_OOM] = {"oom", EVERY, 0, "the OOM killer may have been at work"},
	[HOOK_TCP_STATE] = {"tcp_state", EVERY, 0,
			    "listeners and connects that failed were not seen"},
	[HOOK_OWNER_CREATE] = {"owner_create", EVERY, 0,
			       "requests and failures may belong to somebody else"},
	[HOOK_OWNER_RECV] = {"owner_recv", MEMORY_CLASSES | OVERLOAD, 0,
			     "requests may belong to another worker of the service"},
	[HOOK_RESET_SENT] = {"reset_sent", RACE | DOWN, 0, "resets by this host were not seen"},
	[HOOK_HTTP_INGRESS] = {"http_ingress", EVERY, 0, "half of all messages was not seen"},
	[HOOK_HTTP_EGRESS] = {"http_egress", EVERY, 0, "half of all messages was not seen"},
	[HOOK_SOCKETS_AT_START] = {"sockets_at_start", RACE | OVERLOAD | NETWORK | CONFIG, 0,
				   "who listened before memswell started is not known"},
	[HOOK_RSS_STEP] = {"rss_step", 0, GROWTH, "growth between two ticks was not seen"},
	[HOOK_VM_EVENTS] = {"vm_events", DOWN, LEAKS,
			    "where it grew, and whether memory was refused, is not known"},
	[HOOK_RECLAIM_DIRECT] = {"reclaim_direct", STALL | VICTIM, 0,
				 "stalls of the whole machine were not seen"},
	[HOOK_RECLAIM_MEMCG] = {"reclaim_memcg", STALL, 0,
				"reclaim at the limit of its cgroup was not seen"},
	[HOOK_V8_OOM] = {"v8_oom", DEATH | DOWN | THRASH, 0,
			 "V8 giving up would not have been seen"},
};

#define B(hook) HOOK_BIT(HOOK_##hook)

static const struct hook_silence silences[] = {
	{"no_growth_seen", B(TASKS) | B(RSS_STEP), "it may have grown where nobody looked"},
	{"heap_filled_in_steps", B(RSS_STEP) | B(HTTP_INGRESS),
	 "a large request may have come between the steps"},
	{"retained_without_requests", HOOKS_HTTP, "there may have been requests"},
	{"grew_with_a_surge", HOOKS_HTTP, "the pool it waited for may have been full"},
	{"dies_before_serving", HOOKS_HTTP, "it may have served"},
	{"thrashing", HOOKS_HTTP, "it may have answered all the time"},
	{"busy_with_full_heap", HOOKS_HTTP, "it may have answered all the time"},
	{"silent_at_limit", HOOKS_HTTP, "it may have answered all the time"},
	{"hung_when_asked", HOOKS_HTTP, "it may have answered all the time"},
	{"stands_at_its_limit", HOOKS_HTTP, "it may have answered all the time"},
	{"waits_in_vain", HOOKS_HTTP, "there may have been answers"},
	{"late_with_many_in_flight", HOOKS_HTTP | B(EXIT), "there may have been answers"},
	{"never_answered", HOOKS_HTTP, "it may have answered"},
	{"answered_so_itself", HOOKS_HTTP, "there may have been other failures"},
	{"upstream_lives", B(EXIT), "it may have died"},
	{"only_reused_connections", B(EXIT) | B(TCP_STATE) | HOOKS_HTTP,
	 "fresh connections may have failed, too"},
	{"listener_and_owners_stayed", B(EXIT) | B(TCP_STATE),
	 "a death or a closed listener would not have been seen"},
	{"connects_lost_elsewhere", B(TCP_STATE) | B(SOCKETS_AT_START) | B(OWNER_CREATE),
	 "somebody may listen there all the same"},
	{"connects_lost_at_open_door", B(TCP_STATE) | B(HTTP_INGRESS),
	 "its accept queue may have been full"},
	{"refused_from_the_first",
	 HOOKS_HTTP | B(EXIT) | B(TCP_STATE) | B(SOCKETS_AT_START) | B(OWNER_CREATE),
	 "somebody may have listened and answered there"},
	{"refused_beside_a_listener", HOOKS_HTTP | B(EXIT) | B(TCP_STATE),
	 "it may have answered there"},
	{"errors_without_trying", HOOKS_HTTP | B(TCP_STATE) | B(OWNER_CREATE),
	 "it may have asked an upstream"},
	{"statuses_without_trying", HOOKS_HTTP | B(TCP_STATE) | B(OWNER_CREATE),
	 "it may have asked an upstream"},
};

const struct hook_row *hook_row(enum hook hook)
{
	return &hooks[hook];
}

const struct hook_silence *hook_silences(size_t *nr)
{
	*nr = sizeof(silences) / sizeof(silences[0]);
	return silences;
}

uint32_t hook_silence_of(const char *rule)
{
	for (size_t i = 0; i < sizeof(silences) / sizeof(silences[0]); i++)
		if (strcmp(silences[i].rule, rule) == 0)
			return silences[i].hooks;
	return 0;
}
