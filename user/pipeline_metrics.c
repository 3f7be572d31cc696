/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* pipeline_metrics.c - see pipeline_metrics.h. */
#include "pipeline_metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "sink/metrics_server.h"

/* Also when nobody asks: what began and ended between two scrapes was there. */
#define LOOK_EVERY_NS (10ULL * 1000000000ULL)

struct pipeline_metrics {
	struct core *core;
	struct metrics *metrics;
	struct metrics_server *server;
	int epoll_fd;
	uint64_t now_ns;    /* of the newest tick */
	uint64_t looked_ns; /* of the tick the metrics are as of */
};

static void look(void *arg)
{
	struct pipeline_metrics *p = arg;
	struct overview_sink sink;

	if (p->looked_ns == p->now_ns)
		return;
	p->looked_ns = p->now_ns;
	sink = metrics_look_begin(p->metrics, p->now_ns);
	core_overview(p->core, &sink);
	metrics_look_end(p->metrics);
}

static int watch(int epoll_fd, int fd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_all(struct pipeline_metrics *p, const struct options *options, int hup_fd,
		    char *error, size_t error_size)
{
	struct metrics_server_options server = {
		.address = options->metrics_address,
		.metrics = p->metrics,
		.look = look,
		.arg = p,
	};
	int err = metrics_server_new(&server, &p->server, error, error_size);

	if (err)
		return err;
	p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = p->epoll_fd < 0 ? -errno : watch(p->epoll_fd, metrics_server_fd(p->server));
	if (!err && hup_fd >= 0)
		err = watch(p->epoll_fd, hup_fd);
	if (err)
		snprintf(error, error_size, "cannot wait for connections: %s", strerror(-err));
	return err;
}

int pipeline_metrics_new(const struct options *options, struct core *core, int hup_fd,
			 struct pipeline_metrics **out, char *error, size_t error_size)
{
	struct pipeline_metrics *p = calloc(1, sizeof(*p));
	int err;

	if (p) {
		p->core = core;
		p->epoll_fd = -1;
		p->metrics = metrics_new();
	}
	if (!p || !p->metrics) {
		free(p);
		snprintf(error, error_size, "out of memory");
		return -ENOMEM;
	}
	err = open_all(p, options, hup_fd, error, error_size);
	if (err)
		pipeline_metrics_free(p);
	else
		*out = p;
	return err;
}

void pipeline_metrics_free(struct pipeline_metrics *p)
{
	if (!p)
		return;
	metrics_server_free(p->server);
	metrics_free(p->metrics);
	if (p->epoll_fd >= 0)
		close(p->epoll_fd);
	free(p);
}

int pipeline_metrics_fd(const struct pipeline_metrics *p)
{
	return p->epoll_fd;
}

int pipeline_metrics_dir_fd(const struct pipeline_metrics *p)
{
	return metrics_server_dir_fd(p->server);
}

void pipeline_metrics_report(struct pipeline_metrics *p, const struct report *report)
{
	metrics_report(p->metrics, report);
}

void pipeline_metrics_tick(struct pipeline_metrics *p, uint64_t now_ns)
{
	p->now_ns = now_ns;
	metrics_tick(p->metrics, now_ns);
	if (now_ns - p->looked_ns >= LOOK_EVERY_NS)
		look(p);
}

void pipeline_metrics_turn(struct pipeline_metrics *p, bool after_batch)
{
	if (after_batch)
		metrics_server_turn(p->server);
	else
		metrics_server_run(p->server);
}

size_t pipeline_metrics_memory_ceiling(void)
{
	return sizeof(struct pipeline_metrics) + metrics_memory_ceiling() +
	       metrics_server_memory_ceiling();
}
