/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* workload.c - see workload.h; the words of runtimes are record.c's. */
#include "model/workload.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

const struct workload workload_unknown;

/* As Kubernetes spells them. */
static const char *const qos_classes[] = {
	[POD_QOS_UNKNOWN] = "",
	[POD_QOS_GUARANTEED] = "Guaranteed",
	[POD_QOS_BURSTABLE] = "Burstable",
	[POD_QOS_BEST_EFFORT] = "BestEffort",
};
_Static_assert(NR(qos_classes) == NR_POD_QOS, "a word for every class");

const char *pod_qos_name(enum pod_qos qos)
{
	return (unsigned int)qos < NR(qos_classes) ? qos_classes[qos] : "";
}
