/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * fuzz_cgroup_path.c - whatever a path says: ids are ids, what is around and below it changes nothing that it
 * should not, and what a user's service manager is told is never the host's.
 */
#include "fuzz.h"
#include "model/cgroup_path.h"

#define MAX_PATH 511

static bool is_part_of(const char *text, const char *path)
{
	return strstr(path, text) != NULL;
}

static void expect_values(const struct workload *w, const char *path)
{
	size_t len = strlen(w->container_id);

	EXPECT(len == 0 || len == 64);
	EXPECT(strspn(w->container_id, "0123456789abcdef") == len);
	EXPECT(is_part_of(w->container_id, path));
	EXPECT(is_part_of(w->systemd_unit, path));
	EXPECT(!strchr(w->systemd_unit, '/'));
	EXPECT(strlen(w->pod_uid) < sizeof(w->pod_uid));
	EXPECT(!strpbrk(w->pod_uid, "/_.:"));
	EXPECT(w->runtime < NR_CONTAINER_RUNTIMES && w->qos < NR_POD_QOS);
	EXPECT(!*w->pod_uid == !w->qos);
	EXPECT(*w->container_id || !w->runtime);
	EXPECT(!*w->container_name && !*w->image && !*w->pod_name && !*w->pod_namespace);
}

static bool parse_with(const char *before, const char *path, const char *after,
		       struct workload *out)
{
	char whole[MAX_PATH + 64];

	snprintf(whole, sizeof(whole), "%s%s%s", before, path, after);
	return cgroup_path_parse(whole, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct workload w, other;
	char path[MAX_PATH + 1];
	size_t len = size < MAX_PATH ? size : MAX_PATH;
	bool is_hosts;

	if (len)
		memcpy(path, data, len);
	path[len] = '\0';
	len = strlen(path);
	memset(&w, 0xff, sizeof(w));
	is_hosts = cgroup_path_parse(path, &w);
	expect_values(&w, path);
	EXPECT(!is_hosts || *w.container_id);
	EXPECT(parse_with("/x/", path, "", &other) == is_hosts);
	EXPECT(memcmp(&w, &other, sizeof(w)) == 0);
	EXPECT(!parse_with("/user@1000.service/", path, "", &other));
	EXPECT(strcmp(w.container_id, other.container_id) == 0);
	if (len && path[len - 1] != ')') {
		EXPECT(parse_with("", path, "/x", &other) == is_hosts);
		EXPECT(memcmp(&w, &other, sizeof(w)) == 0);
	}
	return 0;
}
