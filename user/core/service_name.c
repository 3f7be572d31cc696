/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* service_name.c - see service_name.h. */
#include "core/service_name.h"

#include <string.h>

#include "model/text.h"

/* k8s.io/apimachinery/pkg/util/rand: what suffixes are made of ... */
#define SAFE_LETTERS "bcdfghjklmnpqrstvwxz2456789"
/* ... and what is left of it for the hash of a pod template, whose decimal digits it spells. */
#define HASH_LETTERS "456789bcdf"
#define SUFFIX_LEN   5
/* Of the ten digits that a 32-bit hash may have, all but one in 400 have eight or more. */
#define MIN_HASH_LEN 8
#define MAX_HASH_LEN 10
/* Minutes since 1970 have eight digits until 2160; before Kubernetes 1.21 it was seconds: ten. */
#define MINUTES_LEN 8
#define SECONDS_LEN 10
/* A larger number behind a dash is a year or a port rather than an ordinal. */
#define MAX_ORDINAL_LEN 3

/* The length of `name` without its last part, if that is made of `letters` only; else 0. */
static size_t without_part(const char *name, size_t len, const char *letters, size_t min,
			   size_t max)
{
	size_t part = 0;

	while (part < len && name[len - part - 1] && strchr(letters, name[len - part - 1]))
		part++;
	if (part < min || part > max || part + 1 >= len || name[len - part - 1] != '-')
		return 0;
	return len - part - 1;
}

static size_t without_node(const char *name, size_t len, const char *host_name)
{
	size_t node = strlen(host_name);

	if (!node || node + 1 >= len || name[len - node - 1] != '-' ||
	    strncmp(name + len - node, host_name, node) != 0)
		return 0;
	return len - node - 1;
}

static size_t owner_len(const char *name, const char *host_name)
{
	size_t len = strlen(name), made, inner;

	made = without_node(name, len, host_name);
	if (made)
		return made;
	made = without_part(name, len, SAFE_LETTERS, SUFFIX_LEN, SUFFIX_LEN);
	if (made) {
		inner = without_part(name, made, HASH_LETTERS, MIN_HASH_LEN, MAX_HASH_LEN);
		if (!inner)
			inner = without_part(name, made, "0123456789", MINUTES_LEN, MINUTES_LEN);
		if (!inner)
			inner = without_part(name, made, "0123456789", SECONDS_LEN, SECONDS_LEN);
		return inner ? inner : made;
	}
	made = without_part(name, len, "0123456789", 1, MAX_ORDINAL_LEN);
	return made && (name[made + 1] != '0' || made + 2 == len) ? made : len;
}

void service_name_pod_owner(const char *pod_name, const char *host_name, char out[SERVICE_NAME_LEN])
{
	text_copy(out, SERVICE_NAME_LEN, pod_name, owner_len(pod_name, host_name));
}

/* A unit that runs a service; not the manager of a user, nor a session. */
static bool take_unit(const char *unit, char out[SERVICE_NAME_LEN])
{
	static const char type[] = ".service";
	size_t len = strlen(unit), type_len = sizeof(type) - 1;

	if (len <= type_len || strcmp(unit + len - type_len, type) != 0 ||
	    strncmp(unit, "user@", 5) == 0)
		return false;
	text_copy(out, SERVICE_NAME_LEN, unit, len - type_len);
	return true;
}

static bool take(const char *name, char out[SERVICE_NAME_LEN])
{
	if (*name)
		text_copy(out, SERVICE_NAME_LEN, name, strlen(name));
	return *name;
}

static bool take_told(const struct service_name_facts *facts, uint8_t source,
		      char out[SERVICE_NAME_LEN])
{
	return facts->told_source == source && take(facts->told, out);
}

bool service_name_tell(const struct service_name_facts *facts, char out[SERVICE_NAME_LEN])
{
	const struct workload *w = facts->workload;
	struct text text;

	if (take_told(facts, NAME_SOURCE_OTEL, out))
		return true;
	if (*w->pod_name) {
		service_name_pod_owner(w->pod_name, facts->host_name, out);
		return true;
	}
	if (take_told(facts, NAME_SOURCE_PM2, out) || take(w->container_name, out) ||
	    take_unit(w->systemd_unit, out))
		return true;
	text_init(&text, out, SERVICE_NAME_LEN);
	text_add(&text, "%s:%u", *facts->comm ? facts->comm : "unknown", facts->port);
	return false;
}
