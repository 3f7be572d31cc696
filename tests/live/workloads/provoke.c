/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * provoke.c - does on purpose what each hook of memswell sees, and says on stdout what its records must
 * be, for check_hooks.py to look for:
 *
 *   HOOK KIND FIELD=VALUE FIELD>=VALUE FIELD<=VALUE ... FIELD[INDEX]=VALUE
 *
 * Fields are those of the record stream (user/model/record.c); one that is missing there is 0.
 *
 *   provoke life NAME        fork, exec as the link NAME to itself, exit, a signal
 *   provoke steps            memory that grows fast
 *   provoke vm               mmap, munmap, mremap, brk, and each of them failing
 *   provoke net              listeners, HTTP, a refused connect, a reset
 *   provoke oom CGROUP MIB   dies of the OOM killer in a memory cgroup with that limit
 *   provoke cache CGROUP FILE  reads FILE in a memory cgroup that is too small for it
 *   provoke pressure FILE    makes the machine short of memory: only where the machine is a guest of ours
 *   provoke hold             listens, has memory, and waits for its end: start it before memswell
 *   provoke code N           exits with N
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB	     (1UL << 20)
#define EXIT_CODE    7
#define HOLD_MIB     24
#define STEPS_MIB    96
#define STEP_MIB     16 /* of bpf/state.bpf.c: cfg_rss_step_pages */
#define SETTLE_S     3	/* longer than two ticks */
#define OOM_GAP_KB   1024
#define PRESSURE_MIB 256

/* enum flow_status and flow_fail, as indices of the arrays in a flow record */
enum { STATUS_2XX = 1, STATUS_502 = 5 };
enum { FAIL_REFUSED = 0, FAIL_RST_BEFORE = 2, FAIL_STATUS = 8, FAIL_RST_SENT = 9 };

static void die(const char *what)
{
	fprintf(stderr, "provoke: %s: %m\n", what);
	exit(1);
}

__attribute__((format(printf, 1, 2))) static void expect(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* A child that dies with us. */
static pid_t spawn(void)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return status;
}

static void touch(char *from, size_t bytes)
{
	long page = sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < bytes; i += (size_t)page)
		((volatile char *)from)[i] = 1;
}

static char *anonymous(size_t bytes)
{
	char *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	madvise(memory, bytes, MADV_NOHUGEPAGE); /* a huge page is one step of 2 MiB */
	return memory;
}

/* ---- life and death ---- */

static int provoke_life(const char *link)
{
	const char *comm = strrchr(link, '/') ? strrchr(link, '/') + 1 : link;
	char code[8];
	pid_t pid;

	snprintf(code, sizeof(code), "%d", EXIT_CODE);
	pid = spawn();
	if (pid == 0) {
		execl(link, link, "code", code, NULL);
		_exit(127);
	}
	expect("fork proc pid=%d parent_pid=%d origin=forked comm=provoke", pid, getpid());
	expect("exec exec pid=%d comm=%s", pid, comm);
	expect("exit exit pid=%d status=%d comm=%s", pid, EXIT_CODE << 8, comm);
	if (end_of(pid) != EXIT_CODE << 8)
		die(link);
	pid = spawn();
	if (pid == 0)
		pause();
	kill(pid, SIGTERM);
	expect("signal signal pid=%d sender_pid=%d sig=%d code=0 sender_comm=provoke", pid,
	       getpid(), SIGTERM);
	expect("exit exit pid=%d status=%d", pid, SIGTERM);
	return end_of(pid) != SIGTERM;
}

/* ---- memory ---- */

/* Locked, which fills it within the kernel: no sample of the memory shall come between two steps. */
static int provoke_steps(void)
{
	char *memory = anonymous(STEPS_MIB * MIB);

	if (mlock(memory, STEPS_MIB * MIB))
		die("mlock");
	expect("rss_step rss pid=%d anon_bytes>=%lu anon_bytes<=%lu", getpid(), STEP_MIB * MIB / 2,
	       STEPS_MIB / 2 * MIB);
	expect("rss_step rss pid=%d anon_bytes>=%lu", getpid(), STEPS_MIB / 2 * MIB);
	expect("exit exit pid=%d status=0 peak_rss_bytes>=%lu peak_rss_bytes<=%lu", getpid(),
	       STEPS_MIB * MIB, (STEPS_MIB + 8) * MIB);
	return 0;
}

enum call { MMAP = 0, MUNMAP, MREMAP, BRK, NR_CALLS };

struct vm_truth {
	uint64_t calls[NR_CALLS], failures[NR_CALLS];
	uint64_t mapped, unmapped, malloc_mapped, malloc_unmapped;
};

/* What malloc does for a big block, and what memswell takes for that. */
static void *block(struct vm_truth *truth, size_t bytes)
{
	truth->calls[MMAP]++;
	truth->mapped += bytes;
	truth->malloc_mapped += bytes;
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void unblock(struct vm_truth *truth, void *memory, size_t bytes)
{
	munmap(memory, bytes);
	truth->calls[MUNMAP]++;
	truth->unmapped += bytes;
	truth->malloc_unmapped += bytes;
}

/* No memory of malloc's, whatever it looks like when it goes: no block had that length. */
static void reserve_and_release(struct vm_truth *truth, size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	munmap(memory, bytes);
	truth->calls[MMAP]++;
	truth->calls[MUNMAP]++;
	truth->mapped += bytes;
	truth->unmapped += bytes;
}

/* How a JVM takes memory for its heap. */
static void reserve_and_commit(struct vm_truth *truth, size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	mmap(memory, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	truth->calls[MMAP] += 2;
	truth->mapped += 2 * bytes;
}

static void resize(struct vm_truth *truth, size_t small, size_t large)
{
	void *memory = block(truth, small);

	memory = mremap(memory, small, large, MREMAP_MAYMOVE);
	truth->mapped += large - small;
	truth->malloc_unmapped += small;
	truth->malloc_mapped += large;
	mremap(memory, large, small, MREMAP_MAYMOVE);
	truth->unmapped += large - small;
	truth->malloc_unmapped += large;
	truth->malloc_mapped += small;
	truth->calls[MREMAP] += 2;
}

/* The first call learns the break; before that its moves cannot be told. */
static void move_break(struct vm_truth *truth, size_t bytes)
{
	long old = syscall(SYS_brk, 0);

	syscall(SYS_brk, old + (long)bytes);
	syscall(SYS_brk, old);
	truth->calls[BRK] += 3;
	truth->mapped += bytes;
	truth->unmapped += bytes;
}

static void fail_each(struct vm_truth *truth)
{
	static const size_t too_much = 1UL << 52;
	long old = syscall(SYS_brk, 0);

	mmap(NULL, too_much, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap((void *)1, 1);
	mremap((void *)1, 1, 1, 0);
	syscall(SYS_brk, old + (long)too_much);
	truth->calls[BRK]++;
	for (int call = 0; call < NR_CALLS; call++) {
		truth->calls[call]++;
		truth->failures[call]++;
	}
}

/* Raw calls only, all of them counted: nothing here may allocate. */
static void vm_work(struct vm_truth *truth, size_t page)
{
	for (size_t i = 0; i < 2000; i++) {
		size_t bytes = (i % 16 + 1) * 4 * page;
		void *memory = block(truth, bytes);

		if (i % 8)
			unblock(truth, memory, bytes);
	}
	reserve_and_release(truth, 101 * page);
	reserve_and_commit(truth, 300 * page);
	resize(truth, 8 * page, 200 * page);
	move_break(truth, 64 * page);
	fail_each(truth);
}

static int provoke_vm(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct vm_truth *truth = mmap(NULL, sizeof(*truth), PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int done[2];
	char byte;
	pid_t pid;

	if (truth == MAP_FAILED || pipe(done))
		die("vm");
	pid = spawn();
	if (pid == 0) {
		vm_work(truth, page);
		if (write(done[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	if (read(done[0], &byte, 1) != 1)
		die("vm");
	expect("vm_events vm pid=%d mmap_calls=%lu munmap_calls=%lu mremap_calls=%lu brk_calls=%lu "
	       "mmap_failures=%lu munmap_failures=%lu mremap_failures=%lu brk_failures=%lu "
	       "mapped_bytes=%lu unmapped_bytes=%lu malloc_mapped_bytes=%lu "
	       "malloc_unmapped_bytes=%lu",
	       pid, truth->calls[MMAP], truth->calls[MUNMAP], truth->calls[MREMAP],
	       truth->calls[BRK], truth->failures[MMAP], truth->failures[MUNMAP],
	       truth->failures[MREMAP], truth->failures[BRK], truth->mapped, truth->unmapped,
	       truth->malloc_mapped, truth->malloc_unmapped);
	sleep(SETTLE_S); /* a sample tells the counters */
	kill(pid, SIGKILL);
	end_of(pid);
	return 0;
}

/* ---- memory cgroups ---- */

static uint64_t enter(const char *cgroup)
{
	struct stat st;
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, "0", 1) != 1 || stat(cgroup, &st))
		die(cgroup);
	close(fd);
	return st.st_ino;
}

static int provoke_oom(const char *cgroup, unsigned long mib)
{
	unsigned long limit = mib * MIB;
	struct stat st;
	pid_t pid;

	if (stat(cgroup, &st))
		die(cgroup);
	pid = spawn();
	if (pid == 0) {
		enter(cgroup);
		touch(anonymous(2 * limit), 2 * limit);
		_exit(0);
	}
	expect("oom oom pid=%d comm=provoke memcg=%lu limit_bytes=%lu usage_bytes>=%lu "
	       "usage_bytes<=%lu anon_bytes>=%lu",
	       pid, st.st_ino, limit, limit - OOM_GAP_KB * 1024UL, limit, limit / 4 * 3);
	expect("signal signal pid=%d sig=%d code=128", pid, SIGKILL);
	expect("exit exit pid=%d status=%d", pid, SIGKILL);
	return end_of(pid) != SIGKILL;
}

static void read_uncached(const char *file)
{
	static char buf[256 * 1024];
	int fd = open(file, O_RDONLY);

	if (fd < 0)
		die(file);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static int provoke_cache(const char *cgroup, const char *file)
{
	uint64_t id = enter(cgroup);

	read_uncached(file);
	expect("reclaim_memcg reclaim memcg=%lu memcg_count>=1 memcg_ns>=1", id);
	sleep(SETTLE_S);
	return 0;
}

/* The sum of what "NAME..." lines of a file of /proc say. */
static unsigned long sum_of(const char *path, const char *name)
{
	FILE *file = fopen(path, "r");
	unsigned long sum = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			sum += strtoul(line + strcspn(line, " \t"), NULL, 10);
	if (file)
		fclose(file);
	return sum;
}

static unsigned long stalls(void)
{
	return sum_of("/proc/vmstat", "allocstall");
}

static unsigned long min_free_kb(unsigned long wanted)
{
	static const char path[] = "/proc/sys/vm/min_free_kbytes";
	unsigned long old = 0;
	FILE *file = fopen(path, "r+");

	if (!file || fscanf(file, "%lu", &old) != 1)
		die(path);
	rewind(file);
	fprintf(file, "%lu\n", wanted);
	if (fclose(file))
		die(path);
	return old;
}

/*
 * Not that nothing is free: what the kernel keeps back is made so large that allocations meet it. No longer
 * than until one had to reclaim by itself, for all else on the machine suffers too.
 */
static int provoke_pressure(const char *file)
{
	unsigned long before = stalls(), old;
	char *memory = anonymous(PRESSURE_MIB * MIB);

	read_uncached(file);
	old = min_free_kb(sum_of("/proc/meminfo", "MemFree:"));
	for (unsigned long i = 0; i < PRESSURE_MIB && stalls() == before; i++)
		touch(memory + i * MIB, MIB);
	min_free_kb(old);
	expect("reclaim_direct reclaim direct_count>=1 direct_ns>=1");
	sleep(SETTLE_S);
	return 0;
}

/* ---- sockets ---- */

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static int bound(uint16_t *port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int fd = tcp_socket();

	if (bind(fd, (struct sockaddr *)&address, size) ||
	    getsockname(fd, (struct sockaddr *)&address, &size))
		die("bind");
	*port = ntohs(address.sin_port);
	return fd;
}

static int listener(uint16_t *port)
{
	int fd = bound(port);

	if (listen(fd, 8))
		die("listen");
	return fd;
}

static int connected(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(port)};
	int fd = tcp_socket();

	if (!connect(fd, (struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -errno;
}

static void say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		die("send");
}

static bool hear(int fd)
{
	char buf[512];

	return recv(fd, buf, sizeof(buf), 0) > 0;
}

/* Two answers on one connection; the next is closed with its request unread: that is a reset. */
static void serve(int listening)
{
	int fd = accept(listening, NULL, NULL);
	struct pollfd readable;

	hear(fd);
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	hear(fd);
	say(fd, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
	hear(fd);
	close(fd);
	fd = accept(listening, NULL, NULL);
	readable = (struct pollfd){.fd = fd, .events = POLLIN};
	poll(&readable, 1, -1);
	close(fd);
	_exit(0);
}

static void ask(uint16_t port, uint16_t nobody)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: provoke\r\n\r\n";
	int fd = connected(port);

	for (int i = 0; i < 2; i++) {
		say(fd, request);
		hear(fd);
	}
	close(fd);
	fd = connected(port);
	say(fd, request);
	hear(fd);
	close(fd);
	if (connected(nobody) != -ECONNREFUSED)
		die("connect");
	sleep(SETTLE_S); /* whose flows these are is asked of a live process */
	_exit(0);
}

static int provoke_net(void)
{
	uint16_t port, nobody;
	int listening = listener(&port);
	pid_t worker, client;

	close(bound(&nobody));
	worker = spawn();
	if (worker == 0)
		serve(listening);
	client = spawn();
	if (client == 0)
		ask(port, nobody);
	expect("tcp_state listener pid=%d port=%u state=up", getpid(), port);
	expect("http_egress flow pid=%d role=client port=%u requests=3 opened=2", client, port);
	expect("http_ingress flow pid=%d role=client port=%u responses=2 status[%d]=1 status[%d]=1 "
	       "fail[%d]=1 fail[%d]=1",
	       client, port, STATUS_2XX, STATUS_502, FAIL_STATUS, FAIL_RST_BEFORE);
	expect("owner_recv flow pid=%d role=server port=%u requests>=2 responses=2 status[%d]=1 "
	       "status[%d]=1",
	       worker, port, STATUS_2XX, STATUS_502);
	expect("owner_create flow pid=%d role=client port=%u fail[%d]=1", client, nobody,
	       FAIL_REFUSED);
	expect("tcp_state flow pid=%d role=client port=%u fail[%d]=1", client, nobody,
	       FAIL_REFUSED);
	expect("reset_sent flow role=server port=%u fail[%d]=1", port, FAIL_RST_SENT);
	end_of(worker);
	end_of(client);
	close(listening);
	expect("tcp_state listener pid=%d port=%u state=down", getpid(), port);
	return 0;
}

static int provoke_hold(void)
{
	uint16_t port;

	listener(&port);
	touch(anonymous(HOLD_MIB * MIB), HOLD_MIB * MIB);
	expect("sockets_at_start listener pid=%d port=%u state=found", getpid(), port);
	expect("tasks task pid=%d anon_bytes>=%lu anon_bytes<=%lu total_vm_bytes>=%lu", getpid(),
	       (HOLD_MIB - 1) * MIB, (HOLD_MIB + 1) * MIB,
	       HOLD_MIB * MIB); /* counters are batched */
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "code") && argc == 3)
		return atoi(argv[2]);
	if (!strcmp(what, "life") && argc == 3)
		return provoke_life(argv[2]);
	if (!strcmp(what, "steps"))
		return provoke_steps();
	if (!strcmp(what, "vm"))
		return provoke_vm();
	if (!strcmp(what, "net"))
		return provoke_net();
	if (!strcmp(what, "oom") && argc == 4)
		return provoke_oom(argv[2], strtoul(argv[3], NULL, 10));
	if (!strcmp(what, "cache") && argc == 4)
		return provoke_cache(argv[2], argv[3]);
	if (!strcmp(what, "pressure") && argc == 3)
		return provoke_pressure(argv[2]);
	if (!strcmp(what, "hold"))
		return provoke_hold();
	fprintf(stderr, "provoke: unknown: '%s'\n", what);
	return 2;
}
