/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * check_types.c - reads the type information of a kernel and says, without that kernel, which of
 * memswell's programs its types suit: every field that a program relocates, every helper it calls, and
 * the tracepoint or function it attaches to. Then which variant of each hook that leaves.
 *
 *   check_types OBJECT KERNEL_TYPES
 *
 *   hook NAME VARIANT              the best candidate whose programs all suit
 *   none NAME REASON               no candidate does; exit status 1
 *   guarded FIELD PROGRAM          not in this kernel, in code that an existence check makes dead
 *   missing FIELD PROGRAM          not in this kernel, in code that can run
 *
 * What is dead is found by following constants, as the verifier does: the result of an existence check
 * is one. It knows nothing of what depends on more than types: map and program types, what the
 * verifier makes of them, whether a trampoline can be attached.
 */
#include <bpf/btf.h>
#include <stdio.h>
#include <string.h>

#include "core_match.h"
#include "object.h"
#include "reach.h"
#include "source/probes.h"

static void complain(struct program *program, const char *what)
{
	if (program->suits)
		snprintf(program->reason, sizeof(program->reason), "%s", what);
	program->suits = false;
}

static const char *helper_name(int32_t id)
{
#define NAME(name) #name
	static const char *const names[] = {__BPF_FUNC_MAPPER(NAME)};
#undef NAME
	return id >= 0 && (size_t)id < sizeof(names) / sizeof(names[0]) ? names[id] : "unknown";
}

static void judge_helper(const struct object *object, struct program *program,
			 const struct bpf_insn *insn)
{
	char what[64];

	if (insn->code != (BPF_JMP | BPF_CALL) || insn->src_reg != 0 || !object->nr_helpers ||
	    (uint32_t)insn->imm < object->nr_helpers)
		return;
	snprintf(what, sizeof(what), "bpf_%s()", helper_name(insn->imm));
	printf("missing %s %s\n", what, program->name);
	complain(program, what);
}

static void judge_relocation(struct object *object, struct section *section, uint32_t at,
			     struct program *program)
{
	const struct bpf_core_relo *relocation = section->relocations[at];
	char field[160];

	if (!relocation || section->present[at] || reach_is_existence_check(relocation->kind))
		return;
	core_describe(object->types, relocation, object_access(object, relocation), field,
		      sizeof(field));
	if (section->reached[at]) {
		printf("missing %s %s\n", field, program->name);
		complain(program, field);
	} else if (section == &object->sections[program->section]) {
		printf("guarded %s %s\n", field, program->name);
	}
}

/* A program ends where the next of its section begins. */
static uint32_t end_of(const struct object *object, const struct program *program)
{
	uint32_t end = object->sections[program->section].nr_insns;

	for (size_t i = 0; i < object->nr_programs; i++) {
		const struct program *other = &object->programs[i];

		if (other->section == program->section && other->first > program->first &&
		    other->first < end)
			end = other->first;
	}
	return end;
}

static void judge_range(struct object *object, struct section *section, uint32_t from, uint32_t to,
			struct program *program)
{
	for (uint32_t at = from; at < to; at++) {
		judge_relocation(object, section, at, program);
		if (section->reached[at])
			judge_helper(object, program, &section->insns[at]);
	}
}

static void judge_program(struct object *object, struct program *program)
{
	struct section *section = &object->sections[program->section];
	struct section *text = &object->sections[object->text];

	reach_program(object, program);
	judge_range(object, section, program->first, end_of(object, program), program);
	if (text->insns)
		judge_range(object, text, 0, text->nr_insns, program);
}

static uint32_t count_helpers(const struct btf *kernel)
{
	int id = btf__find_by_name_kind(kernel, "bpf_func_id", BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(kernel, (uint32_t)id);

	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(kernel, btf_enum(type)[i].name_off),
			    "__BPF_FUNC_MAX_ID"))
			return (uint32_t)btf_enum(type)[i].val;
	return 0;
}

static const struct program *program_named(const struct object *object, const char *name)
{
	for (size_t i = 0; i < object->nr_programs; i++)
		if (!strcmp(object->programs[i].name, name))
			return &object->programs[i];
	return NULL;
}

static bool candidate_suits(const struct object *object, const struct probe_candidate *candidate,
			    char *reason, size_t reason_size)
{
	if (candidate->storage == (probe_has_storage(object->kernel) ? PROBE_WITHOUT_STORAGE
								     : PROBE_WITH_STORAGE)) {
		snprintf(reason, reason_size, "for kernels %s local storage",
			 candidate->storage == PROBE_WITH_STORAGE ? "with" : "without");
		return false;
	}
	for (int i = 0; i < PROBE_MAX_PROGRAMS && candidate->programs[i]; i++) {
		const struct program *program = program_named(object, candidate->programs[i]);
		const char *section;

		if (!program)
			die(candidate->programs[i], "not in the object");
		section = object->sections[program->section].name;
		if (probe_check(object->kernel, candidate, section + (*section == '?'), reason,
				reason_size))
			return false;
		if (program->suits)
			continue;
		snprintf(reason, reason_size, "%s needs %s", program->name, program->reason);
		return false;
	}
	return true;
}

static bool judge_hook(const struct object *object, const struct probe_hook *hook)
{
	char reason[200] = "";

	for (int i = 0; i < PROBE_MAX_CANDIDATES && hook->candidates[i].variant; i++) {
		if (!candidate_suits(object, &hook->candidates[i], reason, sizeof(reason)))
			continue;
		printf("hook %s %s\n", hook->name, hook->candidates[i].variant);
		return true;
	}
	printf("none %s %s\n", hook->name, reason);
	return false;
}

int main(int argc, char **argv)
{
	static struct object object;
	const struct probe_hook *hooks;
	uint32_t nr_hooks;
	int status = 0;

	if (argc != 3)
		die("usage", "check_types OBJECT KERNEL_TYPES");
	object.kernel = btf__parse_raw(argv[2]);
	if (!object.kernel)
		die(argv[2], "no type information");
	object.nr_helpers = count_helpers(object.kernel);
	object_open(&object, argv[1]);
	for (size_t i = 0; i < object.nr_programs; i++)
		judge_program(&object, &object.programs[i]);
	hooks = probes_table(&nr_hooks);
	for (uint32_t i = 0; i < nr_hooks; i++)
		status |= !judge_hook(&object, &hooks[i]);
	return status;
}
