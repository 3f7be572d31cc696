/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* elf_symbols.c - see elf_symbols.h. */
#include "source/elf_symbols.h"

#include <elf.h>
#include <errno.h>
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

#define CHUNK_BYTES 32768

/*
 * The file may claim anything and be sparse: a few bytes on disk can be gigabytes of tables. So no
 * header decides how much is taken: what follows bounds memory, number of reads, and time. A Node.js
 * binary of 100 MB has 40 sections, 12 program headers, and 60 MB to look through at most.
 */
#define MAX_SECTIONS 4096
#define MAX_PHDRS    1024
#define MAX_SEGMENTS 8
#define BUDGET_BYTES (128ULL << 20)

/* Where in a string table a name we look for begins. */
struct name_hit {
	uint64_t position;
	enum v8_fatal_kind kind;
};

struct name_hits {
	struct name_hit hit[2 * ELF_MAX_V8_FATAL];
	uint32_t nr;
};

/* An executable segment: addresses of the process, bytes of the file. */
struct segment {
	uint64_t vaddr;
	uint64_t offset;
	uint64_t size;
};

struct elf_scan {
	int fd;
	uint64_t budget; /* bytes that may still be read */
	Elf64_Ehdr ehdr;
	struct segment segments[MAX_SEGMENTS];
	uint32_t nr_segments;
	union {
		char bytes[CHUNK_BYTES];
		Elf64_Sym symbols[CHUNK_BYTES / sizeof(Elf64_Sym)];
	} chunk;
};

/* The sections that matter, sh_type SHT_NULL where there is none. */
struct elf_sections {
	Elf64_Shdr dynsym;
	Elf64_Shdr symtab;
	Elf64_Shdr rodata;
	bool has_go_buildinfo;
};

/*
 * Bytes read at `offset`, 0 at the end of the file or of the budget. Read, never mapped: a file that
 * shrinks under a mapping would kill us by SIGBUS.
 */
static size_t read_at(struct elf_scan *scan, void *out, size_t size, uint64_t offset)
{
	ssize_t got;

	if (size > scan->budget || offset > INT64_MAX - size)
		return 0;
	got = pread(scan->fd, out, size, (off_t)offset);
	if (got <= 0)
		return 0;
	scan->budget -= (uint64_t)got;
	return (size_t)got;
}

static bool read_whole(struct elf_scan *scan, void *out, size_t size, uint64_t offset)
{
	return read_at(scan, out, size, offset) == size;
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

static void read_chunks(struct elf_scan *scan, const Elf64_Shdr *section, chunk_fn fn, void *arg)
{
	uint64_t done = 0;

	/* Chunks overlap, so that a name across their border is found; one inside it, twice. */
	while (done < section->sh_size) {
		size_t want = section->sh_size - done < CHUNK_BYTES
				      ? (size_t)(section->sh_size - done)
				      : CHUNK_BYTES;
		size_t got = read_at(scan, scan->chunk.bytes, want, section->sh_offset + done);

		if (!got || fn(arg, scan->chunk.bytes, got, done))
			return;
		if (got < want || done + got >= section->sh_size)
			return;
		done += got - LONGEST_PREFIX;
	}
}

/* Where in the file the byte at virtual address `addr` is; 0 if no executable segment holds it. */
static uint64_t file_offset(const struct elf_scan *scan, uint64_t addr)
{
	for (uint32_t i = 0; i < scan->nr_segments; i++) {
		const struct segment *segment = &scan->segments[i];

		if (addr >= segment->vaddr && addr - segment->vaddr < segment->size)
			return addr - segment->vaddr + segment->offset;
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
			add_v8_fatal(facts, file_offset(scan, symbol->st_value), hits->hit[i].kind);
}

static void match_symbols(struct elf_scan *scan, const Elf64_Shdr *table,
			  const struct name_hits *hits, struct elf_facts *facts)
{
	const size_t size = sizeof(Elf64_Sym);

	for (uint64_t done = 0; done < table->sh_size && facts->nr_v8_fatal < ELF_MAX_V8_FATAL;) {
		uint64_t left = table->sh_size - done;
		size_t want =
			left < sizeof(scan->chunk.symbols) ? left : sizeof(scan->chunk.symbols);
		size_t nr =
			read_at(scan, scan->chunk.symbols, want, table->sh_offset + done) / size;

		if (!nr)
			return;
		for (size_t i = 0; i < nr; i++)
			match_symbol(scan, &scan->chunk.symbols[i], hits, facts);
		done += nr * size;
	}
}

static bool read_section(struct elf_scan *scan, uint64_t index, Elf64_Shdr *out)
{
	return index < MAX_SECTIONS && scan->ehdr.e_shoff <= INT64_MAX &&
	       read_whole(scan, out, sizeof(*out), scan->ehdr.e_shoff + index * sizeof(*out));
}

static void scan_table(struct elf_scan *scan, const Elf64_Shdr *table, struct elf_facts *facts)
{
	struct name_hits hits = {0};
	Elf64_Shdr strings;

	if (table->sh_type == SHT_NULL || !read_section(scan, table->sh_link, &strings) ||
	    strings.sh_type != SHT_STRTAB)
		return;
	read_chunks(scan, &strings, add_hits, &hits);
	if (hits.nr)
		match_symbols(scan, table, &hits, facts);
}

/* Takes the first section of each kind. `names` is the table their names are in. */
static void note_section(struct elf_scan *scan, const Elf64_Shdr *section, const Elf64_Shdr *names,
			 struct elf_sections *out)
{
	char name[sizeof(".go.buildinfo")] = "";

	if (section->sh_type == SHT_DYNSYM && out->dynsym.sh_type == SHT_NULL)
		out->dynsym = *section;
	if (section->sh_type == SHT_SYMTAB && out->symtab.sh_type == SHT_NULL)
		out->symtab = *section;
	if (section->sh_type != SHT_PROGBITS || section->sh_name >= names->sh_size ||
	    names->sh_offset > INT64_MAX)
		return;
	read_at(scan, name, sizeof(name), names->sh_offset + section->sh_name);
	if (strncmp(name, ".go.buildinfo", sizeof(name)) == 0)
		out->has_go_buildinfo = true;
	if (strncmp(name, ".rodata", sizeof(name)) == 0 && out->rodata.sh_type == SHT_NULL)
		out->rodata = *section;
}

static void find_sections(struct elf_scan *scan, struct elf_sections *out)
{
	Elf64_Shdr section, names = {0};

	memset(out, 0, sizeof(*out));
	if (!scan->ehdr.e_shoff || scan->ehdr.e_shentsize != sizeof(section))
		return;
	if (!read_section(scan, scan->ehdr.e_shstrndx, &names))
		names.sh_size = 0;
	for (uint32_t i = 1; i < scan->ehdr.e_shnum && read_section(scan, i, &section); i++)
		note_section(scan, &section, &names, out);
}

static void find_segments(struct elf_scan *scan)
{
	const Elf64_Ehdr *ehdr = &scan->ehdr;
	Elf64_Phdr phdr;

	if (ehdr->e_phentsize != sizeof(phdr) || ehdr->e_phoff > INT64_MAX)
		return;
	for (uint32_t i = 0; i < ehdr->e_phnum && i < MAX_PHDRS; i++) {
		if (!read_whole(scan, &phdr, sizeof(phdr), ehdr->e_phoff + i * sizeof(phdr)))
			return;
		if (phdr.p_type != PT_LOAD || !(phdr.p_flags & PF_X))
			continue;
		scan->segments[scan->nr_segments++] = (struct segment){
			.vaddr = phdr.p_vaddr, .offset = phdr.p_offset, .size = phdr.p_filesz};
		if (scan->nr_segments == MAX_SEGMENTS)
			return;
	}
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

static bool is_native_elf64(const Elf64_Ehdr *ehdr)
{
	return memcmp(ehdr->e_ident, ELFMAG, SELFMAG) == 0 &&
	       ehdr->e_ident[EI_CLASS] == ELFCLASS64 && ehdr->e_ident[EI_VERSION] == EV_CURRENT &&
	       ehdr->e_ident[EI_DATA] ==
		       (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB);
}

static void collect(struct elf_scan *scan, bool want_v8, struct elf_facts *facts)
{
	struct elf_sections sections;

	find_segments(scan);
	find_sections(scan, &sections);
	facts->entry_offset = file_offset(scan, scan->ehdr.e_entry);
	facts->is_go = sections.has_go_buildinfo;
	if (want_v8 && !facts->is_go) {
		scan_table(scan, &sections.dynsym, facts);
		if (!facts->nr_v8_fatal)
			scan_table(scan, &sections.symtab, facts);
	}
	if (facts->nr_v8_fatal && sections.rodata.sh_type != SHT_NULL)
		read_chunks(scan, &sections.rodata, find_node_major, &facts->node_major);
}

int elf_inspect(int fd, bool want_v8, struct elf_facts *out)
{
	struct elf_scan scan;
	struct elf_facts facts = {0};

	scan.fd = fd;
	scan.budget = BUDGET_BYTES;
	scan.nr_segments = 0;
	if (!read_whole(&scan, &scan.ehdr, sizeof(scan.ehdr), 0) || !is_native_elf64(&scan.ehdr))
		return -ENOEXEC;
	collect(&scan, want_v8, &facts);
	*out = facts;
	return 0;
}
