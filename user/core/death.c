/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* death.c - see death.h. */
#include "core/death.h"

#include <signal.h>
#include <string.h>

#include "core/text.h"

#define STATUS_SIGNAL(status) ((int32_t)((status)&0x7f))
#define STATUS_CODE(status)   ((int32_t)((status) >> 8 & 0xff))

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
		memmove(d->signals, d->signals + 1, (DEATH_SIGNALS - 1) * sizeof(d->signals[0]));
	else
		d->nr_signals++;
	s = &d->signals[d->nr_signals - 1];
	s->ts_ns = ts_ns;
	s->sender = signal->sender;
	s->sig = signal->sig;
	s->code = signal->code;
	s->ignored = signal->ignored;
	text_copy(s->sender_comm, sizeof(s->sender_comm), signal->sender_comm,
		  sizeof(signal->sender_comm));
}

const struct death_signal *death_signal_of(const struct death *d)
{
	int32_t sig = STATUS_SIGNAL(d->status);
	const struct death_signal *asked = NULL;

	for (int i = 0; i < d->nr_signals; i++) {
		const struct death_signal *s = &d->signals[i];

		if (s->ignored)
			continue;
		if (sig && s->sig == sig)
			return s;
		if (!sig && since_ns(d->exit_ns, s->ts_ns) < DEATH_SIGNAL_NS)
			asked = s;
	}
	return asked;
}

bool death_is_oom_kill(const struct death *d)
{
	const struct death_signal *s = death_signal_of(d);

	if (!d->oom_ns || !d->exit_ns || STATUS_SIGNAL(d->status) != SIGKILL)
		return false;
	return !s || s->code == SI_KERNEL;
}

bool death_is_v8_oom(const struct death *d)
{
	const struct death_signal *s = death_signal_of(d);
	bool by_itself = !s || s->code > 0 || proc_id_equal(&s->sender, &d->proc);

	return d->v8_ns && d->status && by_itself &&
	       since_ns(d->exit_ns, d->v8_ns) <= DEATH_SIGNAL_NS;
}

bool death_by_memory(const struct death *d)
{
	return death_is_oom_kill(d) || death_is_v8_oom(d);
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
	out->peak_rss_bytes = d->peak_rss_bytes;
	out->anon_bytes = (struct measure){(double)d->anon_bytes, d->anon_bytes != 0};
}
