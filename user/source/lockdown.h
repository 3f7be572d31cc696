/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * lockdown.h - what memswell gives up when everything is attached: capabilities (those that the
 * table in privilege.c does not keep), new privileges, and all system calls that its loop does not
 * make. It cannot be undone.
 */
#ifndef MEMSWELL_LOCKDOWN_H
#define MEMSWELL_LOCKDOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct syscall_rule;

enum sandbox {
	SANDBOX_ON = 0,
	SANDBOX_LOG, /* the filter allows everything, and the kernel logs what it would refuse */
	SANDBOX_OFF, /* no filter; capabilities are given up all the same */
	NR_SANDBOXES
};

struct lockdown {
	enum sandbox sandbox;
	int broker_fd;	    /* socket to the uprobe broker; -1: there is none */
	int files_fd;	    /* socket to who opens files of container runtimes; -1: nobody */
	int output_dir_fd;  /* directory in which files are made and renamed; -1: none */
	bool serves;	    /* metrics: connections are taken and answered */
	int metrics_dir_fd; /* in which its unix socket is removed; -1: it has none */
	bool writes_socket; /* reports go to a socket */
	bool bpf_stats;	    /* the kernel's counting is turned on and off while running */
};

/* The allowed system calls, for tests. */
const struct syscall_rule *lockdown_rules(void);

/* 0, or -errno with what could not be given up in `error`; what could be, was. */
int lockdown_apply(const struct lockdown *lockdown, char *error, size_t error_size);

#endif
