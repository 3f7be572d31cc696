/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_state_file.c - what survives: kills, torn writes, foreign files; and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "scratch.h"
#include "source/state_file.h"

static struct run_state state, earlier;
static enum state_found found;

static struct state_file *open_file(void)
{
	struct state_file *file = NULL;

	memset(&earlier, 0xff, sizeof(earlier));
	assert_int_equal(state_file_open(scratch_file, &file, &earlier, &found), 0);
	return file;
}

static void write_run(uint64_t tick_ns, uint32_t nr_served)
{
	struct state_file *file = open_file();

	memset(&state, 0, sizeof(state));
	strcpy(state.boot_id, "boot");
	state.tick_ns = tick_ns;
	state.nr_served = nr_served;
	for (uint32_t i = 0; i < nr_served; i++)
		state.served[i].proc.tgid = i + 1;
	state.nr_incidents = 1;
	strcpy(state.incidents[0], "01J");
	state_file_write(file, &state);
	state_file_close(file);
}

static int fresh(void **arg)
{
	(void)arg;
	unlink(scratch_file);
	return 0;
}

static void a_new_file_has_no_earlier_run(void **arg)
{
	struct stat st;

	(void)arg;
	state_file_close(open_file());
	assert_int_equal(found, STATE_FOUND_NONE);
	assert_int_equal(stat(scratch_file, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0640u, 0);
	/* killed before its first tick: still no run */
	state_file_close(open_file());
	assert_int_equal(found, STATE_FOUND_NONE);
}

static void the_newest_state_is_read_back_whole(void **arg)
{
	(void)arg;
	for (uint64_t tick = 1; tick <= 5; tick++)
		write_run(tick, (uint32_t)tick * 50);
	state_file_close(open_file());
	assert_int_equal(found, STATE_FOUND_RUN);
	assert_int_equal(earlier.tick_ns, 5);
	assert_int_equal(earlier.nr_served, 250);
	assert_int_equal(earlier.served[249].proc.tgid, 250);
	assert_string_equal(earlier.incidents[0], "01J");
}

static void overwrite(off_t at, const char *bytes, size_t size)
{
	int fd = open(scratch_file, O_RDWR);

	assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
	close(fd);
}

/* Every eighth byte of the newer slot in turn: the one before it is what is left. */
static void a_torn_write_leaves_the_state_before_it(void **arg)
{
	off_t size;
	struct stat st;

	(void)arg;
	write_run(1, 3);
	write_run(2, 3);
	assert_int_equal(stat(scratch_file, &st), 0);
	size = st.st_size / 2;
	for (off_t at = 0; at < 900; at += 8) {
		char kept;
		int fd = open(scratch_file, O_RDWR);

		/* number 2 went to slot 0 */
		assert_int_equal(pread(fd, &kept, 1, at), 1);
		close(fd);
		kept = (char)~kept;
		overwrite(at, &kept, 1);
		state_file_close(open_file());
		assert_int_equal(found, STATE_FOUND_RUN);
		assert_int_equal(earlier.tick_ns, 1);
		kept = (char)~kept;
		overwrite(at, &kept, 1);
	}
	state_file_close(open_file());
	assert_int_equal(earlier.tick_ns, 2);
	overwrite(0, "x", 1);
	overwrite(size, "x", 1);
	state_file_close(open_file());
	assert_int_equal(found, STATE_FOUND_DAMAGED);
}

static void lengths_in_a_slot_are_not_believed(void **arg)
{
	const char huge[4] = {(char)0xff, (char)0xff, (char)0xff, (char)0x7f};

	(void)arg;
	write_run(1, 3);
	for (off_t at = 0; at < 200; at += 4) {
		overwrite((off_t)(sizeof(struct run_state) + 24) + at, huge, sizeof(huge));
		state_file_close(open_file());
	}
}

static void a_foreign_file_is_damaged_and_then_ours(void **arg)
{
	int fd = open(scratch_file, O_RDWR | O_CREAT, 0600);

	(void)arg;
	assert_int_equal(write(fd, "hello", 5), 5);
	close(fd);
	state_file_close(open_file());
	assert_int_equal(found, STATE_FOUND_DAMAGED);
	write_run(7, 0);
	state_file_close(open_file());
	assert_int_equal(found, STATE_FOUND_RUN);
}

/* A writer that is killed at any moment, again and again. */
static void a_killed_writer_leaves_a_whole_state(void **arg)
{
	uint64_t last = 0;

	(void)arg;
	write_run(1, 200);
	for (int i = 0; i < 60; i++) {
		pid_t pid = fork();

		if (!pid) {
			struct state_file *file = open_file();

			for (state = earlier;; state.tick_ns++)
				state_file_write(file, &state);
		}
		usleep(1000 + (useconds_t)(i * 97) % 3000);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		state_file_close(open_file());
		assert_int_equal(found, STATE_FOUND_RUN);
		assert_true(earlier.tick_ns >= last);
		assert_int_equal(earlier.served[199].proc.tgid, 200);
		last = earlier.tick_ns;
	}
	assert_true(last > 1);
}

static void two_instances_do_not_share_it(void **arg)
{
	struct state_file *file = open_file(), *other = NULL;

	(void)arg;
	assert_int_equal(state_file_open(scratch_file, &other, &earlier, &found), -EBUSY);
	assert_null(other);
	state_file_close(file);
	state_file_close(open_file());
}

static void what_others_could_write_is_refused(void **arg)
{
	struct state_file *file = NULL;
	char link_path[80];

	(void)arg;
	state_file_close(open_file());
	chmod(scratch_file, 0666);
	assert_int_equal(state_file_open(scratch_file, &file, &earlier, &found), -EPERM);
	chmod(scratch_file, 0640);
	snprintf(link_path, sizeof(link_path), "%s-link", scratch_file);
	assert_int_equal(link(scratch_file, link_path), 0);
	assert_int_equal(state_file_open(scratch_file, &file, &earlier, &found), -EPERM);
	unlink(link_path);
	assert_int_equal(symlink(scratch_file, link_path), 0);
	assert_int_equal(state_file_open(link_path, &file, &earlier, &found), -ELOOP);
	unlink(link_path);
	assert_int_equal(mkfifo(link_path, 0600), 0);
	assert_int_equal(state_file_open(link_path, &file, &earlier, &found), -EPERM);
	unlink(link_path);
	assert_int_equal(state_file_open("/", &file, &earlier, &found), -EISDIR);
	assert_null(file);
}

/* A probe looks while a run writes, and disturbs nobody. */
static void what_stands_there_can_be_looked_at(void **arg)
{
	static struct run_state seen;
	struct state_file *file;

	(void)arg;
	assert_int_equal(state_file_peek(scratch_file, &seen), -ENOENT);
	file = open_file();
	assert_int_equal(state_file_peek(scratch_file, &seen), -ENODATA);
	for (uint64_t i = 1; i < 5; i++) {
		memset(&state, 0, sizeof(state));
		state.tick_ns = i;
		state_file_write(file, &state);
		assert_int_equal(state_file_peek(scratch_file, &seen), 0);
		assert_int_equal(seen.tick_ns, i);
	}
	state_file_close(file);
	assert_int_equal(chmod(scratch_file, 0666), 0);
	assert_int_equal(state_file_peek(scratch_file, &seen), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_stands_there_can_be_looked_at, fresh),
		cmocka_unit_test_setup(a_new_file_has_no_earlier_run, fresh),
		cmocka_unit_test_setup(the_newest_state_is_read_back_whole, fresh),
		cmocka_unit_test_setup(a_torn_write_leaves_the_state_before_it, fresh),
		cmocka_unit_test_setup(lengths_in_a_slot_are_not_believed, fresh),
		cmocka_unit_test_setup(a_foreign_file_is_damaged_and_then_ours, fresh),
		cmocka_unit_test_setup(a_killed_writer_leaves_a_whole_state, fresh),
		cmocka_unit_test_setup(two_instances_do_not_share_it, fresh),
		cmocka_unit_test_setup(what_others_could_write_is_refused, fresh),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
