/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_http.c - the HTTP recogniser of the kernel side, compiled for user space, against a plain
 * reference: whatever segments a socket sees, in order, again, overlapping or with holes, both come to
 * the same events, statuses, byte counts and lengths.
 *
 * Input: how the socket begins, two initial sequence numbers, then segments: a byte that says which
 * direction and where, a byte for its payload, and the payload.
 */
#include "fuzz.h"
#include "http_reference.h"

#define MAX_SEGMENTS 64
#define MAX_PAYLOAD  1400

static const char *const texts[] = {
	"GET / HTTP/1.1\r\n\r\n",
	"POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
	"HTTP/1.1 502 Bad Gateway\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\n",
	"HTTP/1.1 101 Switching\r\n\r\n",
	"CONNECT a:1 HTTP/1.1\r\n\r\n",
	"HTTP/1.0 204 None\r\ncontent-length: 0\n\n",
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
	"HTTP/1.",
	"DELE",
	"HTTP/1.1 200 OK\nContent-Length:\t2147482000\r\nContent-length: 1\n\n",
};
#define NR_TEXTS (sizeof(texts) / sizeof(texts[0]))

struct pair {
	struct http_state kernel;
	struct reference plain;
	uint32_t first_seq[2];
	int64_t sent[2]; /* the furthest position in each direction */
};

static uint32_t sequence_of(const struct pair *pair, unsigned int dir, int64_t position)
{
	return pair->first_seq[dir] + (uint32_t)position;
}

static void expect_same(const struct pair *pair)
{
	const struct http_state *kernel = &pair->kernel;
	const struct reference *plain = &pair->plain;
	unsigned int to_client = plain->role == WIRE_ROLE_SERVER ? HTTP_OUT : HTTP_IN;

	EXPECT(kernel->role == plain->role);
	EXPECT(!(kernel->flags & HTTP_IGNORED) == !plain->ignored);
	EXPECT(!(kernel->flags & HTTP_REUSED) == !plain->reused);
	EXPECT(kernel->request.nr == (uint16_t)plain->requests);
	EXPECT(kernel->response.nr == (uint16_t)plain->responses);
	EXPECT(kernel->request.method == plain->method);
	EXPECT(http_is_unanswered(kernel) ==
	       (plain->requests != plain->responses && plain->answered != plain->requests));
	for (int64_t at = plain->side[to_client].next - 2; at <= plain->side[to_client].next; at++)
		EXPECT(http_is_cut_at(kernel, sequence_of(pair, to_client, at)) ==
		       (plain->measured && plain->end > at));
}

/* As http_measure() does it with what the segment brought. */
static void measure(struct pair *pair, struct http_segment *seg, int64_t position,
		    const char *payload, size_t len, const struct reference_step *step)
{
	bool measurable = reference_is_measurable(&pair->plain, seg->dir, position, step);
	static struct http_view view;
	bool long_winded;
	uint64_t total, plain;

	EXPECT(http_is_measurable(&pair->kernel, seg, step->status) == measurable);
	if (!measurable || len < HTTP_VIEW_BYTES)
		return;
	memcpy(view.bytes, payload, HTTP_VIEW_BYTES);
	http_view_begin(&view);
	for (int turn = 0; turn < HTTP_VIEW_TURNS && http_view_search(&view); turn++)
		;
	total = http_view_total(&view);
	plain = reference_total(payload, &long_winded);
	EXPECT(total == plain || (long_winded && (total <= plain || plain == HTTP_UNKNOWN)));
	total = total <= HTTP_MAX_TOTAL ? total : 0;
	http_expect(&pair->kernel, seg, (uint32_t)total);
	pair->plain.measured = total != 0;
	pair->plain.end = position + (int64_t)total;
}

static void segment(struct pair *pair, unsigned int dir, int64_t position, const char *payload,
		    size_t len)
{
	struct http_segment seg = {
		.dir = dir, .seq = sequence_of(pair, dir, position), .bytes = (uint32_t)len};
	struct reference_step plain;
	struct http_step step;
	size_t fresh;

	if (pair->kernel.flags & HTTP_IGNORED || !len)
		return;
	/* One first segment in 2^32 looks as if it continued one: harmless, and not worth a test. */
	if (!seg.seq && !pair->plain.side[dir].followed)
		return;
	if (position + (int64_t)len > pair->sent[dir])
		pair->sent[dir] = position + (int64_t)len;
	http_sequence(&pair->kernel, &seg);
	fresh = reference_new_bytes(&pair->plain, dir, position, len);
	EXPECT(seg.bytes == fresh);
	if (!fresh)
		return;
	payload += len - fresh;
	seg.nr = seg.bytes < HTTP_HEAD_BYTES ? seg.bytes : HTTP_HEAD_BYTES;
	memcpy(&seg.word, payload, seg.nr < 8 ? seg.nr : 8);
	if (seg.nr > 8)
		memcpy(&seg.tail, payload + 8, seg.nr - 8);
	http_advance(&pair->kernel, &seg, &step);
	plain = reference_advance(&pair->plain, dir, position, payload, fresh);
	EXPECT(step.events == plain.events);
	EXPECT(step.bytes == plain.bytes);
	EXPECT(!(step.events & (HTTP_EV_RESPONSE | HTTP_EV_INTERIM)) ||
	       step.status == plain.status);
	if (step.events & HTTP_EV_LONG)
		measure(pair, &seg, position, payload, fresh, &plain);
	expect_same(pair);
}

/* Text of ours, or bytes of the input, then perhaps a long rest. */
static size_t take_payload(struct input *in, char *out)
{
	uint8_t how = input_u8(in);
	size_t len = strlen(texts[how % NR_TEXTS]), got;
	const uint8_t *bytes;

	if (how < 0x60) {
		memcpy(out, texts[how % NR_TEXTS], len);
	} else if (how < 0xc0) {
		memcpy(out, texts[how % NR_TEXTS], len);
		bytes = input_take(in, input_u8(in), &got);
		memcpy(out + len / 2, bytes, got);
		len = len / 2 + got;
	} else {
		bytes = input_take(in, (how & 0x1fU) ? how & 0x1fU : (size_t)input_u8(in) * 4,
				   &got);
		memcpy(out, bytes, got);
		len = got;
	}
	if (how & 0x20)
		for (; len < HTTP_VIEW_BYTES + (how & 7U); len++)
			out[len] = 'x';
	return len;
}

static int64_t take_position(struct input *in, const struct pair *pair, unsigned int dir,
			     uint8_t how)
{
	const struct reference *plain = &pair->plain;

	switch (how >> 1 & 7) {
	case 0:
		return plain->has_hole && plain->hole_dir == dir ? plain->hole : pair->sent[dir];
	case 1:
		return pair->sent[dir] - input_u8(in);
	case 2:
		return pair->sent[dir] + input_u8(in);
	default:
		return pair->sent[dir];
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	char payload[2 * MAX_PAYLOAD];
	struct pair pair = {0};
	uint8_t begin = input_u8(&in);

	pair.plain.fresh = begin & 1;
	pair.plain.old_client = begin & 2;
	pair.kernel.flags = (begin & 1 ? HTTP_FRESH : 0) | (begin & 2 ? HTTP_OLD_CLIENT : 0);
	input_copy(&in, pair.first_seq, sizeof(pair.first_seq));
	for (int i = 0; i < MAX_SEGMENTS && in.left; i++) {
		uint8_t how = input_u8(&in);
		unsigned int dir = how & 1;
		int64_t position = take_position(&in, &pair, dir, how);
		size_t len = take_payload(&in, payload);

		segment(&pair, dir, position, payload, len);
		if (how >= 0xf0) {
			http_give_up(&pair.kernel);
			pair.plain.responses = pair.plain.answered = pair.plain.requests;
		}
	}
	return 0;
}
