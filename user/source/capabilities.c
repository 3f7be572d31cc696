/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* capabilities.c - see capabilities.h. */
#include "source/capabilities.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>

static bool is_permitted(unsigned int capability)
{
	return capng_have_capability(CAPNG_PERMITTED, capability);
}

int capabilities_keep(uint64_t permitted, uint64_t effective)
{
	bool may_bound;

	if (capng_get_caps_process())
		return -EIO;
	/* Asked first: the library complains in the system's log where it may not. */
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	for (unsigned int i = 0; i < 64; i++)
		if (permitted >> i & 1 && !(i <= CAP_LAST_CAP && is_permitted(i)))
			permitted &= ~(1ULL << i);
	effective &= permitted;
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned int i = 0; i <= CAP_LAST_CAP; i++) {
		if (permitted >> i & 1)
			capng_update(CAPNG_ADD, CAPNG_PERMITTED, i);
		if (effective >> i & 1)
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, i);
	}
	if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS))
		return -EPERM;
	return capng_apply(CAPNG_SELECT_CAPS) || capng_apply(CAPNG_SELECT_AMBIENT) ? -EPERM : 0;
}
