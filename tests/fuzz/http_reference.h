/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * http_reference.h - what bpf/http.bpf.h has to come to, written down as plainly as its comments say
 * it: with strings instead of words, 64-bit positions instead of sequence numbers that wrap, and loops
 * where the kernel must not have any. Slow, and shares nothing with it but the names of its events.
 */
#ifndef MEMSWELL_HTTP_REFERENCE_H
#define MEMSWELL_HTTP_REFERENCE_H

#include <string.h>
#include <strings.h>

#include "http.bpf.h"

struct reference_side {
	bool followed;
	int64_t next; /* position after the last byte seen */
};

struct reference {
	bool fresh, reused, ignored, old_client, other_out;
	int role;
	unsigned int requests, responses, answered;
	unsigned int method;
	char kept[HTTP_HEAD_BYTES];
	size_t nr_kept;
	unsigned int kept_dir;
	struct reference_side side[2];
	bool has_hole;
	unsigned int hole_dir;
	int64_t hole;
	bool measured;
	int64_t end;
};

struct reference_step {
	unsigned int events, status;
	size_t bytes;
};

static const struct {
	const char *word;
	unsigned int method;
} reference_methods[] = {
	{"GET ", HTTP_GET},	    {"HEAD ", HTTP_HEAD},   {"DELETE ", HTTP_DELETE},
	{"OPTIONS ", HTTP_OPTIONS}, {"TRACE ", HTTP_TRACE}, {"CONNECT ", HTTP_CONNECT},
	{"POST ", HTTP_POST},	    {"PUT ", HTTP_PUT},	    {"PATCH ", HTTP_PATCH},
};

static unsigned int reference_method(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(reference_methods) / sizeof(reference_methods[0]); i++) {
		size_t need = strlen(reference_methods[i].word);

		if (len >= need && !memcmp(text, reference_methods[i].word, need))
			return reference_methods[i].method;
		if (len < need && !memcmp(text, reference_methods[i].word, len))
			return HTTP_PARTIAL;
	}
	return HTTP_NOTHING;
}

static unsigned int reference_status(const char *text, size_t len)
{
	static const char version[] = "HTTP/1.";
	unsigned int status = 0;

	if (memcmp(text, version, len < 7 ? len : 7))
		return HTTP_NOTHING;
	if (len < HTTP_HEAD_BYTES)
		return HTTP_PARTIAL;
	if (text[8] != ' ')
		return HTTP_NOTHING;
	for (int i = 9; i < 12; i++) {
		if (text[i] < '0' || text[i] > '9')
			return HTTP_NOTHING;
		status = status * 10 + (unsigned int)(text[i] - '0');
	}
	return status < 100 ? HTTP_NOTHING : status;
}

static bool reference_is_request_dir(const struct reference *ref, unsigned int dir)
{
	return (ref->role == WIRE_ROLE_SERVER) == (dir == HTTP_IN);
}

/* ---- positions ---- */

/* How many of `len` bytes at `position` are new, and what comes next. */
static size_t reference_new_bytes(struct reference *ref, unsigned int dir, int64_t position,
				  size_t len)
{
	struct reference_side *side = &ref->side[dir];
	int64_t end = position + (int64_t)len, last = side->next;

	if (!ref->role)
		return len;
	if (!side->followed || position == last) {
		side->followed = true;
		side->next = end;
		return len;
	}
	if (position > last) {
		ref->has_hole = true;
		ref->hole_dir = dir;
		ref->hole = last;
		side->next = end;
		return len;
	}
	if (ref->has_hole && ref->hole_dir == dir && position == ref->hole) {
		ref->has_hole = false;
		side->next = end > last ? end : last;
		return len;
	}
	if (end <= last)
		return 0;
	side->next = end;
	return (size_t)(end - last);
}

/* ---- messages ---- */

static void reference_forget(struct reference *ref, unsigned int dir)
{
	if (ref->nr_kept && ref->kept_dir == dir)
		ref->nr_kept = 0;
}

static unsigned int reference_keep(struct reference *ref, unsigned int dir, const char *text,
				   size_t len)
{
	bool again = ref->nr_kept && ref->kept_dir == dir;

	memcpy(ref->kept, text, len);
	ref->nr_kept = len;
	ref->kept_dir = dir;
	return again ? 0 : HTTP_EV_PARTIAL;
}

static unsigned int reference_request(struct reference *ref, unsigned int dir, unsigned int method)
{
	reference_forget(ref, dir);
	ref->requests++;
	ref->method = method;
	return HTTP_EV_REQUEST | HTTP_EV_UPLOAD;
}

static unsigned int reference_response(struct reference *ref, unsigned int dir, unsigned int status,
				       size_t len)
{
	reference_forget(ref, dir);
	if (status < 200 && status != 101)
		return HTTP_EV_INTERIM | HTTP_EV_DOWNLOAD;
	ref->responses++;
	ref->answered = ref->requests;
	ref->measured = false;
	ref->reused = true;
	if (status == 101 || (ref->method == HTTP_CONNECT && status < 300)) {
		ref->ignored = true;
		return HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | HTTP_EV_LEAVE;
	}
	return HTTP_EV_RESPONSE | HTTP_EV_DOWNLOAD | (len >= HTTP_VIEW_BYTES ? HTTP_EV_LONG : 0);
}

static void reference_take_role(struct reference *ref, bool server, unsigned int dir,
				int64_t position, size_t len)
{
	ref->role = server ? WIRE_ROLE_SERVER : WIRE_ROLE_CLIENT;
	ref->reused = ref->reused || !ref->fresh;
	reference_new_bytes(ref, dir, position, len);
}

static unsigned int reference_stranger(struct reference *ref, unsigned int dir)
{
	bool other = ref->fresh;

	reference_forget(ref, dir);
	if (!ref->fresh && ref->old_client) {
		if (dir == HTTP_OUT)
			ref->other_out = true;
		other = dir == HTTP_IN && ref->other_out;
	}
	if (!other)
		return 0;
	ref->ignored = true;
	return HTTP_EV_LEAVE;
}

/* One segment with new bytes. `position` is where they would begin had none been kept before. */
static struct reference_step reference_advance(struct reference *ref, unsigned int dir,
					       int64_t position, const char *payload, size_t len)
{
	struct reference_step step = {0};
	bool to_server = ref->role && reference_is_request_dir(ref, dir);
	bool waiting = ref->requests != ref->responses;
	bool in_body = ref->method >= HTTP_POST && waiting;
	bool looks = !ref->role || (to_server ? !in_body : waiting);
	char text[2 * HTTP_HEAD_BYTES];
	size_t nr = 0, kept = 0;
	unsigned int method, status;

	if (looks && ref->nr_kept && ref->kept_dir == dir) {
		kept = nr = ref->nr_kept;
		memcpy(text, ref->kept, nr);
	} else if (looks && ref->nr_kept && !ref->role) {
		ref->nr_kept = 0;
	}
	memcpy(text + nr, payload, len < HTTP_HEAD_BYTES ? len : HTTP_HEAD_BYTES);
	nr += len < HTTP_HEAD_BYTES ? len : HTTP_HEAD_BYTES;
	nr = nr < HTTP_HEAD_BYTES ? nr : HTTP_HEAD_BYTES;
	step.bytes = len + kept;
	method = reference_method(text, nr);
	status = reference_status(text, nr);
	if (!ref->role && method > HTTP_PARTIAL) {
		reference_take_role(ref, dir == HTTP_IN, dir, position - (int64_t)kept, step.bytes);
		step.events = reference_request(ref, dir, method);
	} else if (!ref->role && status > HTTP_PARTIAL) {
		reference_take_role(ref, dir == HTTP_OUT, dir, position - (int64_t)kept,
				    step.bytes);
		ref->requests++;
		step.status = status;
		step.events = reference_response(ref, dir, status, step.bytes) | HTTP_EV_IMPLIED;
	} else if (!ref->role) {
		step.events = method == HTTP_PARTIAL || status == HTTP_PARTIAL
				      ? reference_keep(ref, dir, text, nr)
				      : reference_stranger(ref, dir);
	} else if (to_server) {
		if (!in_body && method > HTTP_PARTIAL) {
			step.events = reference_request(ref, dir, method);
		} else if (!in_body && method == HTTP_PARTIAL && !waiting) {
			step.events = reference_keep(ref, dir, text, nr);
		} else {
			reference_forget(ref, dir);
			step.events = HTTP_EV_UPLOAD;
		}
	} else if (!waiting) {
		step.events = HTTP_EV_DOWNLOAD;
	} else if (status > HTTP_PARTIAL) {
		step.status = status;
		step.events = reference_response(ref, dir, status, step.bytes);
	} else if (status == HTTP_PARTIAL && ref->answered != ref->requests) {
		step.events = reference_keep(ref, dir, text, nr);
	} else {
		reference_forget(ref, dir);
		step.events = ref->reused ? HTTP_EV_DOWNLOAD : HTTP_EV_LEAVE;
		ref->ignored = !ref->reused;
	}
	return step;
}

/* ---- lengths ---- */

/* The number that is the rest of the line but for one blank before it; HTTP_UNKNOWN otherwise. */
static uint64_t reference_number(const char *line, size_t len)
{
	uint64_t number = 0;
	size_t nr = 0;

	if (len && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (nr < len && line[nr] >= '0' && line[nr] <= '9' && nr <= HTTP_LENGTH_DIGITS)
		number = number * 10 + (uint64_t)(line[nr++] - '0');
	if (!nr || nr > HTTP_LENGTH_DIGITS)
		return HTTP_UNKNOWN;
	if (nr < len && line[nr] == '\r')
		nr++;
	return nr == len ? number : HTTP_UNKNOWN;
}

/*
 * Of HTTP_VIEW_BYTES that begin a response the bytes it has in all, or at least. *long_winded if its
 * lines are so many and short that the kernel gives up before the end, which only makes it less.
 */
static uint64_t reference_total(const char *text, bool *long_winded)
{
	const char *end = text + HTTP_VIEW_BYTES, *line = text, *newline;
	uint64_t length = HTTP_UNKNOWN, head = HTTP_VIEW_BYTES;
	bool found = false;
	size_t steps = 0;

	*long_winded = false;
	for (; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((newline ? newline : end) - line);

		steps += len / (8 * HTTP_VIEW_STRIDE) + 1;
		*long_winded = steps > HTTP_VIEW_STEPS;
		if (line != text && newline && (len == 0 || (len == 1 && *line == '\r'))) {
			head = (uint64_t)(newline + 1 - text);
			break;
		}
		if (line != text && len >= 16 && !strncasecmp(line, "Transfer-Encodin", 16))
			return HTTP_UNKNOWN;
		if (line != text && len >= 15 && !strncasecmp(line, "Content-Length:", 15)) {
			if (found)
				return HTTP_UNKNOWN;
			found = true;
			length = newline ? reference_number(line + 15, len - 15) : HTTP_UNKNOWN;
		}
		if (!newline)
			break;
	}
	return length == HTTP_UNKNOWN ? HTTP_UNKNOWN : head + length;
}

static bool reference_is_measurable(const struct reference *ref, unsigned int dir, int64_t position,
				    const struct reference_step *step)
{
	if (ref->method < HTTP_GET || ref->method == HTTP_HEAD || ref->method == HTTP_CONNECT)
		return false;
	if (step->status < 200 || step->status == 204 || step->status == 304)
		return false;
	return ref->requests == ref->responses &&
	       position + (int64_t)step->bytes == ref->side[dir].next;
}

#endif
