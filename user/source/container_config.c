/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* container_config.c - see container_config.h. Which key of which file is which fact stands in tables. */
#include "source/container_config.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "base/json_slice.h"
#include "model/text.h"

#define NR(table) (sizeof(table) / sizeof((table)[0]))

struct fact {
	const char *key;
	size_t offset; /* in struct record_container */
	size_t size;
};

#define FACT(key, field)                                                                           \
	{                                                                                          \
		key, offsetof(struct record_container, field),                                     \
			sizeof(((struct record_container *)0)->field)                              \
	}

/* Of one field the first that is there. */
static const struct fact cri_facts[] = {
	FACT("io.kubernetes.cri.container-name", name),
	FACT("io.kubernetes.cri.image-name", image),
	FACT("io.kubernetes.cri.sandbox-name", pod_name),
	FACT("io.kubernetes.cri.sandbox-namespace", pod_namespace),
	FACT("io.kubernetes.cri.sandbox-uid", pod_uid),
	{NULL, 0, 0},
};

static const struct fact crio_facts[] = {
	FACT("io.kubernetes.container.name", name),
	FACT("io.kubernetes.cri-o.ImageName", image),
	FACT("io.kubernetes.pod.name", pod_name),
	FACT("io.kubernetes.cri-o.KubeName", pod_name),
	FACT("io.kubernetes.pod.namespace", pod_namespace),
	FACT("io.kubernetes.cri-o.Namespace", pod_namespace),
	FACT("io.kubernetes.pod.uid", pod_uid),
	{NULL, 0, 0},
};

static const struct fact nerdctl_facts[] = {
	FACT("nerdctl/name", name),
	{NULL, 0, 0},
};

/* Labels that the kubelet's Docker shim sets. */
static const struct fact docker_label_facts[] = {
	FACT("io.kubernetes.container.name", name),
	FACT("io.kubernetes.pod.name", pod_name),
	FACT("io.kubernetes.pod.namespace", pod_namespace),
	FACT("io.kubernetes.pod.uid", pod_uid),
	{NULL, 0, 0},
};

static bool is_word(struct json_slice object, const char *key, const char *word)
{
	return json_slice_is(json_slice_member(object, key), word);
}

/* NULL if it is no string, or too long for a fact. */
static json_t *load_string(struct json_slice value)
{
	json_t *string;

	if (!value.len || value.len > CONTAINER_CONFIG_MAX_STRING)
		return NULL;
	string = json_loadb(value.at, value.len, JSON_DECODE_ANY, NULL);
	if (json_is_string(string))
		return string;
	json_decref(string);
	return NULL;
}

static void take(char *out, size_t size, struct json_slice value)
{
	json_t *string = *out ? NULL : load_string(value);

	if (string)
		text_copy(out, size, json_string_value(string), json_string_length(string));
	json_decref(string);
}

static void take_facts(struct json_slice object, const struct fact *facts,
		       struct record_container *out)
{
	for (; facts->key; facts++)
		take((char *)out + facts->offset, facts->size,
		     json_slice_member(object, facts->key));
}

/* ---- each kind of file ---- */

static int read_cri(struct json_slice root, struct record_container *out, bool *is_whole)
{
	struct json_slice annotations = json_slice_member(root, "annotations");

	out->runtime = CONTAINER_RUNTIME_CONTAINERD;
	take_facts(annotations, cri_facts, out);
	*is_whole =
		*out->name || is_word(annotations, "io.kubernetes.cri.container-type", "sandbox");
	return 0;
}

static int read_nerdctl(struct json_slice root, struct record_container *out, bool *is_whole)
{
	out->runtime = CONTAINER_RUNTIME_CONTAINERD;
	take_facts(json_slice_member(root, "annotations"), nerdctl_facts, out);
	*is_whole = *out->name;
	return 0;
}

static int read_moby(struct json_slice root, struct record_container *out, bool *is_whole)
{
	(void)root;
	(void)is_whole;
	out->runtime = CONTAINER_RUNTIME_DOCKER;
	return 0;
}

/* Also who the manager is stands in an annotation; where the path has told, the path counts. */
static int read_storage(struct json_slice root, struct record_container *out, bool *is_whole)
{
	static const char manager[] = "io.container.manager";
	struct json_slice annotations = json_slice_member(root, "annotations");
	bool is_sandbox = is_word(annotations, "io.kubernetes.cri-o.ContainerType", "sandbox");

	if (!out->runtime && is_word(annotations, manager, "libpod"))
		out->runtime = CONTAINER_RUNTIME_PODMAN;
	if (out->runtime == CONTAINER_RUNTIME_PODMAN || !is_word(annotations, manager, "cri-o"))
		return 0;
	out->runtime = CONTAINER_RUNTIME_CRIO;
	take_facts(annotations, crio_facts, out);
	if (is_sandbox) /* "POD", and the image of pause */
		*out->name = '\0';
	*is_whole = *out->name || is_sandbox;
	return 0;
}

/* "/name" */
static void take_docker_name(struct json_slice value, struct record_container *out)
{
	char name[sizeof(out->name) + 1] = "";

	if (*out->name)
		return;
	take(name, sizeof(name), value);
	text_copy(out->name, sizeof(out->name), name + (*name == '/'), sizeof(name) - 1);
}

static int read_docker(struct json_slice root, struct record_container *out, bool *is_whole)
{
	struct json_slice config = json_slice_member(root, "Config");
	struct json_slice labels = json_slice_member(config, "Labels");

	if (!is_word(root, "ID", out->id))
		return -ENOENT;
	out->runtime = CONTAINER_RUNTIME_DOCKER;
	take_facts(labels, docker_label_facts, out);
	if (is_word(labels, "io.kubernetes.docker.type", "podsandbox"))
		*out->name = '\0';
	else
		take_docker_name(json_slice_member(root, "Name"), out);
	take(out->image, sizeof(out->image), json_slice_member(config, "Image"));
	*is_whole = true;
	return 0;
}

/* `metadata` is a JSON text in a string. */
static void read_metadata(struct json_slice value, struct record_container *out)
{
	json_t *text = load_string(value);

	if (text)
		take(out->image, sizeof(out->image),
		     json_slice_member(
			     json_slice_of(json_string_value(text), json_string_length(text)),
			     "image-name"));
	json_decref(text);
}

static int read_list(struct json_slice root, struct record_container *out, bool *is_whole)
{
	struct json_slice container = {0}, name = {0};

	while (json_slice_next(root, &container))
		if (is_word(container, "id", out->id))
			break;
	if (!container.len)
		return -ENOENT;
	if (json_slice_next(json_slice_member(container, "names"), &name))
		take(out->name, sizeof(out->name), name);
	read_metadata(json_slice_member(container, "metadata"), out);
	*is_whole = *out->name;
	return 0;
}

static int (*const readers[])(struct json_slice root, struct record_container *out,
			      bool *is_whole) = {
	[CONTAINER_CONFIG_CRI] = read_cri,	 [CONTAINER_CONFIG_NERDCTL] = read_nerdctl,
	[CONTAINER_CONFIG_MOBY] = read_moby,	 [CONTAINER_CONFIG_STORAGE] = read_storage,
	[CONTAINER_CONFIG_DOCKER] = read_docker, [CONTAINER_CONFIG_LIST] = read_list,
};
_Static_assert(NR(readers) == NR_CONTAINER_CONFIGS, "a reader for every kind");

/* ---- the whole ---- */

int container_config_parse(const char *text, size_t len, enum container_config kind,
			   struct record_container *out, bool *is_whole)
{
	struct json_slice root = {0};

	if (len <= CONTAINER_CONFIG_MAX_BYTES)
		root = json_slice_of(text, len);
	if (!root.len || *root.at != (kind == CONTAINER_CONFIG_LIST ? '[' : '{'))
		return -EINVAL;
	return readers[kind](root, out, is_whole);
}
