/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * file.c - see file.h.
 *
 * openat2() can forbid symbolic links altogether, which would refuse /var/run and every /var/log that
 * was moved to another disk. So we walk, and tell apart who could have made the link. Each step is
 * relative to a descriptor: what is swapped behind us changes nothing.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_LINKS    40 /* as many as the kernel follows */
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

/* What is left of the path: links are spliced in at the front. */
struct walk {
	int dir_fd;
	int nr_links;
	char rest[PATH_MAX];
};

static int step_into(struct walk *walk, int fd)
{
	close(walk->dir_fd);
	walk->dir_fd = fd;
	return 0;
}

/*
 * Whose link it is decides, as it does for the kernel's protected_symlinks: who may write to the
 * directory can remove a link of root's, but not make one.
 */
static int follow(struct walk *walk, int link_fd, uid_t owner, const char *after)
{
	char target[PATH_MAX], spliced[2 * PATH_MAX];
	ssize_t len = readlinkat(link_fd, "", target, sizeof(target) - 1);
	int root;

	if (len < 0)
		return -errno;
	if (++walk->nr_links > MAX_LINKS || (owner != 0 && owner != geteuid()))
		return -ELOOP;
	target[len] = '\0';
	if ((size_t)snprintf(spliced, sizeof(spliced), "%s/%s", target, after) >=
	    sizeof(walk->rest))
		return -ENAMETOOLONG;
	memcpy(walk->rest, spliced, strlen(spliced) + 1);
	if (*target != '/')
		return 0;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0 ? -errno : step_into(walk, root);
}

/* One component, which is not the last. */
static int take_step(struct walk *walk, const char *component, const char *after)
{
	int fd = openat(walk->dir_fd, component, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int err;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		err = -errno;
	} else if (S_ISDIR(st.st_mode)) {
		memmove(walk->rest, after, strlen(after) + 1);
		return step_into(walk, fd);
	} else {
		err = S_ISLNK(st.st_mode) ? follow(walk, fd, st.st_uid, after) : -ENOTDIR;
	}
	close(fd);
	return err;
}

static int walk_path(struct walk *walk, char *component, size_t component_size)
{
	for (;;) {
		const char *from = walk->rest + strspn(walk->rest, "/");
		size_t len = strcspn(from, "/");
		char after[PATH_MAX];
		int err;

		if (!from[len])
			return 0; /* the last one */
		if (len >= component_size)
			return -ENAMETOOLONG;
		memcpy(component, from, len);
		component[len] = '\0';
		memcpy(after, from + len, strlen(from + len) + 1);
		err = take_step(walk, component, after);
		if (err)
			return err;
	}
}

int file_open_dir(const char *path, const char **name, char *error, size_t error_size)
{
	char component[NAME_MAX + 1] = "";
	const char *slash = strrchr(path, '/');
	const char *last = slash ? slash + 1 : path;
	struct walk walk = {.nr_links = 0};
	int err = 0;

	if (!*last || !strcmp(last, ".") || !strcmp(last, "..") ||
	    snprintf(walk.rest, sizeof(walk.rest), "%s", path) >= (int)sizeof(walk.rest)) {
		snprintf(error, error_size, "'%.200s': expected the name of a file", path);
		return -EINVAL;
	}
	walk.dir_fd = open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk.dir_fd < 0)
		err = -errno;
	if (!err)
		err = walk_path(&walk, component, sizeof(component));
	if (!err) {
		*name = last;
		return walk.dir_fd;
	}
	if (err == -ELOOP)
		snprintf(error, error_size,
			 "'%.200s': '%.60s' on the way is a symbolic link of another user's", path,
			 component);
	else
		snprintf(error, error_size, "'%.200s': %s", path, strerror(-err));
	if (walk.dir_fd >= 0)
		close(walk.dir_fd);
	return err;
}

/* What is wrong with a file that is there, or NULL. */
static const char *objection(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link; name the file itself";
	if (!S_ISREG(st->st_mode))
		return "is no regular file; for pipes and devices use the shell's redirection";
	if (st->st_uid != geteuid())
		return "belongs to another user";
	if (st->st_mode & OTHERS_WRITE)
		return "can be written by group or others (chmod go-w)";
	if (st->st_nlink > 1)
		return "has further names (hard links)";
	return NULL;
}

int file_open_ours(int dir_fd, const char *name, char *error, size_t error_size)
{
	const char *why = NULL;
	struct stat st;
	int fd = -1, err = -EPERM;

	/* Looked at before, so that no device is opened, and after, because only that is sure. */
	if (!fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		why = objection(&st);
	if (!why) {
		fd = openat(dir_fd, name,
			    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0640);
		if (fd < 0 || fstat(fd, &st)) {
			err = -errno;
			why = strerror(-err);
		} else {
			why = objection(&st);
		}
	}
	if (!why && flock(fd, LOCK_EX | LOCK_NB)) {
		err = -errno;
		why = "another process writes to it";
	}
	if (!why)
		return fd;
	snprintf(error, error_size, "'%.200s': %s", name, why);
	if (fd >= 0)
		close(fd);
	return err;
}

/* A file that was there is emptied only when everything about it was found in order. */
int file_create(const char *path, char *error, size_t error_size)
{
	const char *name = path;
	int dir_fd = file_open_dir(path, &name, error, error_size);
	int fd, err;

	if (dir_fd < 0)
		return dir_fd;
	fd = file_open_ours(dir_fd, name, error, error_size);
	close(dir_fd);
	if (fd < 0 || !ftruncate(fd, 0))
		return fd;
	err = -errno;
	snprintf(error, error_size, "'%.200s': %s", path, strerror(-err));
	close(fd);
	return err;
}
