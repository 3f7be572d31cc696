/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * check_view.c - see check_view.h. Prints what the source found out about this kernel; finds out
 * nothing itself.
 */
#include "sink/check_view.h"

#include <errno.h>
#include <sys/utsname.h>

#include "base/json_writer.h"

static uint32_t count_attached(const struct record_probe *probes, uint32_t nr)
{
	uint32_t attached = 0;

	for (uint32_t i = 0; i < nr; i++)
		attached += probes[i].state == PROBE_ATTACHED;
	return attached;
}

static void print_text(const struct record_probe *probes, uint32_t nr, const char *kernel, FILE *to)
{
	fprintf(to, "kernel %s: %u of %u hooks attached\n\n%-18s %-12s %s\n", kernel,
		count_attached(probes, nr), nr, "HOOK", "STATE", "VARIANT / REASON");
	for (uint32_t i = 0; i < nr; i++) {
		const struct record_probe *p = &probes[i];

		fprintf(to, "%-18s %-12s %s%s%s\n", p->name, probe_state_name(p->state), p->variant,
			*p->variant && *p->reason ? ": " : "", p->reason);
	}
}

static void print_json(const struct record_probe *probes, uint32_t nr, const char *kernel, FILE *to)
{
	static char buf[64 * 1024];
	struct json_writer w;

	jw_init(&w, buf, sizeof(buf));
	jw_open_object(&w, NULL);
	jw_string(&w, "kernel", kernel);
	jw_u64(&w, "hooks_attached", count_attached(probes, nr));
	jw_open_array(&w, "hooks");
	for (uint32_t i = 0; i < nr; i++) {
		jw_open_object(&w, NULL);
		jw_string(&w, "name", probes[i].name);
		jw_string(&w, "state", probe_state_name(probes[i].state));
		jw_string(&w, "variant", probes[i].variant);
		jw_string(&w, "reason", probes[i].reason);
		jw_close_object(&w);
	}
	jw_close_array(&w);
	jw_close_object(&w);
	fprintf(to, "%s\n", buf);
}

int check_view_print(const struct record_probe *probes, uint32_t nr, bool json, FILE *to)
{
	struct utsname uts;

	if (uname(&uts))
		return -errno;
	if (json)
		print_json(probes, nr, uts.release, to);
	else
		print_text(probes, nr, uts.release, to);
	return fflush(to) || ferror(to) ? -EIO : 0;
}
