/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * vocabulary.h - the closed sets of words in our output, and their spelling.
 *
 * Closed within a major schema version. vocabulary.c holds the spellings; nothing else spells them.
 */
#ifndef MEMSWELL_VOCABULARY_H
#define MEMSWELL_VOCABULARY_H

enum verdict_class {
	VERDICT_UNEXPLAINED = 0,
	VERDICT_MEMORY_DEATH,
	VERDICT_UPSTREAM_DOWN_NONMEMORY,
	VERDICT_KEEPALIVE_RACE,
	VERDICT_MEMORY_STALL,
	VERDICT_GC_THRASH,
	VERDICT_SUPERVISOR_MEMORY_RESTART,
	VERDICT_NODE_PRESSURE_VICTIM,
	VERDICT_DEPLOY_RESTART,
	VERDICT_APP_ERROR_STATUS,
	VERDICT_BACKEND_OVERLOAD,
	VERDICT_PROXY_LOCAL_EXHAUSTION,
	VERDICT_NETWORK,
	VERDICT_CONFIG,
	NR_VERDICT_CLASSES
};

/*
 * Why memory grew: of a memory_death, memory_stall, gc_thrash or supervisor_memory_restart; and
 * db_pool_exhaustion also of a backend_overload, when nobody died of it.
 */
enum verdict_cause {
	CAUSE_NONE = 0,
	CAUSE_HEAP_LEAK,
	CAUSE_NATIVE_LEAK,
	CAUSE_UNKNOWN_GROWTH,
	CAUSE_LIMIT_TOO_SMALL,
	CAUSE_LARGE_PAYLOAD,
	CAUSE_DB_POOL_EXHAUSTION,
	NR_VERDICT_CAUSES
};

/* confirmed >= 0.9, probable >= 0.7, possible below */
enum verdict_level { LEVEL_POSSIBLE = 0, LEVEL_PROBABLE, LEVEL_CONFIRMED, NR_VERDICT_LEVELS };

enum incident_status {
	STATUS_ONGOING = 0,
	STATUS_RECOVERED,
	STATUS_CRASH_LOOP, /* three deaths in ten minutes, and again failing */
	NR_INCIDENT_STATUSES
};

/* imminent: the ceiling is nearer than anybody can be called for (core/growth.h) */
enum growth_level {
	GROWTH_NONE = 0,
	GROWTH_SUSPECTED,
	GROWTH_PROBABLE,
	GROWTH_IMMINENT,
	NR_GROWTH_LEVELS
};

/* What will end a process when it grows on. */
enum ceiling_source {
	CEILING_NONE = 0,
	CEILING_CGROUP,		     /* effective limit of its memory cgroup */
	CEILING_HEAP_FLAG,	     /* heap limit from its command line or environment */
	CEILING_HEAP_COMPUTED,	     /* the runtime's default for this memory */
	CEILING_V8_OBSERVED,	     /* where its V8 gave up */
	CEILING_PREVIOUS_LIFE,	     /* where earlier lives of the service died of memory */
	CEILING_SUPERVISOR_CONFIG,   /* its supervisor's threshold, as its environment says */
	CEILING_SUPERVISOR_OBSERVED, /* where its supervisor ended earlier lives */
	NR_CEILING_SOURCES
};

/* How a process ended, for counters. The first four are memory. */
enum death_kind {
	DEATH_OOM_KILL_CGROUP = 0, /* the OOM killer's choice, at the limit of a cgroup */
	DEATH_OOM_KILL_HOST,	   /* likewise, the machine had no memory left */
	DEATH_HEAP_FULL,	   /* its runtime gave up: V8, JVM */
	DEATH_MEMORY_REFUSED,	   /* mmap or brk was, and it ended by itself */
	DEATH_ASKED,		   /* by a signal that asks programs to end */
	DEATH_SIGNAL,		   /* by another one */
	DEATH_FAILURE,		   /* exit code other than 0 */
	DEATH_EXIT,
	NR_DEATH_KINDS
};

enum moment_kind {
	MOMENT_GROWTH_ONSET = 0,
	MOMENT_PREDICTION,
	MOMENT_OOM_MARK,
	MOMENT_V8_FATAL,
	MOMENT_SIGNAL,
	MOMENT_EXIT,
	MOMENT_LISTENER_DOWN,
	MOMENT_FIRST_RESET,
	MOMENT_FIRST_REFUSED,
	MOMENT_FIRST_FAILURE,
	MOMENT_LAST_FAILURE,
	MOMENT_LISTENER_UP,
	MOMENT_RECOVERED,
	MOMENT_POOL_SATURATED,
	MOMENT_LARGE_REQUEST,
	MOMENT_GC_THRASH,
	MOMENT_STALL,
	MOMENT_DEATH, /* a further one, of a crash loop or of a group */
	NR_MOMENT_KINDS
};

enum action_kind { ACTION_MITIGATE = 0, ACTION_DIAGNOSE, ACTION_PREVENT, NR_ACTION_KINDS };

/* Each returns a static word, "unknown" out of range; never NULL. */
const char *verdict_class_name(enum verdict_class class);
const char *verdict_cause_name(enum verdict_cause cause); /* "" for CAUSE_NONE */
const char *verdict_level_name(enum verdict_level level);
const char *incident_status_name(enum incident_status status);
const char *growth_level_name(enum growth_level level);
const char *ceiling_source_name(enum ceiling_source source); /* "" for CEILING_NONE */
const char *death_kind_name(enum death_kind kind);
const char *moment_kind_name(enum moment_kind kind);
const char *action_kind_name(enum action_kind kind);

/* Level of a confidence in 0..1. */
enum verdict_level verdict_level_of(double confidence);

#endif
