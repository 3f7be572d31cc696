/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* run_time.c - see run_time.h. */
#include "source/run_time.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "source/loader.h"

#define CALIBRATION_RUNS 4000

static bool program_counts(int fd, struct run_count *out)
{
	struct bpf_prog_info info;
	__u32 size = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size))
		return false;
	out->ns = info.run_time_ns;
	out->runs = info.run_cnt;
	return true;
}

/* What an empty program is charged with; 0 where that cannot be tried. Counting is on. */
static uint64_t measure_floor(void)
{
	static const struct bpf_insn return_0[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char packet[64] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet),
		    .repeat = CALIBRATION_RUNS);
	struct run_count count = {0};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "floor", "GPL", return_0, 2, NULL);

	if (fd < 0)
		return 0;
	if (!bpf_prog_test_run_opts(fd, &options))
		program_counts(fd, &count);
	close(fd);
	return count.runs ? count.ns / count.runs : 0;
}

static void open_window(struct run_time *t)
{
	t->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (t->stats_fd >= 0)
		return;
	log_info("the run time of BPF programs is estimated: it cannot be counted: %s",
		 strerror(errno));
	t->refused = true;
}

static void close_window(struct run_time *t)
{
	if (t->stats_fd >= 0)
		close(t->stats_fd);
	t->stats_fd = -1;
}

void run_time_init(struct run_time *t, uint32_t every, uint64_t now_ns)
{
	memset(t, 0, sizeof(*t));
	t->every = every;
	t->ticks_left = 1;
	t->stats_fd = -1;
	t->covered_ns = now_ns;
	if (!every)
		return;
	open_window(t);
	if (!t->refused)
		t->floor_ns = measure_floor();
	close_window(t);
}

void run_time_free(struct run_time *t)
{
	if (t->every)
		close_window(t);
}

static void read_totals(const struct loader *loader, struct run_totals *out)
{
	memset(out, 0, sizeof(*out));
	for (uint32_t h = 0; h < loader->nr_hooks; h++) {
		const struct loader_hook *hook = &loader->hooks[h];
		struct run_count *group = &out->groups[hook->hook->group];

		if (hook->chosen < 0)
			continue;
		for (uint32_t p = 0; p < PROBE_MAX_PROGRAMS; p++) {
			const char *name = hook->hook->candidates[hook->chosen].programs[p];
			struct run_count count;

			if (!name ||
			    !program_counts(bpf_program__fd(loader_program(loader, name)), &count))
				continue;
			group->ns += count.ns;
			group->runs += count.runs;
		}
	}
}

static uint64_t since(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

void run_time_extrapolate(struct run_time *t, const struct run_totals *after, uint64_t now_ns)
{
	uint64_t window_ns = since(now_ns, t->opened_ns);
	double factor;

	if (!window_ns)
		return;
	factor = (double)since(now_ns, t->covered_ns) / (double)window_ns;
	for (int i = 0; i < NR_BPF_GROUPS; i++) {
		const struct run_count *from = &t->at_open.groups[i], *to = &after->groups[i];
		uint64_t runs = since(to->runs, from->runs);
		uint64_t net_ns = since(since(to->ns, from->ns), runs * t->floor_ns);

		t->spent.groups[i].runs += (uint64_t)((double)runs * factor);
		t->spent.groups[i].ns += (uint64_t)((double)net_ns * factor);
	}
	t->covered_ns = now_ns;
	t->source = BPF_TIME_SAMPLED;
}

static void estimate(struct run_time *t, uint64_t messages, uint64_t samples)
{
	struct run_count *traffic = &t->spent.groups[BPF_GROUP_TRAFFIC];
	struct run_count *memory = &t->spent.groups[BPF_GROUP_MEMORY];

	traffic->runs += messages;
	traffic->ns += messages * RUN_TIME_MESSAGE_NS;
	memory->runs += samples;
	memory->ns += samples * RUN_TIME_SAMPLE_NS;
	t->source = BPF_TIME_ESTIMATED;
}

bool run_time_tick(struct run_time *t, const struct loader *loader, uint64_t now_ns,
		   uint64_t messages, uint64_t samples)
{
	struct run_totals now;
	bool told = t->stats_fd >= 0;

	if (!t->every)
		return false;
	if (t->refused) {
		estimate(t, messages, samples);
		return true;
	}
	if (told) {
		read_totals(loader, &now);
		run_time_extrapolate(t, &now, now_ns);
		close_window(t);
	}
	if (--t->ticks_left)
		return told;
	t->ticks_left = t->every;
	open_window(t);
	t->opened_ns = now_ns;
	read_totals(loader, &t->at_open);
	return told;
}

uint64_t run_time_ns(const struct run_time *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_BPF_GROUPS; i++)
		sum += t->spent.groups[i].ns;
	return sum;
}
