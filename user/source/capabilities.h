/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* capabilities.h - gives capabilities up. Which ones is decided elsewhere. */
#ifndef MEMSWELL_CAPABILITIES_H
#define MEMSWELL_CAPABILITIES_H

#include <stdint.h>

/*
 * Of what this process holds, keep `permitted` and of that have `effective` in effect; the
 * inheritable, ambient and bounding sets become empty (the last one only for who has CAP_SETPCAP: it
 * is for execve). Bits are capability numbers. 0 or -errno.
 */
int capabilities_keep(uint64_t permitted, uint64_t effective);

#endif
