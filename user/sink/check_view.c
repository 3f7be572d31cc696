/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* check_view.c - see check_view.h: what both views share, and the one for a person. */
#include "sink/check_view.h"

#include <errno.h>
#include <string.h>

#include "sink/check_json.h"

#define KIB 1024ULL

const char *check_status(const struct host *host)
{
	switch (host->exit_code) {
	case 0:
	case 5:
		return check_attached(host) == host->nr_hooks && !host->nr_limitations ? "ok"
										       : "degraded";
	case 3:
		return "no_privilege";
	case 4:
		return "unsupported";
	default:
		return "failed";
	}
}

uint32_t check_attached(const struct host *host)
{
	uint32_t attached = 0;

	for (uint32_t i = 0; i < host->nr_hooks; i++)
		attached += host->hooks[i].state == PROBE_ATTACHED;
	return attached;
}

uint64_t check_view_rss_ceiling(const struct host *host)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < host->nr_memory; i++)
		sum += host->memory[i].row.bytes;
	for (uint32_t i = 0; i < host->nr_maps; i++)
		sum += host->maps[i].mapped_bytes;
	return sum;
}

uint64_t check_view_map_ceiling(const struct host *host)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < host->nr_maps; i++)
		sum += host->maps[i].bytes;
	return sum;
}

/* Text ----------------------------------------------------------------------------------------- */

static void print_verdict(const struct host *host, FILE *to)
{
	uint32_t attached = check_attached(host);
	const char *status = check_status(host);

	if (host->error[0])
		fprintf(to, "memswell %s cannot run here: %s\n", host->version, host->error);
	else
		fprintf(to, "memswell %s works here%s: %u of %u hooks attached\n", host->version,
			strcmp(status, "ok") == 0 ? "" : ", with less", attached, host->nr_hooks);
}

static bool same_gap(const struct host_hook *a, const struct host_hook *b)
{
	return a->state == b->state && strcmp(a->consequence, b->consequence) == 0 &&
	       strcmp(a->why, b->why) == 0;
}

static void print_gap(const char *what, const char *why, const char *consequence, const char *fix,
		      FILE *to)
{
	fprintf(to, "  %s\n", what);
	if (why)
		fprintf(to, "      because  %s\n", why);
	fprintf(to, "      so       %s\n", consequence);
	if (fix)
		fprintf(to, "      remedy   %s\n", fix);
}

/* Hooks that are missing for one reason and with one consequence are told together. */
static void print_missing_hooks(const struct host *host, FILE *to)
{
	for (uint32_t i = 0; i < host->nr_hooks; i++) {
		const struct host_hook *hook = &host->hooks[i];
		char names[256];

		if (hook->state != PROBE_UNAVAILABLE || (i && same_gap(hook, hook - 1)))
			continue;
		snprintf(names, sizeof(names), "hook %s", hook->name);
		for (uint32_t k = i + 1; k < host->nr_hooks && same_gap(hook, &host->hooks[k]); k++)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), ", %s",
				 host->hooks[k].name);
		print_gap(names, hook->why, hook->consequence, hook->fix, to);
	}
}

static bool lacks(const struct host_capability *c)
{
	return !c->held && !c->implied;
}

static void print_capability_gap(const struct host_capability *c, FILE *to)
{
	char why[RECORD_TEXT_LEN];
	bool everywhere = strcmp(c->kernels, "all") == 0;

	snprintf(why, sizeof(why), "kernels that ask for it: %s", c->kernels);
	print_gap(c->name, everywhere ? NULL : why, c->without, NULL, to);
}

static void print_missing(const struct host *host, FILE *to)
{
	bool any = host->nr_limitations || check_attached(host) < host->nr_hooks;

	for (uint32_t i = 0; i < host->nr_capabilities; i++)
		any |= lacks(&host->capabilities[i]);
	if (!any)
		return;
	fprintf(to, "\nMISSING\n");
	/* Where nothing was tried the hooks would only repeat the first line. */
	if (!host->error[0] || check_attached(host))
		print_missing_hooks(host, to);
	for (uint32_t i = 0; i < host->nr_limitations; i++)
		print_gap(host->limitations[i].what, NULL, host->limitations[i].consequence,
			  host->limitations[i].fix, to);
	for (uint32_t i = 0; i < host->nr_capabilities; i++)
		if (lacks(&host->capabilities[i]))
			print_capability_gap(&host->capabilities[i], to);
}

static void print_number(const char *name, int value, FILE *to)
{
	if (value == HOST_UNKNOWN)
		fprintf(to, "  %-26s not told\n", name);
	else
		fprintf(to, "  %-26s %d\n", name, value);
}

static void print_memory_controller(const struct host_cgroups *c, FILE *to)
{
	fprintf(to, "  %-26s ", "memory controller");
	if (c->memory_disabled)
		fprintf(to, "disabled at boot\n");
	else if (!c->memory_version)
		fprintf(to, "in no mounted hierarchy\n");
	else
		fprintf(to, "v%d, at %s%s\n", c->memory_version, c->memory,
			c->memory_in_children ? "" : ", not handed down");
}

static void print_runtimes(const struct host *host, FILE *to)
{
	fprintf(to, "  %-26s ", "container runtimes");
	for (uint32_t i = 0; i < host->nr_runtimes; i++)
		fprintf(to, "%s%s (%s%s%s)", i ? ", " : "", host->runtimes[i].name,
			host->runtimes[i].evidence,
			host->runtimes[i].metadata[0] ? "; names from " : "",
			host->runtimes[i].metadata);
	fprintf(to, "%s\n", host->nr_runtimes ? "" : "none seen");
}

static void print_host(const struct host *host, FILE *to)
{
	const struct host_kernel *k = &host->kernel;
	const struct host_cgroups *c = &host->cgroups;

	fprintf(to, "\nHOST\n  %-26s %s %s, %u CPUs, BTF %s\n", "kernel", k->release, k->arch,
		host->nr_cpus, k->btf ? "present" : "missing");
	fprintf(to, "  %-26s %s\n", "lockdown", k->lockdown[0] ? k->lockdown : "not told");
	print_number("perf_event_paranoid", k->perf_event_paranoid, to);
	print_number("unprivileged_bpf_disabled", k->unprivileged_bpf_disabled, to);
	fprintf(to, "  %-26s %s\n", "pressure stall information", k->psi ? "yes" : "no");
	fprintf(to, "  %-26s %s\n", "tracefs",
		k->tracefs[0] ? k->tracefs : "not mounted here (memswell opens its own)");
	fprintf(to, "  %-26s %s%s%s\n", "cgroups", check_cgroup_mode(c->mode),
		c->v2[0] ? ", v2 at " : "", c->v2);
	print_memory_controller(c, to);
	print_runtimes(host, to);
	fprintf(to, "  %-26s %s%s%s\n", "memswell itself",
		host->self.in_container ? "in a container (" : "on the host",
		host->self.container_evidence, host->self.in_container ? ")" : "");
}

static void print_hooks(const struct host *host, FILE *to)
{
	fprintf(to, "\n%-18s %-12s %s\n", "HOOK", "STATE", "VARIANT / REASON");
	for (uint32_t i = 0; i < host->nr_hooks; i++) {
		const struct host_hook *h = &host->hooks[i];
		const char *said = h->state == PROBE_ATTACHED ? h->note : h->why;

		fprintf(to, "%-18s %-12s %s%s%s\n", h->name, probe_state_name(h->state), h->variant,
			*h->variant && *said ? ": " : "", said);
	}
}

static void print_capabilities(const struct host *host, FILE *to)
{
	bool any_implied = false;

	fprintf(to, "\n%-20s %-5s %-9s %s\n", "CAPABILITY", "HELD", "NEEDED", "FOR");
	for (uint32_t i = 0; i < host->nr_capabilities; i++) {
		const struct host_capability *c = &host->capabilities[i];

		any_implied |= c->implied;
		fprintf(to, "%-20s %-5s %-9s %s\n", c->name,
			c->held	     ? "yes"
			: c->implied ? "no *"
				     : "no",
			c->required ? "to start" : "optional", c->purpose);
	}
	if (any_implied)
		fprintf(to, "* CAP_SYS_ADMIN, which is held, will do\n");
}

static void print_total(const char *what, uint64_t bytes, uint64_t budget, FILE *to)
{
	fprintf(to, "%-41s %8llu KiB  (budget %llu KiB%s)\n", what,
		(unsigned long long)(bytes / KIB), (unsigned long long)(budget / KIB),
		bytes > budget ? ", exceeded" : "");
}

static void print_row(const char *layer, const char *name, uint64_t limit, uint64_t bytes, FILE *to)
{
	char entries[24] = "";

	if (limit)
		snprintf(entries, sizeof(entries), "%llu", (unsigned long long)limit);
	fprintf(to, "  %-6s %-22s %9s %8llu KiB\n", layer, name, entries,
		(unsigned long long)((bytes + KIB - 1) / KIB));
}

static void print_map(const struct host_map *m, FILE *to)
{
	if (m->each)
		fprintf(to, "  %-6s %-22s %9s %8llu bytes for each %s\n", "map", m->name, "",
			(unsigned long long)m->each_bytes, m->each);
	else
		print_row("map", m->name, m->limit, m->bytes, to);
}

static void print_ceilings(const struct host *host, FILE *to)
{
	uint64_t mapped = 0;

	fprintf(to, "\nCEILINGS %-22s %9s %12s\n", "", "ENTRIES", "AT MOST");
	for (uint32_t i = 0; i < host->nr_memory; i++) {
		const struct host_memory *m = &host->memory[i];

		print_row(m->layer, m->row.name, m->row.limit, m->row.bytes, to);
	}
	for (uint32_t i = 0; i < host->nr_maps; i++)
		mapped += host->maps[i].mapped_bytes;
	print_row("maps", "mapped into memswell", 0, mapped, to);
	print_total("RSS", check_view_rss_ceiling(host), HOST_RSS_BUDGET, to);
	for (uint32_t i = 0; i < host->nr_maps; i++)
		print_map(&host->maps[i], to);
	print_total("BPF maps", check_view_map_ceiling(host), HOST_MAP_BUDGET, to);
}

int check_view_print(const struct host *host, bool json, FILE *to)
{
	if (json) {
		check_json_print(host, to);
	} else {
		print_verdict(host, to);
		print_missing(host, to);
		print_host(host, to);
		print_hooks(host, to);
		print_capabilities(host, to);
		print_ceilings(host, to);
	}
	return fflush(to) || ferror(to) ? -EIO : 0;
}
