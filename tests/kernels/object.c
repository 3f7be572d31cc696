/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* object.c - see object.h. */
#include "object.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h> /* btf_ext__get_raw_data() */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_match.h"

#define INSN_BYTES 8

_Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "check_types: %s: %s\n", what, why);
	exit(2);
}

static void *zeroed(size_t nr, size_t size)
{
	void *memory = calloc(nr ? nr : 1, size);

	if (!memory)
		die("memory", strerror(ENOMEM));
	return memory;
}

static void take_section(struct section *section, const char *name, const Elf_Data *data)
{
	section->name = name;
	section->insns = data->d_buf;
	section->nr_insns = (uint32_t)(data->d_size / INSN_BYTES);
	section->relocations = zeroed(section->nr_insns, sizeof(*section->relocations));
	section->present = zeroed(section->nr_insns, sizeof(*section->present));
	section->callees = zeroed(section->nr_insns, sizeof(*section->callees));
	section->before = zeroed(section->nr_insns, sizeof(*section->before));
	section->reached = zeroed(section->nr_insns, sizeof(*section->reached));
	memset(section->callees, 0xff, section->nr_insns * sizeof(*section->callees));
}

/* libbpf: a static function is its section's symbol and an offset in the call, a global its own symbol. */
static void take_calls(struct object *object, struct section *section, Elf_Data *relocations,
		       Elf_Data *symbols)
{
	for (size_t i = 0; i < relocations->d_size / sizeof(Elf64_Rel); i++) {
		GElf_Rel relocation;
		GElf_Sym symbol;
		uint32_t at;

		if (!gelf_getrel(relocations, (int)i, &relocation) ||
		    !gelf_getsym(symbols, (int)GELF_R_SYM(relocation.r_info), &symbol))
			continue;
		at = (uint32_t)(relocation.r_offset / INSN_BYTES);
		if (symbol.st_shndx == object->text && at < section->nr_insns)
			section->callees[at] = (int32_t)(symbol.st_value / INSN_BYTES) +
					       section->insns[at].imm + 1;
	}
}

static void take_programs(struct object *object, Elf_Data *symbols, size_t strings)
{
	for (size_t i = 0; i < symbols->d_size / sizeof(Elf64_Sym); i++) {
		GElf_Sym symbol;

		if (!gelf_getsym(symbols, (int)i, &symbol) ||
		    GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == object->text ||
		    symbol.st_shndx >= MAX_SECTIONS || object->nr_programs == MAX_PROGRAMS)
			continue;
		object->programs[object->nr_programs++] = (struct program){
			.name = elf_strptr(object->elf, strings, symbol.st_name),
			.section = symbol.st_shndx,
			.first = (uint32_t)(symbol.st_value / INSN_BYTES),
			.suits = true,
		};
	}
}

static void walk_sections(struct object *object, bool second)
{
	static Elf_Data *symbols;
	static size_t strings;
	size_t names;
	Elf_Scn *scn = NULL;

	elf_getshdrstrndx(object->elf, &names);
	while ((scn = elf_nextscn(object->elf, scn))) {
		size_t index = elf_ndxscn(scn);
		const char *name;
		GElf_Shdr header;

		if (!gelf_getshdr(scn, &header) || index >= MAX_SECTIONS)
			continue;
		name = elf_strptr(object->elf, names, header.sh_name);
		if (!second && header.sh_type == SHT_SYMTAB) {
			symbols = elf_getdata(scn, NULL);
			strings = header.sh_link;
		} else if (!second && header.sh_flags & SHF_EXECINSTR) {
			take_section(&object->sections[index], name, elf_getdata(scn, NULL));
			if (!strcmp(name, ".text"))
				object->text = index;
		} else if (second && header.sh_type == SHT_REL && header.sh_info < MAX_SECTIONS &&
			   object->sections[header.sh_info].insns) {
			take_calls(object, &object->sections[header.sh_info],
				   elf_getdata(scn, NULL), symbols);
		}
	}
	if (second)
		take_programs(object, symbols, strings);
}

static struct section *section_named(struct object *object, const char *name)
{
	for (size_t i = 0; i < MAX_SECTIONS; i++)
		if (object->sections[i].name && !strcmp(object->sections[i].name, name))
			return &object->sections[i];
	return NULL;
}

const char *object_access(const struct object *object, const struct bpf_core_relo *relocation)
{
	return btf__str_by_offset(object->types, relocation->access_str_off);
}

static void take_relocation(const struct object *object, struct section *section,
			    const struct bpf_core_relo *relocation)
{
	uint32_t at = relocation->insn_off / INSN_BYTES;

	if (at >= section->nr_insns)
		die(section->name, "a relocation lies outside");
	section->relocations[at] = relocation;
	section->present[at] = (int8_t)core_match(object->types, object->kernel, relocation,
						  object_access(object, relocation));
}

/* include/uapi/linux/btf.h knows only .BTF; this is the head of .BTF.ext. */
struct ext_header {
	uint16_t magic;
	uint8_t version, flags;
	uint32_t header_len;
	uint32_t func_info_off, func_info_len;
	uint32_t line_info_off, line_info_len;
	uint32_t core_relo_off, core_relo_len;
};

struct ext_section {
	uint32_t name_off, nr;
};

static void take_relocations(struct object *object)
{
	uint32_t size;
	const char *raw = btf_ext__get_raw_data(object->ext, &size);
	const struct ext_header *header = (const void *)raw;
	const char *at = raw + header->header_len + header->core_relo_off;
	const char *end = at + header->core_relo_len;
	uint32_t record = *(const uint32_t *)at;

	if (size < sizeof(*header) || record != sizeof(struct bpf_core_relo) || end > raw + size)
		die(".BTF.ext", "not as expected");
	for (at += sizeof(record); at < end;) {
		const struct ext_section *part = (const void *)at;
		const char *name = btf__str_by_offset(object->types, part->name_off);
		struct section *section = section_named(object, name);

		at += sizeof(*part);
		for (uint32_t i = 0; i < part->nr; i++, at += record)
			if (section)
				take_relocation(object, section, (const void *)at);
	}
}

void object_open(struct object *object, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	elf_version(EV_CURRENT);
	object->elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL);
	object->types = btf__parse(path, &object->ext);
	if (!object->elf || !object->types || !object->ext)
		die(path, "no BPF object");
	walk_sections(object, false);
	walk_sections(object, true);
	take_relocations(object);
}
