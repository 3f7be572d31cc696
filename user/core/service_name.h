/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * service_name.h - what people call a service: the word that summaries, lists and alerts use for the
 * process that serves. Pure.
 *
 * The first that is known: the name its owner gave it for telemetry (OTEL_SERVICE_NAME), the owner of its
 * pod, pm2's name of the app, its container, its systemd service; else command name and port.
 */
#ifndef MEMSWELL_SERVICE_NAME_H
#define MEMSWELL_SERVICE_NAME_H

#include <stdbool.h>

#include "model/record.h"

struct service_name_facts {
	const struct workload *workload;
	const char *host_name; /* nodes are mostly called as their host */
	const char *told;      /* to the process itself; "" nothing */
	uint8_t told_source;   /* enum name_source */
	const char *comm;
	uint16_t port; /* it answers on */
};

/* True if it is a name, false if it is only COMM:PORT. */
bool service_name_tell(const struct service_name_facts *facts, char out[SERVICE_NAME_LEN]);

/*
 * What made the pod, from the pod's name, as Kubernetes makes those: OWNER-HASH-SUFFIX (Deployment),
 * OWNER-MINUTES-SUFFIX (CronJob), OWNER-SUFFIX (ReplicaSet, DaemonSet, Job), OWNER-ORDINAL (StatefulSet),
 * OWNER-NODE (static). Suffixes and hashes are of an alphabet without vowels, so that they hardly look like
 * words; what does not look like one is left. No owner can be told where somebody named a pod so by hand.
 */
void service_name_pod_owner(const char *pod_name, const char *host_name,
			    char out[SERVICE_NAME_LEN]);

#endif
