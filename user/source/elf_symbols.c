/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* elf_symbols.c - see elf_symbols.h. */
#include "source/elf_symbols.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>
#include <unistd.h>

/*
 * The rest of the mangled name, the parameter types, changed between releases of V8; the position
 * of the location text did not.
 */
static const struct {
	const char *prefix;
	enum v8_fatal_kind kind;
} v8_names[] = {
	{"_ZN2v88internal2V823FatalProcessOutOfMemory", V8_FATAL_SECOND_ARG},
	{"_ZN4node15OOMErrorHandler", V8_FATAL_FIRST_ARG},
	/* A worker thread has a limit of its own, which ends the thread; there is no location. */
	{"_ZN4node6worker6Worker13NearHeapLimit", V8_FATAL_SECOND_ARG},
};
#define NR_V8_NAMES    (sizeof(v8_names) / sizeof(v8_names[0]))
#define LONGEST_PREFIX 64

#define CHUNK_BYTES	32768
#define MAX_TABLE_BYTES (256ULL << 20)

/* Where in a string table a name we look for begins. */
struct name_hit {
	uint64_t position;
	enum v8_fatal_kind kind;
};

struct name_hits {
	struct name_hit hit[2 * ELF_MAX_V8_FATAL];
	uint32_t nr;
};

struct elf_scan {
	Elf *elf;
	int fd;
	union {
		char bytes[CHUNK_BYTES];
		Elf64_Sym symbols[CHUNK_BYTES / sizeof(Elf64_Sym)];
	} chunk;
};

static bool plausible(const GElf_Shdr *shdr)
{
	return shdr->sh_type != SHT_NOBITS && shdr->sh_size <= MAX_TABLE_BYTES &&
	       shdr->sh_offset <= INT64_MAX - shdr->sh_size;
}

static void add_hit(struct name_hits *hits, uint64_t position, enum v8_fatal_kind kind)
{
	for (uint32_t i = 0; i < hits->nr; i++)
		if (hits->hit[i].position == position)
			return;
	if (hits->nr == sizeof(hits->hit) / sizeof(hits->hit[0]))
		return;
	hits->hit[hits->nr++] = (struct name_hit){.position = position, .kind = kind};
}

/* Returns true when it has seen enough. */
typedef bool (*chunk_fn)(void *arg, const char *bytes, size_t len, uint64_t base);

static bool add_hits(void *arg, const char *bytes, size_t len, uint64_t base)
{
	struct name_hits *hits = arg;

	for (uint32_t i = 0; i < NR_V8_NAMES; i++) {
		size_t prefix_len = strlen(v8_names[i].prefix);
		const char *at = bytes;

		while ((at = memmem(at, len - (size_t)(at - bytes), v8_names[i].prefix,
				    prefix_len))) {
			add_hit(hits, base + (uint64_t)(at - bytes), v8_names[i].kind);
			at += prefix_len;
		}
	}
	return false;
}

static void read_chunks(struct elf_scan *scan, const GElf_Shdr *section, chunk_fn fn, void *arg)
{
	uint64_t done = 0;

	/* Chunks overlap, so that a name across their border is found; one inside it, twice. */
	while (done < section->sh_size) {
		size_t want = section->sh_size - done < CHUNK_BYTES
				      ? (size_t)(section->sh_size - done)
				      : CHUNK_BYTES;
		ssize_t got = pread(scan->fd, scan->chunk.bytes, want,
				    (off_t)(section->sh_offset + done));

		if (got <= 0 || fn(arg, scan->chunk.bytes, (size_t)got, done))
			return;
		if (done + (uint64_t)got >= section->sh_size || got <= LONGEST_PREFIX)
			return;
		done += (uint64_t)got - LONGEST_PREFIX;
	}
}

/* Where in the file the byte at virtual address `addr` is; 0 if no executable segment holds it. */
static uint64_t file_offset(Elf *elf, uint64_t addr)
{
	size_t nr = 0;
	GElf_Phdr phdr;

	if (elf_getphdrnum(elf, &nr))
		return 0;
	for (size_t i = 0; i < nr && i < 1024; i++) {
		if (!gelf_getphdr(elf, (int)i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X))
			continue;
		if (addr >= phdr.p_vaddr && addr - phdr.p_vaddr < phdr.p_filesz)
			return addr - phdr.p_vaddr + phdr.p_offset;
	}
	return 0;
}

static void add_v8_fatal(struct elf_facts *facts, uint64_t offset, enum v8_fatal_kind kind)
{
	if (!offset || facts->nr_v8_fatal == ELF_MAX_V8_FATAL)
		return;
	for (uint32_t i = 0; i < facts->nr_v8_fatal; i++)
		if (facts->v8_fatal[i].offset == offset)
			return;
	facts->v8_fatal[facts->nr_v8_fatal++] = (struct v8_fatal){.offset = offset, .kind = kind};
}

static void match_symbol(struct elf_scan *scan, const Elf64_Sym *symbol,
			 const struct name_hits *hits, struct elf_facts *facts)
{
	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF)
		return;
	for (uint32_t i = 0; i < hits->nr; i++)
		if (symbol->st_name == hits->hit[i].position)
			add_v8_fatal(facts, file_offset(scan->elf, symbol->st_value),
				     hits->hit[i].kind);
}

static void match_symbols(struct elf_scan *scan, const GElf_Shdr *table,
			  const struct name_hits *hits, struct elf_facts *facts)
{
	const size_t size = sizeof(Elf64_Sym);

	for (uint64_t done = 0; done < table->sh_size && facts->nr_v8_fatal < ELF_MAX_V8_FATAL;) {
		uint64_t left = table->sh_size - done;
		size_t want =
			left < sizeof(scan->chunk.symbols) ? left : sizeof(scan->chunk.symbols);
		ssize_t got = pread(scan->fd, scan->chunk.symbols, want,
				    (off_t)(table->sh_offset + done));

		if (got < (ssize_t)size)
			return;
		for (size_t i = 0; i < (size_t)got / size; i++)
			match_symbol(scan, &scan->chunk.symbols[i], hits, facts);
		done += (uint64_t)got / size * size;
	}
}

static void scan_table(struct elf_scan *scan, GElf_Word type, struct elf_facts *facts)
{
	struct name_hits hits = {0};
	GElf_Shdr table, strings;
	Elf_Scn *section = NULL;

	while ((section = elf_nextscn(scan->elf, section))) {
		if (!gelf_getshdr(section, &table) || table.sh_type != type || !plausible(&table))
			continue;
		if (!gelf_getshdr(elf_getscn(scan->elf, table.sh_link), &strings) ||
		    strings.sh_type != SHT_STRTAB || !plausible(&strings))
			continue;
		read_chunks(scan, &strings, add_hits, &hits);
		if (hits.nr)
			match_symbols(scan, &table, &hits, facts);
		return;
	}
}

static bool find_section(Elf *elf, const char *wanted, GElf_Shdr *out)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return false;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;

		if (!gelf_getshdr(section, out))
			continue;
		name = elf_strptr(elf, names, out->sh_name);
		if (name && strcmp(name, wanted) == 0)
			return true;
	}
	return false;
}

/* What the inspector calls itself to its clients, "node.js/v20.20.2"; no stripping takes it away. */
static bool find_node_major(void *arg, const char *bytes, size_t len, uint64_t base)
{
	static const char name[] = "node.js/v";
	const size_t name_len = sizeof(name) - 1;
	const char *end = bytes + len, *at = bytes;
	uint16_t *out = arg;

	(void)base;
	while ((at = memmem(at, (size_t)(end - at), name, name_len))) {
		uint16_t major = 0;

		for (at += name_len; at < end && *at >= '0' && *at <= '9' && major < 100; at++)
			major = (uint16_t)(major * 10 + (*at - '0'));
		if (major && at < end && *at == '.') {
			*out = major;
			return true;
		}
	}
	return false;
}

static bool is_native_elf64(Elf *elf)
{
	GElf_Ehdr ehdr;

	return elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &ehdr) &&
	       ehdr.e_ident[EI_CLASS] == ELFCLASS64 &&
	       ehdr.e_ident[EI_DATA] ==
		       (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
}

static void collect(struct elf_scan *scan, bool want_v8, struct elf_facts *facts)
{
	GElf_Shdr section;
	GElf_Ehdr ehdr;

	if (gelf_getehdr(scan->elf, &ehdr))
		facts->entry_offset = file_offset(scan->elf, ehdr.e_entry);
	facts->is_go = find_section(scan->elf, ".go.buildinfo", &section);
	if (want_v8 && !facts->is_go) {
		scan_table(scan, SHT_DYNSYM, facts);
		if (!facts->nr_v8_fatal)
			scan_table(scan, SHT_SYMTAB, facts);
	}
	if (facts->nr_v8_fatal && find_section(scan->elf, ".rodata", &section) &&
	    plausible(&section))
		read_chunks(scan, &section, find_node_major, &facts->node_major);
}

int elf_inspect(int fd, bool want_v8, struct elf_facts *out)
{
	struct elf_facts facts = {0};
	struct elf_scan scan = {.fd = fd};

	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOTSUP;
	/* Not ELF_C_READ_MMAP: a file that shrinks under a mapping would kill us by SIGBUS. */
	scan.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!scan.elf || !is_native_elf64(scan.elf)) {
		elf_end(scan.elf);
		return -ENOEXEC;
	}
	collect(&scan, want_v8, &facts);
	elf_end(scan.elf);
	*out = facts;
	return 0;
}
