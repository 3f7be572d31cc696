/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * record.h - what enters the core, and the only thing that does.
 *
 * A record is one fact with a boot-clock time: a kernel event, a sample, a counter delta, a fact
 * read from /proc, a loss, or the tick that closes a batch. Everything that could make two runs
 * differ (wall clock, cgroup names, missing probes, own cost) is a record, so the core is a pure
 * function of the stream and a recording replays to the same bytes.
 *
 * Strings are NUL-terminated valid UTF-8 (decode.c replaces what is not), sizes are bytes, times
 * nanoseconds on CLOCK_BOOTTIME. Records of one batch are sorted by ts_ns; a batch ends with a
 * RECORD_TICK, the only record on which the core decides anything.
 *
 * record.c describes every field once in a table; the JSON codec works from that table.
 */
#ifndef MEMSWELL_RECORD_H
#define MEMSWELL_RECORD_H

#include <stdint.h>

#include "model/ids.h"
#include "model/workload.h"

#define RECORD_FORMAT_VERSION  1
#define RECORD_COMM_LEN	       48 /* 15 bytes of comm, each at worst replaced by a 3-byte U+FFFD */
#define RECORD_TEXT_LEN	       200
#define RECORD_PATH_LEN	       512
#define RECORD_LATENCY_BUCKETS 24

enum record_kind {
	RECORD_NONE = 0,
	RECORD_HEADER, /* always first, once */
	RECORD_PROBE,  /* state of one hook, after the header and when it changes */
	RECORD_CLOCK,  /* wall clock offset, at start and whenever it moved */
	RECORD_PROC,   /* a process: found at start or forked */
	RECORD_EXEC,
	RECORD_EXE, /* what a process runs: executable path, runtime */
	RECORD_EXIT,
	RECORD_SIGNAL,
	RECORD_OOM,
	RECORD_V8_OOM,
	RECORD_TASK,	/* memory sample; absent when nothing moved since the last one */
	RECORD_RSS,	/* memory step between ticks */
	RECORD_VM,	/* mmap/munmap/mremap/brk counters, cumulative */
	RECORD_CGROUP,	/* name of a memory cgroup, once per cgroup; and its end */
	RECORD_RECLAIM, /* reclaim time of a memory cgroup, delta */
	RECORD_LISTENER,
	RECORD_FLOW,   /* what one flow did since its last record, delta */
	RECORD_LOSS,   /* what was lost since the last record, delta by stream and reason */
	RECORD_SELF,   /* own cost */
	RECORD_STREAM, /* the books of one stream since start; with every loss, else now and then */
	RECORD_GAP,    /* a time without us, before this run or within it */
	RECORD_GAP_SERVICE,  /* who served before the last gap and is gone after it */
	RECORD_GAP_INCIDENT, /* an incident that was open before the last gap */
	RECORD_CONTAINER, /* what the host's runtime says of a container, whenever it says more */
	RECORD_TICK,	  /* end of a batch */
	RECORD_STOP,	  /* orderly end of the stream */
	NR_RECORD_KINDS
};

struct record_header {
	uint32_t version; /* RECORD_FORMAT_VERSION */
	uint32_t page_bytes;
	uint64_t tick_ns;
	uint64_t memory_bytes;	/* of the machine; 0 unknown */
	int64_t wall_offset_ns; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
	uint32_t nr_cpus;
	char host_name[RECORD_TEXT_LEN];
	char host_id[64]; /* machine-id, empty if unreadable */
	char boot_id[64];
	char kernel[RECORD_TEXT_LEN];
	char arch[32];
	char detector_version[32];
	/* Of merged recordings: how far this clock may be off, and by what it was set right. */
	uint64_t clock_error_ns;
	int64_t clock_correction_ns;
};

/* SHED: was attached, and was given up to keep within --budget; it does not come back. */
enum probe_state { PROBE_ATTACHED = 0, PROBE_UNAVAILABLE, PROBE_OFF, PROBE_SHED, NR_PROBE_STATES };

struct record_probe {
	char name[48];		      /* hook: "exit", "rss_step", "http", ... */
	char variant[48];	      /* chosen candidate: "tp_btf/mark_victim", "" if none */
	uint8_t state;		      /* enum probe_state */
	char reason[RECORD_TEXT_LEN]; /* why it is not attached, or what it costs to lack it */
};

struct record_clock {
	int64_t wall_offset_ns;
};

enum proc_origin { PROC_FOUND = 0, PROC_FORKED, NR_PROC_ORIGINS };

struct record_proc {
	struct proc_id proc;
	struct proc_id parent;
	struct cgroup_id memcg;
	uint8_t origin; /* enum proc_origin */
	char comm[RECORD_COMM_LEN];
};

struct record_exec {
	struct proc_id proc;
	struct cgroup_id memcg;
	char comm[RECORD_COMM_LEN];
};

enum runtime_kind {
	RUNTIME_UNKNOWN = 0,
	RUNTIME_NODEJS,
	RUNTIME_JVM,
	RUNTIME_PYTHON,
	RUNTIME_GO,
	RUNTIME_RUBY,
	RUNTIME_NATIVE,
	NR_RUNTIMES
};

/* Where the limit of a managed heap is written down. */
enum heap_limit_source {
	HEAP_LIMIT_NONE = 0,
	HEAP_LIMIT_FLAG,
	HEAP_LIMIT_ENV,
	NR_HEAP_LIMIT_SOURCES
};

/* How a runtime was told to end when its heap is full. */
enum oom_exit { OOM_EXIT_NONE = 0, OOM_EXIT_CODE, OOM_EXIT_ABORT, NR_OOM_EXITS };

/* Who told a process what its service is called. */
enum name_source { NAME_SOURCE_NONE = 0, NAME_SOURCE_OTEL, NAME_SOURCE_PM2, NR_NAME_SOURCES };

#define RECORD_NAME_LEN 64

struct record_exe {
	struct proc_id proc;
	uint8_t runtime;  /* enum runtime_kind */
	uint8_t v8_probe; /* 1: this process's V8 is watched for fatal out-of-memory */
	uint8_t oom_exit; /* enum oom_exit: JVM's ExitOnOutOfMemoryError, CrashOnOutOfMemoryError */
	uint8_t heap_limit_source;	 /* enum heap_limit_source */
	uint16_t runtime_version;	 /* major, of Node.js; 0 unknown */
	uint64_t heap_limit_bytes;	 /* --max-old-space-size, -Xmx, GOMEMLIMIT; 0 not told */
	uint64_t supervisor_limit_bytes; /* pm2's max_memory_restart; 0 not told */
	uint8_t name_source;		 /* enum name_source */
	char name[RECORD_NAME_LEN];	 /* OTEL_SERVICE_NAME, or pm2's name of the app */
	char path[RECORD_PATH_LEN];
};

struct record_exit {
	struct proc_id proc;
	uint64_t peak_rss_bytes;
	uint64_t anon_bytes; /* at death; 0 where the kernel no longer knew */
	uint64_t major_faults;
	uint32_t status; /* wait(2) */
	int32_t oom_score_adj;
	char comm[RECORD_COMM_LEN];
};

struct record_signal {
	struct proc_id target;
	struct proc_id sender;
	int32_t sig;
	int32_t code;
	uint8_t ignored; /* 1: generated, but the target ignores it */
	char sender_comm[RECORD_COMM_LEN];
};

struct record_oom {
	struct proc_id victim;
	struct proc_id trigger;
	struct cgroup_id memcg; /* the one that hit its limit; id 0: the whole machine */
	uint64_t usage_bytes;
	uint64_t limit_bytes;
	uint64_t anon_bytes;
	uint64_t file_bytes;
	uint64_t shmem_bytes;
	int32_t oom_score_adj;
	char victim_comm[RECORD_COMM_LEN];
	char trigger_comm[RECORD_COMM_LEN];
};

struct record_v8_oom {
	struct proc_id proc;
	char text[RECORD_TEXT_LEN];
};

#define RECORD_NO_LIMIT 0 /* limit_bytes when nothing limits the process */

struct record_task {
	struct proc_id proc;
	struct cgroup_id memcg;
	uint64_t anon_bytes;
	uint64_t file_bytes;
	uint64_t shmem_bytes;
	uint64_t swap_bytes;
	uint64_t total_vm_bytes;
	uint64_t data_vm_bytes;
	uint64_t brk_bytes;
	uint64_t memcg_usage_bytes;
	uint64_t memcg_limit_bytes; /* effective; RECORD_NO_LIMIT if none */
	uint64_t cpu_ns;
	uint64_t major_faults;
};

struct record_rss {
	struct proc_id proc;
	uint64_t anon_bytes;
	uint64_t file_bytes;
	uint64_t shmem_bytes;
};

struct record_vm {
	struct proc_id proc;
	uint64_t mmap_calls, munmap_calls, mremap_calls, brk_calls;
	uint64_t mmap_failures, munmap_failures, mremap_failures, brk_failures;
	uint64_t mapped_bytes;
	uint64_t unmapped_bytes;
	uint64_t malloc_mapped_bytes;	/* of mapped_bytes: malloc's own big blocks */
	uint64_t malloc_unmapped_bytes; /* of unmapped_bytes likewise */
};

struct record_cgroup {
	struct cgroup_id memcg;
	uint8_t removed;	    /* 1: it is gone */
	char path[RECORD_PATH_LEN]; /* within its hierarchy */
};

/* Of all cgroups whose path names that container. Empty: not known, and no news. */
struct record_container {
	uint8_t runtime; /* enum container_runtime */
	char id[WORKLOAD_ID_LEN];
	char name[WORKLOAD_NAME_LEN];
	char image[WORKLOAD_IMAGE_LEN];
	char pod_name[WORKLOAD_POD_LEN];
	char pod_namespace[WORKLOAD_NAMESPACE_LEN];
	char pod_uid[WORKLOAD_UID_LEN];
};

struct record_reclaim {
	struct cgroup_id memcg;
	uint64_t direct_ns;
	uint64_t memcg_ns;
	uint64_t direct_count;
	uint64_t memcg_count;
};

enum listener_state { LISTENER_DOWN = 0, LISTENER_UP, LISTENER_FOUND, NR_LISTENER_STATES };

struct record_listener {
	struct proc_id owner;
	struct endpoint local;
	uint64_t sock_id;
	uint8_t state; /* enum listener_state */
};

/*
 * Backend: a client that speaks something else than HTTP/1 (database, cache, TLS). Its requests and
 * responses are the turns of the conversation; it has no statuses and no failures of requests.
 */
enum flow_role { FLOW_SERVER = 1, FLOW_CLIENT = 2, FLOW_BACKEND = 3, NR_FLOW_ROLES };

enum flow_status {
	FLOW_STATUS_1XX = 0,
	FLOW_STATUS_2XX,
	FLOW_STATUS_3XX,
	FLOW_STATUS_4XX,
	FLOW_STATUS_5XX, /* other than the three below */
	FLOW_STATUS_502,
	FLOW_STATUS_503,
	FLOW_STATUS_504,
	NR_FLOW_STATUSES
};

/* Meanings: enum wire_fail in bpf/wire.h, same order. */
enum flow_fail {
	FLOW_FAIL_REFUSED = 0,
	FLOW_FAIL_CONNECT_TIMEOUT,
	FLOW_FAIL_RST_BEFORE,
	FLOW_FAIL_FIN_BEFORE,
	FLOW_FAIL_RST_MID,
	FLOW_FAIL_RST_REUSED, /* also counted in RST_BEFORE */
	FLOW_FAIL_FIN_REUSED, /* also counted in FIN_BEFORE */
	FLOW_FAIL_ABANDONED,
	FLOW_FAIL_STATUS, /* also counted in the statuses */
	FLOW_FAIL_RST_SENT,
	FLOW_FAIL_FIN_MID, /* FIN within a response; a server's only if its client cannot tell */
	FLOW_FAIL_ACCEPT_FULL, /* server: a connect met a full accept queue */
	FLOW_FAIL_UNREACHABLE, /* client: no route or host; not counted in CONNECT_TIMEOUT */
	FLOW_FAIL_NO_PORT,     /* client: no local port was left to connect from */
	NR_FLOW_FAILS
};

/* Boot-clock times of the first and last occurrence within the current episode; 0: none yet. */
struct flow_mark {
	uint64_t first_ns;
	uint64_t last_ns;
};

struct record_flow {
	struct proc_id proc;
	struct endpoint endpoint; /* server: its own listening address; client: the remote one */
	uint8_t role;		  /* enum flow_role */
	uint64_t requests;	  /* deltas from here to latency[], except the marks */
	uint64_t responses;
	uint64_t in_flight; /* gauge at the time of the record */
	uint64_t status[NR_FLOW_STATUSES];
	uint64_t request_bytes;
	uint64_t response_bytes;
	uint64_t opened;
	uint64_t closed;
	uint64_t latency_sum_ns;    /* request start to first response byte */
	uint64_t max_request_bytes; /* largest single request of this flow so far */
	uint64_t fail[NR_FLOW_FAILS];
	struct flow_mark fail_mark[NR_FLOW_FAILS]; /* filled where fail[] is not 0 */
	struct flow_mark ok_mark;
	uint32_t latency[RECORD_LATENCY_BUCKETS]; /* bucket b: [2^(b-1), 2^b) us */
	uint32_t rst_reason;			  /* newest, where RST_SENT is not 0 */
};

struct record_loss {
	char stream[32]; /* that of a record_stream: "fork", "output", or a table: "flow_table" */
	char reason[48];
	uint64_t count;
};

/* What the programs are for. */
enum bpf_group {
	BPF_GROUP_LIFECYCLE = 0, /* births, deaths, signals */
	BPF_GROUP_MEMORY,	 /* samples, fast growth, reclaim */
	BPF_GROUP_VM,		 /* mmap and brk */
	BPF_GROUP_SOCKETS,	 /* owners, connects, ends */
	BPF_GROUP_TRAFFIC,	 /* HTTP */
	NR_BPF_GROUPS
};

/* Where the run time of the programs is known from. */
enum bpf_time { BPF_TIME_NONE = 0, BPF_TIME_SAMPLED, BPF_TIME_ESTIMATED, NR_BPF_TIMES };

enum ring { RING_CRITICAL = 0, RING_BULK, NR_RINGS };

struct record_self {
	uint64_t cpu_ns; /* user + system since start */
	uint64_t rss_bytes;
	uint64_t map_bytes; /* all BPF maps */
	uint8_t bpf_time;   /* enum bpf_time */
	/* since start, extrapolated from the windows in which they were counted */
	uint64_t bpf_ns[NR_BPF_GROUPS];
	uint64_t bpf_runs[NR_BPF_GROUPS];
	uint64_t ring_bytes[NR_RINGS];
	uint64_t ring_used_bytes[NR_RINGS]; /* when last drained */
	uint64_t ring_peak_bytes[NR_RINGS]; /* largest of those since start */
	uint32_t flow_slots;
	uint32_t flow_slots_used;
	uint32_t budget_ppm; /* of one core; 0: none was set */
	uint32_t cost_ppm;   /* what is compared with it, over the last stretch; 0: not known yet */
};

/* produced = delivered + lost + pending; `lost` is the sum of all record_loss of the stream. */
struct record_stream {
	char stream[32]; /* a kind of event ("fork"), "samples", "records", "output" */
	uint64_t produced;
	uint64_t delivered;
	uint64_t lost;
	uint64_t pending; /* neither yet: still in a ring or a buffer */
};

enum gap_cause {
	GAP_UNKNOWN = 0, /* what the run before left behind is damaged */
	GAP_STOPPED,	 /* it was asked to end */
	GAP_KILLED,	 /* it ended without a word */
	GAP_REBOOTED,	 /* so did the machine */
	GAP_SUSPENDED,	 /* within this run: the machine slept */
	GAP_STALLED,	 /* within this run: we did not get to run */
	NR_GAP_CAUSES
};

struct record_gap {
	uint8_t cause;		/* enum gap_cause */
	uint64_t from_ns;	/* boot clock; 0 if unknown or of another boot */
	int64_t from_wall_ns;	/* since the epoch; 0 if unknown */
	uint32_t earlier_pid;	/* of the run before; 0: the gap is within this run */
	uint64_t earlier_lines; /* reports it had given out when it was last heard of */
	uint64_t suspended_ns;	/* the part of it in which the machine slept */
	uint32_t nr_served;    /* (process, address) pairs known before, as far as there was room */
	uint32_t nr_gone;      /* those whose process is gone */
	uint32_t nr_incidents; /* open before */
};

struct record_gap_service {
	struct proc_id proc;
	struct endpoint local;
	struct proc_id successor; /* who listens there now; tgid 0: nobody */
	char comm[RECORD_COMM_LEN];
};

struct record_gap_incident {
	char id[32];
};

struct record_tick {
	uint8_t alarm; /* 1: an early drain because failures were seen, 0: the regular tick */
};

struct record {
	uint64_t ts_ns;
	enum record_kind kind;
	uint16_t node; /* of a merged stream, else 0; see ids.h */
	union {
		struct record_header header;
		struct record_probe probe;
		struct record_clock clock;
		struct record_proc proc;
		struct record_exec exec;
		struct record_exe exe;
		struct record_exit exit;
		struct record_signal signal;
		struct record_oom oom;
		struct record_v8_oom v8_oom;
		struct record_task task;
		struct record_rss rss;
		struct record_vm vm;
		struct record_cgroup cgroup;
		struct record_container container;
		struct record_reclaim reclaim;
		struct record_listener listener;
		struct record_flow flow;
		struct record_loss loss;
		struct record_self self;
		struct record_stream stream;
		struct record_gap gap;
		struct record_gap_service gap_service;
		struct record_gap_incident gap_incident;
		struct record_tick tick;
	};
};

/*
 * Field tables: one row per field, in output order. `offset` is from the start of struct record.
 * A field equal to zero (or to the empty string) is left out of the JSON and reads back as zero.
 */
enum field_type {
	FIELD_U64 = 0,
	FIELD_I64,
	FIELD_U32,
	FIELD_I32,
	FIELD_U16,
	FIELD_U8,
	FIELD_ENUM,	 /* uint8_t; `names` gives the words, NULL words are not allowed values */
	FIELD_STRING,	 /* char[size] */
	FIELD_ADDRESS,	 /* uint8_t[16]; "10.0.0.1" or "2001:db8::1" */
	FIELD_U64_ARRAY, /* `count` values, trailing zeros left out */
	FIELD_U32_ARRAY,
	NR_FIELD_TYPES
};

/* What a value means something in: what of it has to change when nodes come together. */
enum field_scope {
	SCOPE_ANYWHERE = 0,
	SCOPE_TIME,	/* the boot clock of its node: one u64 or an array of them, 0 none */
	SCOPE_PROC,	/* start_ns of a struct proc_id: a time, and its node stands beside it */
	SCOPE_ENDPOINT, /* addr of a struct endpoint likewise */
	SCOPE_CGROUP,	/* id of a struct cgroup_id likewise */
	NR_FIELD_SCOPES
};

struct record_field {
	const char *name;
	uint32_t offset;
	uint16_t size;	/* FIELD_STRING: bytes of the array */
	uint16_t count; /* arrays: elements; FIELD_ENUM: number of names */
	uint8_t type;	/* enum field_type */
	uint8_t scope;	/* enum field_scope */
	const char *const *names;
};

struct record_layout {
	const char *name; /* value of "k" in JSON */
	const struct record_field *fields;
	uint32_t nr_fields;
};

/* Layout of a kind; NULL for RECORD_NONE and values out of range. */
const struct record_layout *record_layout(enum record_kind kind);

/* Words of the enums above, for logs and reports: "nodejs", "refused", "attached"; never NULL. */
const char *runtime_name(enum runtime_kind runtime);
/* Does it keep objects on a heap of its own, beside what malloc gives out? */
bool runtime_is_managed(enum runtime_kind runtime);
const char *flow_fail_name(enum flow_fail fail);
const char *flow_status_name(enum flow_status status);
const char *bpf_time_name(enum bpf_time time);
const char *bpf_group_name(enum bpf_group group);
const char *ring_name(enum ring ring);
const char *probe_state_name(enum probe_state state);
const char *listener_state_name(enum listener_state state);
const char *gap_cause_name(enum gap_cause cause);

#endif
