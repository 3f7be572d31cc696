/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vocabulary.c - the spelling of every closed set of words in the output, and nowhere else. It does
 * not choose words: that is the core's judgement.
 */
#include <stddef.h>

#include "model/vocabulary.h"

#define NR(table)	     (sizeof(table) / sizeof((table)[0]))
#define HOLDS_ALL(table, nr) _Static_assert(NR(table) == (nr), "a word for every value of " #nr)

static const char *const class_names[] = {
	[VERDICT_UNEXPLAINED] = "unexplained",
	[VERDICT_MEMORY_DEATH] = "memory_death",
	[VERDICT_UPSTREAM_DOWN_NONMEMORY] = "upstream_down_nonmemory",
	[VERDICT_KEEPALIVE_RACE] = "keepalive_race",
	[VERDICT_MEMORY_STALL] = "memory_stall",
	[VERDICT_GC_THRASH] = "gc_thrash",
	[VERDICT_SUPERVISOR_MEMORY_RESTART] = "supervisor_memory_restart",
	[VERDICT_NODE_PRESSURE_VICTIM] = "node_pressure_victim",
	[VERDICT_DEPLOY_RESTART] = "deploy_restart",
	[VERDICT_APP_ERROR_STATUS] = "app_error_status",
	[VERDICT_BACKEND_OVERLOAD] = "backend_overload",
	[VERDICT_PROXY_LOCAL_EXHAUSTION] = "proxy_local_exhaustion",
	[VERDICT_NETWORK] = "network",
	[VERDICT_CONFIG] = "config",
};
HOLDS_ALL(class_names, NR_VERDICT_CLASSES);

static const char *const cause_names[] = {
	[CAUSE_NONE] = "",
	[CAUSE_HEAP_LEAK] = "heap_leak",
	[CAUSE_NATIVE_LEAK] = "native_leak",
	[CAUSE_UNKNOWN_GROWTH] = "unknown_growth",
	[CAUSE_LIMIT_TOO_SMALL] = "limit_too_small",
	[CAUSE_LARGE_PAYLOAD] = "large_payload",
	[CAUSE_DB_POOL_EXHAUSTION] = "db_pool_exhaustion",
};
HOLDS_ALL(cause_names, NR_VERDICT_CAUSES);

static const char *const level_names[] = {
	[LEVEL_POSSIBLE] = "possible",
	[LEVEL_PROBABLE] = "probable",
	[LEVEL_CONFIRMED] = "confirmed",
};
HOLDS_ALL(level_names, NR_VERDICT_LEVELS);

static const char *const status_names[] = {
	[STATUS_ONGOING] = "ongoing",
	[STATUS_RECOVERED] = "recovered",
	[STATUS_CRASH_LOOP] = "crash_loop",
};
HOLDS_ALL(status_names, NR_INCIDENT_STATUSES);

static const char *const growth_names[] = {
	[GROWTH_NONE] = "none",
	[GROWTH_SUSPECTED] = "suspected",
	[GROWTH_PROBABLE] = "probable",
	[GROWTH_IMMINENT] = "imminent",
};
HOLDS_ALL(growth_names, NR_GROWTH_LEVELS);

static const char *const ceiling_names[] = {
	[CEILING_NONE] = "",
	[CEILING_CGROUP] = "cgroup",
	[CEILING_HEAP_FLAG] = "heap_flag",
	[CEILING_HEAP_COMPUTED] = "heap_computed",
	[CEILING_V8_OBSERVED] = "v8_observed",
	[CEILING_PREVIOUS_LIFE] = "previous_life",
	[CEILING_SUPERVISOR_CONFIG] = "supervisor_config",
	[CEILING_SUPERVISOR_OBSERVED] = "supervisor_observed",
};
HOLDS_ALL(ceiling_names, NR_CEILING_SOURCES);

static const char *const death_names[] = {
	[DEATH_OOM_KILL_CGROUP] = "oom_kill_cgroup",
	[DEATH_OOM_KILL_HOST] = "oom_kill_host",
	[DEATH_HEAP_FULL] = "heap_full",
	[DEATH_MEMORY_REFUSED] = "memory_refused",
	[DEATH_ASKED] = "asked",
	[DEATH_SIGNAL] = "signal",
	[DEATH_FAILURE] = "failure",
	[DEATH_EXIT] = "exit",
};
HOLDS_ALL(death_names, NR_DEATH_KINDS);

static const char *const moment_names[] = {
	[MOMENT_GROWTH_ONSET] = "growth_onset",
	[MOMENT_PREDICTION] = "prediction",
	[MOMENT_OOM_MARK] = "oom_mark",
	[MOMENT_V8_FATAL] = "v8_fatal",
	[MOMENT_SIGNAL] = "signal",
	[MOMENT_EXIT] = "exit",
	[MOMENT_LISTENER_DOWN] = "listener_down",
	[MOMENT_FIRST_RESET] = "first_reset",
	[MOMENT_FIRST_REFUSED] = "first_refused",
	[MOMENT_FIRST_FAILURE] = "first_failure",
	[MOMENT_LAST_FAILURE] = "last_failure",
	[MOMENT_LISTENER_UP] = "listener_up",
	[MOMENT_RECOVERED] = "recovered",
	[MOMENT_POOL_SATURATED] = "pool_saturated",
	[MOMENT_LARGE_REQUEST] = "large_request",
	[MOMENT_GC_THRASH] = "gc_thrash",
	[MOMENT_STALL] = "stall",
	[MOMENT_DEATH] = "death",
};
HOLDS_ALL(moment_names, NR_MOMENT_KINDS);

static const char *const action_names[] = {
	[ACTION_MITIGATE] = "mitigate",
	[ACTION_DIAGNOSE] = "diagnose",
	[ACTION_PREVENT] = "prevent",
};
HOLDS_ALL(action_names, NR_ACTION_KINDS);

static const char *word(const char *const *names, size_t nr, unsigned int value)
{
	return value < nr && names[value] ? names[value] : "unknown";
}

const char *verdict_class_name(enum verdict_class class)
{
	return word(class_names, NR(class_names), class);
}

const char *verdict_cause_name(enum verdict_cause cause)
{
	return word(cause_names, NR(cause_names), cause);
}

const char *verdict_level_name(enum verdict_level level)
{
	return word(level_names, NR(level_names), level);
}

const char *incident_status_name(enum incident_status status)
{
	return word(status_names, NR(status_names), status);
}

const char *growth_level_name(enum growth_level level)
{
	return word(growth_names, NR(growth_names), level);
}

const char *ceiling_source_name(enum ceiling_source source)
{
	return word(ceiling_names, NR(ceiling_names), source);
}

const char *death_kind_name(enum death_kind kind)
{
	return word(death_names, NR(death_names), kind);
}

const char *moment_kind_name(enum moment_kind kind)
{
	return word(moment_names, NR(moment_names), kind);
}

const char *action_kind_name(enum action_kind kind)
{
	return word(action_names, NR(action_names), kind);
}

enum verdict_level verdict_level_of(double confidence)
{
	if (confidence >= 0.9)
		return LEVEL_CONFIRMED;
	if (confidence >= 0.7)
		return LEVEL_PROBABLE;
	return LEVEL_POSSIBLE;
}
