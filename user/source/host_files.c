/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* host_files.c - see host_files.h. The table, both ends of the socket, the child's in between. */
#include "source/host_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/capabilities.h"
#include "source/fd_message.h"
#include "source/privilege.h"
#include "source/syscall_filter.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

#define TASKS	"io.containerd.runtime.v2.task"
#define STORAGE "containers/storage"

static const struct host_file table[] = {
	{CONTAINER_RUNTIME_CONTAINERD, CONTAINER_CONFIG_CRI, "run/containerd/" TASKS "/k8s.io",
	 "/config.json"},
	{CONTAINER_RUNTIME_CONTAINERD, CONTAINER_CONFIG_CRI, "run/k3s/containerd/" TASKS "/k8s.io",
	 "/config.json"},
	{CONTAINER_RUNTIME_CONTAINERD, CONTAINER_CONFIG_CRI, "run/k0s/containerd/" TASKS "/k8s.io",
	 "/config.json"},
	{CONTAINER_RUNTIME_CONTAINERD, CONTAINER_CONFIG_CRI,
	 "var/snap/microk8s/common/run/containerd/" TASKS "/k8s.io", "/config.json"},
	{CONTAINER_RUNTIME_DOCKER, CONTAINER_CONFIG_DOCKER, "var/lib/docker/containers",
	 "/config.v2.json"},
	{CONTAINER_RUNTIME_DOCKER, CONTAINER_CONFIG_MOBY, "run/containerd/" TASKS "/moby",
	 "/config.json"},
	{CONTAINER_RUNTIME_DOCKER, CONTAINER_CONFIG_MOBY,
	 "run/docker/containerd/daemon/" TASKS "/moby", "/config.json"},
	{CONTAINER_RUNTIME_UNKNOWN, CONTAINER_CONFIG_STORAGE, "run/" STORAGE "/overlay-containers",
	 "/userdata/config.json"},
	{CONTAINER_RUNTIME_UNKNOWN, CONTAINER_CONFIG_STORAGE,
	 "var/lib/" STORAGE "/overlay-containers", "/userdata/config.json"},
	{CONTAINER_RUNTIME_UNKNOWN, CONTAINER_CONFIG_STORAGE, "var/lib/" STORAGE "/vfs-containers",
	 "/userdata/config.json"},
	{CONTAINER_RUNTIME_PODMAN, CONTAINER_CONFIG_LIST, "var/lib/" STORAGE "/overlay-containers",
	 "containers.json"},
	{CONTAINER_RUNTIME_PODMAN, CONTAINER_CONFIG_LIST, "var/lib/" STORAGE "/overlay-containers",
	 "volatile-containers.json"},
	{CONTAINER_RUNTIME_PODMAN, CONTAINER_CONFIG_LIST, "var/lib/" STORAGE "/vfs-containers",
	 "containers.json"},
	{CONTAINER_RUNTIME_CONTAINERD, CONTAINER_CONFIG_NERDCTL, "run/containerd/" TASKS "/default",
	 "/config.json"},
};

const struct host_file *host_files_table(uint32_t *nr)
{
	*nr = NR(table);
	return table;
}

struct request {
	uint32_t row;
	char id[WORKLOAD_ID_LEN];
};

struct answer {
	int32_t err; /* 0, with a descriptor beside it, or -errno */
};

/* ---- opening ---- */

static bool is_id(const char *id)
{
	size_t len = strnlen(id, WORKLOAD_ID_LEN);

	return len == 64 && strspn(id, "0123456789abcdef") == len;
}

static int open_resolved(int fd, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = resolve | RESOLVE_NO_MAGICLINKS,
	};
	long opened = syscall(SYS_openat2, fd, path, &how, sizeof(how));

	return opened < 0 ? -errno : (int)opened;
}

static int check_file(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return st.st_size > CONTAINER_CONFIG_MAX_BYTES ? -EFBIG : 0;
}

/*
 * The directory is where the administrator has put it, if need be by symbolic links, which stay within the
 * host's root. Below it only the runtime makes files: there nothing is followed, and no mount is entered.
 */
int host_files_open_beneath(int root_fd, uint32_t row, const char *id)
{
	const struct host_file *file = &table[row < NR(table) ? row : 0];
	char name[WORKLOAD_ID_LEN + 64];
	int directory_fd, fd, err;

	if (row >= NR(table) || !is_id(id))
		return -EINVAL;
	snprintf(name, sizeof(name), "%s%s", *file->name == '/' ? id : "", file->name);
	directory_fd =
		open_resolved(root_fd, file->directory, O_PATH | O_DIRECTORY, RESOLVE_IN_ROOT);
	if (directory_fd < 0)
		return directory_fd;
	fd = open_resolved(directory_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
			   RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
	close(directory_fd);
	if (fd < 0)
		return fd;
	err = check_file(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* ---- the child ---- */

/* It has no other descriptors; the directory is the next one, the file the one after it. */
#define CHILD_SOCKET	0
#define CHILD_ROOT	1
#define CHILD_DIRECTORY 2

static const struct syscall_rule child_rules[] = {
	{.name = "recvmsg", .args = {ARG_EQ(0, CHILD_SOCKET)}},
	{.name = "sendmsg", .args = {ARG_EQ(0, CHILD_SOCKET)}},
	{.name = "openat2", .args = {ARG_EQ(0, CHILD_ROOT)}},
	{.name = "openat2", .args = {ARG_EQ(0, CHILD_DIRECTORY)}},
	{.name = "fstat"},
	{.name = "newfstatat"},
	{.name = "close"},
	{.name = "restart_syscall"},
	{.name = "exit_group"},
	{.name = "exit"},
	{.name = NULL},
};

static void serve(void)
{
	struct request request;
	int passed_fd;

	while (!fd_message_receive(CHILD_SOCKET, &request, sizeof(request), &passed_fd)) {
		int fd = host_files_open_beneath(CHILD_ROOT, request.row, request.id);
		struct answer answer = {.err = fd < 0 ? fd : 0};

		if (passed_fd >= 0)
			close(passed_fd);
		if (fd_message_send(CHILD_SOCKET, &answer, sizeof(answer), fd, 0) < 0)
			return;
		if (fd >= 0)
			close(fd);
	}
}

static void become_child(int fd, pid_t parent, void *root)
{
	uint64_t held = 0, keep = 1ULL << CAP_DAC_READ_SEARCH;
	int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* Neither lies where the other belongs: both are above standard error, or there is none. */
	if (root_fd <= CHILD_ROOT || fd <= CHILD_ROOT || dup2(fd, CHILD_SOCKET) < 0 ||
	    dup2(root_fd, CHILD_ROOT) < 0 || close_range(CHILD_DIRECTORY, ~0U, 0))
		_exit(1);
	if (privilege_held(&held) || capabilities_keep(keep & held, keep & held) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(1);
	if (getppid() != parent) /* which died before it was asked to tell */
		_exit(1);
	prctl(PR_SET_NAME, "memswell-files");
	if (!syscall_filter_install(child_rules, NULL, SYSCALL_FILTER_KILL))
		serve();
	_exit(0);
}

/* ---- its parent ---- */

int host_files_start(struct host_files *files, const char *root)
{
	struct stat st;

	files->fd = -1;
	if (stat(root, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	return fd_message_fork(become_child, (void *)root, &files->fd, &files->pid);
}

int host_files_open(struct host_files *files, uint32_t row, const char *id)
{
	struct request request = {.row = row};
	struct answer answer = {0};
	int fd = -1;

	if (files->fd < 0)
		return -EPIPE;
	snprintf(request.id, sizeof(request.id), "%.*s", WORKLOAD_ID_LEN - 1, id);
	if (fd_message_send(files->fd, &request, sizeof(request), -1, 0) < 0 ||
	    fd_message_receive(files->fd, &answer, sizeof(answer), &fd)) {
		host_files_stop(files);
		return -EPIPE;
	}
	if (answer.err)
		return answer.err;
	return fd < 0 ? -EPROTO : fd;
}

void host_files_stop(struct host_files *files)
{
	if (files->fd < 0)
		return;
	fd_message_stop(files->fd, files->pid);
	files->fd = -1;
}
