/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_cgroup_path.c - paths as they were seen on hosts and as the sources of runtimes make them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/cgroup_path.h"

#define ID   "8d5e957f297893487bd98fa830fa6413ce86ac63ecd0a1c7b2d9c8b3f9d2e1a0"
#define ID2  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UID  "1b9c3c39-ef6d-4c59-a9a1-6a5a7a9f8e3d"
#define UID_ "1b9c3c39_ef6d_4c59_a9a1_6a5a7a9f8e3d"
#define HASH "5b7c8d9e0f1a2b3c4d5e6f708192a3b4" /* of a static pod's manifest */

struct expected {
	const char *path;
	const char *id;
	enum container_runtime runtime;
	const char *uid;
	enum pod_qos qos;
	const char *unit;
	bool is_hosts;
};

#define CONTAINERD CONTAINER_RUNTIME_CONTAINERD
#define CRIO	   CONTAINER_RUNTIME_CRIO
#define DOCKER	   CONTAINER_RUNTIME_DOCKER
#define PODMAN	   CONTAINER_RUNTIME_PODMAN
#define UNTOLD	   CONTAINER_RUNTIME_UNKNOWN
#define NO_QOS	   POD_QOS_UNKNOWN

static void check(const struct expected *all, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct expected *e = &all[i];
		struct workload w;
		bool is_hosts = cgroup_path_parse(e->path, &w);

		if (strcmp(w.container_id, e->id) || w.runtime != e->runtime ||
		    strcmp(w.pod_uid, e->uid) || w.qos != e->qos ||
		    strcmp(w.systemd_unit, e->unit) || is_hosts != e->is_hosts)
			fail_msg("%s: id %s, runtime %s, uid %s, QoS %s, unit %s, %s", e->path,
				 w.container_id, container_runtime_name(w.runtime), w.pod_uid,
				 pod_qos_name(w.qos), w.systemd_unit,
				 is_hosts ? "the host's" : "not the host's");
	}
}

#define CHECK(all) check(all, sizeof(all) / sizeof((all)[0]))

/* clang-format off: one path per line */

static void pods_of_either_driver(void **state)
{
	static const struct expected all[] = {
		{"/kubepods/burstable/pod" UID "/" ID, ID, UNTOLD, UID, POD_QOS_BURSTABLE, "",
		 true},
		{"/kubepods/besteffort/pod" UID "/" ID, ID, UNTOLD, UID, POD_QOS_BEST_EFFORT, "",
		 true},
		{"/kubepods/pod" UID "/" ID, ID, UNTOLD, UID, POD_QOS_GUARANTEED, "", true},
		{"/kubepods/pod" HASH "/" ID, ID, UNTOLD, HASH, POD_QOS_GUARANTEED, "", true},
		{"/kubepods/burstable/pod" UID, "", UNTOLD, UID, POD_QOS_BURSTABLE, "", false},
		{"/kubepods/burstable/pod" UID "/crio-" ID, ID, CRIO, UID, POD_QOS_BURSTABLE, "",
		 true},
		{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_
		 ".slice/cri-containerd-" ID ".scope",
		 ID, CONTAINERD, UID, POD_QOS_BURSTABLE, "", true},
		{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_
		 ".slice/crio-" ID ".scope",
		 ID, CRIO, UID, POD_QOS_BEST_EFFORT, "", true},
		{"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_
		 ".slice/crio-" ID ".scope/container",
		 ID, CRIO, UID, POD_QOS_BEST_EFFORT, "", true},
		{"/kubepods.slice/kubepods-pod" UID_ ".slice/docker-" ID ".scope", ID, DOCKER, UID,
		 POD_QOS_GUARANTEED, "", true},
		{"/kubepods.slice/kubepods-pod" UID_ ".slice", "", UNTOLD, UID, POD_QOS_GUARANTEED,
		 "", false},
		{"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_
		 ".slice/cri-containerd-" ID ".scope",
		 ID, CONTAINERD, UID, POD_QOS_GUARANTEED, "", true},
		{"/kubelet/kubepods/burstable/pod" UID "/" ID, ID, UNTOLD, UID, POD_QOS_BURSTABLE,
		 "", true},
		/* the kubelet means systemd, containerd cgroupfs */
		{"/kubepods-burstable-pod" UID_ ".slice:cri-containerd:" ID, ID, CONTAINERD, UID,
		 POD_QOS_BURSTABLE, "", true},
		{"/system.slice/containerd.service/kubepods-burstable-pod" UID_
		 ".slice:cri-containerd:" ID,
		 ID, CONTAINERD, UID, POD_QOS_BURSTABLE, "", true},
		{"/kubepods", "", UNTOLD, "", NO_QOS, "", false},
		{"/kubepods.slice/kubepods-burstable.slice", "", UNTOLD, "", NO_QOS, "", false},
	};

	(void)state;
	CHECK(all);
}

static void containers_without_kubernetes(void **state)
{
	static const struct expected all[] = {
		{"/docker/" ID, ID, DOCKER, "", NO_QOS, "", true},
		{"/docker/" ID " (deleted)", ID, DOCKER, "", NO_QOS, "", true},
		{"/system.slice/docker-" ID ".scope", ID, DOCKER, "", NO_QOS, "", true},
		{"/system.slice:docker:" ID, ID, DOCKER, "", NO_QOS, "", true},
		{"/moby/" ID, ID, DOCKER, "", NO_QOS, "", true},
		{"/default/" ID, ID, CONTAINERD, "", NO_QOS, "", true},
		{"/system.slice/nerdctl-" ID ".scope", ID, CONTAINERD, "", NO_QOS, "", true},
		{"/ecs/task-1/" ID, ID, UNTOLD, "", NO_QOS, "", true},
		{"/machine.slice/libpod-" ID ".scope/container", ID, PODMAN, "", NO_QOS, "", true},
		{"/machine.slice/libpod-" ID ".scope", ID, PODMAN, "", NO_QOS, "", true},
		{"/libpod_parent/libpod-" ID, ID, PODMAN, "", NO_QOS, "", true},
		{"/libpod_parent/" ID2 "/libpod-" ID, ID, PODMAN, "", NO_QOS, "", true},
		{"/libpod_parent/" ID2, "", UNTOLD, "", NO_QOS, "", false},
		{"/machine.slice/machine-libpod_pod_" ID2 ".slice/libpod-" ID ".scope", ID, PODMAN,
		 "", NO_QOS, "", true},
		{"/system.slice/web.service/libpod-payload-" ID, ID, PODMAN, "", NO_QOS,
		 "web.service", true},
		/* who watches a container is not in it */
		{"/machine.slice/libpod-conmon-" ID ".scope", "", UNTOLD, "", NO_QOS,
		 "libpod-conmon-" ID ".scope", false},
		{"/libpod_parent/conmon", "", UNTOLD, "", NO_QOS, "", false},
	};

	(void)state;
	CHECK(all);
}

static void units(void **state)
{
	static const struct expected all[] = {
		{"/system.slice/nginx.service", "", UNTOLD, "", NO_QOS, "nginx.service", false},
		{"/system.slice/nginx.service/workers", "", UNTOLD, "", NO_QOS, "nginx.service",
		 false},
		{"/system.slice/system-getty.slice/getty@tty1.service", "", UNTOLD, "", NO_QOS,
		 "getty@tty1.service", false},
		{"/system.slice/run-r1f.scope", "", UNTOLD, "", NO_QOS, "run-r1f.scope", false},
		{"/user.slice/user-1000.slice/session-3.scope", "", UNTOLD, "", NO_QOS,
		 "session-3.scope", false},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/app.service", "", UNTOLD,
		 "", NO_QOS, "app.service", false},
		{"/system.slice/_memory.stat.service", "", UNTOLD, "", NO_QOS,
		 "memory.stat.service", false},
		{"/init.scope", "", UNTOLD, "", NO_QOS, "init.scope", false},
		{"/system.slice/dev-sda1.swap", "", UNTOLD, "", NO_QOS, "dev-sda1.swap", false},
		{"/system.slice", "", UNTOLD, "", NO_QOS, "", false},
		{"/.service", "", UNTOLD, "", NO_QOS, "", false},
		{"/docker/" ID "/system.slice/app.service", ID, DOCKER, "", NO_QOS, "app.service",
		 true},
		{"/docker/" ID "/user.slice/user@0.service/init.scope", ID, DOCKER, "", NO_QOS,
		 "init.scope", true},
		{"/", "", UNTOLD, "", NO_QOS, "", false},
		{"", "", UNTOLD, "", NO_QOS, "", false},
	};

	(void)state;
	CHECK(all);
}

static void of_containers_within_containers_the_hosts_own(void **state)
{
	static const struct expected all[] = {
		{"/docker/" ID "/docker/" ID2, ID, DOCKER, "", NO_QOS, "", true},
		{"/kubepods/burstable/pod" UID "/" ID "/docker/" ID2, ID, UNTOLD, UID,
		 POD_QOS_BURSTABLE, "", true},
		/* kind: a node is a container, its pods are not the host's runtime's */
		{"/docker/" ID2 "/kubelet/kubepods/pod" UID "/" ID, ID, UNTOLD, UID,
		 POD_QOS_GUARANTEED, "", false},
		{"/docker/" ID2 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" UID_
		 ".slice/cri-containerd-" ID ".scope",
		 ID, CONTAINERD, UID, POD_QOS_GUARANTEED, "", false},
		/* seen from within a cgroup namespace */
		{"/../../burstable/pod" UID "/" ID, ID, UNTOLD, "", NO_QOS, "", true},
	};

	(void)state;
	CHECK(all);
}

static void a_user_cannot_be_somebody_elses_container(void **state)
{
	static const struct expected all[] = {
		{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID
		 ".scope/container",
		 ID, PODMAN, "", NO_QOS, "user@1000.service", false},
		{"/user.slice/user-1000.slice/user@1000.service/docker-" ID ".scope", ID, DOCKER,
		 "", NO_QOS, "user@1000.service", false},
		{"/user.slice/user-1000.slice/user@1000.service/kubepods/pod" UID "/" ID, ID,
		 UNTOLD, UID, POD_QOS_GUARANTEED, "", false},
	};

	(void)state;
	CHECK(all);
}

static void what_only_looks_like_it_is_not_it(void **state)
{
	static const struct expected all[] = {
		{"/docker/8D5E957F297893487BD98FA830FA6413CE86AC63ECD0A1C7B2D9C8B3F9D2E1A0", "",
		 UNTOLD, "", NO_QOS, "", false},
		{"/docker/8d5e957f2978", "", UNTOLD, "", NO_QOS, "", false},
		{"/docker-" ID, "", UNTOLD, "", NO_QOS, "", false},
		{"/system.slice/docker-" ID ".service", "", UNTOLD, "", NO_QOS,
		 "docker-" ID ".service", false},
		{"/system.slice/docker-" ID "0.scope", "", UNTOLD, "", NO_QOS,
		 "docker-" ID "0.scope", false},
		{"/pod" UID, "", UNTOLD, "", NO_QOS, "", false},
		{"/burstable/pod" UID, "", UNTOLD, "", NO_QOS, "", false},
		{"/kubepods/x/pod" UID, "", UNTOLD, "", NO_QOS, "", false},
		{"/kubepods/pod", "", UNTOLD, "", NO_QOS, "", false},
		{"/kubepods/pod../" ID, ID, UNTOLD, "", NO_QOS, "", true},
		{"/kubepods/burstablepod" UID, "", UNTOLD, "", NO_QOS, "", false},
		{"/kubepodsx.slice/kubepodsx-pod" UID_ ".slice", "", UNTOLD, "", NO_QOS, "", false},
		{"/kubepods-podx y.slice", "", UNTOLD, "", NO_QOS, "", false},
		{"/a:b:c", "", UNTOLD, "", NO_QOS, "", false},
		{"/.slice::" ID, "", UNTOLD, "", NO_QOS, "", false},
	};

	(void)state;
	CHECK(all);
}

/* clang-format on */

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pods_of_either_driver),
		cmocka_unit_test(containers_without_kubernetes),
		cmocka_unit_test(units),
		cmocka_unit_test(of_containers_within_containers_the_hosts_own),
		cmocka_unit_test(a_user_cannot_be_somebody_elses_container),
		cmocka_unit_test(what_only_looks_like_it_is_not_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
