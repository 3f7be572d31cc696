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
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "memswell.skel.h"
#include "source/loader.h"

#define INSN_BYTES   8
#define MAX_PROGRAMS 64

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

static int print_loaded(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size)) {
		fprintf(stderr, "programs: %s: %m\n", bpf_program__name(program));
		return 1;
	}
	printf("%s %u %u\n", bpf_program__name(program), info.verified_insns,
	       info.xlated_prog_len / INSN_BYTES);
	return 0;
}

/* A line for each program that is loaded so and has none yet, or, with `rest`, of the others. */
static int print_programs(enum vm_events vm_events, bool rest)
{
	static bool printed[MAX_PROGRAMS];
	struct bpf_program *program;
	struct loader loader;
	char error[512];
	int status = 0, i = 0;

	if (loader_load(&loader, vm_events, error, sizeof(error))) {
		fprintf(stderr, "programs: %s\n", error);
		loader_free(&loader);
		return 1;
	}
	bpf_object__for_each_program(program, loader.skeleton->obj)
	{
		bool loaded = bpf_program__fd(program) >= 0;

		if (i == MAX_PROGRAMS || printed[i++] || (!loaded && !rest))
			continue;
		printed[i - 1] = true;
		if (loaded)
			status |= print_loaded(program);
		else
			printf("%s - %s\n", bpf_program__name(program),
			       refusal(&loader, bpf_program__name(program)));
	}
	loader_free(&loader);
	return status;
}

int main(void)
{
	return print_programs(VM_EVENTS_FENTRY, false) || print_programs(VM_EVENTS_LOCK, false) ||
	       print_programs(VM_EVENTS_SYSCALL, false) || print_programs(VM_EVENTS_AUTO, true);
}
