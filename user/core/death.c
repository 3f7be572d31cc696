/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* death.c - see death.h. */
#include "core/death.h"

#include <signal.h>
#include <string.h>

#include "model/text.h"

#define STATUS_SIGNAL(status) ((int32_t)((status)&0x7f))
#define STATUS_CODE(status)   ((int32_t)((status) >> 8 & 0xff))

/* SIGHUP mostly means to read the configuration again; it asked for an end that comes at once. */
#define HANGUP_NS (5 * NSEC_PER_SEC)
/* Who cannot go on without the memory it was refused says so within this time. */
#define MAP_FAILURE_NS (2 * NSEC_PER_SEC)

uint16_t death_take(struct deaths *t, const struct proc_id *proc)
{
	uint16_t index = (uint16_t)(t->newest % DEATH_MAX + 1);
	struct death *d = &t->all[index];

	t->lost += (d->exit_ns && !d->exit_reported) || (d->oom_ns && !d->oom_reported);
	memset(d, 0, sizeof(*d));
	d->proc = *proc;
	t->newest = index;
	return index;
}

/* What asked first matters as long as it can have caused the end. */
static void drop_signal(struct death *d, uint64_t now_ns)
{
	int oldest = since_ns(now_ns, d->signals[0].ts_ns) < DEATH_SIGNAL_NS;

	d->nr_signals--;
	memmove(&d->signals[oldest], &d->signals[oldest + 1],
		(size_t)(d->nr_signals - oldest) * sizeof(d->signals[0]));
}

void death_add_signal(struct death *d, uint64_t ts_ns, const struct record_signal *signal)
{
	struct death_signal *s;

	/* The first of a kind kills, later ones only knock again. */
	for (int i = 0; i < d->nr_signals; i++) {
		s = &d->signals[i];
		if (s->sig == signal->sig && s->code == signal->code &&
		    s->ignored == !!signal->ignored && proc_id_equal(&s->sender, &signal->sender) &&
		    since_ns(ts_ns, s->ts_ns) < DEATH_SIGNAL_NS)
			return;
	}
	if (d->nr_signals == DEATH_SIGNALS)
		drop_signal(d, ts_ns);
	s = &d->signals[d->nr_signals++];
	s->ts_ns = ts_ns;
	s->sender = signal->sender;
	s->sig = signal->sig;
	s->code = signal->code;
	s->ignored = signal->ignored;
	text_copy(s->sender_comm, sizeof(s->sender_comm), signal->sender_comm,
		  sizeof(signal->sender_comm));
}

static bool sent_by_itself(const struct death *d, const struct death_signal *s)
{
	return s->code <= 0 && proc_id_equal(&s->sender, &d->proc);
}

/* The signal that its status names. */
static const struct death_signal *ended_by(const struct death *d)
{
	for (int i = 0; i < d->nr_signals; i++)
		if (!d->signals[i].ignored && d->signals[i].sig == STATUS_SIGNAL(d->status))
			return &d->signals[i];
	return NULL;
}

static bool asks_to_end(const struct death *d, const struct death_signal *s)
{
	uint64_t before_ns = since_ns(d->exit_ns, s->ts_ns);

	if (s->ignored || s->code > 0 || sent_by_itself(d, s))
		return false;
	if (s->sig == SIGHUP)
		return before_ns < HANGUP_NS;
	return before_ns < DEATH_SIGNAL_NS;
}

static const struct death_signal *asked_by(const struct death *d)
{
	for (int i = 0; i < d->nr_signals; i++)
		if (asks_to_end(d, &d->signals[i]))
			return &d->signals[i];
	return NULL;
}

/* The newest it got, whoever sent it: a fault whose handler exits. */
static const struct death_signal *newest_signal(const struct death *d)
{
	for (int i = d->nr_signals - 1; i >= 0; i--)
		if (!d->signals[i].ignored &&
		    since_ns(d->exit_ns, d->signals[i].ts_ns) < DEATH_SIGNAL_NS)
			return &d->signals[i];
	return NULL;
}

const struct death_signal *death_signal_of(const struct death *d)
{
	const struct death_signal *ended = ended_by(d);
	const struct death_signal *asked = asked_by(d);

	if (STATUS_SIGNAL(d->status)) {
		/* abort() is nobody's way to obey. */
		bool obeyed = ended && sent_by_itself(d, ended) && ended->sig != SIGABRT;

		return obeyed && asked ? asked : ended;
	}
	return asked ? asked : newest_signal(d);
}

static bool programs_handle(int32_t sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGQUIT || sig == SIGHUP || sig == SIGUSR2;
}

bool death_was_asked(const struct death *d)
{
	for (int i = 0; i < d->nr_signals; i++)
		if (programs_handle(d->signals[i].sig) && asks_to_end(d, &d->signals[i]))
			return true;
	return false;
}

bool death_is_oom_kill(const struct death *d)
{
	const struct death_signal *s = death_signal_of(d);

	if (!d->oom_ns || !d->exit_ns || STATUS_SIGNAL(d->status) != SIGKILL)
		return false;
	return !s || s->code == SI_KERNEL;
}

/* Nobody else wanted it to end: it exited, aborted or ran into a fault. */
static bool ended_by_itself(const struct death *d)
{
	const struct death_signal *s = death_signal_of(d);

	if (STATUS_SIGNAL(d->status) == SIGKILL)
		return false;
	return !s || s->code > 0 || sent_by_itself(d, s);
}

bool death_is_v8_oom(const struct death *d)
{
	return d->v8_ns && d->status && ended_by_itself(d) &&
	       since_ns(d->exit_ns, d->v8_ns) <= DEATH_SIGNAL_NS;
}

bool death_is_map_failure(const struct death *d)
{
	/* An end that looks orderly needs more to be one for want of memory: that it had grown. */
	return d->map_failed_ns && (d->status || d->story.grew) && ended_by_itself(d) &&
	       since_ns(d->exit_ns, d->map_failed_ns) <= MAP_FAILURE_NS;
}

bool death_by_memory(const struct death *d)
{
	return death_is_oom_kill(d) || death_is_v8_oom(d) || d->heap_full_exit ||
	       death_is_map_failure(d);
}

bool death_oom_confirmed(const struct death *d)
{
	for (int i = 0; i < d->nr_signals; i++)
		if (d->signals[i].sig == SIGKILL && d->signals[i].code == SI_KERNEL)
			return d->oom_ns != 0;
	return false;
}

static bool sent_abort(const struct death *d, bool want_ignored)
{
	for (int i = 0; i < d->nr_signals; i++) {
		const struct death_signal *s = &d->signals[i];

		if (s->sig == SIGABRT && proc_id_equal(&s->sender, &d->proc) &&
		    (s->ignored || !want_ignored))
			return true;
	}
	return false;
}

/*
 * abort(3) whose signal has no effect runs into a trap: SIGSEGV where that is a privileged
 * instruction (x86), SIGTRAP or SIGILL elsewhere.
 */
bool death_abort_ignored(const struct death *d)
{
	int32_t sig = STATUS_SIGNAL(d->status);

	return sent_abort(d, true) && (sig == SIGSEGV || sig == SIGTRAP || sig == SIGILL);
}

bool death_aborted_itself(const struct death *d)
{
	return death_abort_ignored(d) ||
	       (STATUS_SIGNAL(d->status) == SIGABRT && sent_abort(d, false));
}

enum death_kind death_kind_of(const struct death *d)
{
	if (death_is_oom_kill(d))
		return d->oom.memcg.id ? DEATH_OOM_KILL_CGROUP : DEATH_OOM_KILL_HOST;
	if (death_is_v8_oom(d) || d->heap_full_exit)
		return DEATH_HEAP_FULL;
	if (death_is_map_failure(d))
		return DEATH_MEMORY_REFUSED;
	if (death_was_asked(d))
		return DEATH_ASKED;
	if (STATUS_SIGNAL(d->status))
		return DEATH_SIGNAL;
	return STATUS_CODE(d->status) ? DEATH_FAILURE : DEATH_EXIT;
}

void death_decode(const struct death *d, struct report_death *out)
{
	const struct death_signal *s = death_signal_of(d);

	memset(out, 0, sizeof(*out));
	out->ts_ns = d->exit_ns;
	out->signal = STATUS_SIGNAL(d->status);
	out->exit_code = out->signal ? 128 + out->signal : STATUS_CODE(d->status);
	out->sender_comm = "";
	if (s) {
		out->has_signal_code = true;
		out->signal_code = s->code;
	}
	/* The kernel has no sender: the record names whoever happened to run. */
	if (s && s->code <= 0) {
		out->sender_tgid = s->sender.tgid;
		out->sender_comm = s->sender_comm;
	}
	out->oom_kill = death_is_oom_kill(d);
	out->memcg_oom = out->oom_kill && d->oom.memcg.id;
	out->v8_oom = death_is_v8_oom(d);
	out->abort_ignored = death_abort_ignored(d);
	out->kind = death_kind_of(d);
	out->peak_rss_bytes = d->peak_rss_bytes;
	out->anon_bytes = (struct measure){(double)d->anon_bytes, d->anon_bytes != 0};
}
