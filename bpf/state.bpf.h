/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * state.bpf.h - everything the programs share: maps, what is kept per task and per socket, knobs.
 *
 * Nothing here crosses to user space except through wire.h; state.bpf.c defines what this declares.
 * Sizes marked "set by user space" are placeholders until load.
 */
#ifndef MEMSWELL_STATE_BPF_H
#define MEMSWELL_STATE_BPF_H

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "http.bpf.h"
#include "wire.h"

/* BPF_PROG names every argument of a hook up to the last one used, and the context. */
#pragma clang diagnostic ignored "-Wunused-parameter"

/* Ten thousand events between two wake-ups; a mapped ring is resident, twice. */
#define CRITICAL_RING_BYTES (1024 * 1024)
#define BULK_RING_BYTES	    (256 * 1024)
#define MAX_FLOW_KEYS	    65536 /* placeholder for flow_slots, set by user space */
#define MAX_RECLAIM_CGROUPS 1024  /* further cgroups are counted as WIRE_LOSS_RECLAIM_TABLE */

/*
 * Of the tables that stand in for local storage where a kernel has none (Linux 5.10). What does not
 * fit is counted as that storage's loss: WIRE_LOSS_TASK_STORAGE, WIRE_LOSS_SOCKET_STORAGE.
 */
#define MAX_TASK_STATES	   32768
#define MAX_SOCK_STATES	   65536
#define MAX_RECLAIM_STARTS 4096 /* threads that reclaim at one time */

/* ---- knobs, set before load and constant afterwards ---- */

extern const volatile __u32 cfg_nr_cpus;
extern const volatile __u32 cfg_nr_flow_slots;
extern const volatile __u32 cfg_page_shift;
extern const volatile __u64 cfg_rss_step_pages;
extern const volatile __u64 cfg_vm_step_bytes;
/* tp_btf/mark_victim hands out a task (backported to 5.10.235, 6.1.130, else 6.9), not a pid. */
extern const volatile __u8 cfg_mark_victim_has_task;
/*
 * 0 under lockdown=confidentiality, where bpf_probe_read_kernel makes a program fail to load.
 * What needs it (cgroup usage and limits) then stays 0; all else works by typed loads.
 */
extern const volatile __u8 cfg_probe_read;

/*
 * CLOCK_BOOTTIME minus CLOCK_MONOTONIC, which only a suspend changes. The packet path reads the
 * cheaper clock; see flow.bpf.h.
 */
extern __u64 boot_offset_ns;

/* ---- per task ---- */

/* In task_states, on the leader of a thread group; threads update it with atomics or racily. */
struct task_state {
	struct wire_vm_counters vm;
	__u64 brk;		   /* last known program break; 0: unknown */
	__u64 brk_mm;		   /* the mm that break belongs to: an exec brings a new one */
	__u64 total_vm_pages;	   /* of the mm below when its lock was last released */
	__u64 total_vm_mm;
	__u64 malloc_lengths[4];   /* a bit for each length of malloc's blocks, see vm.bpf.c */
	__u64 vm_report_ns;	   /* last WIRE_VM */
	__u64 vm_report_net_bytes; /* mapped - unmapped then */
	__u64 vm_report_failures;
	__u64 rss_report_ns; /* last WIRE_RSS or WIRE_TASK */
	__u64 rss_report_anon_pages;
	/* CPU time of the dead threads and the leader, of the other live ones, and when it was read */
	__u64 own_cpu_ns;
	__u64 own_session; /* number of an iteration; 0: none yet */
	__u64 told_cpu_ns; /* all of it, as of the iteration before */
	__u64 threads_cpu_ns;
	__u64 threads_session;
};

struct task_state_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
};

/* Stands in for the map above. By allocation, so that a deleted state lives on while it is used. */
struct task_state_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_TASK_STATES);
	__type(key, __u32); /* tgid */
	__type(value, struct task_state);
};

/* When the reclaim that this thread is in began. */
struct reclaim_start_map {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
};

/* Stands in for the map above. Memory is short when an entry is made, so all are made before. */
struct reclaim_start_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_RECLAIM_STARTS);
	__type(key, __u32); /* thread id */
	__type(value, __u64);
};

/* ---- per memory cgroup ---- */

struct reclaim_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, MAX_RECLAIM_CGROUPS);
	__type(key, struct wire_cgroup);
	__type(value, struct wire_reclaim);
};

/* ---- per socket and flow ---- */

enum sock_flag {
	SOCK_REFINED = 1 << 0, /* the owner was seen using the socket: it is final */
	SOCK_SLOT = 1 << 1,    /* slot is valid and counted as opened */
	SOCK_CLOSED = 1 << 2, /* slot was given back; kept to name a reset that follows the close */
	SOCK_CONNECTED = 1 << 3, /* went through SYN_SENT: the client side */
	SOCK_UNCOUNTED = 1 << 4, /* a request waits for the final owner to be counted */
	SOCK_FAILED = 1 << 5,	 /* a request failed on it */
};

/*
 * In sock_states. A listener's copy is what accepted sockets start from, so nothing but the owner
 * and HTTP_FRESH is ever set on one.
 */
struct sock_state {
	struct wire_proc owner; /* tgid 0: unknown */
	__u32 slot;
	__u32 flags; /* enum sock_flag */
	struct http_state http;
};
_Static_assert(sizeof(struct sock_state) == 136, "charged to the socket's option memory");
/* The kernel puts 8 bytes of its own before the value, and both at a line's start. */
#define STORAGE_LINE(member) ((8 + __builtin_offsetof(struct sock_state, member)) % 64)
_Static_assert(STORAGE_LINE(http.request) == 0, "requests begin a cache line");
_Static_assert(STORAGE_LINE(http.response) == 0, "responses begin a cache line");

/*
 * The head this CPU sent last, and when. What goes to a socket of the same host comes in on the
 * same CPU at once: then neither the clock nor the payload need be read again.
 */
struct departure {
	__u64 ns; /* CLOCK_MONOTONIC */
	__u64 word;
	__u32 tail;
	__u32 ports; /* as in the TCP header; with the two below they tell the packet */
	__u32 seq;
	__u32 bytes;
};

struct departure_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct departure);
};

/* Where a long response is searched for its length. */
struct http_view_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct http_view);
};

/* When this CPU last raised a WIRE_ALARM. */
struct alarm_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
};

struct sock_state_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct sock_state);
};

/*
 * Stands in for the map above, which then holds of each socket only what it started from: the one
 * thing that the kernel hands on to accepted sockets.
 */
struct sock_state_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, MAX_SOCK_STATES);
	__type(key, __u64); /* address of its struct sock */
	__type(value, struct sock_state);
};

/* The socket whose state this CPU dropped last: a reset that its end calls for comes after that. */
struct dropped_socket {
	__u64 address;
	struct sock_state state;
};

struct dropped_socket_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct dropped_socket);
};

struct flow_slot_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_FLOW_KEYS);
	__type(key, struct wire_flow_key);
	__type(value, __u32);
};

/* What user space filled it with: slots below those of backends, or theirs. */
struct free_flow_slot_map {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, MAX_FLOW_KEYS);
	__type(value, __u32);
};

/* slot * cfg_nr_cpus + cpu; cfg_nr_flow_slots * cfg_nr_cpus entries, set by user space */
struct flow_stats_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_flow_stats);
};

/* ---- out ---- */

struct critical_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, CRITICAL_RING_BYTES);
};

struct bulk_ring_map {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BULK_RING_BYTES);
};

/* one per cpu: cfg_nr_cpus entries, set by user space */
struct loss_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wire_losses);
};

extern struct task_state_map task_states SEC(".maps");
extern struct task_state_table task_state_table SEC(".maps");
extern struct reclaim_start_map reclaim_starts SEC(".maps");
extern struct reclaim_start_table reclaim_start_table SEC(".maps");
extern struct reclaim_map reclaims SEC(".maps");
extern struct sock_state_map sock_states SEC(".maps");
extern struct sock_state_table sock_state_table SEC(".maps");
extern struct dropped_socket_map dropped_sockets SEC(".maps");
extern struct flow_slot_map flow_slots SEC(".maps");
extern struct free_flow_slot_map free_flow_slots SEC(".maps");
extern struct free_flow_slot_map free_backend_slots SEC(".maps");
extern struct flow_stats_map flow_stats SEC(".maps");
extern struct departure_map departures SEC(".maps");
extern struct http_view_map http_views SEC(".maps");
extern struct alarm_map alarms SEC(".maps");
extern struct critical_ring_map critical_ring SEC(".maps");
extern struct bulk_ring_map bulk_ring SEC(".maps");
extern struct loss_map losses SEC(".maps");

#endif
