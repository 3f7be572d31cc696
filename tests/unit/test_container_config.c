/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* test_container_config.c - each runtime's own file, in the shape that the runtime writes it in. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/utf8.h"
#include "source/container_config.h"

#define ID    "5e32fc305b83657eae72a74317f302151590b8b760424e5caf61548c6d97add3"
#define OTHER "7a009b7aad3b4d0e6de8d5893820cff20397f61799b0a854fe616a0218ce0c8c"

static struct record_container told;
static bool is_whole;

static int parse(const char *text, enum container_config kind)
{
	memset(&told, 0, sizeof(told));
	strcpy(told.id, ID);
	is_whole = false;
	return container_config_parse(text, strlen(text), kind, &told, &is_whole);
}

static void expect(uint8_t runtime, const char *name, const char *image, const char *pod,
		   const char *namespace, const char *uid)
{
	assert_int_equal(told.runtime, runtime);
	assert_string_equal(told.name, name);
	assert_string_equal(told.image, image);
	assert_string_equal(told.pod_name, pod);
	assert_string_equal(told.pod_namespace, namespace);
	assert_string_equal(told.pod_uid, uid);
}

#define CRI "\"io.kubernetes.cri."
#define POD_OF_CRI                                                                                 \
	CRI "sandbox-id\":\"" OTHER "\"," CRI "sandbox-name\":\"checkout-7d4b9c6f5d-x2x9k\"," CRI  \
	    "sandbox-namespace\":\"shop\"," CRI                                                    \
	    "sandbox-uid\":\"68266e48-78b2-4a68-a682-49995710dfe3\""

static void containerd_tells_container_and_pod(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"ociVersion\":\"1.0.2\",\"process\":{\"env\":[\"A=1\"]},"
			       "\"annotations\":{" CRI "container-name\":\"api\"," CRI
			       "container-type\":\"container\"," CRI
			       "image-name\":\"registry.example/shop/api:1.4.2\"," POD_OF_CRI "}}",
			       CONTAINER_CONFIG_CRI),
			 0);
	expect(CONTAINER_RUNTIME_CONTAINERD, "api", "registry.example/shop/api:1.4.2",
	       "checkout-7d4b9c6f5d-x2x9k", "shop", "68266e48-78b2-4a68-a682-49995710dfe3");
	assert_true(is_whole);
}

static void sandbox_has_a_pod_and_no_name(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"annotations\":{" CRI "container-type\":\"sandbox\"," POD_OF_CRI
			       "}}",
			       CONTAINER_CONFIG_CRI),
			 0);
	expect(CONTAINER_RUNTIME_CONTAINERD, "", "", "checkout-7d4b9c6f5d-x2x9k", "shop",
	       "68266e48-78b2-4a68-a682-49995710dfe3");
	assert_true(is_whole);
}

static void crio_tells_the_same_in_its_words(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"annotations\":{\"io.container.manager\":\"cri-o\","
			       "\"io.kubernetes.container.name\":\"coredns\","
			       "\"io.kubernetes.cri-o.ContainerType\":\"container\","
			       "\"io.kubernetes.cri-o.ImageName\":\"k8s.example/coredns:v1.8.6\","
			       "\"io.kubernetes.pod.name\":\"coredns-6d4b75cb6d-4mtdm\","
			       "\"io.kubernetes.pod.namespace\":\"kube-system\","
			       "\"io.kubernetes.pod.uid\":\"5b5e07db\"}}",
			       CONTAINER_CONFIG_STORAGE),
			 0);
	expect(CONTAINER_RUNTIME_CRIO, "coredns", "k8s.example/coredns:v1.8.6",
	       "coredns-6d4b75cb6d-4mtdm", "kube-system", "5b5e07db");
	assert_true(is_whole);
	assert_int_equal(parse("{\"annotations\":{\"io.container.manager\":\"cri-o\","
			       "\"io.kubernetes.container.name\":\"POD\","
			       "\"io.kubernetes.cri-o.ContainerType\":\"sandbox\","
			       "\"io.kubernetes.cri-o.KubeName\":\"web\","
			       "\"io.kubernetes.cri-o.Namespace\":\"shop\"}}",
			       CONTAINER_CONFIG_STORAGE),
			 0);
	expect(CONTAINER_RUNTIME_CRIO, "", "", "web", "shop", "");
	assert_true(is_whole);
}

/* Whoever makes a container of podman writes annotations as he likes. */
static void podmans_annotations_are_not_believed(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"annotations\":{\"io.container.manager\":\"libpod\","
			       "\"io.kubernetes.container.name\":\"api\","
			       "\"io.kubernetes.pod.name\":\"somebody-else\"," POD_OF_CRI "}}",
			       CONTAINER_CONFIG_STORAGE),
			 0);
	expect(CONTAINER_RUNTIME_PODMAN, "", "", "", "", "");
	assert_false(is_whole);
}

static void podmans_container_is_not_crios_because_it_says_so(void **state)
{
	static const char text[] = "{\"annotations\":{\"io.container.manager\":\"cri-o\","
				   "\"io.kubernetes.container.name\":\"api\","
				   "\"io.kubernetes.pod.name\":\"somebody-else\"}}";

	(void)state;
	memset(&told, 0, sizeof(told));
	told.runtime = CONTAINER_RUNTIME_PODMAN; /* of its path */
	is_whole = false;
	assert_int_equal(container_config_parse(text, strlen(text), CONTAINER_CONFIG_STORAGE, &told,
						&is_whole),
			 0);
	expect(CONTAINER_RUNTIME_PODMAN, "", "", "", "", "");
	assert_false(is_whole);
}

#define METADATA                                                                                   \
	"\"metadata\":\"{\\\"image-name\\\":\\\"registry.example/shop/api:1.4.2\\\","              \
	"\\\"name\\\":\\\"checkout-api\\\"}\""

static void podmans_list_has_name_and_image(void **state)
{
	(void)state;
	assert_int_equal(parse("[{\"id\":\"" OTHER "\",\"names\":[\"x\"]},{\"id\":\"" ID
			       "\",\"names\":[\"checkout-api\",\"alias\"]," METADATA "}]",
			       CONTAINER_CONFIG_LIST),
			 0);
	expect(CONTAINER_RUNTIME_UNKNOWN, "checkout-api", "registry.example/shop/api:1.4.2", "", "",
	       "");
	assert_true(is_whole);
	assert_int_equal(parse("[{\"id\":\"" OTHER "\"}]", CONTAINER_CONFIG_LIST), -ENOENT);
	assert_int_equal(parse("[1,{\"id\":\"" ID "\",\"names\":{},\"metadata\":\"{\"}]",
			       CONTAINER_CONFIG_LIST),
			 0);
	assert_false(is_whole);
}

static void docker_tells_name_and_image(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"ID\":\"" ID "\",\"Name\":\"/shop-web-1\","
			       "\"Config\":{\"Image\":\"nginx:1.25\",\"Labels\":{}}}",
			       CONTAINER_CONFIG_DOCKER),
			 0);
	expect(CONTAINER_RUNTIME_DOCKER, "shop-web-1", "nginx:1.25", "", "", "");
	assert_true(is_whole);
	assert_int_equal(parse("{\"ID\":\"" ID "\",\"Name\":\"/k8s_api_web-0_shop_u_0\","
			       "\"Config\":{\"Image\":\"sha256:1\",\"Labels\":{"
			       "\"io.kubernetes.container.name\":\"api\","
			       "\"io.kubernetes.pod.name\":\"web-0\","
			       "\"io.kubernetes.pod.namespace\":\"shop\"}}}",
			       CONTAINER_CONFIG_DOCKER),
			 0);
	expect(CONTAINER_RUNTIME_DOCKER, "api", "sha256:1", "web-0", "shop", "");
	assert_int_equal(parse("{\"ID\":\"" OTHER "\"}", CONTAINER_CONFIG_DOCKER), -ENOENT);
	assert_int_equal(parse("{\"annotations\":{}}", CONTAINER_CONFIG_MOBY), 0);
	expect(CONTAINER_RUNTIME_DOCKER, "", "", "", "", "");
	assert_false(is_whole);
}

static void nerdctl_tells_the_name(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"annotations\":{\"nerdctl/name\":\"web\"}}", CONTAINER_CONFIG_NERDCTL), 0);
	expect(CONTAINER_RUNTIME_CONTAINERD, "web", "", "", "", "");
}

static void what_is_no_such_file_says_nothing(void **state)
{
	static const char *const bad[] = {"", "{", "[]", "1", "null", "{}{}", "{\"a\":\"", "\xff"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(parse(bad[i], CONTAINER_CONFIG_CRI), -EINVAL);
		expect(CONTAINER_RUNTIME_UNKNOWN, "", "", "", "", "");
	}
	assert_int_equal(parse("{}", CONTAINER_CONFIG_LIST), -EINVAL);
	assert_int_equal(parse("{\"annotations\":[1]}", CONTAINER_CONFIG_CRI), 0);
	assert_int_equal(
		parse("{\"annotations\":{" CRI "container-name\":7}}", CONTAINER_CONFIG_CRI), 0);
	assert_string_equal(told.name, "");
}

/* Cut between characters, whatever they are. */
static void values_are_cut_to_their_fields(void **state)
{
	char text[4096] = "{\"annotations\":{" CRI "container-name\":\"x";

	(void)state;
	for (int i = 0; i < 300; i++)
		strcat(text, "\u00e9");
	strcat(text, "\"}}");
	assert_int_equal(parse(text, CONTAINER_CONFIG_CRI), 0);
	assert_int_equal(strlen(told.name), sizeof(told.name) - 1);
	assert_int_equal((unsigned char)told.name[sizeof(told.name) - 2], 0xa9);
}

static void too_large_or_too_deep_is_refused(void **state)
{
	char *text = malloc(CONTAINER_CONFIG_MAX_BYTES + 2);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', CONTAINER_CONFIG_MAX_BYTES + 1);
	memcpy(text, "{}", 2);
	text[CONTAINER_CONFIG_MAX_BYTES + 1] = '\0';
	assert_int_equal(parse(text, CONTAINER_CONFIG_CRI), -EINVAL);
	text[CONTAINER_CONFIG_MAX_BYTES] = '\0';
	assert_int_equal(parse(text, CONTAINER_CONFIG_CRI), 0);
	memset(text, '[', CONTAINER_CONFIG_MAX_BYTES);
	assert_int_equal(parse(text, CONTAINER_CONFIG_LIST), -EINVAL);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(containerd_tells_container_and_pod),
		cmocka_unit_test(sandbox_has_a_pod_and_no_name),
		cmocka_unit_test(crio_tells_the_same_in_its_words),
		cmocka_unit_test(podmans_annotations_are_not_believed),
		cmocka_unit_test(podmans_container_is_not_crios_because_it_says_so),
		cmocka_unit_test(podmans_list_has_name_and_image),
		cmocka_unit_test(docker_tells_name_and_image),
		cmocka_unit_test(nerdctl_tells_the_name),
		cmocka_unit_test(what_is_no_such_file_says_nothing),
		cmocka_unit_test(values_are_cut_to_their_fields),
		cmocka_unit_test(too_large_or_too_deep_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
