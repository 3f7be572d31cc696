/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * workload.h - who a process belongs to, as its operator names it: container, pod, systemd unit.
 *
 * An empty field is not known or does not apply. The path of the memory cgroup tells ids, QoS and
 * unit (cgroup_path.h), the runtime's own files on the host tell names (RECORD_CONTAINER).
 */
#ifndef MEMSWELL_WORKLOAD_H
#define MEMSWELL_WORKLOAD_H

#include <stdint.h>

#define WORKLOAD_ID_LEN	       72 /* 64 hexadecimal digits */
#define WORKLOAD_NAME_LEN      128
#define WORKLOAD_POD_LEN       256 /* DNS subdomain: 253 */
#define WORKLOAD_NAMESPACE_LEN 64  /* DNS label: 63 */
#define WORKLOAD_UID_LEN       64  /* a UUID, or the hash of a static pod's manifest */
#define WORKLOAD_UNIT_LEN      256 /* UNIT_NAME_MAX of systemd: 255 */
#define WORKLOAD_IMAGE_LEN     256

#define SERVICE_NAME_LEN 128

enum container_runtime {
	CONTAINER_RUNTIME_UNKNOWN = 0,
	CONTAINER_RUNTIME_CONTAINERD,
	CONTAINER_RUNTIME_CRIO,
	CONTAINER_RUNTIME_DOCKER,
	CONTAINER_RUNTIME_PODMAN,
	NR_CONTAINER_RUNTIMES
};

enum pod_qos {
	POD_QOS_UNKNOWN = 0,
	POD_QOS_GUARANTEED,
	POD_QOS_BURSTABLE,
	POD_QOS_BEST_EFFORT,
	NR_POD_QOS
};

struct workload {
	uint8_t runtime; /* enum container_runtime */
	uint8_t qos;	 /* enum pod_qos */
	char container_id[WORKLOAD_ID_LEN];
	char container_name[WORKLOAD_NAME_LEN]; /* in a pod: that of its specification */
	char image[WORKLOAD_IMAGE_LEN];		/* the reference it was made from */
	char pod_name[WORKLOAD_POD_LEN];
	char pod_namespace[WORKLOAD_NAMESPACE_LEN];
	char pod_uid[WORKLOAD_UID_LEN];
	char systemd_unit[WORKLOAD_UNIT_LEN];
};

/* Of whom nothing is known. */
extern const struct workload workload_unknown;

/* "containerd", "cri-o", "docker", "podman"; "Guaranteed", ...; "" for unknown. */
const char *container_runtime_name(enum container_runtime runtime);
const char *pod_qos_name(enum pod_qos qos);

#endif
