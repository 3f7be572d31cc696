/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * workload_json.c - see workload_json.h. The attributes are OpenTelemetry's where it has one; it has
 * none for the QoS class of a pod and for systemd units. Absent: the process is in no container, pod
 * or unit. null: it is, and the name is not known, or not yet.
 */
#include "model/workload_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* "sha256:..." instead of a name: what the runtime was given was the image's id. */
static bool is_image_id(const char *image)
{
	return strncmp(image, "sha256:", 7) == 0;
}

/* name[:tag][@digest]; a colon before the last slash belongs to a registry's port. */
static void write_image(struct line *line, const char *image)
{
	const char *digest = strchrnul(image, '@');
	const char *slash = memrchr(image, '/', (size_t)(digest - image));
	const char *last = slash ? slash : image;
	const char *tag = memchr(last, ':', (size_t)(digest - last));
	char text[WORKLOAD_IMAGE_LEN];
	struct json_writer *w = &line->w;

	if (is_image_id(image)) {
		jw_string(w, "container.image.id", image);
		return;
	}
	snprintf(text, sizeof(text), "%.*s", (int)((tag ? tag : digest) - image), image);
	line_known_string(line, "container.image.name", text);
	if (!tag)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(digest - tag - 1), tag + 1);
	jw_open_array(w, "container.image.tags");
	jw_string(w, NULL, text);
	jw_close_array(w);
}

static void write_container(struct line *line, const struct workload *workload, bool in_pod)
{
	jw_string(&line->w, "container.id", workload->container_id);
	line_known_string(line, "container.runtime.name",
			  container_runtime_name((enum container_runtime)workload->runtime));
	line_known_string(line, in_pod ? "k8s.container.name" : "container.name",
			  workload->container_name);
	write_image(line, workload->image);
}

static void write_pod(struct line *line, const struct workload *workload)
{
	line_known_string(line, "k8s.pod.name", workload->pod_name);
	line_known_string(line, "k8s.namespace.name", workload->pod_namespace);
	line_known_string(line, "k8s.pod.uid", workload->pod_uid);
	line_known_string(line, "k8s.pod.qos_class", pod_qos_name((enum pod_qos)workload->qos));
}

void line_workload(struct line *line, const struct workload *workload)
{
	bool in_pod;

	if (!workload)
		return;
	in_pod = *workload->pod_uid || *workload->pod_name;
	if (*workload->container_id)
		write_container(line, workload, in_pod);
	if (in_pod)
		write_pod(line, workload);
	if (*workload->systemd_unit)
		jw_string(&line->w, "systemd.unit", workload->systemd_unit);
}
