/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* file.c - see file.h. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>

int file_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);

	return fd < 0 ? -errno : fd;
}
