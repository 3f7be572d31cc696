/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_merge.c - recordings of several nodes as one stream: whose, in which order, on which clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/record_node.h"
#include "source/merge.h"

#define FILES 3

static char dir[] = "/tmp/memswell-test-XXXXXX";
static char paths[FILES][64];
static char *names[FILES] = {paths[0], paths[1], paths[2]};

static int make(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	for (int i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%c.jsonl", dir, 'a' + i);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	for (int i = 0; i < FILES; i++)
		unlink(paths[i]);
	return rmdir(dir);
}

static void write_file(int i, const char *text)
{
	FILE *file = fopen(paths[i], "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* A header of that boot, whose wall clock is `wall` seconds ahead of its boot clock. */
#define HEADER(boot, t, wall)                                                                      \
	"{\"k\":\"header\",\"t\":" #t ",\"version\":1,\"wall_offset_ns\":" #wall                   \
	"000000000,\"host_name\":\"host-" boot "\",\"boot_id\":\"" boot "\"}\n"
#define RSS(t, pid)                                                                                \
	"{\"k\":\"rss\",\"t\":" #t ",\"pid\":" #pid ",\"start_ns\":5,\"anon_bytes\":1}\n"
#define TICK(t) "{\"k\":\"tick\",\"t\":" #t "}\n"
#define STOP(t) "{\"k\":\"stop\",\"t\":" #t "}\n"

struct seen {
	char text[512]; /* "node:kind@ms ..." */
	size_t len;
	struct record last;
	struct record rss;
};

static void on_record(void *arg, const struct record *record)
{
	struct seen *seen = arg;
	const char *name = record_layout(record->kind)->name;

	seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len,
				      "%u%c%llu ", record->node, name[0],
				      (unsigned long long)(record->ts_ns % 1000000000));
	seen->last = *record;
	if (record->kind == RECORD_RSS)
		seen->rss = *record;
}

static struct source *open_merge(uint32_t nr)
{
	struct source *source = NULL;
	char error[512];

	if (merge_new(names, nr, &source, error, sizeof(error)))
		fail_msg("%s", error);
	return source;
}

static int run(uint32_t nr, struct seen *seen)
{
	struct source *source = open_merge(nr);
	int n;

	memset(seen, 0, sizeof(*seen));
	while ((n = source_next(source, on_record, seen)) > 0)
		;
	source_free(source);
	return n;
}

static void refuses(uint32_t nr, const char *expected)
{
	struct source *source = NULL;
	char error[512] = "";

	assert_true(merge_new(names, nr, &source, error, sizeof(error)) < 0);
	assert_null(source);
	if (!strstr(error, expected))
		fail_msg("expected '%s' in '%s'", expected, error);
}

static void brings_records_into_order_of_time(void **state)
{
	struct seen seen;

	(void)state;
	write_file(0, HEADER("a", 10, 100) RSS(20, 7) TICK(40) TICK(60) STOP(61));
	write_file(1, HEADER("b", 15, 100) RSS(25, 7) TICK(45) STOP(46));
	assert_int_equal(run(2, &seen), 0);
	assert_string_equal(seen.text, "0h10 1h15 0r20 1r25 0t40 1t45 0t60 0s60 ");
	assert_int_equal(seen.last.ts_ns, 100000000060);
}

static void ids_belong_to_their_node(void **state)
{
	struct seen seen;

	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) STOP(61));
	write_file(1, HEADER("b", 15, 150) RSS(25, 7) TICK(45) STOP(46));
	assert_int_equal(run(2, &seen), 0);
	assert_int_equal(seen.rss.rss.proc.tgid, 7);
	assert_int_equal(seen.rss.rss.proc.node, 1);
	assert_int_equal(seen.rss.rss.proc.start_ns, 150000000005);
}

/* Every field that is a time or names something; what is unknown stays unknown. */
static void all_that_a_record_names_moves(void **state)
{
	struct record flow = {.kind = RECORD_FLOW, .ts_ns = 1000};
	struct record gap = {.kind = RECORD_GAP, .ts_ns = 1000};
	struct record oom = {.kind = RECORD_OOM, .ts_ns = 1000};

	(void)state;
	flow.flow.fail_mark[FLOW_FAIL_REFUSED] = (struct flow_mark){700, 800};
	flow.flow.ok_mark = (struct flow_mark){500, 600};
	record_move(&flow, 3, 10);
	assert_int_equal(flow.node, 3);
	assert_int_equal(flow.flow.endpoint.node, 3);
	assert_int_equal(flow.flow.fail_mark[FLOW_FAIL_REFUSED].last_ns, 810);
	assert_int_equal(flow.flow.fail_mark[FLOW_FAIL_RST_MID].last_ns, 0);
	assert_int_equal(flow.flow.ok_mark.first_ns, 510);
	gap.gap.from_ns = 900;
	record_move(&gap, 3, -10);
	assert_int_equal(gap.gap.from_ns, 890);
	record_move(&oom, 3, 10);
	assert_int_equal(oom.oom.memcg.node, 3);
	assert_int_equal(oom.oom.trigger.node, 3);
	assert_int_equal(oom.oom.trigger.start_ns, 0);
}

/* The scopes in record.c are complete: whatever is called like an id is one. */
static void no_id_is_forgotten(void **state)
{
	(void)state;
	for (int kind = RECORD_HEADER; kind < NR_RECORD_KINDS; kind++) {
		const struct record_layout *layout = record_layout((enum record_kind)kind);

		for (uint32_t i = 0; i < layout->nr_fields; i++) {
			const struct record_field *f = &layout->fields[i];

			if (strstr(f->name, "start_ns"))
				assert_int_equal(f->scope, SCOPE_PROC);
			else if (strstr(f->name, "mark") || !strcmp(f->name, "from_ns"))
				assert_int_equal(f->scope, SCOPE_TIME);
			else if (!strcmp(f->name, "memcg"))
				assert_int_equal(f->scope, SCOPE_CGROUP);
			else if (f->type == FIELD_ADDRESS)
				assert_int_equal(f->scope, SCOPE_ENDPOINT);
		}
	}
}

static void a_step_of_a_wall_clock_changes_no_order(void **state)
{
	struct seen seen;

	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) TICK(60) STOP(61));
	/* Wrong at first; what it was set to counts from the begin on. */
	write_file(
		1,
		HEADER("b", 15,
		       999) "{\"k\":\"clock\",\"t\":20,\"wall_offset_ns\":100000000000}\n" TICK(45)
			STOP(46));
	assert_int_equal(run(2, &seen), 0);
	assert_string_equal(seen.text, "0h10 1h15 0t40 1t45 0t60 0s60 ");
}

static void one_host_may_follow_itself(void **state)
{
	struct source *source;
	struct seen seen;

	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) STOP(41));
	write_file(1, HEADER("a", 50, 100) TICK(60) STOP(61));
	assert_int_equal(run(2, &seen), 0);
	assert_string_equal(seen.text, "0h10 0t40 0h50 0t60 0s60 ");
	source = open_merge(2);
	assert_int_equal(merge_nr_nodes(source), 1);
	source_free(source);
}

static void one_host_twice_at_a_time_is_refused(void **state)
{
	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) STOP(41));
	write_file(1, HEADER("a", 30, 100) TICK(60) STOP(61));
	refuses(2, "b.jsonl: expected recordings of several nodes, both are of host host-a");
	names[1] = paths[0];
	refuses(2, "a.jsonl: expected recordings of several nodes");
	names[1] = paths[1];
}

static void errors_name_file_and_line(void **state)
{
	struct source *source = NULL;
	char error[512];
	char *standard_input = "-";

	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) STOP(41));
	write_file(1, TICK(40));
	refuses(2, "b.jsonl: line 1: expected the \"header\"");
	write_file(1, "{\"k\":\"header\",\"t\":1,\"version\":1}\n" TICK(2));
	refuses(2, "b.jsonl: line 1: expected \"wall_offset_ns\"");
	write_file(1, HEADER("b", 10, 100) "{\"k\":\"rss\",\"t\":20,\"pid\":-7}\n");
	refuses(2, "b.jsonl: line 2: ");
	write_file(1, "");
	refuses(2, "b.jsonl: line 1: expected a recording, the file is empty");
	unlink(paths[1]);
	refuses(2, "b.jsonl: cannot read it");
	assert_true(merge_new(&standard_input, 1, &source, error, sizeof(error)) < 0);
	assert_non_null(strstr(error, "-: expected a file that can be read twice"));
	assert_int_equal(mkfifo(paths[1], 0600), 0);
	refuses(2, "b.jsonl: expected a file that can be read twice");
	unlink(paths[1]);
}

static void clocks_that_nothing_compares_are_said_to_be_unsure(void **state)
{
	struct merge_node node;
	struct source *source;

	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) STOP(61));
	write_file(1, HEADER("b", 15, 100) TICK(45));
	write_file(2, HEADER("c", 15, 990) TICK(45) STOP(46));
	source = open_merge(3);
	merge_tell(source, 1, &node);
	assert_int_equal(node.error_ns, MERGE_CLOCK_UNKNOWN_NS);
	assert_int_equal(node.nr_agree, 0);
	assert_false(node.alone);
	merge_tell(source, 2, &node);
	assert_true(node.alone);
	source_free(source);
}

/* One that was killed has no stop record: then the whole has none. */
static void a_recording_without_end_is_no_error(void **state)
{
	struct seen seen;

	(void)state;
	write_file(0, HEADER("a", 10, 100) TICK(40) STOP(61));
	write_file(1, HEADER("b", 15, 100) TICK(45));
	assert_int_equal(run(2, &seen), 0);
	assert_string_equal(seen.text, "0h10 1h15 0t40 1t45 ");
}

static void hosts_without_names_are_called_by_their_files(void **state)
{
	struct merge_node node;
	struct source *source;

	(void)state;
	write_file(0, "{\"k\":\"header\",\"t\":1,\"version\":1,\"wall_offset_ns\":9}\n" TICK(2));
	write_file(1, "{\"k\":\"header\",\"t\":1,\"version\":1,\"wall_offset_ns\":9}\n" TICK(2));
	source = open_merge(2);
	assert_int_equal(merge_nr_nodes(source), 2);
	merge_tell(source, 1, &node);
	assert_string_equal(node.host_name, "b.jsonl");
	source_free(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brings_records_into_order_of_time),
		cmocka_unit_test(ids_belong_to_their_node),
		cmocka_unit_test(all_that_a_record_names_moves),
		cmocka_unit_test(no_id_is_forgotten),
		cmocka_unit_test(a_step_of_a_wall_clock_changes_no_order),
		cmocka_unit_test(one_host_may_follow_itself),
		cmocka_unit_test(one_host_twice_at_a_time_is_refused),
		cmocka_unit_test(errors_name_file_and_line),
		cmocka_unit_test(clocks_that_nothing_compares_are_said_to_be_unsure),
		cmocka_unit_test(a_recording_without_end_is_no_error),
		cmocka_unit_test(hosts_without_names_are_called_by_their_files),
	};

	return cmocka_run_group_tests(tests, make, clean);
}
