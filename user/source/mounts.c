/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* mounts.c - see mounts.h. */
#include "source/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/utf8.h"
#include "source/procfs.h"

#define MOUNTINFO_MAX (1U << 20)
#define MAX_FIELDS    64

/* Undo the kernel's \ooo for space, tab, newline and backslash. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

static bool has_option(const char *options, const char *wanted)
{
	size_t len = strlen(wanted);

	for (const char *at = options; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (strncmp(at, wanted, len) == 0 && (at[len] == ',' || at[len] == '\0'))
			return true;
	return false;
}

struct mount {
	const char *root; /* within the file system */
	char *point;
};

/* "36 35 98:0 /root /point opts [optional...] - type source super": true if the rest fits. */
static bool match_line(char *line, const char *type, const char *option, struct mount *out)
{
	char *field[MAX_FIELDS], *save = NULL;
	int nr = 0, dash = 0;

	for (char *at = strtok_r(line, " ", &save); at && nr < MAX_FIELDS; nr++) {
		field[nr] = at;
		if (!dash && nr > 5 && strcmp(at, "-") == 0)
			dash = nr;
		at = strtok_r(NULL, " ", &save);
	}
	if (!dash || dash + 3 >= nr || strcmp(field[dash + 1], type) != 0)
		return false;
	if (option && !has_option(field[dash + 3], option))
		return false;
	*out = (struct mount){.root = field[3], .point = field[4]};
	return true;
}

/* How far below what this process may know as the top: "/" is 0, "/a/b" 2, "/../.." -2. */
static int depth_of(const char *root)
{
	int depth = 0;

	for (const char *at = root; *at; at++)
		if (at[0] == '/' && at[1] && at[1] != '/')
			depth += strncmp(at + 1, "..", 2) == 0 && (!at[3] || at[3] == '/') ? -1 : 1;
	return depth;
}

int mounts_parse_mountinfo(const char *text, size_t len, const char *type, const char *option,
			   char *out, size_t out_size)
{
	const char *end = text + len;
	char line[PATH_MAX + 1024];
	int best = INT_MAX;

	for (const char *at = text; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t line_len = (size_t)((newline ? newline : end) - at);
		struct mount mount;

		if (line_len < sizeof(line)) {
			memcpy(line, at, line_len);
			line[line_len] = '\0';
			if (match_line(line, type, option, &mount) && depth_of(mount.root) < best &&
			    strlen(mount.point) < out_size) {
				best = depth_of(mount.root);
				unescape(mount.point);
				memcpy(out, mount.point, strlen(mount.point) + 1);
			}
		}
		at += line_len + 1;
	}
	return best == INT_MAX ? -ENOENT : 0;
}

static int open_mounted(const char *type, const char *option)
{
	char point[PATH_MAX];
	ssize_t len;
	char *text = malloc(MOUNTINFO_MAX);
	int err, fd;

	if (!text)
		return -ENOMEM;
	len = procfs_read_file("/proc/self/mountinfo", text, MOUNTINFO_MAX);
	err = len < 0 ? (int)len
		      : mounts_parse_mountinfo(text, (size_t)len, type, option, point,
					       sizeof(point));
	free(text);
	if (err)
		return err;
	fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int mount_detached(const char *type)
{
	int fs = fsopen(type, FSOPEN_CLOEXEC);
	int mount, err;

	if (fs < 0)
		return -errno;
	mount = fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0)
			? -1
			: fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	err = errno;
	close(fs);
	return mount < 0 ? -err : mount;
}

/* A detached mount's own descriptor is O_PATH; programs attach to, and we read, a real one. */
static int open_detached(const char *type)
{
	int mount = mount_detached(type);
	int fd, err;

	if (mount < 0)
		return mount;
	fd = openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = errno;
	close(mount);
	return fd < 0 ? -err : fd;
}

static int open_mounted_or_detached(const char *type)
{
	int fd = open_mounted(type, NULL);

	return fd >= 0 ? fd : open_detached(type);
}

int mounts_open_cgroup2(void)
{
	return open_mounted_or_detached("cgroup2");
}

int mounts_open_tracefs(void)
{
	return open_mounted_or_detached("tracefs");
}

int mounts_open_memory_cgroup(void)
{
	int fd = open_mounted("cgroup", "memory");

	return fd >= 0 ? fd : mounts_open_cgroup2();
}

bool mounts_is_cgroup2(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

static int open_cgroup(int mount_fd, uint64_t id)
{
	/* The kernel's FILEID_KERNFS: a kernfs handle is just the 64-bit id (linux/exportfs.h). */
	union {
		struct file_handle handle;
		uint8_t bytes[sizeof(struct file_handle) + sizeof(id)];
	} kernfs = {.handle = {.handle_bytes = sizeof(id), .handle_type = 0xfe}};
	int fd;

	memcpy(kernfs.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(mount_fd, &kernfs.handle, O_PATH | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool mounts_cgroup_is_gone(int mount_fd, uint64_t id)
{
	int fd = open_cgroup(mount_fd, id);

	if (fd >= 0)
		close(fd);
	return fd == -ESTALE;
}

int mounts_cgroup_path(int mount_fd, uint64_t id, char *out, size_t out_size)
{
	char link[64], root[PATH_MAX], path[PATH_MAX];
	ssize_t root_len, len;
	int fd = open_cgroup(mount_fd, id);

	if (fd < 0)
		return fd;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	close(fd);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", mount_fd);
	root_len = readlink(link, root, sizeof(root));
	if (len < 0 || root_len < 0)
		return -errno;
	if (root_len == 1)
		root_len = 0; /* a detached mount is its own "/" */
	/* What lies outside of the mount is "(unreachable)/...". */
	if (len < root_len || memcmp(path, root, (size_t)root_len) != 0 || path[0] != '/')
		return -ENOENT;
	if (len == root_len)
		path[root_len] = '/', len++;
	utf8_sanitize(out, out_size, path + root_len, (size_t)(len - root_len));
	return 0;
}
