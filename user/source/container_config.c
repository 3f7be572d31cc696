/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* container_config.c - see container_config.h. Which key of which file is which fact stands in tables. */
#include "source/container_config.h"

#include <errno.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

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

static const char *string_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool is_word(const json_t *object, const char *key, const char *word)
{
	const char *value = string_at(object, key);

	return value && strcmp(value, word) == 0;
}

static void take(char *out, size_t size, const char *value)
{
	if (value && !*out)
		text_copy(out, size, value, strlen(value));
}

static void take_facts(const json_t *object, const struct fact *facts, struct record_container *out)
{
	for (; facts->key; facts++)
		take((char *)out + facts->offset, facts->size, string_at(object, facts->key));
}

/* ---- each kind of file ---- */

static int read_cri(const json_t *root, struct record_container *out, bool *is_whole)
{
	const json_t *annotations = json_object_get(root, "annotations");

	out->runtime = CONTAINER_RUNTIME_CONTAINERD;
	take_facts(annotations, cri_facts, out);
	*is_whole =
		*out->name || is_word(annotations, "io.kubernetes.cri.container-type", "sandbox");
	return 0;
}

static int read_nerdctl(const json_t *root, struct record_container *out, bool *is_whole)
{
	out->runtime = CONTAINER_RUNTIME_CONTAINERD;
	take_facts(json_object_get(root, "annotations"), nerdctl_facts, out);
	*is_whole = *out->name;
	return 0;
}

static int read_moby(const json_t *root, struct record_container *out, bool *is_whole)
{
	(void)root;
	(void)is_whole;
	out->runtime = CONTAINER_RUNTIME_DOCKER;
	return 0;
}

/* Also who the manager is stands in an annotation; where the path has told, the path counts. */
static int read_storage(const json_t *root, struct record_container *out, bool *is_whole)
{
	static const char manager[] = "io.container.manager";
	const json_t *annotations = json_object_get(root, "annotations");
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

static int read_docker(const json_t *root, struct record_container *out, bool *is_whole)
{
	const json_t *config = json_object_get(root, "Config");
	const json_t *labels = json_object_get(config, "Labels");
	const char *name = string_at(root, "Name");

	if (!is_word(root, "ID", out->id))
		return -ENOENT;
	out->runtime = CONTAINER_RUNTIME_DOCKER;
	take_facts(labels, docker_label_facts, out);
	if (is_word(labels, "io.kubernetes.docker.type", "podsandbox"))
		*out->name = '\0';
	else if (name)
		take(out->name, sizeof(out->name), name + (*name == '/'));
	take(out->image, sizeof(out->image), string_at(config, "Image"));
	*is_whole = true;
	return 0;
}

/* `metadata` is a JSON text in a string. */
static void read_metadata(const char *text, struct record_container *out)
{
	json_t *metadata = text ? json_loads(text, 0, NULL) : NULL;

	take(out->image, sizeof(out->image), string_at(metadata, "image-name"));
	json_decref(metadata);
}

static int read_list(const json_t *root, struct record_container *out, bool *is_whole)
{
	for (size_t i = 0; i < json_array_size(root); i++) {
		const json_t *container = json_array_get(root, i);
		const json_t *names = json_object_get(container, "names");

		if (!is_word(container, "id", out->id))
			continue;
		take(out->name, sizeof(out->name), json_string_value(json_array_get(names, 0)));
		read_metadata(string_at(container, "metadata"), out);
		*is_whole = *out->name;
		return 0;
	}
	return -ENOENT;
}

static int (*const readers[])(const json_t *root, struct record_container *out, bool *is_whole) = {
	[CONTAINER_CONFIG_CRI] = read_cri,	 [CONTAINER_CONFIG_NERDCTL] = read_nerdctl,
	[CONTAINER_CONFIG_MOBY] = read_moby,	 [CONTAINER_CONFIG_STORAGE] = read_storage,
	[CONTAINER_CONFIG_DOCKER] = read_docker, [CONTAINER_CONFIG_LIST] = read_list,
};
_Static_assert(NR(readers) == NR_CONTAINER_CONFIGS, "a reader for every kind");

/* ---- the whole ---- */

/* At most: one begins the text, the others stand behind one of these. */
static bool has_too_many_values(const char *text, size_t len)
{
	size_t nr = 1;

	for (size_t i = 0; i < len; i++)
		nr += text[i] == ',' || text[i] == ':' || text[i] == '[' || text[i] == '{';
	return nr > CONTAINER_CONFIG_MAX_VALUES;
}

int container_config_parse(const char *text, size_t len, enum container_config kind,
			   struct record_container *out, bool *is_whole)
{
	json_t *root;
	int err;

	if (len > CONTAINER_CONFIG_MAX_BYTES || has_too_many_values(text, len))
		return -EINVAL;
	root = json_loadb(text, len, 0, NULL);
	if (!root || (kind == CONTAINER_CONFIG_LIST ? !json_is_array(root) : !json_is_object(root)))
		err = -EINVAL;
	else
		err = readers[kind](root, out, is_whole);
	json_decref(root);
	return err;
}
