/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * container_config.h - what a runtime's own file says of a container: its name, image and pod. Pure: it is
 * handed the text.
 */
#ifndef MEMSWELL_CONTAINER_CONFIG_H
#define MEMSWELL_CONTAINER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "model/record.h"

/*
 * What is larger is not read: of podman's list of all containers that is some 500 of them. Longer than the
 * other is no fact.
 */
#define CONTAINER_CONFIG_MAX_BYTES  (512U << 10)
#define CONTAINER_CONFIG_MAX_STRING (16U << 10)

enum container_config {
	CONTAINER_CONFIG_CRI = 0, /* OCI config.json that containerd made for its CRI */
	CONTAINER_CONFIG_NERDCTL, /* ... for others */
	CONTAINER_CONFIG_MOBY,	  /* ... for Docker: says nothing but that it is Docker's */
	CONTAINER_CONFIG_STORAGE, /* OCI config.json of CRI-O or podman, which share a place */
	CONTAINER_CONFIG_DOCKER,  /* Docker's own config.v2.json */
	CONTAINER_CONFIG_LIST,	  /* containers.json, podman's list of all */
	NR_CONTAINER_CONFIGS
};

/*
 * Adds what the file says of container out->id to *out, values cut to their fields, valid UTF-8. 0,
 * -ENOENT if it is not about that container, or -EINVAL if it is no such file. *is_whole: there is nothing
 * more to be learnt about it.
 *
 * Annotations are believed only where the runtime alone writes them: podman lets whoever makes a container
 * write any.
 */
int container_config_parse(const char *text, size_t len, enum container_config kind,
			   struct record_container *out, bool *is_whole);

#endif
