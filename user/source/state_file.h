/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * state_file.h - what a run leaves for the next one, also when it is killed: a small file, mapped
 * shared, so that writing it takes no system call and the page cache keeps what a SIGKILL interrupts.
 *
 * Two slots are written in turn, each with a checksum and a number: a torn write leaves the other
 * one. The file is locked, so two instances never share one. It is never written back on purpose:
 * what a power failure leaves is of an earlier boot, and as old as the kernel's own write-back.
 */
#ifndef MEMSWELL_STATE_FILE_H
#define MEMSWELL_STATE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/record.h"

#define RUN_STATE_SERVED    256
#define RUN_STATE_INCIDENTS 16

/* A process behind an address it serves. */
struct served {
	struct proc_id proc;
	struct endpoint local;
	char comm[RECORD_COMM_LEN];
};

struct run_state {
	char boot_id[64];
	uint64_t tick_ns; /* when it last was heard of, on the boot clock of boot_id; 0 never */
	uint64_t suspended_ns; /* that the machine had slept until then */
	int64_t wall_offset_ns;
	uint64_t lines; /* reports given out */
	uint32_t pid;
	uint32_t is_ended; /* 1: in order */
	uint32_t nr_incidents;
	uint32_t nr_served;
	char incidents[RUN_STATE_INCIDENTS][32]; /* ids of open ones */
	struct served served[RUN_STATE_SERVED];
};

enum state_found {
	STATE_FOUND_NONE = 0, /* a new file: this is the first run */
	STATE_FOUND_RUN,
	STATE_FOUND_DAMAGED, /* there was something else */
};

struct state_file;

/*
 * Open or create, lock and read. `earlier` and `found` tell what the run before left. 0, or -errno:
 * -EBUSY another instance has it and keeps it for 3 s, -EPERM it is not a plain file of ours that only we can write,
 * -ELOOP a symbolic link.
 */
int state_file_open(const char *path, struct state_file **out, struct run_state *earlier,
		    enum state_found *found);

/*
 * What stands in it now, also while a run writes it; nothing is locked or made. 0, or -errno: as above,
 * -ENOENT there is none, -ENODATA nothing whole is in it.
 */
int state_file_peek(const char *path, struct run_state *out);

/* Write the state over the older slot. */
void state_file_write(struct state_file *file, const struct run_state *state);

void state_file_close(struct state_file *file);

#endif
