/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * cgroup_path.c - see cgroup_path.h. Component by component, from the root; what a component may look
 * like stands in tables.
 */
#include "model/cgroup_path.h"

#include <stddef.h>
#include <string.h>

#define NR(table)   (sizeof(table) / sizeof((table)[0]))
#define ID_DIGITS   64
#define DELETED	    " (deleted)" /* the kernel's mark on a path that is gone */
#define POD_PREFIX  "pod"
#define PODS	    "kubepods"
#define SLICE	    ".slice"
#define USERS_BEGIN "user@"

struct part {
	const char *text;
	size_t len;
};

struct parser {
	struct workload *out;
	struct part parent;
	bool in_pods;	/* the last component was kubepods or a QoS class: pods may follow */
	uint8_t qos;	/* that of pods here */
	bool is_nested; /* a container within a container */
	bool is_users;
};

static bool equals(struct part part, const char *word)
{
	return part.len == strlen(word) && memcmp(part.text, word, part.len) == 0;
}

static bool skip_prefix(struct part *part, const char *prefix)
{
	size_t len = strlen(prefix);

	if (part->len < len || memcmp(part->text, prefix, len) != 0)
		return false;
	part->text += len;
	part->len -= len;
	return true;
}

static bool drop_suffix(struct part *part, const char *suffix)
{
	size_t len = strlen(suffix);

	if (part->len < len || memcmp(part->text + part->len - len, suffix, len) != 0)
		return false;
	part->len -= len;
	return true;
}

static bool copy(char *out, size_t size, struct part part)
{
	if (part.len >= size)
		return false;
	memcpy(out, part.text, part.len);
	out[part.len] = '\0';
	return true;
}

/* ---- containers ---- */

/* As runtimes call the cgroup of a container; conmon, which watches it, is none. */
static const struct container_form {
	const char *prefix;
	const char *suffix;
	uint8_t runtime;
} container_forms[] = {
	{"cri-containerd-", ".scope", CONTAINER_RUNTIME_CONTAINERD},
	{"nerdctl-", ".scope", CONTAINER_RUNTIME_CONTAINERD},
	{"crio-", ".scope", CONTAINER_RUNTIME_CRIO},
	{"crio-", "", CONTAINER_RUNTIME_CRIO},
	{"docker-", ".scope", CONTAINER_RUNTIME_DOCKER},
	{"libpod-", ".scope", CONTAINER_RUNTIME_PODMAN},
	{"libpod-", "", CONTAINER_RUNTIME_PODMAN},
	{"libpod-payload-", "", CONTAINER_RUNTIME_PODMAN},
	/* a runtime that was told to use cgroupfs, by a kubelet that means systemd: SLICE:WORD:ID */
	{"cri-containerd:", "", CONTAINER_RUNTIME_CONTAINERD},
	{"crio:", "", CONTAINER_RUNTIME_CRIO},
	{"docker:", "", CONTAINER_RUNTIME_DOCKER},
	{"libpod:", "", CONTAINER_RUNTIME_PODMAN},
	{"", "", CONTAINER_RUNTIME_UNKNOWN},
};

/* Where a component is nothing but an id, its parent may tell whose. */
static const struct {
	const char *parent;
	uint8_t runtime;
} id_parents[] = {
	{"docker", CONTAINER_RUNTIME_DOCKER},
	{"default", CONTAINER_RUNTIME_CONTAINERD}, /* the namespace of ctr and nerdctl */
	{"moby", CONTAINER_RUNTIME_DOCKER},
};

/* Below it a pod of podman's, which is called by an id as well. */
#define PODMAN_PODS "libpod_parent"

static bool is_container_id(struct part part)
{
	if (part.len != ID_DIGITS)
		return false;
	for (size_t i = 0; i < part.len; i++)
		if (!strchr("0123456789abcdef", part.text[i]) || !part.text[i])
			return false;
	return true;
}

static uint8_t runtime_of_parent(struct part parent)
{
	for (size_t i = 0; i < NR(id_parents); i++)
		if (equals(parent, id_parents[i].parent))
			return id_parents[i].runtime;
	return CONTAINER_RUNTIME_UNKNOWN;
}

static bool take_container(struct parser *p, struct part part)
{
	struct workload *out = p->out;

	for (size_t i = 0; i < NR(container_forms); i++) {
		const struct container_form *form = &container_forms[i];
		struct part id = part;

		if (!skip_prefix(&id, form->prefix) || !drop_suffix(&id, form->suffix) ||
		    !is_container_id(id))
			continue;
		if (*form->prefix == '\0' && equals(p->parent, PODMAN_PODS))
			return true;
		if (*out->container_id)
			return true;
		copy(out->container_id, sizeof(out->container_id), id);
		out->runtime = *form->prefix ? form->runtime : runtime_of_parent(p->parent);
		return true;
	}
	return false;
}

/* ---- pods ---- */

static const struct {
	const char *name;
	uint8_t qos;
} qos_classes[] = {
	{"burstable", POD_QOS_BURSTABLE},
	{"besteffort", POD_QOS_BEST_EFFORT},
};

static bool skip_qos(struct part *part, uint8_t *qos)
{
	for (size_t i = 0; i < NR(qos_classes); i++) {
		if (!skip_prefix(part, qos_classes[i].name))
			continue;
		*qos = qos_classes[i].qos;
		return true;
	}
	return false;
}

/* Names of slices may not hold a dash of their own: there systemd has '_' for it. */
static bool copy_uid(char out[WORKLOAD_UID_LEN], struct part uid, bool is_slice)
{
	if (!uid.len || uid.len >= WORKLOAD_UID_LEN)
		return false;
	for (size_t i = 0; i < uid.len; i++) {
		char c = uid.text[i];

		if (is_slice && c == '_')
			c = '-';
		if (!strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-", c) ||
		    !c)
			return false;
		out[i] = c;
	}
	out[uid.len] = '\0';
	return true;
}

/* What is around a pod does not matter any more, but that it is around it. */
static bool begin_pod(struct parser *p, struct part uid, uint8_t qos, bool is_slice)
{
	struct workload pod = {.qos = qos};

	if (!copy_uid(pod.pod_uid, uid, is_slice))
		return false;
	p->is_nested |= *p->out->container_id || *p->out->pod_uid;
	*p->out = pod;
	return true;
}

/* .../kubepods/[burstable/|besteffort/]podUID */
static bool take_pod_directory(struct parser *p, struct part part)
{
	bool was_in_pods = p->in_pods;
	struct part rest = part;
	uint8_t qos = POD_QOS_GUARANTEED;

	p->in_pods = equals(part, PODS);
	if (p->in_pods) {
		p->qos = POD_QOS_GUARANTEED;
		return true;
	}
	if (!was_in_pods)
		return false;
	if (skip_qos(&rest, &qos) && !rest.len) {
		p->in_pods = true;
		p->qos = qos;
		return true;
	}
	return skip_prefix(&part, POD_PREFIX) && begin_pod(p, part, p->qos, false);
}

/* [ROOT-]kubepods[-burstable|-besteffort][-podUID].slice; a slice repeats the names of those above. */
static bool take_pod_slice(struct parser *p, struct part part)
{
	uint8_t qos = POD_QOS_GUARANTEED;

	if (!drop_suffix(&part, SLICE))
		return false;
	while (part.len && !skip_prefix(&part, PODS)) {
		const char *dash = memchr(part.text, '-', part.len);

		if (!dash)
			return false;
		part.len -= (size_t)(dash + 1 - part.text);
		part.text = dash + 1;
	}
	if (!skip_prefix(&part, "-"))
		return false;
	if (skip_qos(&part, &qos) && !skip_prefix(&part, "-"))
		return false;
	return skip_prefix(&part, POD_PREFIX) && begin_pod(p, part, qos, true);
}

/* ---- units ---- */

/* Types that processes run in; a slice only groups them. */
static const char *const unit_types[] = {".service", ".scope", ".socket", ".mount", ".swap"};

static void take_unit(struct parser *p, struct part part)
{
	/* systemd's escape for what a file in the directory could be called */
	(void)skip_prefix(&part, "_");
	for (size_t i = 0; i < NR(unit_types); i++) {
		struct part name = part;

		if (!drop_suffix(&name, unit_types[i]) || !name.len)
			continue;
		(void)copy(p->out->systemd_unit, sizeof(p->out->systemd_unit), part);
		p->is_users |= !*p->out->container_id && skip_prefix(&name, USERS_BEGIN);
		return;
	}
}

/* ---- the whole ---- */

static bool split_slice(struct part *slice, struct part *rest)
{
	const char *colon = memchr(slice->text, ':', slice->len);
	struct part before;

	if (!colon)
		return false;
	before = (struct part){slice->text, (size_t)(colon - slice->text)};
	*slice = before;
	if (!drop_suffix(&before, SLICE))
		return false;
	rest->text += slice->len + 1;
	rest->len -= slice->len + 1;
	return true;
}

static void take_part(struct parser *p, struct part part)
{
	struct part whole = part, slice = part;

	/* SLICE:WORD:ID is two of them. */
	if (split_slice(&slice, &part))
		(void)take_pod_slice(p, slice);
	if (!take_pod_directory(p, part) && !take_pod_slice(p, part) && !take_container(p, part))
		take_unit(p, part);
	p->parent = whole;
}

bool cgroup_path_parse(const char *path, struct workload *out)
{
	struct parser parser = {.out = out, .parent = {"", 0}};
	struct part rest = {path, strlen(path)};

	memset(out, 0, sizeof(*out));
	(void)drop_suffix(&rest, DELETED);
	while (rest.len) {
		const char *slash = memchr(rest.text, '/', rest.len);
		struct part part = {rest.text, slash ? (size_t)(slash - rest.text) : rest.len};

		rest.text += part.len + (slash != NULL);
		rest.len -= part.len + (slash != NULL);
		if (part.len)
			take_part(&parser, part);
	}
	return *out->container_id && !parser.is_nested && !parser.is_users;
}
