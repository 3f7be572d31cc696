/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * loader_parts.h - what the files of loader.h share: loading (loader.c), which candidates are of no use
 * on this kernel (loader_refuse.c), and attaching those that are left (loader_attach.c).
 */
#ifndef MEMSWELL_LOADER_PARTS_H
#define MEMSWELL_LOADER_PARTS_H

#include "source/loader.h"

struct btf;

/* loader_refuse.c ------------------------------------------------------------------------------ */

/* Does the hook have this candidate, and was it not refused? */
bool loader_is_candidate(const struct loader_hook *hook, uint32_t i);

/* The reason kept is that of the best candidate: it is refused first. */
void loader_refuse(struct loader_hook *hook, uint32_t candidate, const char *reason);

void loader_refuse_by_option(struct loader_hook *hook, enum vm_events wanted);
/* What this kernel lacks, and what we may not. The skeleton is open and not loaded. */
void loader_refuse_unusable(struct loader *loader, struct loader_hook *hook, const struct btf *btf);

#endif
