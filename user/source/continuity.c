/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* continuity.c - see continuity.h. */
#include "source/continuity.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/utf8.h"
#include "source/decode.h"
#include "source/procfs.h"
#include "source/self.h"

/* A tick may be late by its own length and this much before it is a gap: the machine may be busy. */
#define LATE_NS 1000000000ULL

int continuity_open(struct continuity *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	c->now.pid = (uint32_t)getpid();
	c->is_alive = procfs_is_alive;
	return path ? state_file_open(path, &c->file, &c->earlier, &c->found) : 0;
}

void continuity_close(struct continuity *c)
{
	state_file_close(c->file);
	c->file = NULL;
}

/* Who serves ----------------------------------------------------------------------------------- */

static void read_comm(struct served *served)
{
	char path[32], text[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%u/comm", served->proc.tgid);
	len = procfs_read_file(path, text, sizeof(text));
	if (len > 0)
		utf8_sanitize(served->comm, sizeof(served->comm), text, strcspn(text, "\n"));
}

/* The last flows of a process are told after its exit: then it does not come back. */
static void add_served(struct continuity *c, const struct proc_id *proc,
		       const struct endpoint *local)
{
	struct run_state *state = &c->now;
	struct served *served = state->served;
	uint32_t i = 0;

	while (i < state->nr_served &&
	       !(proc_id_equal(&served[i].proc, proc) && endpoint_equal(&served[i].local, local)))
		i++;
	if (i < state->nr_served || i == RUN_STATE_SERVED || !c->is_alive(proc))
		return;
	memset(&served[i], 0, sizeof(served[i]));
	served[i].proc = *proc;
	served[i].local = *local;
	read_comm(&served[i]);
	state->nr_served++;
}

/* Everything the process served; with `local`, only that address. */
static void drop_served(struct run_state *state, const struct proc_id *proc,
			const struct endpoint *local)
{
	struct served *served = state->served;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < state->nr_served; i++)
		if (!proc_id_equal(&served[i].proc, proc) ||
		    (local && !endpoint_equal(&served[i].local, local)))
			served[kept++] = served[i];
	state->nr_served = kept;
}

static void take_listener(struct continuity *c, const struct record_listener *listener)
{
	if (listener->state == LISTENER_DOWN)
		drop_served(&c->now, &listener->owner, &listener->local);
	else
		add_served(c, &listener->owner, &listener->local);
	for (uint32_t i = 0; !c->is_settled && i < c->earlier.nr_served; i++)
		if (listener->state != LISTENER_DOWN &&
		    endpoint_equal(&c->earlier.served[i].local, &listener->local))
			c->reconciled[i].successor = listener->owner;
}

static void take_proc(struct continuity *c, const struct proc_id *proc)
{
	for (uint32_t i = 0; !c->is_settled && i < c->earlier.nr_served; i++)
		if (proc_id_equal(&c->earlier.served[i].proc, proc))
			c->reconciled[i].is_alive = true;
}

/* The gap before this run ---------------------------------------------------------------------- */

static bool is_same_boot(const struct continuity *c)
{
	return !strcmp(c->earlier.boot_id, c->now.boot_id);
}

static enum gap_cause end_of_earlier(const struct continuity *c)
{
	if (c->found != STATE_FOUND_RUN)
		return GAP_UNKNOWN;
	if (!is_same_boot(c))
		return GAP_REBOOTED;
	return c->earlier.is_ended ? GAP_STOPPED : GAP_KILLED;
}

static uint32_t count_gone(const struct continuity *c)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < c->earlier.nr_served; i++)
		nr += !c->reconciled[i].is_alive;
	return nr;
}

/* Of another boot everybody is gone, and who is late to start is no news. */
static void tell_services(const struct continuity *c, uint64_t ts_ns, record_fn fn, void *arg)
{
	struct record record;

	for (uint32_t i = 0; is_same_boot(c) && i < c->earlier.nr_served; i++) {
		if (c->reconciled[i].is_alive)
			continue;
		record_init(&record, RECORD_GAP_SERVICE, ts_ns);
		record.gap_service.proc = c->earlier.served[i].proc;
		record.gap_service.local = c->earlier.served[i].local;
		record.gap_service.successor = c->reconciled[i].successor;
		memcpy(record.gap_service.comm, c->earlier.served[i].comm,
		       sizeof(record.gap_service.comm));
		fn(arg, &record);
	}
}

static void tell_incidents(const struct continuity *c, uint64_t ts_ns, record_fn fn, void *arg)
{
	struct record record;

	for (uint32_t i = 0; i < c->earlier.nr_incidents; i++) {
		record_init(&record, RECORD_GAP_INCIDENT, ts_ns);
		memcpy(record.gap_incident.id, c->earlier.incidents[i],
		       sizeof(record.gap_incident.id));
		fn(arg, &record);
	}
}

static void tell_before(const struct continuity *c, uint64_t ts_ns, record_fn fn, void *arg)
{
	const struct run_state *earlier = &c->earlier;
	struct record record;

	record_init(&record, RECORD_GAP, ts_ns);
	record.gap.cause = (uint8_t)end_of_earlier(c);
	record.gap.earlier_pid = earlier->pid;
	record.gap.earlier_lines = earlier->lines;
	record.gap.nr_served = earlier->nr_served;
	record.gap.nr_gone = count_gone(c);
	record.gap.nr_incidents = earlier->nr_incidents;
	if (earlier->tick_ns)
		record.gap.from_wall_ns = (int64_t)earlier->tick_ns + earlier->wall_offset_ns;
	if (is_same_boot(c) && earlier->tick_ns) {
		record.gap.from_ns = earlier->tick_ns;
		record.gap.suspended_ns = c->suspended_ns - earlier->suspended_ns;
	}
	fn(arg, &record);
	tell_services(c, ts_ns, fn, arg);
	tell_incidents(c, ts_ns, fn, arg);
}

/* A gap within this run ------------------------------------------------------------------------ */

static bool is_late(const struct continuity *c, uint64_t ts_ns)
{
	return c->now.tick_ns && ts_ns > c->now.tick_ns &&
	       ts_ns - c->now.tick_ns > 2 * c->interval_ns + LATE_NS;
}

static void tell_late(const struct continuity *c, uint64_t ts_ns, record_fn fn, void *arg)
{
	uint64_t slept_ns = c->suspended_ns - c->now.suspended_ns;
	struct record record;

	record_init(&record, RECORD_GAP, ts_ns);
	record.gap.cause = 2 * slept_ns > ts_ns - c->now.tick_ns ? GAP_SUSPENDED : GAP_STALLED;
	record.gap.from_ns = c->now.tick_ns;
	record.gap.from_wall_ns = (int64_t)c->now.tick_ns + c->now.wall_offset_ns;
	record.gap.suspended_ns = slept_ns;
	fn(arg, &record);
}

/* The stream ----------------------------------------------------------------------------------- */

static void remember(struct continuity *c, uint64_t ts_ns)
{
	c->now.tick_ns = ts_ns;
	c->now.suspended_ns = c->suspended_ns;
	if (c->file)
		state_file_write(c->file, &c->now);
}

static void take_tick(struct continuity *c, const struct record *record, record_fn fn, void *arg)
{
	c->suspended_ns = self_suspended_ns();
	if (!c->is_settled && c->found != STATE_FOUND_NONE)
		tell_before(c, record->ts_ns, fn, arg);
	else if (is_late(c, record->ts_ns))
		tell_late(c, record->ts_ns, fn, arg);
	c->is_settled = true;
	fn(arg, record);
	remember(c, record->ts_ns);
}

static void take_stop(struct continuity *c, const struct record *record, record_fn fn, void *arg)
{
	fn(arg, record);
	c->now.is_ended = 1;
	remember(c, record->ts_ns);
}

static void take_header(struct continuity *c, const struct record_header *header)
{
	memcpy(c->now.boot_id, header->boot_id, sizeof(c->now.boot_id));
	c->now.wall_offset_ns = header->wall_offset_ns;
	c->interval_ns = header->tick_ns;
}

void continuity_take(struct continuity *c, const struct record *record, record_fn fn, void *arg)
{
	switch (record->kind) {
	case RECORD_TICK:
		take_tick(c, record, fn, arg);
		return;
	case RECORD_STOP:
		take_stop(c, record, fn, arg);
		return;
	case RECORD_HEADER:
		take_header(c, &record->header);
		break;
	case RECORD_CLOCK:
		c->now.wall_offset_ns = record->clock.wall_offset_ns;
		break;
	case RECORD_PROC:
		take_proc(c, &record->proc.proc);
		break;
	case RECORD_LISTENER:
		take_listener(c, &record->listener);
		break;
	case RECORD_FLOW:
		if (record->flow.role == FLOW_SERVER)
			add_served(c, &record->flow.proc, &record->flow.endpoint);
		break;
	case RECORD_EXIT:
		drop_served(&c->now, &record->exit.proc, NULL);
		break;
	default:
		break;
	}
	fn(arg, record);
}

static void drop_incident(struct run_state *state, const char *id)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < state->nr_incidents; i++)
		if (strcmp(state->incidents[i], id) != 0)
			memmove(state->incidents[kept++], state->incidents[i],
				sizeof(state->incidents[i]));
	state->nr_incidents = kept;
}

static void add_incident(struct run_state *state, const char *id)
{
	drop_incident(state, id);
	if (state->nr_incidents < RUN_STATE_INCIDENTS)
		snprintf(state->incidents[state->nr_incidents++], sizeof(state->incidents[0]), "%s",
			 id);
}

void continuity_report(struct continuity *c, const struct report *report)
{
	c->now.lines = report->seq + 1;
	if (report->kind != REPORT_INCIDENT)
		return;
	if (report->incident.record == INCIDENT_CLOSE)
		drop_incident(&c->now, report->incident.id);
	else
		add_incident(&c->now, report->incident.id);
}
