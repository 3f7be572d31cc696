/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * host_facts.h - facts about the host that decide what memswell can tell there: kernel, cgroups,
 * capabilities, container runtimes, and where memswell itself runs. Reads /proc, /sys and the
 * existence of paths; opens no socket, changes nothing, needs no privilege.
 */
#ifndef MEMSWELL_HOST_FACTS_H
#define MEMSWELL_HOST_FACTS_H

#include <stddef.h>

#include "model/host.h"

/* All but hooks, maps, memory, error and exit code; what cannot be read is told as not known. */
void host_facts(struct host *out);
/* Then: where, beneath the host's root directory, names of containers are read. */
void host_facts_metadata(struct host *host, const char *host_root);

/* Pure: from the texts of /proc/self/mountinfo, /proc/cgroups ("" if there is none) and, of the
 * root of cgroup2, cgroup.controllers and cgroup.subtree_control (likewise). */
struct host_cgroup_texts {
	const char *mountinfo;
	const char *proc_cgroups;
	const char *controllers;
	const char *subtree_control;
};
void host_facts_cgroups(const struct host_cgroup_texts *texts, struct host_cgroups *out);

/* Pure: the word in brackets of "none [integrity] confidentiality"; "" if there is none. */
void host_facts_lockdown(const char *text, char *out, size_t out_size);

/* Pure: from the facts in it, the rows of out->limitations. */
void host_facts_limitations(struct host *out);

#endif
