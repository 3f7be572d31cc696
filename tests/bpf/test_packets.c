/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * test_packets.c - finds the payload in packets of every shape, by BPF_PROG_RUN. What http_egress
 * found shows in what it notes of a packet it lets go: sequence number, bytes and head. (The socket
 * of a test run is a dummy without owner or port, so nothing is counted; test_sockets.c counts.)
 */
#include "harness.h"

#include <arpa/inet.h>

#define GET	  "GET /cart HTTP/1.1\r\n\r\n"
#define ETHERNET  14
#define SEQ	  0x01020304U
#define PORTS	  0x1f90c001U
#define FLAGS_SYN 0x02
#define FLAGS_ACK 0x10

struct shape {
	int version;
	uint32_t ip_options; /* bytes, a multiple of 4 */
	uint32_t extensions; /* IPv6 */
	uint32_t tcp_options;
	uint8_t flags;
	uint8_t protocol;
	const char *payload;
};

struct frame {
	uint8_t bytes[512];
	uint32_t size;
};

static uint8_t *grow(struct frame *frame, uint32_t size)
{
	uint8_t *at = frame->bytes + frame->size;

	memset(at, 0, size);
	frame->size += size;
	return at;
}

static void put_ipv4(struct frame *frame, const struct shape *shape)
{
	uint8_t *ip = grow(frame, 20 + shape->ip_options);

	frame->bytes[12] = 0x08;
	ip[0] = (uint8_t)(0x45 + shape->ip_options / 4);
	ip[9] = shape->protocol;
	memset(ip + 20, 1, shape->ip_options);
}

static void put_ipv6(struct frame *frame, const struct shape *shape)
{
	static const uint8_t kinds[] = {0, 60, 43, 60, 60}; /* hop-by-hop, destination, routing */
	uint8_t *next;

	frame->bytes[12] = 0x86;
	frame->bytes[13] = 0xdd;
	next = grow(frame, 40);
	next[0] = 0x60;
	next += 6;
	for (uint32_t i = 0; i < shape->extensions; i++) {
		uint8_t *extension = grow(frame, 8 + 8 * (i % 2));

		*next = kinds[i];
		extension[1] = (uint8_t)(i % 2);
		next = extension;
	}
	*next = shape->protocol;
}

static void put_tcp(struct frame *frame, const struct shape *shape)
{
	uint8_t *tcp = grow(frame, 20 + shape->tcp_options);
	uint32_t seq = htonl(SEQ), ports = PORTS;

	memcpy(tcp, &ports, sizeof(ports));
	memcpy(tcp + 4, &seq, sizeof(seq));
	tcp[12] = (uint8_t)((5 + shape->tcp_options / 4) << 4);
	tcp[13] = shape->flags;
	memset(tcp + 20, 1, shape->tcp_options);
}

static struct frame build(const struct shape *shape)
{
	struct frame frame = {.size = 0};

	grow(&frame, ETHERNET);
	if (shape->version == 4)
		put_ipv4(&frame, shape);
	else
		put_ipv6(&frame, shape);
	put_tcp(&frame, shape);
	memcpy(grow(&frame, (uint32_t)strlen(shape->payload)), shape->payload,
	       strlen(shape->payload));
	return frame;
}

static void run(struct bpf_program *program, const struct frame *frame, uint64_t stamp)
{
	struct __sk_buff context = {.tstamp = stamp};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = frame->size, .ctx_in = &context,
		    .ctx_size_in = sizeof(context));

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	assert_int_equal(options.retval, 1);
}

/* As struct departure in state.bpf.h, which is not for user space. */
struct noted {
	uint64_t ns;
	uint64_t word;
	uint32_t tail;
	uint32_t ports;
	uint32_t seq;
	uint32_t bytes;
};

/* Run the frame through http_egress; whether it noted a head, and which. */
static bool note(const struct frame *frame, struct noted *out)
{
	static uint64_t stamp = 1000;
	struct noted *rows = calloc(harness.nr_cpus, sizeof(*rows));
	uint32_t zero = 0;
	bool found = false;

	run(harness.bpf->progs.http_egress, frame, ++stamp);
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(harness.bpf->maps.departures), &zero, rows), 0);
	for (uint32_t cpu = 0; cpu < harness.nr_cpus; cpu++) {
		if (rows[cpu].ns != stamp)
			continue;
		*out = rows[cpu];
		found = true;
	}
	free(rows);
	return found;
}

static void finds_the_payload_in_every_shape(void **state)
{
	static const struct shape shapes[] = {
		{4, 0, 0, 0, FLAGS_ACK, 6, GET},   {4, 4, 0, 0, FLAGS_ACK, 6, GET},
		{4, 40, 0, 0, FLAGS_ACK, 6, GET},  {4, 0, 0, 12, FLAGS_ACK, 6, GET},
		{4, 40, 0, 40, FLAGS_ACK, 6, GET}, {6, 0, 0, 0, FLAGS_ACK, 6, GET},
		{6, 0, 0, 40, FLAGS_ACK, 6, GET},  {6, 0, 1, 0, FLAGS_ACK, 6, GET},
		{6, 0, 3, 12, FLAGS_ACK, 6, GET},  {6, 0, 4, 40, FLAGS_ACK, 6, GET},
	};
	struct noted noted;

	(void)state;
	if (!harness.has_storage)
		skip(); /* the socket of BPF_PROG_RUN is none of TCP: the table does not take it */
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct frame frame = build(&shapes[i]);

		assert_true(note(&frame, &noted));
		assert_int_equal(noted.seq, SEQ);
		assert_int_equal(noted.ports, PORTS);
		assert_int_equal(noted.bytes, strlen(GET));
		assert_memory_equal(&noted.word, GET, 8);
		assert_memory_equal(&noted.tail, GET + 8, 4);
	}
}

static void leaves_what_carries_no_payload(void **state)
{
	static const struct shape shapes[] = {
		{4, 0, 0, 0, FLAGS_ACK, 6, ""},	  {4, 0, 0, 12, FLAGS_ACK, 6, ""},
		{6, 0, 0, 0, FLAGS_ACK, 6, ""},	  {4, 0, 0, 0, FLAGS_SYN, 6, GET},
		{4, 0, 0, 0, FLAGS_ACK, 17, GET}, {6, 0, 0, 0, FLAGS_ACK, 17, GET},
		{6, 0, 2, 0, FLAGS_ACK, 17, GET}, {6, 0, 5, 0, FLAGS_ACK, 6, GET},
	};
	struct noted noted;

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct frame frame = build(&shapes[i]);

		assert_false(note(&frame, &noted));
	}
}

static void survives_every_truncation(void **state)
{
	static const struct shape shapes[] = {{4, 40, 0, 40, FLAGS_ACK, 6, GET},
					      {6, 0, 3, 40, FLAGS_ACK, 6, GET}};
	struct noted noted;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct frame frame = build(&shapes[i]);
		uint32_t whole = frame.size;

		/* the kernel itself refuses a frame without an IP header */
		for (frame.size = ETHERNET + 40; frame.size < whole; frame.size++) {
			bool found = note(&frame, &noted);

			if (found)
				assert_int_equal(noted.bytes, frame.size + strlen(GET) - whole);
		}
	}
}

static void survives_hostile_bytes(void **state)
{
	(void)state;
	srand(1);
	for (int round = 0; round < 20000; round++) {
		const struct shape shape = {round & 1 ? 4 : 6,
					    (uint32_t)(rand() % 11) * 4,
					    (uint32_t)(rand() % 6),
					    (uint32_t)(rand() % 11) * 4,
					    (uint8_t)rand(),
					    (uint8_t)(rand() % 4 ? 6 : rand()),
					    GET};
		struct frame frame = build(&shape);

		for (int i = rand() % 8; i > 0; i--)
			frame.bytes[ETHERNET + (uint32_t)rand() % (frame.size - ETHERNET)] =
				(uint8_t)rand();
		run(round & 2 ? harness.bpf->progs.http_egress : harness.bpf->progs.http_ingress,
		    &frame, 1);
	}
}

static int setup(void **state)
{
	(void)state;
	return harness_load(&harness);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_payload_in_every_shape),
		cmocka_unit_test(leaves_what_carries_no_payload),
		cmocka_unit_test(survives_every_truncation),
		cmocka_unit_test(survives_hostile_bytes),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
