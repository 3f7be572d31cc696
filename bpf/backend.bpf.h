/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * backend.bpf.h - follows the turns on a client's connection that speaks something else than
 * HTTP/1: a database, a cache, TLS. Pure, as http.bpf.h is, and in the same state of a socket.
 *
 * A request is the first payload that goes out after some came in, or after the connect; its
 * response is the first payload that comes in after it. So it answers how long the other side takes
 * and whether it is asked right now, for any protocol of turns, whoever speaks first: a greeting
 * answers nothing. It looks at no byte of the payload. From that follow its limits:
 *  - What is sent ahead of an answer (pipelines, streams of HTTP/2) is one request.
 *  - What the other side sends unasked between two turns is part of the last response.
 *  - A last word that is never answered ("QUIT") is a request until its connection ends.
 */
#ifndef MEMSWELL_BACKEND_BPF_H
#define MEMSWELL_BACKEND_BPF_H

#include "http.bpf.h"

/* The socket was left with HTTP_EV_LEAVE before any head; the segment that told is the first. */
static __always_inline void backend_begin(struct http_state *state)
{
	state->role = WIRE_ROLE_BACKEND;
	state->partial_ns = 0;
}

/* Take one segment that http_sequence() left with bytes. */
static __always_inline void backend_advance(struct http_state *state,
					    const struct http_segment *seg, struct http_step *step)
{
	step->status = 0;
	step->bytes = seg->bytes;
	if (seg->dir == HTTP_IN) {
		step->events = HTTP_EV_DOWNLOAD;
		if (!http_waiting(state))
			return;
		step->events |= HTTP_EV_RESPONSE;
		state->response.nr = state->request.nr;
		return;
	}
	step->events = HTTP_EV_UPLOAD;
	if (!http_waiting(state)) {
		step->events |= HTTP_EV_REQUEST;
		state->request.nr++;
		state->request.bytes = 0;
	}
	state->request.bytes += seg->bytes;
}

#endif
