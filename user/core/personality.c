/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* personality.c - see personality.h. */
#include "core/personality.h"

#include <string.h>

/*
 * nginx 1.22 and haproxy 2.6 as measured, the others as their sources say. What is not obvious:
 *   nginx    all but timeouts is 502, "no live upstreams" too.
 *   haproxy  a connect that failed is a 503, after three retries; later versions close on a reused
 *            connection instead of answering 502.
 *   envoy    502 is left for answers that are no HTTP.
 *   traefik  a balancer without a healthy server answers by itself, the rest is Go's transport.
 *   apache   closes the client's connection when a kept-alive one to the upstream breaks, so that
 *            the client tries again.
 *   generic  the commonest guess; nothing is inferred from it.
 */
#define CLOSES PERSONALITY_CLOSES

static const struct personality table[] = {
	/* refused, unreachable, reset, reset on reused; connect timeout, read timeout; no live */
	{"nginx", {"nginx", "openresty"}, {0, 502, 502, 502, 502, 504, 504, 502}, 1, true},
	{"haproxy", {"haproxy"}, {0, 503, 503, 502, 502, 503, 504, 503}, 4, true},
	{"envoy", {"envoy"}, {0, 503, 503, 503, 503, 503, 504, 503}, 1, true},
	{"traefik", {"traefik"}, {0, 502, 502, 502, 502, 504, 504, 503}, 1, true},
	{"apache",
	 {"apache2", "httpd", "httpd-prefork"},
	 {0, 503, 503, 502, CLOSES, 503, 504, 503},
	 1,
	 true},
	{"caddy", {"caddy"}, {0, 502, 502, 502, 502, 504, 504, 503}, 1, true},
};

static const struct personality generic = {
	"generic", {NULL}, {0, 502, 502, 502, 502, 504, 504, 503}, 1, false};

_Static_assert(NR_LEG_FAILURES == 8 && LEG_REFUSED == 1 && LEG_NO_LIVE == 7, "columns above");

static bool has_comm(const struct personality *p, const char *comm)
{
	for (size_t i = 0; i < sizeof(p->comms) / sizeof(p->comms[0]) && p->comms[i]; i++)
		if (strcmp(p->comms[i], comm) == 0)
			return true;
	return false;
}

const struct personality *personality_of(const char *comm)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (has_comm(&table[i], comm))
			return &table[i];
	return &generic;
}

enum leg_failure personality_leg(enum flow_fail fail)
{
	static const uint8_t legs[NR_FLOW_FAILS] = {
		[FLOW_FAIL_REFUSED] = LEG_REFUSED,
		[FLOW_FAIL_CONNECT_TIMEOUT] = LEG_CONNECT_TIMEOUT,
		[FLOW_FAIL_RST_BEFORE] = LEG_RESET,
		[FLOW_FAIL_FIN_BEFORE] = LEG_RESET,
		[FLOW_FAIL_UNREACHABLE] = LEG_UNREACHABLE,
		[FLOW_FAIL_NO_PORT] = LEG_UNREACHABLE,
	};

	return (unsigned int)fail < NR_FLOW_FAILS ? legs[fail] : LEG_NONE;
}
