/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* signals.c - see signals.h. */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

void signals_set_manners(void)
{
	umask(0027);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static int fd_of(const sigset_t *set)
{
	int fd;

	sigprocmask(SIG_BLOCK, set, NULL);
	fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int signals_stop_fd(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	return fd_of(&set);
}

int signals_hup_fd(bool has_file)
{
	sigset_t set;
	int terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (terminal >= 0)
		close(terminal);
	if (terminal >= 0 && !has_file)
		return -1;
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	return fd_of(&set);
}

bool signals_take(int fd)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (fd >= 0 && read(fd, &info, sizeof(info)) > 0)
		any = true;
	return any;
}
