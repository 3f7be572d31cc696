/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cgroup_path.h - what the path of a cgroup says about whose it is: container id and runtime, pod uid
 * and QoS class, systemd unit. One grammar for cgroupfs and systemd drivers, v1 and v2. Pure.
 *
 * Of containers within containers the one that the host's runtime made counts, which is the
 * outermost; but a pod begins anew, so of Kubernetes in a container it is the pod's. Of units within
 * units the innermost counts.
 */
#ifndef MEMSWELL_CGROUP_PATH_H
#define MEMSWELL_CGROUP_PATH_H

#include <stdbool.h>

#include "model/workload.h"

/*
 * `path` as the kernel shows it, anybody's bytes; *out is all of what it says and otherwise empty.
 * True if it names a container where only the host's own runtimes give names, so that their files are
 * to be believed about it: not below a user's service manager and not within another container,
 * where anybody may call a cgroup by the id of somebody else's container.
 */
bool cgroup_path_parse(const char *path, struct workload *out);

#endif
