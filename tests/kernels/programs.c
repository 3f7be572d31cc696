/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * programs.c - loads memswell's kernel programs as memswell does, all variants that this kernel has,
 * and prints a line for each: how many instructions the verifier went through (0: this kernel does not
 * tell, before 5.16) and how many the program became before the JIT; or that and why it was not loaded.
 *
 *   PROGRAM VERIFIED TRANSLATED
 *   PROGRAM - REASON
 *
 * Attaches nothing and judges nothing: check_programs.py compares.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

#include "memswell.skel.h"
#include "source/loader.h"

#define INSN_BYTES 8

/* Of a candidate that was not loaded the hook knows why, at least of the best. */
static const char *refusal(const struct loader *loader, const char *program)
{
	for (uint32_t h = 0; h < loader->nr_hooks; h++) {
		const struct loader_hook *hook = &loader->hooks[h];

		for (uint32_t c = 0; c < PROBE_MAX_CANDIDATES; c++)
			for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS; p++) {
				const char *name = hook->hook->candidates[c].programs[p];

				if (name && !strcmp(name, program))
					return hook->refused & 1U << c ? hook->reason
								       : "not asked for";
			}
	}
	return "no hook has it";
}

static int print_program(const struct loader *loader, const struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);
	int fd = bpf_program__fd(program);

	if (fd < 0) {
		printf("%s - %s\n", name, refusal(loader, name));
		return 0;
	}
	if (bpf_obj_get_info_by_fd(fd, &info, &size)) {
		fprintf(stderr, "programs: %s: %m\n", name);
		return 1;
	}
	printf("%s %u %u\n", name, info.verified_insns, info.xlated_prog_len / INSN_BYTES);
	return 0;
}

int main(void)
{
	struct bpf_program *program;
	struct loader loader;
	char error[512];
	int status = 0;

	if (loader_load(&loader, VM_EVENTS_AUTO, error, sizeof(error))) {
		fprintf(stderr, "programs: %s\n", error);
		loader_free(&loader);
		return 1;
	}
	bpf_object__for_each_program(program, loader.skeleton->obj) status |=
		print_program(&loader, program);
	loader_free(&loader);
	return status;
}
