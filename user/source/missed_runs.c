/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* missed_runs.c - see missed_runs.h. */
#include "source/missed_runs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <string.h>

static uint64_t recursion_misses(const struct bpf_program *program)
{
	struct bpf_prog_info info;
	__u32 size = sizeof(info);
	int fd = bpf_program__fd(program);

	memset(&info, 0, sizeof(info));
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return 0;
	return info.recursion_misses;
}

void missed_runs_collect(struct missed_runs *missed, const struct bpf_object *object,
			 struct losses *losses)
{
	struct bpf_program *program;
	uint32_t i = 0;

	bpf_object__for_each_program(program, object)
	{
		uint64_t now;

		if (i == MISSED_RUNS_MAX_PROGRAMS)
			return;
		now = recursion_misses(program);
		if (now > missed->told[i])
			losses_add(losses, "program", bpf_program__name(program),
				   now - missed->told[i]);
		missed->told[i++] = now;
	}
}
