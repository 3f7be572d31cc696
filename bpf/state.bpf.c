// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * state.bpf.c - defines the maps and knobs that state.bpf.h declares. No programs.
 */
#include "state.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

const volatile __u32 cfg_nr_cpus = 1;
const volatile __u32 cfg_nr_flow_slots = 1;
const volatile __u32 cfg_page_shift = 12;
const volatile __u64 cfg_rss_step_pages = 4096;
const volatile __u64 cfg_vm_step_bytes = 64 * 1024 * 1024;
const volatile __u8 cfg_mark_victim_has_task = 1;
const volatile __u8 cfg_probe_read = 1;

__u64 boot_offset_ns = 0;

struct task_state_map task_states SEC(".maps");
struct task_state_table task_state_table SEC(".maps");
struct reclaim_start_map reclaim_starts SEC(".maps");
struct reclaim_start_table reclaim_start_table SEC(".maps");
struct reclaim_map reclaims SEC(".maps");
struct sock_state_map sock_states SEC(".maps");
struct sock_state_table sock_state_table SEC(".maps");
struct dropped_socket_map dropped_sockets SEC(".maps");
struct flow_slot_map flow_slots SEC(".maps");
struct free_flow_slot_map free_flow_slots SEC(".maps");
struct free_flow_slot_map free_backend_slots SEC(".maps");
struct flow_stats_map flow_stats SEC(".maps");
struct departure_map departures SEC(".maps");
struct http_view_map http_views SEC(".maps");
struct alarm_map alarms SEC(".maps");
struct critical_ring_map critical_ring SEC(".maps");
struct bulk_ring_map bulk_ring SEC(".maps");
struct loss_map losses SEC(".maps");
