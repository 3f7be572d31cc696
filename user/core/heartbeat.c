/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* heartbeat.c - see heartbeat.h. */
#include "core/heartbeat.h"

#include <string.h>

#include "model/text.h"

static int compare(const struct loss_row *row, const char *stream, const char *reason)
{
	int order = strcmp(row->stream, stream);

	return order ? order : strcmp(row->reason, reason);
}

/* The row of a reason, made in its place if there is none. */
static struct loss_row *row_of(struct heartbeat *h, const char *stream, const char *reason)
{
	uint32_t i = 0;

	while (i < h->nr_losses && compare(&h->rows[i], stream, reason) < 0)
		i++;
	if (i < h->nr_losses && compare(&h->rows[i], stream, reason) == 0)
		return &h->rows[i];
	if (h->nr_losses == HEARTBEAT_LOSSES)
		return NULL;
	memmove(&h->rows[i + 1], &h->rows[i], (h->nr_losses - i) * sizeof(h->rows[0]));
	h->nr_losses++;
	memset(&h->rows[i], 0, sizeof(h->rows[i]));
	text_copy(h->rows[i].stream, sizeof(h->rows[i].stream), stream, strlen(stream));
	text_copy(h->rows[i].reason, sizeof(h->rows[i].reason), reason, strlen(reason));
	return &h->rows[i];
}

/* The last free row is kept for what has no row of its own. */
static struct loss_row *row_or_other(struct heartbeat *h, const char *stream, const char *reason)
{
	struct loss_row *row;

	for (uint32_t i = 0; i < h->nr_losses; i++)
		if (compare(&h->rows[i], stream, reason) == 0)
			return &h->rows[i];
	if (h->nr_losses < HEARTBEAT_LOSSES - 1)
		return row_of(h, stream, reason);
	row = row_of(h, "other", "other");
	return row ? row : &h->rows[HEARTBEAT_LOSSES - 1];
}

void heartbeat_loss(struct heartbeat *h, const struct record_loss *loss)
{
	struct loss_row *row;
	char stream[sizeof(loss->stream)];
	char reason[sizeof(loss->reason)];

	text_copy(stream, sizeof(stream), loss->stream, sizeof(loss->stream));
	text_copy(reason, sizeof(reason), loss->reason, sizeof(loss->reason));
	row = row_or_other(h, stream, reason);
	row->count = add_u64(row->count, loss->count);
}

void heartbeat_stream(struct heartbeat *h, const struct record_stream *stream)
{
	struct record_stream new = *stream;
	uint32_t i = 0;

	new.stream[sizeof(new.stream) - 1] = '\0';
	while (i < h->nr_streams && strcmp(h->streams[i].stream, new.stream) != 0)
		i++;
	if (i == REPORT_MAX_STREAMS)
		return;
	h->streams[i] = new;
	if (i == h->nr_streams)
		h->nr_streams++;
}

void heartbeat_close(struct heartbeat *h)
{
	if (h->nr_streams)
		h->next_ns = 0;
}

void heartbeat_set_loss(struct heartbeat *h, const char *stream, const char *reason, uint64_t count)
{
	if (count)
		row_or_other(h, stream, reason)->count = count;
}

/*
 * Losses that take nothing from a verdict: lines a slow reader did not get; one call or size not added
 * to a process's own counters (task storage is busy while another program is in it); one of the many
 * looks at who reads from a socket, skipped because another one was under way on that CPU.
 */
static bool is_harmless(const struct loss_row *row)
{
	return !strcmp(row->stream, "output") || !strcmp(row->stream, "task_storage") ||
	       (!strcmp(row->stream, "program") && !strcmp(row->reason, "socket_recv_owner"));
}

uint64_t heartbeat_events_lost(const struct heartbeat *h)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < h->nr_losses; i++)
		if (!is_harmless(&h->rows[i]))
			sum = add_u64(sum, h->rows[i].count);
	return sum;
}

bool heartbeat_due(struct heartbeat *h, uint64_t now_ns, struct report_heartbeat *out)
{
	if (now_ns < h->next_ns)
		return false;
	h->next_ns = now_ns + HEARTBEAT_NS;
	for (uint32_t i = 0; i < h->nr_losses; i++)
		h->losses[i] = (struct report_loss){h->rows[i].stream, h->rows[i].reason,
						    h->rows[i].count};
	memset(out, 0, sizeof(*out));
	out->uptime_ns = since_ns(now_ns, h->first_ns);
	out->cpu_ns = h->self.cpu_ns;
	out->rss_bytes = h->self.rss_bytes;
	out->map_bytes = h->self.map_bytes;
	out->self = &h->self;
	out->records = h->records;
	out->flows = h->flows;
	out->losses = h->losses;
	out->nr_losses = h->nr_losses;
	out->streams = h->streams;
	out->nr_streams = h->nr_streams;
	return true;
}
