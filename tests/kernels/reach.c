/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* reach.c - see reach.h. */
#include "reach.h"

#include <string.h>

/* Joins what another path knows; true if that says more is possible. */
static bool join(struct section *section, uint32_t at, const struct regs *from)
{
	struct regs *into = &section->before[at];
	bool changed = !section->reached[at];

	section->reached[at] = true;
	for (int i = 0; i < NR_REGS; i++) {
		struct reg *reg = &into->reg[i];

		if (reg->known == ANYTHING || from->reg[i].known == UNSEEN ||
		    (reg->known == CONSTANT && from->reg[i].known == CONSTANT &&
		     reg->value == from->reg[i].value))
			continue;
		*reg = reg->known == UNSEEN ? from->reg[i] : (struct reg){ANYTHING, 0};
		changed = true;
	}
	return changed;
}

static struct reg operand(const struct bpf_insn *insn, const struct regs *regs)
{
	if (BPF_SRC(insn->code) == BPF_X)
		return regs->reg[insn->src_reg];
	return (struct reg){CONSTANT, insn->imm};
}

static struct reg arithmetic(const struct bpf_insn *insn, struct reg a, struct reg b)
{
	bool is_32 = BPF_CLASS(insn->code) == BPF_ALU;
	struct reg out = {CONSTANT, 0};

	if (BPF_OP(insn->code) == BPF_MOV)
		a = (struct reg){CONSTANT, 0};
	if (a.known != CONSTANT || b.known != CONSTANT)
		return (struct reg){ANYTHING, 0};
	switch (BPF_OP(insn->code)) {
	case BPF_MOV:
		out.value = b.value;
		break;
	case BPF_AND:
		out.value = a.value & b.value;
		break;
	case BPF_OR:
		out.value = a.value | b.value;
		break;
	case BPF_XOR:
		out.value = a.value ^ b.value;
		break;
	case BPF_ADD:
		out.value = a.value + b.value;
		break;
	case BPF_LSH:
		out.value = (int64_t)((uint64_t)a.value << (b.value & (is_32 ? 31 : 63)));
		break;
	case BPF_RSH:
		out.value = (int64_t)((is_32 ? (uint32_t)a.value : (uint64_t)a.value) >>
				      (b.value & (is_32 ? 31 : 63)));
		break;
	default:
		return (struct reg){ANYTHING, 0};
	}
	if (is_32)
		out.value = (uint32_t)out.value;
	return out;
}

/* 1 taken, 0 not, -1 either. */
static int branch(const struct bpf_insn *insn, struct reg a, struct reg b)
{
	if (a.known != CONSTANT || b.known != CONSTANT)
		return -1;
	if (BPF_CLASS(insn->code) == BPF_JMP32) {
		a.value = (uint32_t)a.value;
		b.value = (uint32_t)b.value;
	}
	switch (BPF_OP(insn->code)) {
	case BPF_JEQ:
		return a.value == b.value;
	case BPF_JNE:
		return a.value != b.value;
	case BPF_JGT:
		return (uint64_t)a.value > (uint64_t)b.value;
	case BPF_JLT:
		return (uint64_t)a.value < (uint64_t)b.value;
	case BPF_JSET:
		return !!(a.value & b.value);
	default:
		return -1;
	}
}

bool reach_is_existence_check(enum bpf_core_relo_kind kind)
{
	return kind == BPF_CORE_FIELD_EXISTS || kind == BPF_CORE_TYPE_EXISTS ||
	       kind == BPF_CORE_ENUMVAL_EXISTS || kind == BPF_CORE_TYPE_SIZE;
}

/* What the register holds after a relocated load of a constant; a type's size is only 0 or not. */
static struct reg relocated(const struct section *section, uint32_t at, struct reg value)
{
	const struct bpf_core_relo *relocation = section->relocations[at];

	if (!relocation)
		return value;
	if (!reach_is_existence_check(relocation->kind) ||
	    (relocation->kind == BPF_CORE_TYPE_SIZE && section->present[at]))
		return (struct reg){ANYTHING, 0};
	return (struct reg){CONSTANT, section->present[at]};
}

static void reach(struct object *object, struct section *section, uint32_t at,
		  const struct regs *before);

static void enter(struct object *object, struct section *section, uint32_t at)
{
	struct regs anything;

	for (int i = 0; i < NR_REGS; i++)
		anything.reg[i] = (struct reg){ANYTHING, 0};
	reach(object, section, at, &anything);
}

static void call(struct object *object, struct section *section, uint32_t at, struct regs *regs)
{
	const struct bpf_insn *insn = &section->insns[at];

	if (insn->src_reg == BPF_PSEUDO_CALL) {
		if (section->callees[at] >= 0)
			enter(object, &object->sections[object->text],
			      (uint32_t)section->callees[at]);
		else
			enter(object, section, at + (uint32_t)insn->imm + 1);
	}
	for (int i = 0; i < 6; i++)
		regs->reg[i] = (struct reg){ANYTHING, 0};
}

static void jump(struct object *object, struct section *section, uint32_t at, struct regs *regs,
		 bool *falls_through)
{
	const struct bpf_insn *insn = &section->insns[at];
	uint32_t target = at + 1 + (uint32_t)insn->off;
	int taken;

	switch (BPF_OP(insn->code)) {
	case BPF_EXIT:
		*falls_through = false;
		return;
	case BPF_CALL:
		call(object, section, at, regs);
		return;
	case BPF_JA:
		taken = 1;
		break;
	default:
		taken = branch(insn, regs->reg[insn->dst_reg], operand(insn, regs));
	}
	if (taken)
		reach(object, section, target, regs);
	*falls_through = taken != 1;
}

static void reach(struct object *object, struct section *section, uint32_t at,
		  const struct regs *before)
{
	struct regs regs = *before;
	bool falls_through = true;

	while (falls_through && at < section->nr_insns && join(section, at, &regs)) {
		const struct bpf_insn *insn = &section->insns[at];
		uint32_t next = at + 1;

		regs = section->before[at];
		switch (BPF_CLASS(insn->code)) {
		case BPF_ALU:
		case BPF_ALU64:
			regs.reg[insn->dst_reg] = relocated(
				section, at,
				arithmetic(insn, regs.reg[insn->dst_reg], operand(insn, &regs)));
			break;
		case BPF_LD: /* 64 bits in two instructions */
			regs.reg[insn->dst_reg] = relocated(section, at, (struct reg){ANYTHING, 0});
			next++;
			break;
		case BPF_LDX:
			regs.reg[insn->dst_reg] = (struct reg){ANYTHING, 0};
			break;
		case BPF_JMP:
		case BPF_JMP32:
			jump(object, section, at, &regs, &falls_through);
			break;
		default: /* stores */
			break;
		}
		at = next;
	}
}

static void forget_reached(struct object *object)
{
	for (size_t i = 0; i < MAX_SECTIONS; i++) {
		struct section *section = &object->sections[i];

		if (!section->insns)
			continue;
		memset(section->reached, 0, section->nr_insns * sizeof(*section->reached));
		memset(section->before, 0, section->nr_insns * sizeof(*section->before));
	}
}

void reach_program(struct object *object, const struct program *program)
{
	forget_reached(object);
	enter(object, &object->sections[program->section], program->first);
}
