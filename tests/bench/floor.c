/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * floor.c - keeps the empty programs of floor.bpf.c attached until SIGTERM. It measures nothing.
 * Usage: floor OBJECT CGROUP2_DIRECTORY. Prints "ready" when they are attached.
 */
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int attach(struct bpf_object *object, const char *cgroup_path)
{
	struct bpf_program *skb = bpf_object__find_program_by_name(object, "floor_skb");
	struct bpf_program *tracing = bpf_object__find_program_by_name(object, "floor_tracing");
	int cgroup_fd = open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup_fd < 0 || !skb || !tracing)
		return -1;
	if (!bpf_program__attach_cgroup(skb, cgroup_fd) || !bpf_program__attach(tracing))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct bpf_object *object;

	if (argc != 3) {
		fprintf(stderr, "usage: floor OBJECT CGROUP2_DIRECTORY\n");
		return 2;
	}
	object = bpf_object__open_file(argv[1], NULL);
	if (!object || bpf_object__load(object) || attach(object, argv[2])) {
		perror("floor: cannot attach the empty programs");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
