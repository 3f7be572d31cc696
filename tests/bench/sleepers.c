/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * sleepers.c - keeps so many processes alive that do nothing, to learn what a tick over them costs.
 * Usage: sleepers COUNT (at most 20000). Prints "ready" when all are there. They end with it,
 * however it ends.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SLEEPERS 20000

static void sleep_until_parent_ends(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		for (;;)
			pause();
	_exit(0);
}

int main(int argc, char **argv)
{
	long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	pid_t self = getpid();

	if (count < 1 || count > MAX_SLEEPERS) {
		fprintf(stderr, "usage: sleepers COUNT (1 to %d)\n", MAX_SLEEPERS);
		return 2;
	}
	signal(SIGCHLD, SIG_IGN);
	for (long i = 0; i < count; i++) {
		pid_t child = fork();

		if (child < 0) {
			fprintf(stderr, "sleepers: %ld of %ld: %s\n", i, count, strerror(errno));
			return 1;
		}
		if (!child)
			sleep_until_parent_ends(self);
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
