/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * wire.h - the only contract between the kernel programs and user space.
 *
 * It holds what crosses: ring events, the records the iterators write, and the shared per-CPU
 * counters that user space maps. It holds no policy and no BPF-internal state (state.bpf.h).
 *
 * Rules: fixed width, explicit padding, kind first, no pointers, bools or enum members,
 * append-only inside a release, sizes asserted. Times are CLOCK_BOOTTIME nanoseconds. Sizes are
 * pages where the name says pages (user space knows the page size), else bytes. Addresses are
 * 16 bytes in network order, IPv4 as ::ffff:a.b.c.d; ports are in host order.
 */
#ifndef MEMSWELL_WIRE_H
#define MEMSWELL_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#define WIRE_COMM_LEN 16
#define WIRE_TEXT_LEN 64

enum wire_kind {
	WIRE_NONE = 0,
	/* critical ring: bounded by process and listener life, never by traffic */
	WIRE_FORK,
	WIRE_EXEC,
	WIRE_EXIT,
	WIRE_SIGNAL,
	WIRE_OOM,
	WIRE_LISTENER,
	WIRE_V8_OOM,
	/* bulk ring: thresholded and rate-limited in the kernel */
	WIRE_RSS,
	WIRE_VM,
	WIRE_ALARM,
	/* iterators */
	WIRE_TASK,
	WIRE_SOCKET,
	NR_WIRE_KINDS
};

/* First member of every ring event and iterator record. */
struct wire_head {
	__u32 kind; /* enum wire_kind */
	__u32 size; /* bytes of the whole record, head included */
	__u64 ts_ns;
};

/* A thread group. start_ns is the group leader's start_boottime, so a reused pid differs. */
struct wire_proc {
	__u64 start_ns;
	__u32 tgid; /* in the initial pid namespace */
	__u32 pad;
};

struct wire_endpoint {
	__u8 addr[16];
	__u32 netns; /* inode number of the network namespace */
	__u16 port;
	__u16 pad;
};

/* The memory cgroup of a task: directory inode in the hierarchy that has the memory controller. */
struct wire_memcg {
	__u64 id;
	__u64 usage_pages; /* of owner_id, to compare with its limit; without a limit its own */
	__u64 limit_pages; /* effective: the minimum over the parent chain; WIRE_NO_LIMIT if none */
	__u64 owner_id;	   /* the ancestor-or-self that sets that minimum */
	__u32 hierarchy;   /* 0: cgroup v2 */
	__u32 pad;
};
#define WIRE_NO_LIMIT (~0ULL)

struct wire_fork {
	struct wire_head head;
	struct wire_proc proc;
	struct wire_proc parent;
	__u64 memcg_id;
	__u32 hierarchy;
	__u32 pad;
	__u8 comm[WIRE_COMM_LEN];
};

struct wire_exec {
	struct wire_head head;
	struct wire_proc proc;
	__u64 memcg_id;
	__u32 hierarchy;
	__u32 pad;
	__u8 comm[WIRE_COMM_LEN];
};

/* Once per thread group, when its last thread exits. */
struct wire_exit {
	struct wire_head head;
	struct wire_proc proc;
	__u64 maxrss_pages; /* signal->maxrss: the true peak, final here */
	__u64 anon_pages;   /* at death; 0 where the mm is already gone (before 6.16) */
	__u64 maj_flt;
	__u32 status; /* as in wait(2): low 7 bits signal, else code in bits 8-15 */
	__s32 oom_score_adj;
	__u8 comm[WIRE_COMM_LEN];
};

/* A fatal signal generated for a task, also one that is ignored. */
struct wire_signal {
	struct wire_head head;
	struct wire_proc target;
	struct wire_proc sender; /* current; meaningful when code is a user code */
	__s32 sig;
	__s32 code;   /* SI_USER 0, SI_KERNEL 0x80, SI_TKILL -6, ... */
	__u32 result; /* TRACE_SIGNAL_*: 0 delivered, 1 ignored, 2 already pending, ... */
	__u32 pad;
	__u8 sender_comm[WIRE_COMM_LEN];
};

/* The OOM killer marked a victim; confirmed by a SIGKILL with SI_KERNEL, microseconds before. */
struct wire_oom {
	struct wire_head head;
	struct wire_proc victim;
	struct wire_proc trigger; /* the task whose allocation failed */
	/* The cgroup that hit its limit. id 0: global OOM. An id with owner_id 0: limits were not
	   readable, this is only the victim's cgroup. */
	struct wire_memcg memcg;
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__s32 oom_score_adj;
	__u32 pad;
	__u8 victim_comm[WIRE_COMM_LEN];
	__u8 trigger_comm[WIRE_COMM_LEN];
};

enum wire_listener_state { WIRE_LISTENER_DOWN = 0, WIRE_LISTENER_UP, WIRE_LISTENER_FOUND };

struct wire_listener {
	struct wire_head head;
	struct wire_proc owner; /* current when it went up or down; the holder when found */
	struct wire_endpoint local;
	__u64 sock_id; /* tells apart several listeners of one address (SO_REUSEPORT) */
	__u32 state;   /* enum wire_listener_state */
	__u32 pad;
};

/* V8 gave up: text is its location argument, bytes chosen by the traced program. */
struct wire_v8_oom {
	struct wire_head head;
	struct wire_proc proc;
	__u8 text[WIRE_TEXT_LEN];
};

/* Memory moved by a step since the last report of this process, between two ticks. */
struct wire_rss {
	struct wire_head head;
	struct wire_proc proc;
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
};

enum wire_vm_call {
	WIRE_VM_MMAP = 0,
	WIRE_VM_MUNMAP,
	WIRE_VM_MREMAP,
	WIRE_VM_BRK,
	NR_WIRE_VM_CALLS
};

/* Cumulative since the process was first seen by memswell. */
struct wire_vm_counters {
	__u64 calls[NR_WIRE_VM_CALLS];
	__u64 failures[NR_WIRE_VM_CALLS];
	__u64 mapped_bytes;   /* mmap, and what mremap and brk added */
	__u64 unmapped_bytes; /* munmap, and what mremap and brk gave back */
	/*
	 * The parts of both that are malloc's own big blocks: anonymous, private, writable at once and
	 * not MAP_NORESERVE when mapped; unmapped with a length that such a block had.
	 */
	__u64 malloc_mapped_bytes;
	__u64 malloc_unmapped_bytes;
};

struct wire_vm {
	struct wire_head head;
	struct wire_proc proc;
	struct wire_vm_counters counters;
};

/* Failures began or go on: read the flow counters now instead of at the next tick. */
struct wire_alarm {
	struct wire_head head;
	__u32 slot;
	__u32 pad;
};

/* iter/task, one per thread group and tick. */
struct wire_task {
	struct wire_head head;
	struct wire_proc proc;
	struct wire_proc parent;
	struct wire_memcg memcg;
	__u64 anon_pages;
	__u64 file_pages;
	__u64 shmem_pages;
	__u64 swap_pages;
	__u64 total_vm_pages;
	__u64 data_vm_pages;
	__u64 brk_bytes; /* size of the brk heap */
	__u64 cpu_ns; /* run time of all threads, dead ones too, at the sample before; 0: none before */
	__u64 maj_flt;
	struct wire_vm_counters vm;
	__u8 comm[WIRE_COMM_LEN];
};

/* iter/task_file at start: a TCP socket older than memswell and one process that holds it. */
struct wire_socket {
	struct wire_head head;
	struct wire_proc owner;
	struct wire_endpoint local;
	struct wire_endpoint remote;
	__u64 sock_id;
	__u32 state; /* TCP_ESTABLISHED 1, TCP_LISTEN 10 */
	__u32 pad;
};

/*
 * Flows. One flow is (process, role, endpoint): as server the local listening address, as client or
 * backend the remote one. Counters never travel as events; they live in a mapped array and are read
 * per tick, so their cost does not follow traffic.
 *
 * A backend's requests and responses are the turns of its conversation: the first payload out, the
 * first payload in after that. A turn that nothing answered ends with its connection, as a response
 * without latency, so what is in flight is always requests - responses. It has no statuses and no
 * failures: a connect that fails does so before anyone knows the protocol, and is a client's.
 */
enum wire_role {
	WIRE_ROLE_NONE = 0,
	WIRE_ROLE_SERVER,
	WIRE_ROLE_CLIENT,
	WIRE_ROLE_BACKEND, /* a client that speaks something else than HTTP/1: turns, no statuses */
};

struct wire_flow_key {
	struct wire_proc proc;
	struct wire_endpoint endpoint;
	__u32 role; /* enum wire_role */
	__u32 pad;
};

/* Slot 0 takes what finds no free slot: counted, never lost silently. */
#define WIRE_FLOW_OVERFLOW_SLOT 0

enum wire_status {
	WIRE_STATUS_1XX = 0,
	WIRE_STATUS_2XX,
	WIRE_STATUS_3XX,
	WIRE_STATUS_4XX,
	WIRE_STATUS_5XX, /* other than the three below */
	WIRE_STATUS_502,
	WIRE_STATUS_503,
	WIRE_STATUS_504,
	NR_WIRE_STATUSES
};

/*
 * Failures of a flow. The client role counts what its upstream did to it; the server role counts
 * what its own side did. A request or connect fails at most once.
 *
 * Truncated responses are RST_MID of clients plus FIN_MID of both. The kernel ends the connections
 * of a dying server by a reset where bytes were left unread, and by a FIN otherwise. Where the
 * length of the response is known, the client counts a FIN that comes before its end. Where it is
 * not, the server counts if it exits with a segment or more unsent; then one truncation can also be
 * the client's RST_MID, if the client, or a kernel with too many orphans, provokes a reset after
 * that FIN was queued. A response of unknown length that had been sent as far as it was written is
 * in neither. bpf/http.bpf.h says which lengths are known.
 */
enum wire_fail {
	WIRE_FAIL_REFUSED = 0, /* SYN answered by RST */
	WIRE_FAIL_CONNECT_TIMEOUT,
	WIRE_FAIL_RST_BEFORE, /* RST after (or instead of) the request, no response byte yet */
	WIRE_FAIL_FIN_BEFORE, /* FIN after the request, no response byte yet */
	WIRE_FAIL_RST_MID,    /* RST after some response bytes */
	WIRE_FAIL_RST_REUSED, /* the part of RST_BEFORE on a connection that had answered before */
	WIRE_FAIL_FIN_REUSED, /* the part of FIN_BEFORE likewise */
	WIRE_FAIL_ABANDONED,  /* this side closed while it waited: timeout or client gone */
	WIRE_FAIL_STATUS,     /* response status 502, 503 or 504 */
	WIRE_FAIL_RST_SENT,   /* this side sent an RST; reason in rst_reason */
	/*
	 * client: FIN before the end of the newest response, whose length was known;
	 * server: closed by its exit with a segment or more of one of unknown length unsent
	 */
	WIRE_FAIL_FIN_MID,
	/*
	 * server: a SYN met a full accept queue. Each SYN counts, a repeated one too, for the
	 * process that made the listener, which need not be the one that accepts.
	 */
	WIRE_FAIL_ACCEPT_FULL,
	/*
	 * client: told by the network that there is no route, or that nobody has the address.
	 * Where its own host has no route, connect() fails before it begins: that is not seen.
	 */
	WIRE_FAIL_UNREACHABLE,
	WIRE_FAIL_NO_PORT, /* client: connect() found no free local port */
	NR_WIRE_FAILS
};

/* Bucket b counts latencies in [2^(b-1), 2^b) microseconds; the last bucket is open. */
#define WIRE_LATENCY_BUCKETS 24

/* A new episode starts when the last mark is older than this: first_ns is that start. */
#define WIRE_EPISODE_NS 500000000ULL

struct wire_mark {
	__u64 first_ns;
	__u64 last_ns;
};

/* One per slot and CPU, cumulative; user space adds them up. 64-byte aligned stride. */
struct wire_flow_stats {
	/* every request and response, one cache line */
	__u64 requests;
	__u64 responses;
	__u64 request_bytes;
	__u64 response_bytes;
	__u64 latency_sum_ns;
	__u64 max_request_bytes;  /* largest single request seen, not reset */
	struct wire_mark ok_mark; /* responses that are not 502, 503, 504 */
	__u64 status[NR_WIRE_STATUSES];
	__u64 opened; /* sockets that took this slot */
	__u64 closed;
	__u64 fail[NR_WIRE_FAILS];
	struct wire_mark fail_mark[NR_WIRE_FAILS];
	__u32 latency[WIRE_LATENCY_BUCKETS];
	__u32 rst_reason; /* newest enum sk_rst_reason; 0 unknown or the kernel has none */
	__u32 pad[15];
};

/* Names a memory cgroup in maps: directory inode within a hierarchy (0: cgroup v2). */
struct wire_cgroup {
	__u64 id;
	__u32 hierarchy;
	__u32 pad;
};

/* Reclaim time, one per memory cgroup, cumulative. */
struct wire_reclaim {
	__u64 direct_ns;
	__u64 memcg_ns;
	__u64 direct_count;
	__u64 memcg_count;
};

/* Why the kernel side could not tell us something. One counter per reason and CPU. */
enum wire_loss {
	WIRE_LOSS_RING_FORK = 0, /* failed reserves by kind, in the order of the ring kinds */
	WIRE_LOSS_RING_EXEC,
	WIRE_LOSS_RING_EXIT,
	WIRE_LOSS_RING_SIGNAL,
	WIRE_LOSS_RING_OOM,
	WIRE_LOSS_RING_LISTENER,
	WIRE_LOSS_RING_V8_OOM,
	WIRE_LOSS_RING_RSS,
	WIRE_LOSS_RING_VM,
	WIRE_LOSS_RING_ALARM,
	WIRE_LOSS_FLOW_TABLE,	  /* no free flow slot: went to the overflow slot */
	WIRE_LOSS_SOCKET_STORAGE, /* no memory for a socket's state: socket not followed */
	WIRE_LOSS_TASK_STORAGE,
	WIRE_LOSS_RECLAIM_TABLE,
	WIRE_LOSS_BACKEND_TABLE, /* as FLOW_TABLE, of the slots for backends */
	NR_WIRE_LOSSES
};

/* Kinds that travel through a ring: WIRE_FORK to WIRE_ALARM. */
#define NR_WIRE_RING_KINDS 10

/*
 * The books of one CPU: what was to be told, before anything could fail, and what could not be. An
 * event is counted as produced first, so produced - lost is never less than what a reader got.
 * A multiple of a cache line, or two CPUs would share one.
 */
struct wire_losses {
	__u64 count[NR_WIRE_LOSSES];
	__u64 produced[NR_WIRE_RING_KINDS];
	__u64 pad[7];
};

_Static_assert(sizeof(struct wire_head) == 16, "wire_head");
_Static_assert(sizeof(struct wire_proc) == 16, "wire_proc");
_Static_assert(sizeof(struct wire_endpoint) == 24, "wire_endpoint");
_Static_assert(sizeof(struct wire_memcg) == 40, "wire_memcg");
_Static_assert(sizeof(struct wire_fork) == 80, "wire_fork");
_Static_assert(sizeof(struct wire_exec) == 64, "wire_exec");
_Static_assert(sizeof(struct wire_exit) == 80, "wire_exit");
_Static_assert(sizeof(struct wire_signal) == 80, "wire_signal");
_Static_assert(sizeof(struct wire_oom) == 152, "wire_oom");
_Static_assert(sizeof(struct wire_listener) == 72, "wire_listener");
_Static_assert(sizeof(struct wire_v8_oom) == 96, "wire_v8_oom");
_Static_assert(sizeof(struct wire_rss) == 56, "wire_rss");
_Static_assert(sizeof(struct wire_vm_counters) == 96, "wire_vm_counters");
_Static_assert(sizeof(struct wire_vm) == 128, "wire_vm");
_Static_assert(sizeof(struct wire_alarm) == 24, "wire_alarm");
_Static_assert(sizeof(struct wire_task) == 272, "wire_task");
_Static_assert(sizeof(struct wire_socket) == 96, "wire_socket");
_Static_assert(sizeof(struct wire_flow_key) == 48, "wire_flow_key");
_Static_assert(WIRE_ALARM - WIRE_FORK + 1 == NR_WIRE_RING_KINDS, "ring kinds");
_Static_assert(sizeof(struct wire_losses) % 64 == 0, "wire_losses stride");
_Static_assert(sizeof(struct wire_flow_stats) % 64 == 0, "wire_flow_stats stride");

#endif
